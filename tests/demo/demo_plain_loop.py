"""A hand-written tool-calling loop that mints its idempotency key from the call id."""

from agentfuzz import fuzz
from agentfuzz.scenarios.charge_order import charge_order, key_per_call


@fuzz(charge_order)
def test_plain_loop(world):
    return key_per_call(world)
