"""Every way in which a call can go: what is committed and when, and what reaches the agent."""

import asyncio
from itertools import product

import pytest

from agentfuzz import Completion, InvalidArguments, RateLimited, UnknownTool, scenario
from agentfuzz.errors import ScenarioError
from agentfuzz.faults import DELIVERIES, REPLIES
from agentfuzz.history import Called, Committed, Delivered, Replied, Struck

from .stories import bare_world, bodies, told

RECEIPT = {"receipt": "r1", "amount": 42}
PHANTOM = {"status": "ok", "order_id": "A17"}


@scenario()
def shop(world):
    @world.tool(effect="payment", scope=("order_id",))
    def pay(order_id: str):
        return dict(RECEIPT)

    @world.tool(effect="payment", scope=("order_id",))
    async def apay(order_id: str):
        await asyncio.sleep(0)
        return dict(RECEIPT)


def once(tool):
    """Calls the tool once and hands on what it gets."""

    def sync(world):
        try:
            return world.tools[tool](order_id="A17")
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    async def asynchronous(world):
        try:
            return await world.tools.aio[tool](order_id="A17")
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    return asynchronous if tool == "apay" else sync


# When each delivery commits (virtual seconds), and what honest reply there is to damage.
COMMITS = {"once": ["0"], "lost": [], "twice": ["0", "0"], "late": ["45"]}
HONEST = {"once": RECEIPT, "lost": PHANTOM, "twice": RECEIPT, "late": PHANTOM}

# Of each reply: when it comes, outcome, whether complete, and what the agent holds then.
TIMEOUT = "TimeoutError: {tool} timed out: no reply within 30 s"
RESET = "ConnectionError: {tool}: connection reset by peer"
LIMITED = "RateLimited: {tool}: 429 too many requests, retry after 1 s"
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


# how a failure reaches the agent


class Gone(Exception):
    pass


@pytest.mark.parametrize("kind", ["timeout", "error", "rate_limited"])
@pytest.mark.parametrize("tool", ["pay", "apay"])
@pytest.mark.parametrize(
    ("failure", "reaches"),
    [
        (Gone, "Gone: {message}"),
        (lambda message: KeyError(len(message)), "KeyError: {length}"),
        ("text", "Error: {message}"),
    ],
    ids=["class", "function", "text"],
)
def test_raise_as(play, kind, tool, failure, reaches):
    """A class, a function of the message, or a text in place of a reply; the outcome is the
    same, and a timeout takes its time."""

    @scenario()
    def story(world):
        shop.build(world)
        world.raise_as(**{kind: failure})

    history = play(story, once(tool), f"{tool}#1:once/{kind}").history
    text = {"timeout": TIMEOUT, "error": RESET, "rate_limited": LIMITED}[kind]
    message = text.partition(": ")[2].format(tool=tool)
    assert history.ended.value == reaches.format(message=message, length=len(message))
    (replied,) = history.of(Replied)
    assert replied.outcome == ("failed" if kind == "rate_limited" else "unknown")
    assert replied.t == (30 if kind == "timeout" else 0)


def test_a_429_says_when_to_come_back(play):
    """`retry_after`, in virtual seconds."""

    def agent(world):
        try:
            world.tools.pay(order_id="A17")
        except RateLimited as error:
            return error.retry_after

    assert play(shop, agent, "pay#1:once/rate_limited").history.ended.value == 1.0


@pytest.mark.parametrize(
    "how",
    [{"timeout": "hangs"}, {"error": "hang"}, {"rate_limited": "hang"}, {"timeout": 30}],
)
def test_raise_as_something_else(how):
    """Only a timeout can hang; a word or a number that means nothing is refused."""
    with pytest.raises(ScenarioError, match=r"raise_as\("):
        bare_world().raise_as(**how)


# the agent's own deadline


@scenario()
def hanging(world):
    shop.build(world)
    world.raise_as(timeout="hang")

    @world.tool(effect="job", dedup="key")
    async def slow(job: str):
        await asyncio.sleep(60)
        return "done"


@pytest.mark.parametrize("tool", ["pay", "apay"])
def test_a_hang_that_the_agents_deadline_ends(play, tool):
    """The request was carried out, and the agent gave up at its own second, knowing nothing."""

    async def agent(world):
        async with asyncio.timeout(12):
            await world.tools.aio[tool](order_id="A17")

    history = play(hanging, agent, f"{tool}#1:once/timeout").history
    assert told(history, Committed, Replied) == [
        "0 committed payment-1 by call_1",
        "12 replied unknown CancelledError",
    ]
    assert (history.ended.how, history.ended.error) == ("raised", "TimeoutError")


@pytest.mark.parametrize("tool", ["pay", "apay"])
def test_a_hang_without_a_deadline(play, tool):
    """Cut off as hung; nothing reached the agent, and nothing is said to have."""

    async def asynchronous(world):
        await world.tools.apay(order_id="A17")

    def sync(world):
        world.tools.pay(order_id="A17")

    agent = sync if tool == "pay" else asynchronous
    history = play(hanging, agent, f"{tool}#1:once/timeout").history
    assert (history.ended.how, history.ended.error) == ("cut_off", "hung")
    assert history.of(Replied) == []


def test_an_async_body_that_outlives_the_agents_patience(play):
    """The agent cannot know the outcome; the request is dropped, and its key is free again."""

    async def agent(world):
        for patience in (1, 100):
            try:
                async with asyncio.timeout(patience):
                    await world.tools.slow(job="j", idempotency_key="k")
            except TimeoutError:
                continue

    history = play(hanging, agent).history
    assert told(history, Replied, Committed) == [
        "1 replied unknown CancelledError",
        "61 committed job-1 by call_2",
        "61 replied applied value",
    ]


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


# slots


def test_slots_follow_the_models_order_of_calls(play):
    """Two calls of one turn keep their slots, whichever is made first."""

    @scenario(script=[[("pay", {"order_id": "A17"}), ("pay", {"order_id": "B2"})], "Paid."])
    def story(world):
        shop.build(world)

    def agent(turned):
        def loop(world):
            calls = world.model([{"role": "user", "content": world.task}])["tool_calls"]
            for call in reversed(calls) if turned else calls:
                world.call(call["name"], call["arguments"], asked=call["id"])

        return loop

    for turned in (False, True):
        history = play(story, agent(turned)).history
        slots = {call.args["order_id"]: str(call.slot) for call in history.of(Called)}
        assert slots == {"A17": "pay#1", "B2": "pay#2"}
        assert {call.asked for call in history.of(Called)} == {"tc_1", "tc_2"}


def test_slots_count_by_name(play):
    """Each tool has its own first call; a call that nobody asked for takes the next slot."""

    def agent(world):
        world.call("pay", {"order_id": "A17"}, asked="unknown id")
        asyncio.run(once("apay")(world))
        world.tools.pay(order_id="B2")

    history = play(shop, agent).history
    assert [str(call.slot) for call in history.of(Called)] == ["pay#1", "apay#1", "pay#2"]


# budget


@pytest.mark.parametrize("swallow", [Exception, BaseException])
def test_the_budget_of_crossings(play, swallow):
    """Calls, refusals, model turns and the done tool count alike; after the last one each
    crossing is refused, so that nothing more happens to a loop that swallows everything."""

    @scenario(budget=5, script=[("pay", {"order_id": "A17"}), "Paid."])
    def story(world):
        shop.build(world)

    def agent(world):
        steps = [
            lambda: world.tools.pay(order_id="A17"),
            lambda: world.tools.pay(),
            lambda: world.call("nothing", {}),
            lambda: world.model([]),
            lambda: world.tools.done(status="failed"),
            lambda: world.tools.done(status="failed"),
            lambda: world.tools.pay(order_id="B2"),
        ]
        for step in steps:
            try:
                step()
            except swallow:
                continue

    history = play(story, agent).history
    assert len(history.of(Called)) == 3
    assert len(history.ledger) == 1
    assert sum(type(event).__name__ == "Done" for event in history.events) == 1
    if swallow is Exception:
        assert (history.ended.how, history.ended.error) == ("cut_off", "budget")


def test_a_mistake_that_follows_from_the_budget(play):
    """A framework that takes the CutOff for a result and trips over it was cut off."""

    @scenario(budget=3)
    def story(world):
        shop.build(world)

    async def agent(world):
        while True:
            calls = [world.tools.apay(order_id="A17") for _ in range(2)]
            replies = await asyncio.gather(*calls, return_exceptions=True)
            [reply["receipt"] for reply in replies]

    async def grouped(world):
        async with asyncio.TaskGroup() as group:
            for _ in range(9):
                group.create_task(world.tools.apay(order_id="A17"))

    for one in (agent, grouped):
        ended = play(story, one).history.ended
        assert (ended.how, ended.error) == ("cut_off", "budget")
        assert ended.detail == "more than 3 crossings"


def test_nothing_acts_after_the_run(play):
    """A world that somebody kept can do nothing more."""
    kept = []
    play(shop, kept.append)
    before = len(kept[-1].events)
    for act in (lambda w: w.tools.pay(order_id="A17"), lambda w: w.tools.done(status="success")):
        with pytest.raises(BaseException, match="budget"):
            act(kept[-1])
    assert len(kept[-1].events) == before
