"""Binds the reference loop to an agentfuzz world; here, and only here, agentfuzz is known.

A host has what a World has: `store` (durable, each write in one step, with `claim`), `tools`,
`model(messages, tools)`, `call(tool, arguments, asked)`, `request_approval`, `decision`, `why` (it
was started), `cancelled`.
"""

from agentfuzz import Payload, World

from .handoff import receive
from .loop import Data, Tool


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


def hand_over(world: World, handed: Data, attempts: int = 3) -> bool:
    """Send a handoff until its receiver has it; without an answer, the same one again."""
    for _ in range(attempts):
        receipt = world.handoff(handed["owner"], Payload(**handed))
        collect(world, handed["owner"])
        world.answered(receipt, 60.0)
        collect(world, handed["owner"])
        if receipt.status == "accepted" or receipt.reason == "known":
            return True
    return False


def collect(world: World, name: str) -> None:
    """What an agent makes of its mailbox."""
    with world.acting(name):
        for handed in world.inbox_of(name):
            answer = receive(world.store, name, handed.payload)
            handed.accept() if answer == "accepted" else handed.reject(answer)
