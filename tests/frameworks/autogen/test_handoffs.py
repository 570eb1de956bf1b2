"""Handoffs of AutoGen's Swarm, as handoffs of a world: who acts, what arrives, what is found."""

import json
from contextlib import suppress

import pytest

pytest.importorskip("autogen_agentchat", reason="needs 'pytest-agentfuzz[autogen]'")

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import Handoff
from autogen_agentchat.conditions import HandoffTermination
from autogen_core.tools import FunctionTool

from agentfuzz import (
    Completion,
    at_most_once,
    constraints_survive,
    effects_remembered,
    exactly_once,
    latest_version,
    own,
    run,
    scenario,
)
from agentfuzz.adapters.autogen import ADAPTER, SaysText, model, outcome, swarm, tools
from agentfuzz.core.between import HandoffAccepted, HandoffReceived, HandoffSent
from agentfuzz.core.events import ModelInput
from agentfuzz.invariants.queries.teams import agent_of

from ..played import codes, findings, history
from .variants import VARIANTS

EACH = pytest.mark.parametrize("entrypoint", ADAPTER.entrypoints)
PAYLOADS = ("stale", "trimmed", "buried", "poisoned")
SHIP = ("ship", {"order_id": "A17"})
CHARGE = ("charge", {"order_id": "A17"})


def shop(world):
    @world.tool(effect="charge", scope=("order_id",))
    def charge(order_id: str) -> dict:
        return {"charge_id": f"ch_{order_id}", "cents": 4200}

    @world.tool(effect="shipment", scope=("order_id",))
    def ship(order_id: str) -> dict:
        return {"parcel": f"p_{order_id}"}


def desk(script, *laws):
    words = {"task": "Charge order A17 and ship it.", "script": script}
    return scenario(*(laws or (exactly_once("shipment"),)), **words)(shop)


def member(world, name, *handoffs, **words):
    client, given = model(world, agent=name), tools(world, agent=name)
    return AssistantAgent(name, model_client=client, tools=given, handoffs=list(handoffs), **words)


def team_of(*handoffs, carry=(), ends=None, others=("shipping", "audit"), **words):
    async def team(world):
        world.agents("triage", *others)
        agents = [member(world, "triage", *handoffs, **words)]
        agents += [member(world, name) for name in others]
        made = swarm(world, agents, carry, termination_condition=ends or SaysText())
        return outcome(await made.run(task=world.task))

    return team


def handed(told):
    kinds = (HandoffSent, HandoffReceived, HandoffAccepted)
    return [
        (type(one).__name__, one.to if isinstance(one, HandoffSent) else one.agent)
        for one in told.events
        if isinstance(one, kinds)
    ]


def shown_to(told, agent):
    """What the model of this agent was shown, in a text."""
    return str([one.messages for one in told.of(ModelInput) if agent_of(told, one) == agent])


class Order(Handoff):
    """A handoff whose tool takes what the model says, and hands it over as an object."""

    @property
    def handoff_tool(self):
        def transfer(order_id: str, cents: int, why: str) -> str:
            return json.dumps({"order_id": order_id, "cents": cents, "why": [why]})

        return FunctionTool(transfer, self.description, name=self.name, strict=True)


TOLD = own("transfer_to_shipping", order_id="A17", cents=4200, why="urgent")
TYPED = {"triage": [TOLD, "Done."], "shipping": [SHIP, "Shipped."], "audit": ["Not mine."]}
PLAIN = {**TYPED, "triage": [own("transfer_to_shipping"), "Done."]}


@EACH
@pytest.mark.parametrize(
    ("plan", "kinds"),
    [
        ("", ["HandoffSent", "HandoffReceived", "HandoffAccepted"]),
        ("handoff:billing#1:lost", ["HandoffSent"]),
        ("handoff:billing#1:misrouted", ["HandoffSent", "HandoffReceived"]),
    ],
)
def test_a_handoff_of_a_swarm_crosses_the_world(entrypoint, plan, kinds):
    """By every way to ask one; what is lost ends the run with an error, which is no claim."""
    told = history(ADAPTER, "delegated", entrypoint, plan)
    assert [kind for kind, _ in handed(told)] == kinds
    assert told.ended.how == ("raised" if "lost" in plan else "returned")
    assert not codes(ADAPTER, "delegated", entrypoint, plan)


def test_what_is_lost_is_handed_over_again_by_who_calls_again():
    """The team goes on with the agent that had the word."""
    told = history(ADAPTER, "delegated", "run", "handoff:billing#1:lost", tries=2)
    assert told.ended.how == "returned"


def test_it_takes_control_to_another_one():
    """Who acts is the agent at which it arrived."""
    told = run(desk(PLAIN), team_of("shipping"), "handoff:shipping#1:misrouted").history
    assert handed(told) == [("HandoffSent", "shipping"), ("HandoffReceived", "audit")]
    assert told.ledger == []


@pytest.mark.parametrize("plan", ["", "handoff:billing#1:once/trimmed"])
def test_the_context_of_a_message_is_its_payload(plan):
    """The calls beside a handoff go with it; trimmed, the next agent is shown none of them."""
    told = history(ADAPTER, "handed_over_beside", "run", plan)
    [sent], [got] = told.of(HandoffSent), told.of(HandoffReceived)
    assert [one["type"] for one in sent.payload["context"]] == [
        "AssistantMessage",
        "FunctionExecutionResultMessage",
    ]
    assert got.payload == (sent.payload if not plan else {"context": []})
    assert ("ch_A17" in shown_to(told, "billing")) is (not plan)
    assert not codes(ADAPTER, "handed_over_beside", "run", plan)


def test_a_result_arrives_with_another_value():
    """As the next agent's model is shown it."""
    plan = "handoff:billing#1:once/poisoned=1"
    told = history(ADAPTER, "handed_over_beside", "run", plan)
    assert "42000" in shown_to(told, "billing")
    assert not codes(ADAPTER, "handed_over_beside", "run", plan)


def test_a_message_that_is_an_object_is_a_payload_of_fields():
    """Its facts must arrive; `carry` names them."""
    agent = team_of(Order(target="shipping"), carry=("cents",))
    scene = desk(TYPED, exactly_once("shipment"), constraints_survive())
    well = run(scene, agent)
    assert not well.violations
    [sent] = well.history.of(HandoffSent)
    assert sent.payload == {"order_id": "A17", "cents": 4200, "why": ["urgent"]}
    assert sent.carry == {"cents": 4200}
    told = run(scene, agent, "handoff:shipping#1:once/poisoned=1")
    assert {one.code for one in told.violations} == {"AF608"}
    assert '"cents": 42000' in shown_to(told.history, "shipping").replace("\\", "")
    told = run(scene, agent, "handoff:shipping#1:once/trimmed")
    assert told.history.of(HandoffReceived)[0].payload["why"] == []


def test_what_the_framework_says_by_itself_is_no_payload():
    """A text of the user's is one, which may stand in the middle of a long one."""
    assert run(desk(PLAIN), team_of("shipping")).history.of(HandoffSent)[0].payload == {}
    agent = team_of(Handoff(target="shipping", message="By boat."))
    told = run(desk(PLAIN), agent, "handoff:shipping#1:once/buried").history
    assert told.of(HandoffSent)[0].payload == {"text": "By boat."}
    assert told.of(HandoffReceived)[0].payload["text"].count("By boat.") == 1
    assert "'Earlier notes of the conversation" in shown_to(told, "shipping")


def test_a_handoff_to_a_person_is_the_framework_s():
    """Nobody of the team is handed anything."""
    script = {**PLAIN, "triage": [own("transfer_to_user"), "Done."]}
    agent = team_of("user", ends=HandoffTermination("user"))
    told = run(desk(script, at_most_once("shipment")), agent).history
    assert (told.ended.how, told.of(HandoffSent)) == ("returned", [])


def test_of_two_handoffs_in_a_turn_the_second_is_lost():
    """As the framework says; the model is told that both agents have the word."""
    both = [own("transfer_to_shipping"), own("transfer_to_audit")]
    with pytest.warns(UserWarning, match="Only the first is executed"):
        told = run(desk({**PLAIN, "triage": [both, "Done."]}), team_of("shipping", "audit")).history
    assert handed(told)[0] == ("HandoffSent", "shipping")
    assert len(told.of(HandoffSent)) == 1


def test_what_was_done_in_an_earlier_round_is_not_handed_over():
    """Of an agent with several rounds the last one goes with the handoff: what it did before, the
    next one is not shown. With one round, AutoGen's default, each result is said to all."""
    script = {**PLAIN, "triage": [CHARGE, own("transfer_to_shipping"), "Done."]}
    scene = desk(script, effects_remembered())
    found = run(scene, team_of("shipping", max_tool_iterations=5))
    assert {one.code for one in found.violations} == {"AF412"}
    assert not run(scene, team_of("shipping")).violations


def test_a_team_that_says_nothing_of_a_loss_is_found():
    """And one whose other agent acts on what went astray to it."""
    quiet = team_of("shipping")

    async def agent(world):
        with suppress(RuntimeError):
            await quiet(world)
        return Completion.success(handle="A17")

    scene = desk(PLAIN, at_most_once("shipment"))
    found = run(scene, agent, "handoff:shipping#1:lost")
    assert {one.code for one in found.violations} == {"AF105", "AF607"}
    scene = desk({**PLAIN, "audit": [SHIP, "Shipped."]}, latest_version())
    found = run(scene, quiet, "handoff:shipping#1:misrouted")
    assert {one.code for one in found.violations} == {"AF603"}


@pytest.mark.parametrize(
    ("then", "broken"), [([SHIP, "Shipped."], {"AF101", "AF602"}), (["Shipping has it."], set())]
)
def test_who_does_what_it_has_handed_over_is_found(then, broken):
    """The application asks triage by itself, when shipping has had the word: the task is no longer
    its own. One that says so keeps the law."""

    async def agent(world):
        triage = member(world, "triage", "shipping")
        members = [triage, member(world, "shipping")]
        await swarm(world, members, termination_condition=SaysText()).run(task=world.task)
        return outcome(await triage.run(task="And?"))

    script = {"triage": [own("transfer_to_shipping"), *then], "shipping": TYPED["shipping"]}
    found = run(desk(script, at_most_once("shipment")), agent)
    assert [agent for _, agent in handed(found.history)] == ["shipping"] * 3
    assert {one.code for one in found.violations} == broken


class Refusing(Handoff):
    """A handoff whose tool fails."""

    @property
    def handoff_tool(self):
        def transfer() -> str:
            raise ValueError("not on Sundays")

        return FunctionTool(transfer, self.description, name=self.name, strict=True)


def test_a_handoff_whose_own_tool_raises_never_ends():
    """Nobody tells the agent, which waits for the end of its calls."""
    told = run(desk(PLAIN), team_of(Refusing(target="shipping"))).history
    assert (told.ended.error, told.of(HandoffSent)) == ("hung", [])


@pytest.mark.parametrize("name", ["delegated", "handed_over", "handed_over_beside"])
def test_an_honest_team_holds_under_each_fault_of_a_handoff(name):
    """Lost, misrouted, and every payload."""
    only = ("misrouted", *PAYLOADS)
    words = {**VARIANTS["key"](), "only": only, "depth": 1}
    assert findings(ADAPTER, name, "run", **words) == {}
    assert not codes(ADAPTER, name, "run", "handoff:billing#1:lost", **VARIANTS["key"]())
