"""Handoffs of the frameworks themselves, in a world: who acts, what arrives, what is found."""

import json
from contextlib import suppress
from typing import Annotated, Any, TypedDict

import pytest

pytest.importorskip("agents")
pytest.importorskip("langgraph")
pytest.importorskip("langchain")

from agents import Agent, RunConfig, Runner
from agents.extensions.handoff_filters import remove_all_tools
from agents.items import ToolCallOutputItem
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import BaseModel

from agentfuzz import (
    Completion,
    ScenarioError,
    World,
    adapters,
    constraints_survive,
    exactly_once,
    own,
    ref,
    run,
    scenario,
    truthful,
)
from agentfuzz.boundaries.handoff import BOUNDARY
from agentfuzz.core.between import (
    Acts,
    HandoffAccepted,
    HandoffReceived,
    HandoffRejected,
    HandoffSent,
)
from agentfuzz.core.events import Called, Committed, ModelInput, Struck
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.invariants.queries.teams import agent_of

from .shop import by_intent, findings

oa, lg = adapters.openai_agents, adapters.langgraph
FIND = ("find_order", {"order_id": "A17"})
REFUND = ("refund", {"order_id": "A17", "cents": ref("find_order", "cents")})


def shop(world: World) -> None:
    @world.tool
    def find_order(order_id: str) -> dict[str, object]:
        """Look an order up."""
        return {"order_id": order_id, "cents": 4200}

    @world.tool(effect="ticket", scope=("order_id",), dedup="key")
    def ticket(order_id: str) -> str:
        """Open a ticket."""
        return f"t_{order_id}"

    @world.tool(effect="refund", scope=("order_id",), dedup="key")
    def refund(order_id: str, cents: int) -> dict[str, object]:
        """Give the money back."""
        return {"refund_id": f"re_{order_id}", "cents": cents}


SCRIPT = {
    "triage": [FIND, own("transfer_to_billing"), "Handed over."],
    "billing": [REFUND, "Refunded."],
    "shipping": [own("transfer_to_billing"), "Not mine."],
}
LAWS = (exactly_once("refund"), truthful())
TASK = "Refund order A17."


@scenario(*LAWS, task=TASK, script=SCRIPT)
def desk(world: World) -> None:
    shop(world)


def told(history: History, *kinds: Any) -> list[tuple[str, ...]]:
    """What became of the handoffs."""
    found = []
    for event in history.events:
        if type(event) in kinds or (not kinds and isinstance(event, HANDED)):
            who = event.to if isinstance(event, HandoffSent) else event.agent
            found.append((type(event).__name__.removeprefix("Handoff"), event.handoff, who))
    return found


HANDED = (HandoffSent, HandoffReceived, HandoffAccepted, HandoffRejected)
WELL = [
    ("Sent", "handoff_1", "billing"),
    ("Received", "handoff_1", "billing"),
    ("Accepted", "handoff_1", "billing"),
]


def who(history: History) -> list[tuple[str, str]]:
    """The calls, with who made them."""
    return [(agent_of(history, call), call.slot.name) for call in history.of(Called)]


def shown_to(history: History, agent: str) -> list[Any]:
    """What the model of this agent was shown first."""
    first = next(one for one in history.of(ModelInput) if agent_of(history, one) == agent)
    return [(one.role, one.text) for one in first.messages]


# The OpenAI Agents SDK ------------------------------------------------------------------------


def sdk_team(world: World, key: Any = by_intent, **options: Any) -> Any:
    """Triage, which hands over to billing; shipping hands on what is not its own."""

    def member(name: str, *to: Any, **more: Any) -> Any:
        tools = oa.tools(world, key=key, agent=name)
        handoffs = [oa.handoff(world, one, **more) for one in to]
        return Agent(name=name, model=oa.model(world, agent=name), tools=tools, handoffs=handoffs)

    billing = member("billing")
    shipping = member("shipping", billing)
    triage = member("triage", billing, **options)
    triage.handoffs.append(oa.handoff(world, shipping))
    return triage


async def careful(world: World, **options: Any) -> Any:
    """A survivor: one key per intent, whoever acts, and a claim that rests on a receipt."""
    result = await Runner.run(sdk_team(world, **options), world.task)
    for item in result.new_items:
        if isinstance(item, ToolCallOutputItem):
            try:
                return Completion.success(handle=json.loads(item.output)["refund_id"])
            except (ValueError, TypeError, KeyError):
                continue
    return Completion.blocked(reason="outcome_unknown")


async def streamed(world: World) -> Any:
    result = Runner.run_streamed(sdk_team(world), world.task)
    async for _ in result.stream_events():
        pass
    return result.final_output


def in_sync(world: World) -> Any:
    return Runner.run_sync(sdk_team(world), world.task).final_output


@pytest.mark.parametrize("agent", [careful, streamed, in_sync])
def test_each_agent_of_the_sdk_has_its_own_script_and_acts_itself(agent: Any) -> None:
    """The transfer is a handoff: sent by who asks for it, accepted with the other's first turn."""
    result = run(desk, agent)
    assert told(result.history) == WELL
    assert [one.agent for one in result.history.of(Acts)] == ["triage", "billing"]
    assert who(result.history) == [("triage", "find_order"), ("billing", "refund")]
    [sent] = result.history.of(HandoffSent)
    assert (sent.sender, sent.task, sent.payload["task"]) == ("triage", TASK, TASK)
    assert [one["role"] for one in sent.payload["conversation"]] == ["user", "assistant", "tool"]
    assert result.violations == ()


def test_without_a_name_nothing_is_known_of_agents() -> None:
    """Neither an event nor a crossing more."""

    @scenario(task=TASK, script=[FIND, REFUND, "Refunded."])
    def alone(world: World) -> None:
        shop(world)

    async def agent(world: World) -> Any:
        one = Agent(name="billing", model=oa.model(world), tools=oa.tools(world))
        return (await Runner.run(one, world.task)).final_output

    history = run(alone, agent).history
    assert {agent_of(history, call) for call in history.of(Called)} == {""}
    assert told(history) == []


def test_a_lost_transfer_raises_in_the_run() -> None:
    """After thirty virtual seconds, as an on_handoff that times out would."""
    history = run(desk, careful, "handoff:billing#1:lost").history
    assert told(history) == WELL[:1]
    assert history.ended is not None
    assert (history.ended.error, history.ended.t) == ("TimeoutError", 30.0)


def test_a_transfer_that_goes_astray_is_handed_on() -> None:
    """Another agent of the SDK takes control; it has accepted nothing, and rejects it."""
    result = run(desk, careful, "handoff:billing#1:misrouted")
    assert told(result.history) == [
        WELL[0],
        ("Received", "handoff_1", "shipping"),
        ("Sent", "handoff_2", "billing"),
        ("Rejected", "handoff_1", "shipping"),
        ("Received", "handoff_2", "billing"),
        ("Accepted", "handoff_2", "billing"),
    ]
    assert result.violations == ()


def test_who_acts_on_what_went_astray_has_accepted_it() -> None:
    """With its first effect."""

    @scenario(task=TASK, script={**SCRIPT, "shipping": [("ticket", {"order_id": "A17"}), "Ok."]})
    def eager(world: World) -> None:
        shop(world)

    history = run(eager, careful, "handoff:billing#1:misrouted").history
    assert told(history)[1:] == [
        ("Received", "handoff_1", "shipping"),
        ("Accepted", "handoff_1", "shipping"),
    ]


def own_filter(data: Any) -> Any:
    """A filter of the user's own, that changes nothing."""
    return data


@pytest.mark.parametrize("options", [{}, {"input_filter": own_filter}], ids=["none", "own"])
def test_a_trimmed_conversation_has_no_tools(options: Any) -> None:
    """As `remove_all_tools` leaves it, for the model that takes over."""

    def agent(world: World) -> Any:
        return careful(world, **options)

    whole = shown_to(run(desk, agent).history, "billing")
    assert [role for role, _ in whole] == ["user", "assistant", "tool", "assistant", "tool"]
    history = run(desk, agent, "handoff:billing#1:once/trimmed").history
    assert shown_to(history, "billing") == [("user", TASK)]
    assert [len(one.payload["conversation"]) for one in history.of(HandoffReceived)] == [1]


def test_a_poisoned_conversation_has_another_value() -> None:
    """In the result of the last tool before the transfer; billing believes it."""
    history = run(desk, careful, "handoff:billing#1:once/poisoned=1").history
    assert [(one.args["cents"]) for one in history.of(Committed)] == [42000]
    assert len(history.of(Struck)) == 1


@pytest.mark.parametrize("way", ["told", "state"])
@pytest.mark.parametrize(
    "fault", ["twice", "late", "reordered", "once/stale", "once/buried", "once/invalid"]
)
def test_what_makes_no_sense_is_not_tried(fault: str, way: str) -> None:
    """And if a plan says so, nothing happens, and the history says nothing of it."""
    plan = f"handoff:billing#1:{fault}"
    [(_, wanted)] = FaultPlan.parse(plan)
    if way == "told" or fault not in ("once/stale", "once/buried"):  # a state may have a `text`
        assert not list(BOUNDARY.groups[f"handoff {way}"](wanted))
    history = run(*((desk, careful) if way == "told" else (counter, believing)), plan).history
    assert history.of(Struck) == []
    assert told(history) == WELL


class Order(BaseModel):
    """What billing has to know."""

    order_id: str
    cents: int


def typed(carry: tuple[str, ...] = ("order_id", "cents")) -> Any:
    """Billing gives back what it was handed, and not what is in its prompt."""

    async def agent(world: World) -> Any:
        async def kept(context: Any, order: Order) -> None:
            context.context["order"] = order

        options = {"input_type": Order, "on_handoff": kept, "carry": carry}
        context: dict[str, Any] = {}
        team = sdk_team(world, **options)
        await Runner.run(team, world.task, context=context)
        order = context["order"]
        with world.acting("billing"):
            reply = await world.tools.aio.refund(
                order_id="A17", cents=order.cents, idempotency_key="A17"
            )
        return Completion.success(handle=reply["refund_id"])

    return agent


@scenario(
    constraints_survive(),
    task=TASK,
    script={
        "triage": [own("transfer_to_billing", order_id="A17", cents=4200), "Handed over."],
        "billing": ["I will."],
        "shipping": [own("transfer_to_billing"), "Not mine."],
    },
)
def typed_desk(world: World) -> None:
    shop(world)


def test_a_typed_input_is_what_is_handed_over() -> None:
    """Its fields are the payload, and what must be carried is named."""
    result = run(typed_desk, typed())
    [sent] = result.history.of(HandoffSent)
    assert sent.payload == {"order_id": "A17", "cents": 4200} == sent.carry
    assert told(result.history) == WELL
    assert result.violations == ()


def test_what_on_handoff_does_the_sender_does() -> None:
    """It runs on the sender's side, before control has passed."""

    async def agent(world: World) -> Any:
        async def noted(context: Any) -> None:
            await world.tools.aio.ticket(order_id="A17", idempotency_key="A17")

        await Runner.run(sdk_team(world, on_handoff=noted), world.task)

    history = run(desk, agent).history
    assert who(history)[1] == ("triage", "ticket")
    assert told(history) == WELL


def test_an_invalid_typed_input_is_refused_by_the_sdk() -> None:
    """It raises, and the handoff is rejected before anybody acts."""
    history = run(typed_desk, typed(), "handoff:billing#1:once/invalid").history
    assert told(history) == [*WELL[:2], ("Rejected", "handoff_1", "billing")]
    assert history.ended is not None
    assert history.ended.error == "ModelBehaviorError"


def test_what_the_model_itself_says_wrong_is_no_handoff() -> None:
    """The SDK refuses it as it always does."""

    @scenario(task=TASK, script={**SCRIPT, "triage": [own("transfer_to_billing", cents=1), "Ok"]})
    def wrong(world: World) -> None:
        shop(world)

    history = run(wrong, typed()).history
    assert told(history) == []
    assert history.ended is not None
    assert history.ended.error == "ModelBehaviorError"


def test_a_poisoned_typed_input_is_found() -> None:
    """Billing believes what it is handed: the law of what must arrive says so."""
    found = run(typed_desk, typed(), "handoff:billing#1:once/poisoned=1")
    assert [one.code for one in found.violations] == ["AF608"]


async def naive(world: World) -> Any:
    """Begins anew whatever goes wrong, with a key for each call."""
    for _ in range(2):
        try:
            result = await Runner.run(sdk_team(world, "call_id"), world.task)
        except TimeoutError:
            continue
        return result.final_output
    return None


@scenario(
    exactly_once("ticket"),
    task=TASK,
    script={
        "triage": [("ticket", {"order_id": "A17"}), own("transfer_to_billing"), "Handed over."],
        "billing": [("find_order", {"order_id": "A17"}), "Looked."],
        "shipping": [own("transfer_to_billing"), "Not mine."],
    },
)
def ticket_desk(world: World) -> None:
    shop(world)


@pytest.mark.slow
def test_a_naive_pair_is_found_out() -> None:
    """What triage did before a lost transfer is done again."""
    [broken] = run(ticket_desk, naive, "handoff:billing#1:lost").violations
    assert broken.code == "AF101"
    assert "AF101" in findings(ticket_desk, naive)


@pytest.mark.slow
def test_a_careful_pair_of_the_sdk_survives() -> None:
    """No plan with one fault breaks it."""
    assert findings(desk, careful) == {}


def test_an_agent_without_a_name_cannot_be_handed_to() -> None:
    """Nobody would know when it acts."""

    def agent(world: World) -> Any:
        return oa.handoff(world, Agent(name="billing", model=oa.model(world)))

    with pytest.raises(ScenarioError, match=r"model\(world, agent="):
        run(desk, agent)


def test_a_filter_of_the_run_is_kept_where_nothing_strikes() -> None:
    """An adapter adds no filter of its own: the SDK would go another way."""

    async def agent(world: World) -> Any:
        config = RunConfig(handoff_input_filter=remove_all_tools)
        return (await Runner.run(sdk_team(world), world.task, run_config=config)).final_output

    assert shown_to(run(desk, agent).history, "billing") == [("user", TASK)]


def test_a_script_says_which_tools_are_the_agents_own() -> None:
    """Any other tool that the world does not have is a mistake, and the message shows the cure."""

    @scenario(task=TASK, script=[("transfer_to_billing", {}), "Ok."])
    def mistaken(world: World) -> None:
        shop(world)

    with pytest.raises(ScenarioError, match=r"own\('transfer_to_billing'\)"):
        mistaken.check(run(desk, careful).history.tools)


# LangGraph ------------------------------------------------------------------------------------


class State(TypedDict, total=False):
    """What the nodes of the graph share."""

    order_id: str
    cents: int
    notes: list[str]
    done: str


def graph(world: World, billing: Any, among: tuple[str, ...] = ("shipping",)) -> Any:
    """Triage looks the order up and hands it over; shipping sends it on."""

    def triage(state: State) -> Any:
        with world.acting("triage"):
            found = world.tools.find_order(order_id="A17")
            cents = found["cents"] if isinstance(found, dict) else 0
            update = {"order_id": "A17", "cents": cents, "notes": ["angry"]}
            return lg.command(world, "billing", update, carry=("order_id", "cents"), among=among)

    def shipping(state: State) -> Any:
        return lg.command(
            world, "billing", {**state}, carry=("order_id", "cents"), agent="shipping"
        )

    built = StateGraph(State)
    built.add_node("triage", triage, destinations=("billing", "shipping"))
    built.add_node("billing", billing)
    built.add_node("shipping", shipping, destinations=("billing",))
    built.add_edge(START, "triage")
    built.add_edge("billing", END)
    return built.compile()


def pay(world: World, state: State) -> str:
    for _ in range(3):
        try:
            reply = world.tools.refund(
                order_id=state["order_id"], cents=state["cents"], idempotency_key="A17"
            )
        except Exception:
            continue
        if isinstance(reply, dict) and reply.get("refund_id") == "re_A17":
            return "re_A17"
    return ""


def believing(world: World) -> Any:
    """Billing gives back what the state says."""

    def billing(state: State) -> Any:
        with world.acting("billing"):
            return {"done": pay(world, state)}

    return ending(graph(world, billing).invoke({}))


def checking(world: World) -> Any:
    """Billing looks the order up itself, and does nothing that it does not say."""

    def billing(state: State) -> Any:
        with world.acting("billing"):
            found = world.tools.find_order(order_id="A17")
            same = {name: found.get(name) for name in ("order_id", "cents")}
            agrees = all(state.get(name) == value for name, value in same.items())
            return {"done": pay(world, state) if agrees else ""}

    return ending(graph(world, billing).invoke({}))


def ending(state: Any) -> Completion:
    done = state.get("done")
    return Completion.success(handle=done) if done else Completion.blocked(reason="outcome_unknown")


@scenario(exactly_once("refund"), truthful(), constraints_survive(), task=TASK)
def counter(world: World) -> None:
    shop(world)


@pytest.mark.parametrize("agent", [believing, checking])
def test_a_command_is_a_handoff(agent: Any) -> None:
    """From who acts to the node that it goes to, which takes it over when it acts."""
    result = run(counter, agent)
    assert told(result.history) == WELL
    [sent] = result.history.of(HandoffSent)
    assert (sent.sender, sent.carry) == ("triage", {"order_id": "A17", "cents": 4200})
    assert who(result.history)[-1] == ("billing", "refund")
    assert result.history.claim == "success"
    assert result.violations == ()


async def in_a_loop(world: World) -> Any:
    """An async graph around the same node."""

    def billing(state: State) -> Any:
        with world.acting("billing"):
            return {"done": pay(world, state)}

    return ending(await graph(world, billing).ainvoke({}))


@pytest.mark.parametrize("agent", [believing, in_a_loop])
def test_a_lost_command_raises_in_its_node(agent: Any) -> None:
    """What the graph does about it is the graph's affair: by default it ends."""
    history = run(counter, agent, "handoff:billing#1:lost").history
    assert told(history) == WELL[:1]
    assert history.ended is not None
    assert (history.ended.error, history.ended.t) == ("TimeoutError", 30.0)


def test_a_command_that_goes_astray_reaches_a_node_of_those_named() -> None:
    """And is handed on there; where none is named, nothing goes astray."""
    result = run(counter, believing, "handoff:billing#1:misrouted")
    assert [one for one in told(result.history) if one[0] in ("Sent", "Rejected", "Accepted")] == [
        WELL[0],
        ("Sent", "handoff_2", "billing"),
        ("Rejected", "handoff_1", "shipping"),
        ("Accepted", "handoff_2", "billing"),
    ]
    assert result.violations == ()

    def alone(world: World) -> Any:
        return graph(world, lambda state: {"done": "re"}, among=()).invoke({})["done"]

    assert run(counter, alone, "handoff:billing#1:misrouted").history.of(Struck) == []


@pytest.mark.parametrize(
    ("fault", "name", "value"), [("trimmed", "notes", []), ("poisoned=1", "cents", 42000)]
)
def test_a_spoilt_update_reaches_the_node(fault: str, name: str, value: Any) -> None:
    """What the fault did not touch is what was sent."""
    seen: dict[str, Any] = {}

    def agent(world: World) -> Any:
        def billing(state: State) -> Any:
            seen.update(state)
            return {}

        return graph(world, billing).invoke({}) and None

    run(counter, agent, f"handoff:billing#1:once/{fault}")
    assert seen == {"order_id": "A17", "cents": 4200, "notes": ["angry"], name: value}


@pytest.mark.parametrize("fault", ["intact", "stale"])
def test_a_stale_update_is_the_one_before_to_this_node(fault: str) -> None:
    """As the objects that it was made of, and never what another node was sent."""
    seen: list[tuple[str, Any]] = []

    def agent(world: World) -> Any:
        def step(name: str, to: str) -> Any:
            def node(state: MessagesState) -> Any:
                texts = [(type(one).__name__, one.content) for one in state["messages"]]
                seen.append((name, texts))
                said = ToolMessage(f"{name} {len(texts)}", tool_call_id="tc")
                return lg.command(world, to if len(seen) < 4 else END, {"messages": [said]})

            return node

        seen.clear()
        built = StateGraph(MessagesState)
        built.add_node("a", step("a", "b"), destinations=("b", END))
        built.add_node("b", step("b", "a"), destinations=("a", END))
        built.add_edge(START, "a")
        built.compile().invoke({"messages": []})

    plan = "" if fault == "intact" else f"handoff:b#2:once/{fault}"
    history = run(counter, agent, plan).history
    assert len(history.of(Struck)) == (fault == "stale")
    said = [("ToolMessage", text) for text in ("a 0", "b 1", "a 2")]
    assert seen[3] == ("b", said[: 2 if fault == "stale" else 3])  # known by its id, as it is
    assert run(counter, agent, "handoff:a#1:once/stale").history.of(Struck) == []


def test_a_state_with_fewer_fields_is_not_invalid() -> None:
    """It is merged into what was there: whoever acts on a stale one has not acted on a broken
    one."""

    def agent(world: World) -> Any:
        def triage(state: State) -> Any:
            more = {"notes": ["again"]} if state.get("order_id") else {}
            return lg.command(world, "billing", {"order_id": "A17", **more}, agent="triage")

        def billing(state: State) -> Any:
            with world.acting("billing"):
                if world.state.setdefault("turns", []) == []:
                    world.state["turns"].append(1)
                    world.tools.find_order(order_id="A17")
                    return lg.command(world, "triage", {})
                return {"done": pay(world, {"order_id": "A17", "cents": 4200})}

        built = StateGraph(State)
        built.add_node("triage", triage, destinations=("billing",))
        built.add_node("billing", billing, destinations=("triage", END))
        built.add_edge(START, "triage")
        return ending(built.compile().invoke({}))

    result = run(counter, agent, "handoff:billing#2:once/stale")
    assert len(result.history.of(Struck)) == 1
    assert result.violations == ()


@pytest.mark.parametrize(("fault", "codes"), [("", []), ("lost", ["AF607"])])
def test_a_node_that_crosses_no_boundary_has_been_given_its_task(
    fault: str, codes: list[str]
) -> None:
    """A graph that has returned has run the nodes that it was sent to; what is lost is lost."""

    def agent(world: World) -> Any:
        def billing(state: State) -> Any:
            return {"done": "re_A17"}

        with world.acting("billing"):
            world.tools.refund(order_id="A17", cents=4200, idempotency_key="A17")
        with suppress(TimeoutError):
            graph(world, billing).invoke({})
        return Completion.success(handle="re_A17")

    result = run(counter, agent, fault and f"handoff:billing#1:{fault}")
    assert [one.code for one in result.violations] == codes
    assert told(result.history) == (WELL[:1] if fault else WELL)


@pytest.mark.parametrize("plan", ["", "handoff:left#1:lost"])
def test_handoffs_of_nodes_that_run_side_by_side(plan: str) -> None:
    """In the threads of a sync graph: the time that one waits is nobody else's."""
    seen: list[str] = []

    def agent(world: World) -> Any:
        def fork(name: str, to: str) -> Any:
            def node(state: Fan) -> Any:
                try:
                    return lg.command(world, to, {"found": [name]}, agent=name)
                except TimeoutError:
                    seen.append(f"{name} lost at {world.clock.now:g}")
                    return {}

            return node

        seen.clear()

        def leaf(name: str) -> Any:
            def node(state: Fan) -> Any:
                with world.acting(name):
                    world.tools.find_order(order_id=name)
                return {}

            return node

        built = StateGraph(Fan)
        for name, to in (("a", "left"), ("b", "right")):
            built.add_node(name, fork(name, to), destinations=(to,))
            built.add_node(to, leaf(to))
            built.add_edge(START, name)
        built.compile().invoke({})

    history = run(counter, agent, plan).history
    sent = [(one.sender, one.to) for one in history.of(HandoffSent)]
    assert sent == [("a", "left"), ("b", "right")]
    reached = ["right"] if plan else ["left", "right"]
    assert [one.agent for one in history.of(HandoffAccepted)] == reached
    assert seen == (["a lost at 30"] if plan else [])


def test_a_node_that_believes_is_found_out() -> None:
    """Money is given back that the order does not say."""
    found = run(counter, believing, "handoff:billing#1:once/poisoned=1")
    assert [one.code for one in found.violations] == ["AF608"]


@pytest.mark.slow
def test_a_node_that_checks_survives() -> None:
    """No plan with one fault breaks it; the one that believes is broken."""
    assert findings(counter, checking) == {}
    assert findings(counter, believing)["AF608"].startswith("handoff:billing#1:once/poisoned")


class Fan(TypedDict, total=False):
    """A lead's work, and what its researchers found."""

    topic: str
    found: Annotated[list[str], lambda a, b: sorted([*a, *b])]


def test_a_fan_out_of_sends_is_many_handoffs() -> None:
    """Each Send is one of its own, and can be lost or spoilt by itself."""

    def agent(world: World) -> Any:
        def lead(state: Fan) -> Any:
            return {}

        def fan(state: Fan) -> Any:
            with world.acting("lead"):
                return [lg.send(world, "scout", {"topic": one}) for one in ("a", "bc")]

        def scout(state: Fan) -> Any:
            with world.acting("scout"):
                world.tools.find_order(order_id=state["topic"])
                return {"found": [state["topic"]]}

        built = StateGraph(Fan)
        built.add_node("lead", lead)
        built.add_node("scout", scout)
        built.add_edge(START, "lead")
        built.add_conditional_edges("lead", fan, ["scout"])
        return ",".join(built.compile().invoke({})["found"])

    history = run(counter, agent).history
    assert history.ended is not None
    assert history.ended.value == "a,bc"
    assert [one.handoff for one in history.of(HandoffAccepted)] == ["handoff_1", "handoff_2"]
    ended = run(counter, agent, "handoff:scout#2:once/poisoned").history.ended
    assert ended is not None
    assert ended.value == "a,cb?"


@scenario(*LAWS, task=TASK, script=SCRIPT)
def graph_desk(world: World) -> None:
    shop(world)


def agents_in_a_graph(world: World) -> Any:
    """Two agents of LangChain in one graph; a tool of triage's leads to the parent's other node."""

    @tool
    def transfer_to_billing(call_id: Annotated[str, InjectedToolCallId]) -> Any:
        """Hand the task over to billing."""
        said = ToolMessage("billing has it", tool_call_id=call_id)
        return lg.command(
            world, "billing", {"messages": [said]}, agent="triage", graph=Command.PARENT
        )

    def member(name: str, *more: Any) -> Any:
        tools = lg.tools(world, key=by_intent, agent=name)
        return create_agent(lg.model(world, agent=name), [*tools, *more], name=name)

    built = StateGraph(MessagesState)
    built.add_node("triage", member("triage", transfer_to_billing), destinations=("billing",))
    built.add_node("billing", member("billing"))
    built.add_edge(START, "triage")
    built.add_edge("billing", END)
    state = built.compile().invoke({"messages": [("user", world.task)]}, {"recursion_limit": 20})
    return state["messages"][-1].text


def test_a_tool_that_hands_over() -> None:
    """Each agent plans from its own script, and a message of the update is plain data."""
    result = run(graph_desk, agents_in_a_graph)
    assert told(result.history) == WELL
    assert who(result.history)[-1][0] == "billing"
    [sent] = result.history.of(HandoffSent)
    assert sent.sender == "triage"
    assert sent.payload["messages"][0]["content"] == "billing has it"
    assert result.violations == ()
