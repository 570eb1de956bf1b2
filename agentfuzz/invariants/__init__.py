"""The laws, one file per family; each is a pure function from a history to a verdict.

effects      at_most_once, exactly_once, no_lost_intent
repeats      no_blind_repeat, replay_transparency
keys         key_stability, key_injectivity
termination  structured_termination, bounded, progress, quiescence
claims       truthful
prose        text_has_no_authority
protocol     valid_calls
crash        survives
shown        pairing, receipt_seen
asking       executed_as_asked
answers      last_word, finished_reply
ending       nothing_after_the_end, limits_hold, returns_control
resuming     continuable, one_decision_one_interrupt
doors        same_by_every_door
agreement    no_contradiction
deadlines    ends_within, budget_is_not_success
doubt        unknown_is_not_failed
retries      retry_budget
hidden       no_hidden_calls
surfaces     errors_surface
memory       effect_memory
flight       single_flight
keying       key_independence, write_ahead
compensation compensated
approvals    approval_single_use
cancelling   no_effect_after_cancel, cancel_report
again        no_redo, input_dedup
"""

from agentfuzz.invariants._law import Invariant, invariant
from agentfuzz.invariants.again import input_dedup, no_redo
from agentfuzz.invariants.agreement import no_contradiction
from agentfuzz.invariants.answers import finished_reply, last_word
from agentfuzz.invariants.approvals import approval_single_use
from agentfuzz.invariants.asking import executed_as_asked
from agentfuzz.invariants.cancelling import cancel_report, no_effect_after_cancel
from agentfuzz.invariants.claims import truthful
from agentfuzz.invariants.compensation import compensated
from agentfuzz.invariants.crash import survives
from agentfuzz.invariants.deadlines import budget_is_not_success, ends_within
from agentfuzz.invariants.doors import same_by_every_door
from agentfuzz.invariants.doubt import unknown_is_not_failed
from agentfuzz.invariants.effects import (
    at_most_once,
    exactly_once,
    no_lost_intent,
)
from agentfuzz.invariants.ending import limits_hold, nothing_after_the_end, returns_control
from agentfuzz.invariants.flight import single_flight
from agentfuzz.invariants.hidden import no_hidden_calls
from agentfuzz.invariants.keying import key_independence, write_ahead
from agentfuzz.invariants.keys import key_injectivity, key_stability
from agentfuzz.invariants.memory import effect_memory
from agentfuzz.invariants.prose import text_has_no_authority
from agentfuzz.invariants.protocol import valid_calls
from agentfuzz.invariants.repeats import no_blind_repeat, replay_transparency
from agentfuzz.invariants.resuming import continuable, one_decision_one_interrupt
from agentfuzz.invariants.retries import retry_budget
from agentfuzz.invariants.shown import pairing, receipt_seen
from agentfuzz.invariants.surfaces import errors_surface
from agentfuzz.invariants.termination import bounded, progress, quiescence, structured_termination

__all__ = [
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
]
