"""Deterministic simulation testing for agent loops.

This file is a lazy table of contents: starting pytest imports none of Hypothesis, pydantic or a
framework. What is public is named here, with the module it lives in.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentfuzz import adapters, strategies, wire
    from agentfuzz._fuzz import fuzz, regression
    from agentfuzz._run import Run, compare_doors, run
    from agentfuzz._scenario import Scenario, scenario
    from agentfuzz.child import in_child
    from agentfuzz.completion import Completion
    from agentfuzz.errors import (
        AgentfuzzError,
        CassetteMiss,
        InvalidArguments,
        InvariantViolated,
        KeyConflict,
        KeyReused,
        ModelError,
        NondeterministicAgent,
        PlanError,
        RateLimited,
        SavedFileError,
        ScenarioError,
        ToolError,
        UnknownTool,
    )
    from agentfuzz.faults import Fault, FaultPlan, Slot
    from agentfuzz.history import History
    from agentfuzz.invariants import (
        Invariant,
        approval_single_use,
        at_most_once,
        bounded,
        budget_is_not_success,
        cancel_report,
        compensated,
        continuable,
        effect_memory,
        ends_within,
        errors_surface,
        exactly_once,
        executed_as_asked,
        finished_reply,
        input_dedup,
        invariant,
        key_independence,
        key_injectivity,
        key_stability,
        last_word,
        limits_hold,
        no_blind_repeat,
        no_contradiction,
        no_effect_after_cancel,
        no_hidden_calls,
        no_lost_intent,
        no_redo,
        nothing_after_the_end,
        one_decision_one_interrupt,
        pairing,
        progress,
        quiescence,
        receipt_seen,
        replay_transparency,
        retry_budget,
        returns_control,
        same_by_every_door,
        single_flight,
        structured_termination,
        survives,
        text_has_no_authority,
        truthful,
        unknown_is_not_failed,
        valid_calls,
        write_ahead,
    )
    from agentfuzz.model.script import call, ref
    from agentfuzz.report.confusion import confusion
    from agentfuzz.search.consistency import Consistency, repeat
    from agentfuzz.verdict import Verdict, Violation
    from agentfuzz.world import World

__version__ = "0.1.0"

_PLACES = {
    "_fuzz": ("fuzz", "regression"),
    "_run": ("Run", "compare_doors", "run"),
    "_scenario": ("Scenario", "scenario"),
    "child": ("in_child",),
    "completion": ("Completion",),
    "errors": (
        "AgentfuzzError",
        "CassetteMiss",
        "InvalidArguments",
        "InvariantViolated",
        "KeyConflict",
        "KeyReused",
        "ModelError",
        "NondeterministicAgent",
        "PlanError",
        "RateLimited",
        "SavedFileError",
        "ScenarioError",
        "ToolError",
        "UnknownTool",
    ),
    "faults": ("Fault", "FaultPlan", "Slot"),
    "history": ("History",),
    "invariants": (
        "Invariant",
        "approval_single_use",
        "at_most_once",
        "bounded",
        "budget_is_not_success",
        "cancel_report",
        "compensated",
        "continuable",
        "effect_memory",
        "ends_within",
        "errors_surface",
        "exactly_once",
        "executed_as_asked",
        "finished_reply",
        "input_dedup",
        "invariant",
        "key_independence",
        "key_injectivity",
        "key_stability",
        "last_word",
        "limits_hold",
        "no_blind_repeat",
        "no_contradiction",
        "no_effect_after_cancel",
        "no_hidden_calls",
        "no_lost_intent",
        "no_redo",
        "nothing_after_the_end",
        "one_decision_one_interrupt",
        "pairing",
        "progress",
        "quiescence",
        "receipt_seen",
        "replay_transparency",
        "retry_budget",
        "returns_control",
        "same_by_every_door",
        "single_flight",
        "structured_termination",
        "survives",
        "text_has_no_authority",
        "truthful",
        "unknown_is_not_failed",
        "valid_calls",
        "write_ahead",
    ),
    "model.script": ("call", "ref"),
    "report.confusion": ("confusion",),
    "search.consistency": ("Consistency", "repeat"),
    "verdict": ("Verdict", "Violation"),
    "world": ("World",),
}
_HOME = {name: module for module, names in _PLACES.items() for name in names}
_MODULES = ("adapters", "strategies", "wire")

__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f"agentfuzz.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return import_module(f"agentfuzz.{name}")
    raise AttributeError(f"module 'agentfuzz' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
