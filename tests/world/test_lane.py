"""The lane gives what the general way of a call gives, event for event."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentfuzz import Completion, World, run, scenario
from agentfuzz.core.codec import dump, history_to_json
from agentfuzz.engine.simulation import Simulation
from agentfuzz.world import local
from agentfuzz.world.calls import Calls
from agentfuzz.world.lane import Lane

VALUES = st.one_of(
    st.sampled_from(["A17", "", "ü", "x" * 70, " at 0x12345", "<Client object at 0x7fefcf1ce5d0>"]),
    st.sampled_from([0, 1, True, False, None, 1.0, 2**63, -(2**63), 2**70]),
    st.lists(st.integers(0, 1), max_size=2),
)
CALLS = st.lists(
    st.tuples(
        st.sampled_from(["look", "charge", "pay", "note", "here", "nothing"]),
        st.dictionaries(
            st.sampled_from(["order", "cents", "idempotency_key", "more"]), VALUES, max_size=3
        ),
    ),
    min_size=1,
    max_size=6,
)
PLANS = ("", "charge#1:once/timeout", "pay#1:twice", "note#1:late/timeout@3", "look#1:once/wrong",
         "charge#2:lost/rate_limited", "local:here#1:raises", "pay#1-3:once/error")  # fmt: skip


@scenario(max_crossings=40)
def shop(world: World) -> None:
    """Each kind of tool; some bodies fail, say no, or take their time."""

    @world.tool
    def look(order: str, cents: int = 1) -> dict[str, Any]:
        return {"order": order, "cents": cents}

    @world.tool(effect="charge", scope=("order",), dedup="scope")
    def charge(order: str, cents: int) -> dict[str, Any]:
        if cents == 0:
            raise ValueError("nothing to charge")
        return {"charge": 1, "cents": cents} if order else {"ok": False}

    @world.tool(effect="payment", scope=("order",), dedup="key")
    def pay(order: str, cents: int = 5) -> str:
        world.clock.advance(1.5)
        return "paid"

    @world.tool(effect="note", scope=())
    def note(order: str | None) -> None:
        """Says nothing."""

    @world.tool(transport="local")
    def here(order: str) -> str:
        return order


def agent_of(calls: list[tuple[str, dict[str, Any]]]) -> Any:
    def agent(world: World) -> Completion:
        seen = []
        for name, arguments in calls:
            try:
                seen.append(repr(world.call(name, arguments)))
            except Exception as error:
                seen.append(f"{type(error).__name__}: {error}")
        return Completion.success(detail=" ".join(seen)[:500])

    return agent


@pytest.mark.parametrize("plan", PLANS)
def test_the_same_by_both_ways(plan: str, simulation: Simulation) -> None:
    """Whatever is called with, however often: the second time it is known."""

    @settings(max_examples=30, deadline=None, database=None)
    @given(CALLS)
    def same(calls: list[tuple[str, dict[str, Any]]]) -> None:
        found = []
        for way in (Lane, Calls, Lane):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(local, "Lane", way)
                made = run(shop, agent_of(calls), plan, simulation=simulation)
                found.append(dump(history_to_json(made.history)))
        assert found[0] == found[1] == found[2]

    same()


def test_what_was_known_is_no_other_type() -> None:
    """True is no 1, also where 1 has been seen."""
    calls = [("charge", {"order": "A", "cents": cents}) for cents in (1, True)]
    agent = agent_of(calls)
    first, second = run(shop, agent).history.calls.values()
    assert (first.args["cents"], second.args["cents"]) == (1, True)
    assert type(second.args["cents"]) is bool
