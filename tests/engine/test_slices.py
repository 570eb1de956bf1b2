"""A slice is an input of a run under a name of its own: it is read, checked, replayed, and no data.

Law: any scenario takes a plan with `given:agents=`; in its run `world.agents` returns those alone.
"""

from typing import Any

import pytest
from hypothesis import strategies as st

from agentfuzz import Completion, World, compare_entrypoints, run, scenario
from agentfuzz.core.between import Acts, HandoffReceived
from agentfuzz.core.errors import PlanError, ScenarioError
from agentfuzz.core.plan import FaultPlan

TEAM = ("triage", "billing", "shipping")
SLICE = 'given:agents=["triage","shipping"]'


@scenario(task="Ship A17.")
def desk(world: World) -> None:
    assert world.agents(*TEAM) == world.agents(*TEAM)

    @world.tool(effect="shipment", scope=("order",), dedup="scope")
    def ship(order: str) -> str:
        return "ok"


def agent(world: World) -> Completion:
    before = ""
    for name in world.agents(*TEAM):
        with world.acting(name):
            if before:
                world.handoff(name, {"task": "A17"})
                for handed in world.inbox_of(name):
                    handed.accept()
        before = name
    return Completion.success(handle=str(dict(world.data)))


def acted(history: Any) -> list[str]:
    return list(dict.fromkeys(event.agent for event in history.of(Acts)))


def test_all_of_them_take_part_without_a_slice() -> None:
    """In the order in which they are named, and the history says who was."""
    found = run(desk, agent)
    assert acted(found.history) == ["billing", "shipping"]
    assert found.history.agents == TEAM


def test_a_slice_is_who_takes_part() -> None:
    """Also without a fault; who was named is known all the same, and `world.data` is empty."""
    found = run(desk, agent, SLICE)
    assert acted(found.history) == ["shipping"]
    assert found.history.agents == TEAM
    assert found.history.completion.handle == "{}"
    assert found.history.data == {}
    assert "agents   2 of 3 agents: triage, shipping" in str(found)
    assert "given" not in str(found)


def test_a_fault_strikes_within_a_slice() -> None:
    """The plan is a fault and a slice; its text reads back."""
    plan = FaultPlan.parse(f"handoff:shipping#1:twice + {SLICE}")
    found = run(desk, agent, plan)
    assert len(found.history.of(HandoffReceived)) == 2
    assert FaultPlan.parse(str(plan)) == plan
    assert plan.agents == ("triage", "shipping")
    assert plan.among(()) == FaultPlan.parse("handoff:shipping#1:twice")
    assert plan.among(()).among(plan.agents) == plan


def test_what_goes_astray_stays_in_the_slice() -> None:
    """Nobody who does not take part is handed anything."""
    found = run(desk, agent, f"handoff:shipping#1:misrouted + {SLICE}").history
    assert "billing" not in str(found)


def test_a_slice_beside_inputs() -> None:
    """Inputs that are left out are the simplest; those that are said are said."""

    @scenario(given={"n": st.integers(3, 9)})
    def counted(world: World) -> None:
        desk.build(world)

    for plan, data in ((SLICE, {"n": 3}), (f"{SLICE} + given:n=7", {"n": 7})):
        found = run(counted, agent, plan).history
        assert (found.data, acted(found)) == (data, ["shipping"])


def test_another_entrypoint_has_the_same_slice() -> None:
    """Two that do the same are compared in it."""

    def other(world: World) -> Completion:
        return agent(world)

    (verdict,) = compare_entrypoints(desk, {"one": agent, "other": other}, SLICE)
    assert verdict.status == "HELD"


@pytest.mark.parametrize("value", ["1", '"triage"', "[]", "[1]", '[""]', '["a","a"]', "null"])
def test_a_slice_is_a_list_of_names(value: str) -> None:
    """Anything else is said to be none, and how it is written."""
    with pytest.raises(PlanError, match=r'given:agents=\["triage","billing"\]'):
        run(desk, agent, f"given:agents={value}")


def test_a_name_that_nobody_has() -> None:
    """It is named, and the nearest one."""
    said = r"names the agent 'biling'; .* triage, billing, shipping. Did you mean 'billing'\?"
    with pytest.raises(PlanError, match=said):
        run(desk, agent, 'given:agents=["triage","biling"]')
    with pytest.raises(PlanError, match=r"world.agents\(...\) of this run names none\."):
        run(desk_without, lambda world: None, 'given:agents=["triage"]')


@scenario(task="Nothing.")
def desk_without(world: World) -> None:
    """No agents."""


def test_an_input_of_this_name_is_an_error() -> None:
    """At the declaration, with the cure."""
    with pytest.raises(
        ScenarioError, match=r"kept for the agents .* call the input something else"
    ):
        scenario(given={"agents": st.integers()})


def test_names_are_texts() -> None:
    """Whatever else is named is refused, as everywhere."""
    with pytest.raises(ScenarioError, match="3 is no name of an agent"):
        run(desk_without, lambda world: world.agents("a", 3))
