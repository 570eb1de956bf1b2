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
"""

from agentfuzz.invariants._law import Invariant, invariant
from agentfuzz.invariants.answers import finished_reply, last_word
from agentfuzz.invariants.asking import executed_as_asked
from agentfuzz.invariants.claims import truthful
from agentfuzz.invariants.crash import survives
from agentfuzz.invariants.doors import same_by_every_door
from agentfuzz.invariants.effects import (
    at_most_once,
    exactly_once,
    no_lost_intent,
)
from agentfuzz.invariants.ending import limits_hold, nothing_after_the_end, returns_control
from agentfuzz.invariants.keys import key_injectivity, key_stability
from agentfuzz.invariants.prose import text_has_no_authority
from agentfuzz.invariants.protocol import valid_calls
from agentfuzz.invariants.repeats import no_blind_repeat, replay_transparency
from agentfuzz.invariants.resuming import continuable, one_decision_one_interrupt
from agentfuzz.invariants.shown import pairing, receipt_seen
from agentfuzz.invariants.termination import bounded, progress, quiescence, structured_termination

__all__ = [
    "Invariant",
    "at_most_once",
    "bounded",
    "continuable",
    "exactly_once",
    "executed_as_asked",
    "finished_reply",
    "invariant",
    "key_injectivity",
    "key_stability",
    "last_word",
    "limits_hold",
    "no_blind_repeat",
    "no_lost_intent",
    "nothing_after_the_end",
    "one_decision_one_interrupt",
    "pairing",
    "progress",
    "quiescence",
    "receipt_seen",
    "replay_transparency",
    "returns_control",
    "same_by_every_door",
    "structured_termination",
    "survives",
    "text_has_no_authority",
    "truthful",
    "valid_calls",
]
