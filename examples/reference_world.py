"""A world of agentfuzz as the host of the reference loop, and of what two loops hand over.

Law: what is here knows agentfuzz, and decides nothing. Used by the tests of the reference loop, and
by `tools/loops.py`.
"""

from agentfuzz import Payload, World
from reference_loop.loop import Data, Tool, receive


def tools_of(world: World, **more: Data) -> dict[str, Tool]:
    """The tools of a world, each with what `more` says of it."""
    found = {}
    for spec in world.gateway.specs.values():
        takes = tuple(name for name in spec.names if name != "idempotency_key")
        known: Data = {"scope": takes, "dedup": "scope"}  # to read again does no harm
        if spec.effect is not None:
            known = {
                "scope": spec.scope,
                "dedup": spec.dedup,
                "undoes": spec.undoes,
                "writes": True,
            }
        found[spec.name] = Tool(takes, **known | more.get(spec.name, {}))
    return found


def send(world: World, handed: Data) -> str:
    """Send a handoff, and wait a minute for the answer."""
    receipt = world.handoff(handed["owner"], Payload(**handed))
    collect(world, handed["owner"])
    world.answered(receipt, 60.0)
    collect(world, handed["owner"])
    return "accepted" if receipt.status == "accepted" else receipt.reason


def collect(world: World, name: str) -> None:
    """What an agent makes of its mailbox."""
    with world.acting(name):
        for handed in world.inbox_of(name):
            answer = receive(world.store, name, handed.payload)
            handed.accept() if answer == "accepted" else handed.reject(answer)
