"""The laws, one file per family; each is a pure function from a history to a verdict.

effects      at_most_once, exactly_once, no_lost_intent
repeats      no_blind_repeat, replay_transparency
keys         key_stability, key_injectivity
termination  structured_termination, bounded, progress, quiescence
claims       truthful
prose        text_has_no_authority
protocol     valid_calls
crash        survives
"""

from agentfuzz.invariants._law import Invariant, invariant
from agentfuzz.invariants.claims import truthful
from agentfuzz.invariants.crash import survives
from agentfuzz.invariants.effects import (
    at_most_once,
    exactly_once,
    no_lost_intent,
)
from agentfuzz.invariants.keys import key_injectivity, key_stability
from agentfuzz.invariants.prose import text_has_no_authority
from agentfuzz.invariants.protocol import valid_calls
from agentfuzz.invariants.repeats import no_blind_repeat, replay_transparency
from agentfuzz.invariants.termination import bounded, progress, quiescence, structured_termination

__all__ = [
    "Invariant",
    "at_most_once",
    "bounded",
    "exactly_once",
    "invariant",
    "key_injectivity",
    "key_stability",
    "no_blind_repeat",
    "no_lost_intent",
    "progress",
    "quiescence",
    "replay_transparency",
    "structured_termination",
    "survives",
    "text_has_no_authority",
    "truthful",
    "valid_calls",
]
