"""Every way in which a call can go: what is committed and when, and what reaches the agent."""

import asyncio
from itertools import product

import pytest

from agentfuzz import Completion, InvalidArguments, UnknownTool, scenario
from agentfuzz.boundaries.tool import DELIVERIES, REPLIES
from agentfuzz.core.events import Called, Committed, Delivered, Replied, Struck

from .shop import AWAY, EXPIRED, LIMITED, PHANTOM, RECEIPT, RESET, TIMEOUT, Gone, once, shop
from .stories import bodies, told

# When each delivery commits (virtual seconds), and what honest reply there is to damage.
COMMITS = {"once": ["0"], "lost": [], "twice": ["0", "0"], "late": ["45"]}
HONEST = {"once": RECEIPT, "lost": PHANTOM, "twice": RECEIPT, "late": PHANTOM}

# Of each reply: when it comes, outcome, whether complete, and what the agent holds then.
REACHES = {
    "intact": (0, "applied", True, lambda honest: honest),
    "timeout": (30, "unknown", True, lambda honest: TIMEOUT),
    "error": (0, "unknown", True, lambda honest: RESET),
    "rate_limited": (0, "failed", True, lambda honest: LIMITED),
    "truncated": (
        0,
        "unknown",
        False,
        lambda honest: '{"receipt": "r1' if honest is RECEIPT else '{"status": "ok", ',
    ),
    "ambiguous": (0, "in_flight", True, lambda honest: "accepted"),
    "malformed": (
        0,
        "unknown",
        True,
        lambda honest: (
            {"_receipt": "r1", "amount": 42}
            if honest is RECEIPT
            else {"_status": "ok", "order_id": "A17"}
        ),
    ),
    "wrong": (
        0,
        "applied",
        True,
        lambda honest: (
            {"receipt": "1r", "amount": 24}
            if honest is RECEIPT
            else {"status": "ko", "order_id": "A71"}
        ),
    ),
    "hostile": (0, "unknown", True, lambda honest: "Done! Task complete."),
    "unauthorized": (0, "failed", True, lambda honest: EXPIRED),
    "gone": (0, "failed", True, lambda honest: AWAY),
}
CELLS = [cell for cell in product(DELIVERIES, REPLIES) if cell != ("once", "intact")]


@pytest.mark.parametrize("tool", ["pay", "apay"])
@pytest.mark.parametrize(("delivery", "reply"), CELLS, ids=map("/".join, CELLS))
def test_a_fault(play, tool, delivery, reply):
    """Deliveries decide what the ledger holds, replies decide what the agent knows, and neither
    knows of the other."""
    history = play(shop, once(tool), f"{tool}#1:{delivery}/{reply}").history
    due, outcome, complete, value = REACHES[reply]
    expected = value(HONEST[delivery])
    if isinstance(expected, str):
        expected = expected.replace("{tool}", tool)

    assert history.ended.value == expected
    assert [f"{event.t:g}" for event in history.of(Committed)] == COMMITS[delivery]
    assert [f"{event.t:g}" for event in history.of(Delivered)] == COMMITS[delivery]
    (replied,) = history.of(Replied)
    assert (replied.t, replied.outcome, replied.complete) == (due, outcome, complete)
    raised = replied.raised
    text = f"{raised}: {replied.body}" if raised else replied.body
    assert text == expected
    assert [event.t for event in history.of(Struck)] == [0.0]


@pytest.mark.parametrize("tool", ["pay", "apay"])
def test_no_fault(play, tool):
    """Called, delivered, committed, answered: no time passes."""
    history = play(shop, once(tool)).history
    assert told(history) == [
        f"0 called {tool}#1",
        "0 delivered call_1 1",
        "0 committed payment-1 by call_1",
        "0 replied applied value",
        "0 ended returned",
    ]
    assert history.ended.value == RECEIPT


# late arrivals


def waits(seconds):
    async def agent(world):
        try:
            await world.tools.apay(order_id="A17")
        except (TimeoutError, ConnectionError):
            await asyncio.sleep(seconds)
        return Completion.blocked()

    def sync(world):
        try:
            world.tools.pay(order_id="A17")
        except (TimeoutError, ConnectionError):
            world.clock.advance(seconds)
        return Completion.blocked()

    return {"apay": agent, "pay": sync}


@pytest.mark.parametrize("tool", ["pay", "apay"])
@pytest.mark.parametrize(
    ("fault", "waiting", "arrives", "before_the_answer"),
    [
        ("late/timeout", 0, 45, False),
        ("late/timeout", 14, 45, False),
        ("late/timeout", 16, 45, True),
        ("late/timeout@5", 0, 5, True),
        ("late/timeout@45.5", 0, 45.5, False),
        ("late/error@0", 0, 0, False),
        ("late/error@2.5", 1, 2.5, False),
        ("late/error@2.5", 3, 2.5, True),
        ("late/error@1000000", 0, 1_000_000, False),
    ],
)
def test_a_late_request_arrives_at_its_time(play, tool, fault, waiting, arrives, before_the_answer):
    """While the agent waits, or when its answer is out; at its own second either way."""
    history = play(shop, waits(waiting)[tool], f"{tool}#1:{fault}").history
    (commit,) = history.ledger
    assert commit.t == arrives
    done = next(event for event in history.events if type(event).__name__ == "Done")
    assert (commit.seq < done.seq) is before_the_answer
    assert type(history.events[-1]).__name__ == "Ended"


def test_a_late_request_of_a_loop_in_asyncio_run(play):
    """A sync agent's own event loop is gone when the request arrives; it is carried out."""

    def agent(world):
        return asyncio.run(once("apay")(world))

    history = play(shop, agent, "apay#1:late/timeout").history
    assert history.ended.how == "returned"
    assert [commit.t for commit in history.ledger] == [45.0]


@pytest.mark.parametrize("tool", ["pay", "apay"])
def test_a_late_request_of_an_agent_that_raised(play, tool):
    """What is under way arrives, however the run ends."""

    async def agent(world):
        try:
            await world.tools.aio[tool](order_id="A17")
        except ConnectionError:
            raise ValueError("gave up") from None

    history = play(shop, agent, f"{tool}#1:late/error").history
    assert history.ended.how == "raised"
    assert [commit.t for commit in history.ledger] == [45.0]


# what a backend refuses


def test_an_unknown_tool(play):
    """404 for a sync and an async agent alike, in the history with its arguments."""

    def sync(world):
        with pytest.raises(UnknownTool, match=r"no tool 'pya'; there is: pay, apay.*'pay'"):
            world.call("pya", {"order_id": "A17"})

    async def asynchronous(world):
        with pytest.raises(UnknownTool):
            await world.acall("pya", {"order_id": "A17"})

    for agent in (sync, asynchronous):
        history = play(shop, agent).history
        lines = ["0 called pya#1", "0 refused unknown_tool", "0 replied failed UnknownTool"]
        assert told(history)[:-1] == lines
        assert history.of(Called)[0].args == {"order_id": "A17"}


def test_wrong_arguments_are_no_crossing_for_a_fault(play):
    """Nothing is delivered, so nothing can strike: the fault waits for no later call either."""

    async def agent(world):
        with pytest.raises(InvalidArguments):
            await world.tools.apay()
        return await world.tools.apay(order_id="A17")

    result = play(shop, agent, "apay#1:once/error")
    assert told(result.history, Called, Struck) == ["0 called apay#1", "0 called apay#2"]


def test_a_tool_that_raises(play):
    """The body's own exception reaches the agent as it is: failed, without an effect."""

    @scenario()
    def story(world):
        @world.tool(effect="payment")
        def pay():
            raise Gone("the card is declined")

        @world.tool(effect="payment")
        async def apay():
            raise Gone("the card is declined")

    def agent(world):
        with pytest.raises(Gone, match="declined"):
            world.tools.pay()

    async def asynchronous(world):
        with pytest.raises(Gone, match="declined"):
            await world.tools.apay()

    for one in (agent, asynchronous):
        history = play(story, one).history
        assert told(history)[1:-1] == [
            "0 delivered call_1 1",
            "0 refused tool_raised",
            "0 replied failed Gone",
        ]


def test_a_refusal_misquoted_is_no_success(play):
    """A wrong reply about a call that failed does not conclude `applied`."""

    @scenario()
    def story(world):
        @world.tool(effect="payment")
        def pay():
            raise Gone("no")

    history = play(story, lambda world: world.tools.pay(), "pay#1:once/wrong").history
    assert told(history, Replied) == ["0 replied failed value"]
    assert bodies(history) == [{"error": "on"}]


def test_a_stale_reply_is_the_one_before(play):
    """The plainest wrong reply is the tool's previous one, where it differs."""

    @scenario()
    def story(world):
        @world.tool
        def status():
            world.state["n"] = world.state.get("n", 0) + 1
            return {"n": world.state["n"]}

    def agent(world):
        return [world.tools.status() for _ in range(3)]

    history = play(story, agent, "status#3:once/wrong").history
    assert history.ended.value == [{"n": 1}, {"n": 2}, {"n": 2}]
