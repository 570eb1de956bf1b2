"""LangGraph and LangChain in a world: their own defaults decide what a fault does."""

import asyncio
import json
import threading
from typing import Any

import pytest

pytest.importorskip("langgraph")
pytest.importorskip("langchain")

import langsmith
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy
from langchain_core.messages import AIMessage
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, create_react_agent
from langsmith.utils import tracing_is_enabled

from agentfuzz import Completion, ScenarioError, World, adapters, exactly_once, run, scenario
from agentfuzz.core.events import Committed
from agentfuzz.engine.simulation import Agent
from agentfuzz.runtime.clock import Real

from .shop import (
    Says,
    again,
    attempts,
    by_intent,
    charge_and_tell,
    charge_order,
    charge_slowly,
    charge_two,
    charged,
    findings,
    saying,
    with_budget,
)

lg = adapters.langgraph
MAKERS = [
    pytest.param(create_agent, id="create_agent"),
    pytest.param(create_react_agent, id="create_react_agent"),
]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def sync_agent(make: Any = create_agent, key: Any = None, **options: Any) -> Agent:
    def agent(world: World) -> Any:
        graph = make(lg.model(world), lg.tools(world, key=key), **options)
        state = graph.invoke({"messages": [("user", world.task)]})
        return lg.outcome(state) or state["messages"][-1].text

    return agent


def async_agent(make: Any = create_agent, key: Any = None, **options: Any) -> Agent:
    async def agent(world: World) -> Any:
        graph = make(lg.model(world), lg.tools(world, key=key), **options)
        state = await graph.ainvoke({"messages": [("user", world.task)]})
        return lg.outcome(state) or state["messages"][-1].text

    return agent


def handling(key: Any = None) -> Agent:
    """A graph whose tool node turns every error into a message."""

    def make(model: Any, tools: Any) -> Any:
        return create_react_agent(model, ToolNode(tools, handle_tool_errors=True))

    return sync_agent(make, key)


def careful(world: World) -> Completion:
    """A survivor: one key per intent, a limit of steps, and a claim that rests on a receipt."""
    graph = create_agent(lg.model(world), lg.tools(world, key=by_intent))
    state = graph.invoke({"messages": [("user", world.task)]}, {"recursion_limit": 12})
    for message in state["messages"]:
        if message.type == "tool":
            try:
                return Completion.success(handle=json.loads(message.text)["charge_id"])
            except (ValueError, TypeError, KeyError):
                continue
    return Completion.blocked(reason="outcome_unknown")


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("kind", [sync_agent, async_agent])
def test_without_faults(make: Any, kind: Any) -> None:
    """One commit, one structured completion, no violation."""
    result = run(charge_order, kind(make))
    assert attempts(result.history) == [("tc_1", "A17")]
    assert charged(result.history) == ["A17"]
    assert result.history.claim == "success"
    assert result.violations == ()


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("kind", [sync_agent, async_agent])
def test_parallel_calls_come_in_the_order_of_the_model(make: Any, kind: Any) -> None:
    """Whatever a thread pool or a loop does, the first call asked for is the first made."""
    history = run(charge_two, kind(make)).history
    assert attempts(history) == [("tc_1", "A17"), ("tc_2", "B18")]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("kind", [sync_agent, async_agent])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("once/timeout", "TimeoutError"),
        ("once/error", "ConnectionError"),
        ("once/rate_limited", "RateLimited"),
    ],
)
def test_a_tool_that_raises_ends_the_run(make: Any, kind: Any, fault: str, error: str) -> None:
    """By default only arguments that do not fit become a message; all else propagates."""
    result = run(charge_order, kind(make), f"charge_card#1:{fault}")
    ended = result.history.ended
    assert ended is not None
    assert (ended.how, ended.error) == ("raised", error)
    assert charged(result.history) == ["A17"]
    assert result.violations == ()


@pytest.mark.parametrize("fault", ["timeout", "error", "rate_limited"])
def test_a_handled_error_is_tried_again(fault: str) -> None:
    """With handle_tool_errors=True the model sees an error and calls again, with a fresh id."""
    result = run(charge_order, handling(), f"charge_card#1:once/{fault}")
    assert attempts(result.history) == [("tc_1", "A17"), ("tc_2", "A17")]
    assert charged(result.history) == ["A17", "A17"]
    assert "AF101" in [violation.code for violation in result.violations]


@pytest.mark.parametrize(
    ("fault", "times"),
    [("truncated", 2), ("ambiguous", 1), ("malformed", 1), ("wrong", 1), ("hostile", 1)],
)
def test_a_damaged_reply_is_a_message(fault: str, times: int) -> None:
    """A reply is a reply: what it makes the model do is the model's affair."""
    result = run(charge_order, sync_agent(), f"charge_card#1:once/{fault}")
    assert charged(result.history) == ["A17"] * times


@pytest.mark.parametrize(("key", "times"), [(None, 2), ("call_id", 2), (by_intent, 1)])
def test_only_a_key_per_intent_helps(key: Any, times: int) -> None:
    """A retry of the model has a new call id: a key made of it is a new key."""
    plan = "charge_card#1:once/timeout"
    result = run(charge_order, handling(key), plan)
    assert charged(result.history) == ["A17"] * times
    assert len(attempts(result.history)) == 2


def test_the_model_is_not_shown_a_key_that_the_loop_mints() -> None:
    """The schema loses idempotency_key exactly when `key` is given."""
    shown = {}

    def agent(world: World) -> None:
        for key in (None, "call_id"):
            tool = lg.tools(world, key=key)[0]
            shown[key] = set(tool.args)

    run(charge_order, agent)
    assert shown[None] - shown["call_id"] == {"idempotency_key"}


def test_a_wrong_word_for_the_key_is_an_error() -> None:
    """`key` is None, "call_id" or a function."""
    with pytest.raises(ScenarioError, match="call_id"):
        run(charge_order, sync_agent(key="per_call"))


def test_the_default_agent_breaks() -> None:
    """What a campaign of one fault finds in create_agent with default settings."""
    found = findings(charge_order, sync_agent())
    assert found["AF101"] == "charge_card#1:once/truncated"
    assert found["AF102"] == "charge_card#1:twice"
    assert found["AF103"] == "charge_card#1:lost/ambiguous"
    assert found["AF201"] == "model#1:loop"
    assert found["AF204"] == "model#2:no_done"


def test_the_call_id_as_key_stops_a_double_delivery_only() -> None:
    """AF102 is gone, AF101 is not."""
    found = findings(charge_order, sync_agent(key="call_id"))
    assert "AF102" not in found
    assert "AF101" in found


def test_a_careful_agent_survives() -> None:
    """Key, limit and receipt: no plan with one fault breaks it."""
    assert findings(charge_and_tell, careful) == {}


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("kind", [sync_agent, async_agent])
def test_the_same_plan_gives_the_same_history(make: Any, kind: Any) -> None:
    """Nothing in a history depends on threads, addresses or the time of day."""
    plan = "charge_card#1:once/truncated + charge_card#2:late/ambiguous"
    first, *others = again(charge_two, kind(make), plan, 5)
    assert all(other.events == first.events for other in others)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("kind", [sync_agent, async_agent])
def test_of_two_failures_the_same_one_is_raised(make: Any, kind: Any) -> None:
    """LangGraph takes it out of a set of futures, whose order is ours to fix."""
    plan = "charge_card#1:once/error + charge_card#2:once/rate_limited"
    histories = again(charge_two, kind(make), plan, 20)
    raised = {ended.error for history in histories if (ended := history.ended)}
    assert len(raised) == 1


def test_no_real_time_passes() -> None:
    """Thirty virtual seconds until a timeout, and hardly any real ones."""
    started = Real.monotonic()
    for kind in (sync_agent, async_agent):
        ended = run(charge_order, kind(), "charge_card#1:once/timeout").history.ended
        assert ended is not None
        assert ended.t >= 30
    assert Real.monotonic() - started < 30


def test_an_unknown_tool_is_a_message() -> None:
    """The model is told, and the status of the message marks it as an error."""
    model = Says([("c1", "refund", {})], "Sorry.")
    history = run(charge_order, saying(model, sync_agent())).history
    assert history.ended is not None
    assert history.ended.value == "Sorry."
    assert model.shown[1][-1]["is_error"] is True


@pytest.mark.parametrize("kind", [sync_agent, async_agent])
def test_arguments_that_do_not_fit_are_a_message(kind: Any) -> None:
    """The world finds them, LangChain answers them as it answers its own validation errors."""
    model = Says([("c1", "charge_card", {"order_id": "A17", "amount": "many"})], "Sorry.")
    history = run(charge_order, saying(model, kind())).history
    assert charged(history) == []
    assert "amount" in model.shown[1][-1]["content"]
    assert model.shown[1][-1]["is_error"] is True


def test_malformed_arguments_end_the_run_silently() -> None:
    """A known weakness of the framework, not ours to mend."""
    model = Says([("c1", "charge_card", '{"order_id": "A17"')])
    history = run(charge_order, saying(model, sync_agent())).history
    assert history.ended is not None
    assert history.ended.how == "returned"
    assert charged(history) == []


def test_an_async_tool_needs_an_async_graph() -> None:
    """As LangChain's own: no sync form, no guess."""
    result = run(charge_slowly, async_agent())
    assert charged(result.history) == ["A17"]
    ended = run(charge_slowly, sync_agent()).history.ended
    assert ended is not None
    assert ended.error == "NotImplementedError"


@pytest.mark.parametrize("budget", [1, 2], ids=["at a tool", "at the model"])
@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("kind", [sync_agent, async_agent])
def test_the_end_of_the_budget_ends_the_run(make: Any, kind: Any, budget: int) -> None:
    """It passes through a graph and its model as it is."""
    ended = run(with_budget(budget), kind(make)).history.ended
    assert ended is not None
    assert (ended.how, ended.error) == ("cut_off", "budget")


def test_a_structured_response_is_the_outcome() -> None:
    """A Completion in the final state counts; prose does not."""

    @scenario(task="Nothing.", script=['{"status": "success", "reason": "nothing_to_do"}'])
    def nothing(world: World) -> None:
        pass

    structured = sync_agent(response_format=ProviderStrategy(Completion))
    assert run(nothing, structured).history.claim == "success"
    assert run(nothing, sync_agent()).history.claim is None
    assert lg.outcome("All done!") is None


@pytest.mark.parametrize("kind", ["stream", "astream"])
def test_a_streamed_graph(kind: str) -> None:
    """Streaming, which waits for its own output in a thread, ends as well."""

    def sync(world: World) -> None:
        graph = create_agent(lg.model(world), lg.tools(world))
        list(graph.stream({"messages": [("user", world.task)]}, stream_mode=["messages"]))

    async def asynchronous(world: World) -> None:
        graph = create_agent(lg.model(world), lg.tools(world))
        async for _ in graph.astream({"messages": [("user", "?")]}, stream_mode=["messages"]):
            await asyncio.sleep(0)

    agent: Agent = sync if kind == "stream" else asynchronous
    assert run(charge_two, agent).history.claim == "success"


@scenario(exactly_once("booking"))
def flight(world: World) -> None:
    """One seat, and a backend that trusts its caller."""
    world.state["free"] = True

    @world.tool
    def seat_is_free() -> bool:
        return bool(world.state["free"])

    @world.tool(effect="booking", scope=("seat",))
    def book_seat(seat: str, who: str) -> None:
        world.state["free"] = False


def books_for_two(world: World) -> Completion:
    """A tool node that gets two calls in one turn; its tool checks, then acts."""

    def book(who: str) -> str:
        """Book the seat, if it is free."""
        if world.tools.seat_is_free():
            world.tools.book_seat(seat="12A", who=who)
        return "ok"

    graph = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode([book]))
    graph.set_entry_point("tools")
    calls = [{"name": "book", "args": {"who": who}, "id": who} for who in ("Ada", "Bob")]
    graph.compile().invoke({"messages": [AIMessage("", tool_calls=calls)]})
    return Completion.success()


@pytest.mark.parametrize(
    ("plan", "who"), [("", ["Ada"]), ("schedule:book_seat#1:preempted", ["Bob", "Ada"])]
)
def test_parallel_tool_calls_race(plan: str, who: list[str]) -> None:
    """In LangChain's own pool: the second one goes first where the plan says so."""
    histories = again(flight, books_for_two, plan, 5)
    for history in histories:
        assert [commit.args["who"] for commit in history.of(Committed)] == who
        assert history.events == histories[0].events


def test_tracing_is_switched_off() -> None:
    """Even for those who have it on: it wants the network."""
    seen: list[bool] = []
    agent = sync_agent()

    def looking(world: World) -> Any:
        answer = agent(world)
        seen.append(tracing_is_enabled())
        return answer

    langsmith.configure(enabled=True)
    try:
        for _ in range(2):
            run(charge_order, looking)
        assert seen == [False, False]
        thread = threading.Thread(target=lambda: seen.append(tracing_is_enabled()))
        thread.start()
        thread.join()
        assert not seen.pop(), "in this process"
    finally:
        langsmith.configure(enabled=None)
