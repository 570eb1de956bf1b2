"""How a reply that never comes reaches the agent, and who loses patience first."""

import asyncio

import pytest

from agentfuzz import RateLimited, scenario
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Committed, Replied

from .shop import LIMITED, RESET, TIMEOUT, Gone, once, shop
from .stories import bare_world, told

# how a failure reaches the agent


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
