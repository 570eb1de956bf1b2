"""The laws, one file per family; each is a pure function from a history to a verdict.

effects      at_most_once, exactly_once, no_lost_intent
repeats      no_blind_repeat, replay_transparency
keys         same_key_on_retry, one_intent_per_key
termination  structured_termination, bounded, progress, no_effect_after_completion
claims       truthful
prose        text_has_no_authority
protocol     valid_calls
crash        survives
shown        pairing, receipts_shown
asking       executed_as_asked
answers      no_stale_answer, no_act_on_cut_reply
ending       no_effect_after_reported_failure, limits_hold, returns_control
resuming     continuable, one_decision_one_interrupt
doors        same_by_every_entrypoint
agreement    no_contradiction
deadlines    ends_within, budget_is_not_success
doubt        unknown_is_not_failed
retries      retry_budget
hidden       no_hidden_calls
surfaces     errors_surface
memory       effects_remembered
flight       single_flight
keying       key_not_from_model, key_saved_before_use
compensation compensated
approvals    approval_single_use
cancelling   no_effect_after_cancel, cancel_report
again        no_redo, duplicate_trigger_ignored
"""

from agentfuzz.invariants._law import Invariant, invariant
from agentfuzz.invariants.again import duplicate_trigger_ignored, no_redo
from agentfuzz.invariants.agreement import no_contradiction
from agentfuzz.invariants.answers import no_act_on_cut_reply, no_stale_answer
from agentfuzz.invariants.approvals import approval_single_use
from agentfuzz.invariants.asking import executed_as_asked
from agentfuzz.invariants.cancelling import cancel_report, no_effect_after_cancel
from agentfuzz.invariants.claims import truthful
from agentfuzz.invariants.compensation import compensated
from agentfuzz.invariants.crash import survives
from agentfuzz.invariants.deadlines import budget_is_not_success, ends_within
from agentfuzz.invariants.doors import same_by_every_entrypoint
from agentfuzz.invariants.doubt import unknown_is_not_failed
from agentfuzz.invariants.effects import (
    at_most_once,
    exactly_once,
    no_lost_intent,
)
from agentfuzz.invariants.ending import (
    limits_hold,
    no_effect_after_reported_failure,
    returns_control,
)
from agentfuzz.invariants.flight import single_flight
from agentfuzz.invariants.hidden import no_hidden_calls
from agentfuzz.invariants.keying import key_not_from_model, key_saved_before_use
from agentfuzz.invariants.keys import one_intent_per_key, same_key_on_retry
from agentfuzz.invariants.memory import effects_remembered
from agentfuzz.invariants.prose import text_has_no_authority
from agentfuzz.invariants.protocol import valid_calls
from agentfuzz.invariants.repeats import no_blind_repeat, replay_transparency
from agentfuzz.invariants.resuming import continuable, one_decision_one_interrupt
from agentfuzz.invariants.retries import retry_budget
from agentfuzz.invariants.shown import receipts_shown, results_paired
from agentfuzz.invariants.surfaces import errors_surface
from agentfuzz.invariants.termination import (
    bounded,
    no_effect_after_completion,
    no_stuck_repeats,
    structured_termination,
)

__all__ = [
    "Invariant",
    "approval_single_use",
    "at_most_once",
    "bounded",
    "budget_is_not_success",
    "cancel_report",
    "compensated",
    "continuable",
    "duplicate_trigger_ignored",
    "effects_remembered",
    "ends_within",
    "errors_surface",
    "exactly_once",
    "executed_as_asked",
    "invariant",
    "key_not_from_model",
    "key_saved_before_use",
    "limits_hold",
    "no_act_on_cut_reply",
    "no_blind_repeat",
    "no_contradiction",
    "no_effect_after_cancel",
    "no_effect_after_completion",
    "no_effect_after_reported_failure",
    "no_hidden_calls",
    "no_lost_intent",
    "no_redo",
    "no_stale_answer",
    "no_stuck_repeats",
    "one_decision_one_interrupt",
    "one_intent_per_key",
    "receipts_shown",
    "replay_transparency",
    "results_paired",
    "retry_budget",
    "returns_control",
    "same_by_every_entrypoint",
    "same_key_on_retry",
    "single_flight",
    "structured_termination",
    "survives",
    "text_has_no_authority",
    "truthful",
    "unknown_is_not_failed",
    "valid_calls",
]
