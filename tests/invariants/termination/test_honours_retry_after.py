"""`honours_retry_after`: what answered with a 429 is left alone for as long as it says."""

import asyncio
import time

import pytest

from agentfuzz import (
    Completion,
    ModelError,
    RateLimited,
    ToolError,
    World,
    honours_retry_after,
    scenario,
)
from invariants.conversations import gets, says, shows, user, wants
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    judge,
    lookup,
    ok,
    passes,
    reply,
    restarts,
    resumes,
    ship,
    strikes,
    tell,
    timeout,
)

LAW = honours_retry_after()
TEXT = "charge_card: 429 too many requests, retry after 30 s"
LIMITED = (
    charge(),
    strikes("charge_card#1:once/rate_limited"),
    reply("failed", TEXT, raised="RateLimited"),
)


@pytest.mark.parametrize(
    "steps",
    [
        (*LIMITED, passes(30), charged()),
        (*LIMITED, passes(30), charged(), charged("B18")),
        (*LIMITED, charged("B18"), passes(30), charged()),
    ],
    ids=["waits", "once it is over", "beside it"],
)
def test_held(steps):
    """It is called again when the time is over; another call of the tool does not wait."""
    assert judge(LAW, tell(*steps, done())) == "HELD"


def test_broken():
    """AF218: too soon, whatever its key, and whatever came of it."""
    for again in (charged(), charged(key="k"), charge()):
        history = tell(*LIMITED, passes(20), again, done("blocked"))
        assert judge(LAW, history) == ["AF218 charge_card: Replied#1 Called#2"]


def test_the_models_api():
    """AF218: the model is asked again at once; another conversation does not wait."""
    error = says("429 rate_limit_error: too many requests", stop="error")
    first = (shows(user()), strikes("model#1:rate_limited"), error)
    again = (shows(user()), says("Done."), done())
    assert judge(LAW, tell(*first, *again)) == "HELD"  # each event takes a second
    longer = says("429, retry after 20 s", stop="error")
    assert judge(LAW, tell(*first[:2], longer, *again)) == [
        "AF218 the model: ModelTurn#1 ModelInput#2"
    ]
    assert judge(LAW, tell(*first[:2], longer, passes(20), *again)) == "HELD"
    other = (shows(user("Something else.")), says("Done."), done())
    assert judge(LAW, tell(*first[:2], longer, *other)) == "NOT_EXERCISED"


@pytest.mark.parametrize(
    "steps",
    [
        (charge(), timeout(), charged()),
        (*LIMITED[:2], reply("failed", "429", raised="RateLimited"), charged()),
        (*LIMITED, ship(), commit(), ok()),
        (*LIMITED, restarts(), charged()),
        (*LIMITED, done("blocked"), resumes("follow_up"), charged()),
        (*LIMITED, lookup(), ok()),
    ],
    ids=["a timeout", "no time", "another tool", "a restart", "a follow-up", "a look-up"],
)
def test_not_exercised(steps):
    """No 429 said how long, or its tool was not called again by the leg that knew."""
    assert judge(LAW, tell(*steps, done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(shows(user(), wants("x"), gets("x")), says("hi"))) == "NOT_EXERCISED"


# on whole loops

DONE = Completion.success(handle="A17")
BUSY, UNKNOWN = Completion.blocked(reason="rate_limited"), Completion.blocked()


@scenario(task="Charge order A17.", script=[("charge", {"order_id": "A17"}), "Charged."])
def bill(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge(order_id: str) -> str:
        return "ok"


def tries(wait):
    """A loop without a model; `wait` is what it does before it tries again."""

    def agent(world: World) -> Completion:
        for nth in range(4):
            try:
                return DONE if world.tools.charge(order_id="A17") == "ok" else UNKNOWN
            except RateLimited as limited:
                wait(nth, limited)
            except (TimeoutError, ConnectionError, ToolError):
                return UNKNOWN
        return BUSY

    return agent


def asks_again(wait):
    """A loop with a model."""

    def agent(world: World) -> Completion:
        for _ in range(4):
            try:
                world.model([{"role": "user", "content": world.task}])
                return UNKNOWN
            except ModelError as error:
                if error.status == 429:
                    wait(1, error)
            except (TimeoutError, ConnectionError):
                return UNKNOWN
        return BUSY

    return agent


def at_once(nth, error):
    """Victim: a 429 is an error like any other."""


def as_told(nth, error):
    time.sleep(error.retry_after)


def backs_off(nth, error):
    time.sleep(2.0 * 2**nth)


def gives_up(world: World) -> Completion:
    """Survivor: ends, and says why."""
    try:
        return DONE if world.tools.charge(order_id="A17") == "ok" else UNKNOWN
    except RateLimited:
        return BUSY
    except (TimeoutError, ConnectionError, ToolError):
        return UNKNOWN


async def each_for_itself(world: World) -> Completion:
    """Survivor: two tasks; each waits before it comes back."""

    async def one(order: str) -> bool:
        for _ in range(3):
            try:
                return await world.tools.aio.charge(order_id=order) == "ok"
            except RateLimited as limited:
                await asyncio.sleep(limited.retry_after)
            except (TimeoutError, ConnectionError, ToolError):
                return False
        return False

    return DONE if all(await asyncio.gather(one("A17"), one("B18"))) else UNKNOWN


def test_victim(found):
    """Comes back at once, to a tool or to the model."""
    only = {"only": ("rate_limited",)}
    assert found(LAW, bill, tries(at_once), **only) == ["AF218 charge: charge#1:once/rate_limited"]
    assert found(LAW, bill, asks_again(at_once), **only) == [
        "AF218 the model: model#1:rate_limited"
    ]


@pytest.mark.parametrize(
    "survivor",
    [tries(as_told), tries(backs_off), asks_again(as_told), each_for_itself],
    ids=["as told", "backs off", "the model, as told", "side by side"],
)
def test_survivor(held, survivor):
    """Waits as long as it was told to, or longer."""
    assert held(LAW, bill, survivor) > 0


def test_untested(untested):
    """Whoever ends with it does not come back."""
    assert untested(LAW, bill, gives_up) == ["AF802 honours_retry_after was never exercised"]
