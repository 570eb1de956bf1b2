"""Handoffs of a handoff workflow are handoffs of the world, and an honest team holds under them."""

from typing import Any

import pytest

pytest.importorskip("agent_framework.orchestrations")

from agent_framework import Agent, AgentResponse
from agent_framework.orchestrations import HandoffBuilder

from agentfuzz import Run, World, own, run
from agentfuzz.adapters.agent_framework import ADAPTER, model, outcome, tools
from agentfuzz.core.between import HandoffSent

from ..desk import ASTRAY, FIND, MEMBERS, REFUND, by_tool, crossed, desk, honest
from ..played import codes, history


def to(name: str) -> Any:
    return own(f"handoff_to_{name}")


HONEST = honest(to)


def member(world: World, name: str) -> Agent:
    return Agent(
        client=model(world, agent=name),
        name=name,
        tools=tools(world, agent=name, key=by_tool),
        default_options={"store": False},
        require_per_service_call_history_persistence=True,
    )


async def loop(world: World) -> Any:
    team = [member(world, name) for name in MEMBERS]
    built = HandoffBuilder(name="desk", participants=team).with_start_agent(team[0]).build()
    result = await built.run(world.task)
    said = [one for one in result.get_outputs() if isinstance(one, AgentResponse)]
    return outcome(said[-1])


def played(plan: str = "", **script: Any) -> Run:
    return run(desk({**HONEST, **script}), loop, plan)


@pytest.mark.parametrize("entrypoint", ADAPTER.entrypoints)
@pytest.mark.parametrize(
    ("plan", "kinds"),
    [
        ("", ["HandoffSent", "HandoffReceived", "HandoffAccepted"]),
        (
            "handoff:billing#1:lost",  # the tool says so, and the model hands over again
            ["HandoffSent", "HandoffSent", "HandoffReceived", "HandoffAccepted"],
        ),
    ],
)
def test_a_handoff_crosses_the_world(entrypoint: str, plan: str, kinds: list[str]) -> None:
    """Without a word of the user's, by both APIs, streamed or not."""
    told = history(ADAPTER, "delegated", entrypoint, plan)
    seen = [type(one).__name__ for one in told.events]
    assert [name for name in seen if name.startswith("Handoff")] == kinds
    assert told.ended.value == "Shipped."
    assert not codes(ADAPTER, "delegated", entrypoint, plan)


@pytest.mark.parametrize("plan", ["", "lost", "misrouted"])
def test_an_honest_team_holds(plan: str) -> None:
    """Under each fault of a handoff: nothing is carried by it that could be spoilt."""
    found = played(plan and f"handoff:billing#1:{plan}")
    assert [one.code for one in found.violations] == []
    assert "Accepted billing" in crossed(found)
    if plan == "misrouted":
        assert crossed(found) == ASTRAY


def test_who_hands_over_to_whom() -> None:
    """The sender and the task."""
    [sent] = played().history.of(HandoffSent)
    assert (sent.sender, sent.to, sent.task) == ("triage", "billing", "Refund order A17.")


def test_who_takes_what_is_not_its_own_is_found() -> None:
    """Shipping refunds what was meant for billing."""
    found = played("handoff:billing#1:misrouted", shipping=[FIND, REFUND, "Refunded."])
    assert "AF603" in {one.code for one in found.violations}


def test_of_two_handoffs_in_one_reply_the_first_is_made() -> None:
    """It ends the reply: the second one is not begun, and nothing of it is told."""
    found = played(triage=[[to("shipping"), to("billing")], "Handed over."])
    taken = ["Sent {0}", "Received {0}", "Accepted {0}"]
    assert crossed(found) == [one.format(name) for name in ("shipping", "billing") for one in taken]
    assert [one.code for one in found.violations] == []
