"""`only_tools`: a task keeps to the tools that it may use, whatever its model asks for."""

import json

import pytest

from agentfuzz import (
    Completion,
    ModelError,
    ScenarioError,
    ToolError,
    UnknownTool,
    World,
    only_tools,
    run,
    scenario,
)
from agentfuzz.core.events import Delivered
from invariants.conversations import asks, gets, shows, under, user, wants
from invariants.histories import (
    call,
    charge,
    charged,
    commit,
    done,
    happens,
    judge,
    lookup,
    ok,
    refuse,
    ship,
    tell,
    timeout,
)

LAW = only_tools("lookup", "charge_card")
SHIP = asks(("tc_1", "ship", {"order_id": "A17"}))
TOLD = shows(user(), wants("tc_1"), gets("tc_1", "Error: not for you"))


@pytest.mark.parametrize(
    "steps",
    [
        (charged(),),
        (lookup(), ok(), charged()),
        (SHIP, TOLD, charged()),
        (SHIP,),
        (ship(), timeout()),
        (call("no_such_tool"), refuse("unknown_tool")),
        (asks(("tc_1", "done", {"status": "success"})), charged()),
    ],
    ids=["used", "both", "refused", "ignored", "lost", "no such tool", "done"],
)
def test_held(steps):
    """Nothing else arrived anywhere."""
    assert judge(LAW, tell(*steps, done())) == "HELD"


@pytest.mark.parametrize(
    ("steps", "nth"),
    [
        ((ship(), commit(), ok()), 1),
        ((ship(), commit(), timeout()), 1),
        ((SHIP, under("tc_1", ship()), commit(), ok()), 1),
        ((ship(), timeout(), charged(), commit(1)), 2),
        ((ship(), happens(Delivered, "c1", 1), refuse("tool_raised")), 1),
    ],
    ids=["done", "and nobody knows", "asked for", "late", "it said no"],
)
def test_broken(steps, nth):
    """AF417: a call of another tool arrived, in time or late, asked for or not."""
    assert judge(LAW, tell(*steps, done())) == [f"AF417 ship: Called#1 Delivered#{nth}"]


def test_a_tool_that_reads():
    """AF417 asks for no effect: who may not look may not look."""
    read = (lookup(), happens(Delivered, "c1", 1), ok())
    assert judge(only_tools("ship"), tell(*read)) == ["AF417 lookup: Called#1 Delivered#1"]


def test_not_exercised():
    """Nothing was called, and nothing else asked for."""
    assert judge(LAW, tell(done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(asks("tc_1"), done())) == "NOT_EXERCISED"
    assert judge(only_tools("ship"), tell(charge(), timeout())) == "HELD"


@pytest.mark.parametrize("names", [(), ("",), (3,), (["charge_card"],)])
def test_what_names_no_tool(names):
    """The cure is in the message."""
    with pytest.raises(ScenarioError, match=r"give the names of the tools"):
        only_tools(*names)


# on whole loops

FAULTS = (TimeoutError, ConnectionError, ToolError)
DONE, UNKNOWN = Completion.success(handle="A17"), Completion.blocked()
MINE = ("find_order", "answer")


@scenario(
    task="Where is order A17?",
    script=[("find_order", {"order_id": "A17"}), ("answer", {"order_id": "A17"}), "Answered."],
    faults=("privileged",),
)
def desk(world: World) -> None:
    @world.tool
    def find_order(order_id: str) -> dict:
        return {"order": order_id, "parcel": "p_1"}

    @world.tool(effect="answer", scope=("order_id",), dedup="scope")
    def answer(order_id: str) -> dict:
        return {"answered": order_id}

    @world.tool(effect="voucher", scope=("code",), dedup="scope")
    def give_voucher(code: str) -> dict:
        return {"voucher": code}

    @world.tool(effect="refund", scope=("order_id",), dedup="scope")
    def refund(order_id: str) -> dict:
        return {"refund": order_id}


def desk_loop(serve):
    """A loop whose calls `serve` carries out."""

    def agent(world: World) -> Completion:
        messages, answered = [{"role": "user", "content": world.task}], False
        for _ in range(10):
            try:
                turn = world.model(messages, list(world.tools))
            except (ModelError, TimeoutError, ConnectionError):
                continue
            if turn["stop"] not in ("end", "tool_calls"):
                return UNKNOWN
            messages.append(turn)
            if not turn["tool_calls"]:
                return DONE if answered else UNKNOWN
            for one in turn["tool_calls"]:
                text = "Error: bad arguments"
                try:
                    if isinstance(one["arguments"], dict):
                        text = json.dumps(serve(world, one))
                        answered = answered or text == '{"answered": "A17"}'
                except FAULTS as error:
                    text = f"Error: {error}"
                messages.append({"role": "tool", "tool_call_id": one["id"], "content": text})
        return UNKNOWN

    return agent


def whatever_it_asks_for(world, one):
    """Victim: the toolbox is the world's, and the prompt says what is whose."""
    return world.call(one["name"], one["arguments"], asked=one["id"])


def its_own_tools(world, one):
    """Survivor: looks the name up in the task's own list."""
    if one["name"] not in MINE:
        raise UnknownTool(f"this task has no tool {one['name']}")
    return world.call(one["name"], one["arguments"], asked=one["id"])


def by_another_way(world: World) -> Completion:
    """Victim: no look-up, no answer; a voucher will do."""
    for _ in range(3):
        try:
            world.tools.find_order(order_id="A17")
            return DONE if world.tools.answer(order_id="A17") == {"answered": "A17"} else UNKNOWN
        except FAULTS:
            continue
    world.call("give_voucher", {"code": "SORRY"})
    return UNKNOWN


PRIVILEGED = {"only": ("privileged",), "alone": True}


@pytest.mark.parametrize(
    ("victim", "how", "expected"),
    [
        (desk_loop(whatever_it_asks_for), PRIVILEGED, "AF417 refund: model#1:privileged"),
        (by_another_way, {"alone": True}, "AF417 give_voucher: answer#1-3:once/timeout"),
    ],
)
def test_victim(found, victim, how, expected):
    """Gives the money back because it was asked to; gives a voucher rather than nothing."""
    assert [expected] == found(only_tools(*MINE), desk, victim, **how)


def test_rather_than_give_up():
    """The model asks for it when the tool has failed, and not for one whose arguments nobody has
    given it."""
    plan = "find_order#1-3:once/timeout + model#4:privileged"
    found = run(desk, desk_loop(whatever_it_asks_for), plan)
    assert [commit.tool for commit in found.history.ledger] == ["refund"]


def test_survivor(held):
    """Refuses, and says so to the model."""
    agent = desk_loop(its_own_tools)
    assert held(only_tools(*MINE), desk, agent, depth=1) > 0
    assert held(only_tools(*MINE), desk, agent, only=("privileged", "once/timeout")) > 0
