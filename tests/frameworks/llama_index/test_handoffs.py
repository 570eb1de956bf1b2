"""Handoffs of an AgentWorkflow are handoffs of the world, and an honest team holds under them."""

from typing import Any

import pytest

pytest.importorskip("llama_index.llms.openai_like")

from llama_index.core.agent.workflow import FunctionAgent

from agentfuzz import Run, World, own, run
from agentfuzz.adapters.llama_index import ADAPTER, model, outcome, tools, workflow
from agentfuzz.core.between import HandoffReceived
from agentfuzz.core.events import ModelInput

from ..desk import ASTRAY, FIND, MEMBERS, REFUND, by_tool, crossed, desk, honest
from ..played import codes, history


def to(name: str) -> Any:
    return own("handoff", to_agent=name, reason="It is theirs.")


HONEST = honest(to)


def member(world: World, name: str) -> FunctionAgent:
    return FunctionAgent(
        name=name,
        description=f"Does {name}.",
        llm=model(world, agent=name),
        tools=tools(world, agent=name, key=by_tool),
    )


async def loop(world: World) -> Any:
    team = workflow(world, [member(world, name) for name in MEMBERS], root_agent="triage")
    return outcome(await team.run(user_msg=world.task))


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
    """With the framework's own tool, by every way to run agents."""
    told = history(ADAPTER, "delegated", entrypoint, plan)
    seen = [type(one).__name__ for one in told.events]
    assert [name for name in seen if name.startswith("Handoff")] == kinds
    assert not codes(ADAPTER, "delegated", entrypoint, plan)


@pytest.mark.parametrize("plan", ["", "lost", "misrouted", "once/poisoned"])
def test_an_honest_team_holds(plan: str) -> None:
    """Under each fault of a handoff."""
    found = played(plan and f"handoff:billing#1:{plan}")
    assert [one.code for one in found.violations] == []
    assert "Accepted billing" in crossed(found)
    if plan == "misrouted":
        assert crossed(found) == ASTRAY


def test_who_takes_what_is_not_its_own_is_found() -> None:
    """Shipping refunds what was meant for billing."""
    found = played("handoff:billing#1:misrouted", shipping=[FIND, REFUND, "Refunded."])
    assert "AF603" in {one.code for one in found.violations}


def test_the_next_agent_reads_what_arrived() -> None:
    """Another reason stands in the framework's words."""
    found = played("handoff:billing#1:once/poisoned")
    [received] = found.history.of(HandoffReceived)
    later = [one for one in found.history.of(ModelInput) if one.seq > received.seq]
    shown = " ".join(one.text for one in later[0].messages)
    assert received.payload == {"reason": ".srieht si tI?"}
    assert ".srieht si tI?" in shown
    assert "It is theirs." not in shown.replace("?", "")


def test_of_two_handoffs_in_one_reply_one_is_made() -> None:
    """The workflow goes on with the agent that was named last."""
    found = played(triage=[[to("shipping"), to("billing")], "Handed over."])
    assert crossed(found)[:2] == ["Sent shipping", "Sent billing"]
    assert [one for one in crossed(found) if one.startswith("Received")] == ["Received billing"]
