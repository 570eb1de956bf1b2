"""Deterministic simulation testing for agent loops.

This file is a lazy table of contents: starting pytest imports none of Hypothesis, pydantic or a
framework. What is public is named here, with the module it lives in.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentfuzz import adapters, strategies, wire
    from agentfuzz._fuzz import fuzz, regression
    from agentfuzz.core.completion import Completion
    from agentfuzz.core.errors import (
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
    from agentfuzz.core.faults import Fault, Slot
    from agentfuzz.core.history import History
    from agentfuzz.core.plan import FaultPlan
    from agentfuzz.core.verdict import Verdict, Violation
    from agentfuzz.engine.child.process import in_child
    from agentfuzz.engine.scenario import Scenario, scenario
    from agentfuzz.engine.single import Run, compare_entrypoints, run
    from agentfuzz.invariants import (
        Invariant,
        approval_single_use,
        at_most_once,
        bounded,
        budget_is_not_success,
        cancel_report,
        compensated,
        continuable,
        duplicate_trigger_ignored,
        effects_remembered,
        ends_within,
        errors_surface,
        exactly_once,
        executed_as_asked,
        invariant,
        key_not_from_model,
        key_saved_before_use,
        limits_hold,
        no_act_on_cut_reply,
        no_blind_repeat,
        no_contradiction,
        no_effect_after_cancel,
        no_effect_after_completion,
        no_effect_after_reported_failure,
        no_hidden_calls,
        no_lost_intent,
        no_redo,
        no_stale_answer,
        no_stuck_repeats,
        one_decision_one_interrupt,
        one_intent_per_key,
        receipts_shown,
        replay_transparency,
        results_paired,
        retry_budget,
        returns_control,
        same_by_every_entrypoint,
        same_key_on_retry,
        single_flight,
        structured_termination,
        survives,
        text_has_no_authority,
        truthful,
        unknown_is_not_failed,
        valid_calls,
    )
    from agentfuzz.model.script import call, ref
    from agentfuzz.report.confusion import confusion
    from agentfuzz.search.sampling import Consistency, repeat
    from agentfuzz.world.world import World

__version__ = "0.1.0"

_PLACES = {
    "_fuzz": ("fuzz", "regression"),
    "engine.single": ("Run", "compare_entrypoints", "run"),
    "engine.scenario": ("Scenario", "scenario"),
    "engine.child.process": ("in_child",),
    "core.completion": ("Completion",),
    "core.errors": (
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
    "core.faults": ("Fault", "Slot"),
    "core.plan": ("FaultPlan",),
    "core.history": ("History",),
    "invariants": (
        "Invariant",
        "approval_single_use",
        "at_most_once",
        "bounded",
        "budget_is_not_success",
        "cancel_report",
        "compensated",
        "continuable",
        "effects_remembered",
        "ends_within",
        "errors_surface",
        "exactly_once",
        "executed_as_asked",
        "no_act_on_cut_reply",
        "duplicate_trigger_ignored",
        "invariant",
        "key_not_from_model",
        "one_intent_per_key",
        "same_key_on_retry",
        "no_stale_answer",
        "limits_hold",
        "no_blind_repeat",
        "no_contradiction",
        "no_effect_after_cancel",
        "no_hidden_calls",
        "no_lost_intent",
        "no_redo",
        "no_effect_after_reported_failure",
        "one_decision_one_interrupt",
        "results_paired",
        "no_stuck_repeats",
        "no_effect_after_completion",
        "receipts_shown",
        "replay_transparency",
        "retry_budget",
        "returns_control",
        "same_by_every_entrypoint",
        "single_flight",
        "structured_termination",
        "survives",
        "text_has_no_authority",
        "truthful",
        "unknown_is_not_failed",
        "valid_calls",
        "key_saved_before_use",
    ),
    "model.script": ("call", "ref"),
    "report.confusion": ("confusion",),
    "search.sampling": ("Consistency", "repeat"),
    "core.verdict": ("Verdict", "Violation"),
    "world.world": ("World",),
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
