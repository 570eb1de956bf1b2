"""A trigger that is delivered twice: the bundled story, and what a loop may do about it.

Law: each delivery is a leg of its own. Called by the tests of the laws of second deliveries.
"""

from agentfuzz import Completion, World
from agentfuzz.scenarios import webhook_twice
from invariants.loops.order import DONE, FAULTS, UNKNOWN

HOOK = webhook_twice.webhook_twice
AT_THE_END = "end#1:duplicate_trigger"
ON_THE_WAY = "process:send_mail#1:duplicate_trigger"


def same_keys_again(world: World) -> Completion:
    """Victim: does it all again, and the backend knows the keys."""
    for tool in ("ship", "send_mail"):
        try:
            world.tools[tool](order_id="A17", idempotency_key=f"{world.trigger_id}:{tool}")
        except FAULTS:
            return UNKNOWN
    return DONE
