"""`later_calls_work`: a call that failed spoils no later one."""

import asyncio

import pytest

from agentfuzz import Completion, ModelError, ToolError, World, later_calls_work, scenario
from agentfuzz.world.reply_faults import as_text
from invariants.conversations import asks, gets, says, shows, under, user, wants
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    judge,
    looked_up,
    lookup,
    ok,
    refuse,
    resumes,
    ship,
    strikes,
    tell,
    timeout,
)

LAW = later_calls_work()
CLEAN = tell(charged(), looked_up(), ship(), commit(), ok(), done())
HICCUP = (charge(), strikes("charge_card#1:once/timeout"), commit(), timeout())


def told(*steps, baseline=CLEAN):
    return judge(LAW, tell(*steps, done("blocked")), baseline)


@pytest.mark.parametrize(
    "steps",
    [
        (*HICCUP, looked_up()),
        (*HICCUP, lookup(), strikes("lookup#1:once/error"), refuse("tool_raised")),
        (*HICCUP, lookup("B18"), refuse("tool_raised")),
        (*HICCUP, charge(), refuse("tool_raised")),
        (*HICCUP, lookup(), refuse("key_conflict")),
        (*HICCUP[:2], timeout(), ship(), refuse("tool_raised")),
    ],
    ids=["works", "struck, too", "another one", "done already", "in flight", "needs the effect"],
)
def test_held(steps):
    """A later call works, or has a reason of its own not to."""
    assert told(*steps) == "HELD"


@pytest.mark.parametrize("kind", ["tool_raised", "unknown_tool"])
def test_broken(kind):
    """AF220: a healthy call fails, though all is as in the fault-free run."""
    broken = ["AF220 lookup: Called#1 Replied#1 Called#2"]
    assert told(*HICCUP, lookup(), refuse(kind)) == broken


LOOK = ("tc_1", "lookup", {"order_id": "A17"})
AGAIN = ("tc_2", "lookup", {"order_id": "A17"})
FAILS = (
    shows(user()),
    asks(LOOK),
    under("tc_1", lookup()),
    strikes("lookup#1:once/timeout"),
    timeout(),
    shows(user(), wants("tc_1"), gets("tc_1", "Error")),
    asks(AGAIN),
)
TOLD = (
    shows(user(), wants("tc_1"), gets("tc_1", "Error"), wants("tc_2"), gets("tc_2", "closed")),
    says("I give up."),
)


def test_never_made():
    """AF220: the model asks again, and is answered without a call."""
    clean = tell(looked_up(), done())
    assert told(*FAILS, *TOLD, baseline=clean) == ["AF220 lookup: Called#1 Replied#1 ModelInput#3"]
    assert told(*FAILS, under("tc_2", looked_up()), *TOLD, baseline=clean) == "HELD"
    assert told(*FAILS, looked_up(), *TOLD, baseline=clean) == "HELD"
    limit = (*FAILS[:5], looked_up("B18"), looked_up("B19"), *FAILS[5:], *TOLD)
    assert told(*limit, baseline=clean) == "HELD"


def test_not_exercised():
    """Nothing was spoiled, or nothing came after it; a write may be held back."""
    assert told(charged(), lookup(), refuse("tool_raised")) == "NOT_EXERCISED"
    assert told(*HICCUP) == "NOT_EXERCISED"
    write = ("tc_2", "charge_card", {"order_id": "A17"})
    assert told(*FAILS[:-1], asks(write), *TOLD) == "NOT_EXERCISED"
    model = strikes("model#1:malformed_args")
    assert told(model, *FAILS, *TOLD) == "NOT_EXERCISED"


@pytest.mark.parametrize("kind", ["cancel", "interrupt"])
def test_after_a_stop(kind):
    """AF220: somebody stops the task in the midst of a call, and the session dies of it; whether
    the call that was stopped is answered or made again is its loop's own affair."""
    stopped = (
        shows(user()),
        asks(LOOK),
        under("tc_1", lookup()),
        strikes(f"process:lookup#1:{kind}"),
    )
    clean, more = tell(looked_up(), done()), resumes("follow_up")
    shown = (user(), wants("tc_1"), gets("tc_1", "stopped"), user("Go on."))
    again = (*stopped, more, shows(*shown), asks(AGAIN))
    dead = shows(*shown, wants("tc_2"), gets("tc_2", "closed"))
    broken = ["AF220 lookup: Called#1 Struck#1 ModelInput#3"]
    assert told(*again, dead, says("I give up."), baseline=clean) == broken
    assert told(*again, under("tc_2", looked_up()), dead, says("Ok."), baseline=clean) == "HELD"
    fails = (*stopped, more, lookup(), refuse("tool_raised"))
    assert told(*fails, baseline=clean) == ["AF220 lookup: Called#1 Struck#1 Called#2"]
    assert told(*stopped, more, shows(*shown), says("Ok."), baseline=clean) == "NOT_EXERCISED"


def test_a_breaker():
    """It opens after two failures, and the third call is not made: no AF220, as after one."""
    clean, third = tell(looked_up(), ship(), ok(), done()), ("tc_3", "lookup", {"order_id": "A17"})
    asked = (user(), wants("tc_1"), gets("tc_1", "Error"), wants("tc_2"))
    opens = (
        *(*FAILS, under("tc_2", lookup()), strikes("lookup#2:once/timeout"), timeout()),
        *(shows(*asked, gets("tc_2", "Error")), asks(third)),
        shows(*asked, gets("tc_2", "Error"), wants("tc_3"), gets("tc_3", "closed")),
    )
    assert told(*opens, says("I give up."), baseline=clean) == "HELD"


# on whole loops

FAULTS = (TimeoutError, ConnectionError, ToolError)
DONE, UNKNOWN = Completion.success(handle="A17"), Completion.blocked()
PRICE = ("price", {"order_id": "A17"})
CHARGE = ("charge", {"order_id": "A17"})


@scenario(task="Charge order A17.", script=[PRICE, CHARGE, "Charged."])
def bill(world: World) -> None:
    @world.tool
    def price(order_id: str) -> dict:
        if world.state.get("closed"):
            raise ToolError("the session is closed")
        return {"cents": 900}

    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge(order_id: str) -> str:
        return "charged"


class Client:
    """A client with a session; `renews` says whether it opens another one."""

    def __init__(self, world: World, renews: bool) -> None:
        self.world, self.renews, self.open = world, renews, True
        self.calls = world.call

    def call(self, name, arguments, asked=None):
        if not self.open and not self.renews:
            raise ConnectionError("the session is closed")
        try:
            return self.calls(name, arguments, asked)
        except (TimeoutError, ConnectionError):
            self.open = False
            raise


def talks(client, allow=lambda name, failed: True, cache=False):
    """A plain loop with a model over a client."""

    def agent(world: World) -> Completion:
        messages: list[dict] = [{"role": "user", "content": world.task}]
        session, failed, known = client(world), set(), {}
        for _ in range(8):
            try:
                turn = world.model(messages, list(world.tools))
            except (ModelError, TimeoutError, ConnectionError):
                return UNKNOWN
            if turn["stop"] not in ("end", "tool_calls"):
                return UNKNOWN
            messages.append(turn)
            if not turn["tool_calls"]:
                return DONE if known.get("charge") == "charged" else UNKNOWN
            for one in turn["tool_calls"]:
                name, text = one["name"], "Error: not now"
                try:
                    if cache and name in known:
                        text = known[name]
                    elif isinstance(one["arguments"], dict) and allow(name, failed):
                        text = as_text(session.call(name, one["arguments"], one["id"]))
                        known[name] = text
                except FAULTS as error:
                    text = f"Error: {error}"
                    failed.add(name)
                messages.append({"role": "tool", "tool_call_id": one["id"], "content": text})
        return UNKNOWN

    return agent


dies = talks(lambda world: Client(world, renews=False))
renews = talks(lambda world: Client(world, renews=True))
holds_back = talks(
    lambda world: Client(world, renews=True),
    allow=lambda name, failed: name != "charge" or not failed,
)
remembers = talks(lambda world: Client(world, renews=True), cache=True)


def closes(world: World) -> Completion:
    """Victim: closes its session on the first error, and goes on with it."""
    for _ in range(3):
        try:
            found = world.tools.price(order_id="A17")
        except FAULTS:
            world.state["closed"] = True
            continue
        paid = isinstance(found, dict) and world.tools.charge(order_id="A17") == "charged"
        return DONE if paid else UNKNOWN
    return UNKNOWN


def tries_again(world: World) -> Completion:
    """Survivor: has nothing that could die."""
    for _ in range(3):
        try:
            found = world.tools.price(order_id="A17")
            paid = isinstance(found, dict) and world.tools.charge(order_id="A17") == "charged"
            return DONE if paid else UNKNOWN
        except FAULTS:
            continue
    return UNKNOWN


@pytest.mark.parametrize("victim", [dies, closes], ids=["dies", "closes"])
def test_victim(found, victim):
    """A session that does not outlive its first error."""
    assert "AF220 price: price#1:once/timeout" in found(LAW, bill, victim)


@pytest.mark.parametrize(
    "survivor",
    [renews, holds_back, remembers, tries_again],
    ids=["renews", "holds a write back", "answers from memory", "tries again"],
)
def test_survivor(held, survivor):
    """Opens another session, is careful with writes, remembers results, or has none."""
    assert held(LAW, bill, survivor, depth=1) > 0


@scenario(
    task="What is A17?",
    follow_ups=("And now?",),
    faults=("cancel", "interrupt"),
    script=[("look", {"order_id": "A17"}), PRICE, "It is 9 EUR."],
)
def shop(world: World) -> None:
    @world.tool
    def look(order_id: str) -> dict:
        return {"id": order_id}

    @world.tool
    def price(order_id: str) -> dict:
        return {"cents": 900}


def stops(renews):
    """An async loop whose session is kept with the conversation, and dies where the task is
    cancelled in the midst of a call; `renews`: then another one is opened."""

    async def agent(world: World) -> str:
        messages = [*world.store.get("messages", ()), {"role": "user", "content": world.task}]
        open_ = renews or not world.store.get("died", False)
        died = not open_
        try:
            while True:
                turn = await world.model.aio(messages)
                messages.append(turn)
                if not turn["tool_calls"]:
                    return str(turn["content"])
                for one in turn["tool_calls"]:
                    text = "Error: stopped"
                    try:
                        if open_:
                            text = str(await world.acall(one["name"], one["arguments"], one["id"]))
                        else:
                            text = "closed"
                    except asyncio.CancelledError:
                        died = True
                        raise
                    finally:
                        result = {"role": "tool", "tool_call_id": one["id"], "content": text}
                        messages.append(result)
        finally:
            world.store["messages"], world.store["died"] = messages, died

    return agent


STOPS = {"only": ("cancel", "interrupt"), "depth": 1, "deep_runs": 0}


def test_victim_of_a_stop(found):
    """What was stopped once answers nothing any more."""
    assert "AF220 price: process:look#1:cancel" in found(LAW, shop, stops(False), **STOPS)


def test_survivor_of_a_stop(held):
    """Another session is opened for the next message."""
    assert held(LAW, shop, stops(True), **STOPS) > 3
