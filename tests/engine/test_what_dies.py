"""What dies with the agent's process: all that it kept in its memory, wherever it laid it."""

from collections.abc import Callable, MutableSet
from typing import Any

import pytest

from agentfuzz import Completion, World, at_most_once, run, scenario

Memory = Callable[[World], MutableSet[str]]


@scenario(at_most_once("charge"), task="Charge both.", resume=True, follow_ups=["And again?"])
def two_orders(world: World) -> None:
    world.sent = []  # type: ignore[attr-defined]
    world.state["limit"] = 2

    @world.tool(effect="charge", scope=("order_id",))
    def charge(order_id: str) -> dict[str, str]:
        world.state.setdefault("charged", []).append(order_id)
        return {"order_id": order_id}

    @world.tool
    def charged() -> list[str]:
        return list(world.state.get("charged", []))


def charging(memory: Memory) -> Callable[[World], Completion]:
    """Charges what its memory does not name."""

    def agent(world: World) -> Completion:
        seen = memory(world)
        for order in ("A", "B"):
            if order not in seen:
                world.tools.charge(order_id=order)
                seen.add(order)
        return Completion.success()

    return agent


class Stored(MutableSet[str]):
    """A memory in the store, which outlives the process."""

    def __init__(self, world: World) -> None:
        self.store = world.store

    def __contains__(self, item: object) -> bool:
        return item in self.store

    def __iter__(self) -> Any:
        return iter(self.store)

    def __len__(self) -> int:
        return len(self.store)

    def add(self, value: str) -> None:
        self.store[value] = True

    def discard(self, value: str) -> None:
        del self.store[value]


OF_THE_PROCESS: dict[str, Memory] = {
    "an attribute": lambda world: world.__dict__.setdefault("memo", set()),
    "state": lambda world: world.state.setdefault("memo", set()),
}


@pytest.mark.parametrize("where", OF_THE_PROCESS)
def test_a_crash_takes_the_memory_with_it(where: str) -> None:
    """What lies on the world, or in its state, is gone when the agent is started again; without a
    crash a later leg of the same process finds it."""
    agent = charging(OF_THE_PROCESS[where])
    assert run(two_orders, agent).violations == ()
    found = run(two_orders, agent, "process:charge#2:crash").violations
    assert [violation.title for violation in found] == ["charge ran 2x, expected 1"]


def test_the_store_outlives_a_crash() -> None:
    """A loop that notes in the store what it has done survives."""
    assert run(two_orders, charging(Stored), "process:charge#2:crash").violations == ()


def test_what_the_scenario_laid_there_outlives_a_crash() -> None:
    """Attributes and keys from before the agent began are the scenario's, and so is all that the
    bodies of its tools keep."""
    seen: list[Any] = []

    def agent(world: World) -> Completion:
        seen.append((world.why, "own" in world.state, hasattr(world, "own")))
        assert world.state["limit"] == 2
        assert world.sent == []  # type: ignore[attr-defined]
        world.state["own"] = world.own = True  # type: ignore[attr-defined]
        if "A" not in world.tools.charged():
            world.tools.charge(order_id="A")
        return Completion.success()

    result = run(two_orders, agent, "process:charge#1:crash/after")
    assert seen[-3:] == [
        ("", False, False),
        ("restart", False, False),
        ("follow_up", True, True),
    ]
    assert len(result.history.ledger) == 1
