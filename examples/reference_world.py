"""A world of agentfuzz as the host of the reference loop, and of what two loops hand over.

Law: what is here knows agentfuzz, and decides nothing. Used by the tests of the reference loop, and
by `tools/loops.py`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from agentfuzz import Completion, Payload, World
from reference_loop.loop import NUDGE, Data, Loop, Tool, receive


def agent(
    tools: Mapping[str, Data],
    needs: Sequence[tuple[Any, ...]] = (),
    hidden: Collection[str] = (),
    nudge: str = NUDGE,
    host: Callable[[World], Any] = lambda world: world,
) -> Callable[[World], Completion]:
    """The reference loop as an agent of a world: with what is known of its tools and of what
    success needs, and without the tools that are not for its task."""

    def reference(world: World) -> Completion:
        known = tools_of(world, **tools)
        mine = {name: tool for name, tool in known.items() if name not in hidden}
        loop = Loop(host(world), mine, world.trigger_id, world.trigger_id, needs, nudge=nudge)
        return Completion(**loop.run(f"{world.trigger_id}: {world.task}", world.task))

    return reference


def proof(field: str, of: str = "") -> Data:
    """A receipt: a field of the reply that names the business object."""

    def receipt(arguments: Any, reply: Any) -> str | None:
        value = reply.get(field) if isinstance(reply, dict) else None
        named = str(value) if isinstance(value, int) else value
        whole = isinstance(named, str) and (not of or named == of.format(**arguments))
        return named if whole else "" if isinstance(reply, dict) and reply.get("error") else None

    return {"proof": receipt}


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
