"""CrewAI's delegation, as handoffs of a world: who acts, what arrives, what is found."""

import pytest

pytest.importorskip("crewai")

from crewai import Agent, Process, Task

from agentfuzz import at_most_once, exactly_once, own, run, scenario
from agentfuzz.adapters.crewai import ADAPTER, crew, model, outcome, tools
from agentfuzz.core.between import HandoffAccepted, HandoffReceived, HandoffRejected, HandoffSent
from agentfuzz.core.events import Called, ModelInput
from agentfuzz.invariants.queries.teams import agent_of

from ..played import codes, findings, history
from .variants import VARIANTS, by_intent

EACH = pytest.mark.parametrize("entrypoint", ADAPTER.entrypoints)
KEYS = VARIANTS["keys"]()
WELL = ["HandoffSent", "HandoffReceived", "HandoffAccepted"]
PAYLOADS = ("stale", "trimmed", "buried", "invalid", "poisoned")


@pytest.fixture(autouse=True, scope="module")
def _warm():
    ADAPTER.warm()


def handed(told):
    kinds = (HandoffSent, HandoffReceived, HandoffAccepted, HandoffRejected)
    return [type(one).__name__ for one in told.events if isinstance(one, kinds)]


def shown_to(told, agent):
    """What the model of this agent was shown, in a text."""
    return str([one.messages for one in told.of(ModelInput) if agent_of(told, one) == agent])


@EACH
@pytest.mark.parametrize(
    ("plan", "kinds"),
    [
        ("", WELL),
        ("handoff:billing#1:lost", ["HandoffSent", *WELL]),  # it is told, and delegates again
        ("handoff:billing#1:twice", [*WELL, *WELL[1:]]),
        ("handoff:billing#1:late", ["HandoffSent", *WELL, *WELL[1:]]),
        ("handoff:billing#1:once/invalid", ["HandoffSent", "HandoffReceived", "HandoffRejected"]),
    ],
)
def test_what_is_delegated_crosses_the_world(entrypoint, plan, kinds):
    """By the framework's own tool, by every way to begin a crew."""
    told = history(ADAPTER, "delegated", entrypoint, plan, **KEYS)
    assert handed(told)[: len(kinds)] == kinds
    assert {agent_of(told, one) for one in told.of(Called)} == {"billing"}


@EACH
@pytest.mark.parametrize(
    ("plan", "broken"),
    [("twice", {"AF101", "AF412", "AF607"}), ("late", {"AF101", "AF412"})],
)
def test_a_coworker_begins_a_task_that_comes_again_with_nothing(entrypoint, plan, broken):
    """What it did for it the first time it is not shown: a key keeps the second effect away."""
    plan = f"handoff:billing#1:{plan}"
    assert codes(ADAPTER, "delegated", entrypoint, plan) == broken
    assert codes(ADAPTER, "delegated", entrypoint, plan, **KEYS) == {"AF412"}


def test_a_task_arrives_with_another_context():
    """What the coworker reads is what the fault made of it."""
    for plan, there in (("", True), ("handoff:billing#1:once/poisoned", False)):
        told = history(ADAPTER, "delegated", "kickoff", plan)
        assert ("It is theirs." in shown_to(told, "billing")) is there


@pytest.mark.slow
@pytest.mark.parametrize("name", ["delegated", "handed_over"])
def test_an_honest_crew_holds_under_each_fault_of_a_handoff(name):
    """Misrouted, and every payload; of what is lost, twice or late see above."""
    words = {**KEYS, "only": ("misrouted", *PAYLOADS), "depth": 1}
    assert findings(ADAPTER, name, "kickoff", **words) == {}
    assert not codes(ADAPTER, name, "kickoff", "handoff:billing#1:lost", **KEYS)


# A crew of a user's own -------------------------------------------------------------------------


def delegates(coworker, tool="delegate_work_to_coworker", what="task"):
    return own(tool, **{what: "Ship order A17.", "context": "Paid.", "coworker": coworker})


SHIP = ("ship", {"order_id": "A17"})
SCRIPT = {"shipping": [SHIP, "Shipped."], "audit": ["Not mine."]}


def desk(lead, *told):
    @scenario(exactly_once("shipment"), task="Ship order A17.", script={**SCRIPT, lead: [*told]})
    def scene(world):
        @world.tool(effect="shipment", scope=("order_id",), dedup="key")
        def ship(order_id: str) -> dict:
            return {"parcel": f"p_{order_id}"}

    return scene


def member(world, name, **words):
    return Agent(
        role=name,
        goal="Do what the task says.",
        backstory="You do what you are told.",
        llm=model(world, agent=name),
        tools=tools(world, key=by_intent, agent=name),
        **words,
    )


def flat(world):
    """The first one may delegate to the others."""
    agents = [member(world, "triage", allow_delegation=True)]
    agents += [member(world, name) for name in ("shipping", "audit")]
    task = Task(description=world.task, expected_output="It is done.", agent=agents[0])
    return outcome(crew(world, agents=agents, tasks=[task]).kickoff())


def managed(world):
    """A manager, whom the framework makes, delegates."""
    agents = [member(world, name) for name in ("shipping", "audit")]
    task = Task(description=world.task, expected_output="It is done.")
    words = {"process": Process.hierarchical, "manager_llm": model(world, agent="Crew Manager")}
    return outcome(crew(world, agents=agents, tasks=[task], **words).kickoff())


LEADS = pytest.mark.parametrize(("lead", "loop"), [("triage", flat), ("Crew Manager", managed)])


@LEADS
def test_a_crew_of_one_s_own_hands_over(lead, loop):
    """Also by a question, and whatever the case of a name."""
    for said in (
        delegates("Shipping"),
        delegates("shipping", "ask_question_to_coworker", "question"),
    ):
        found = run(desk(lead, said, "Done."), loop)
        [sent] = found.history.of(HandoffSent)
        assert (sent.sender, sent.to) == (lead, "shipping")
        assert sent.payload == {"task": "Ship order A17.", "context": "Paid."}
        assert handed(found.history) == WELL
        assert not found.violations


@LEADS
def test_what_goes_astray_is_another_coworker_s(lead, loop):
    """Who says that it is not its own; nothing is shipped, and no success is claimed."""
    told = run(desk(lead, delegates("shipping"), "Done."), loop, "handoff:shipping#1:misrouted")
    assert [one.agent for one in told.history.of(HandoffReceived)] == ["audit"]
    assert told.history.ledger == []


@pytest.mark.parametrize(
    ("then", "dedup", "broken"),
    [
        ([SHIP, "Done."], "none", {"AF101", "AF602"}),
        ([SHIP, "Done."], "key", set()),
        (["Done."], "none", set()),
    ],
    ids=["does it, too", "under one key", "leaves it alone"],
)
def test_who_does_what_it_has_delegated_is_found(then, dedup, broken):
    """The task is the coworker's, which has accepted it and done it."""
    script = {**SCRIPT, "triage": [delegates("shipping"), *then]}

    @scenario(at_most_once("shipment"), task="Ship order A17.", script=script)
    def scene(world):
        @world.tool(effect="shipment", scope=("order_id",), dedup=dedup)
        def ship(order_id: str) -> dict:
            return {"parcel": f"p_{order_id}"}

    assert {one.code for one in run(scene, flat).violations} == broken


def test_a_coworker_whom_nobody_knows_is_no_handoff():
    """The framework says so to the model."""
    told = run(desk("triage", delegates("nobody"), "Done."), flat).history
    assert handed(told) == []
    assert "must be one of the following options" in shown_to(told, "triage")
