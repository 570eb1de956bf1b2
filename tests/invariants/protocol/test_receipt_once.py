"""`receipt_once`: what happened once is shown once."""

import json

import pytest

from agentfuzz import Completion, ModelError, ToolError, World, receipt_once, scenario
from agentfuzz.core.events import Shown
from invariants.conversations import asks, gets, says, shows, under, user, wants
from invariants.histories import charge, charged, commit, done, judge, ok, tell, timeout

LAW = receipt_once()
RECEIPT = {"charge_id": "ch_A17", "cents": 900}
TEXT = json.dumps(RECEIPT)


def receipt(body=RECEIPT):
    steps = (charge(), commit(), ok(body))
    return under("tc_1", lambda story: [step(story) for step in steps] and None)


def told(*messages, first=(), said=None, body=RECEIPT):
    turn = asks("tc_1", text=said)
    shown = shows(*first, user(), wants("tc_1", text=said or ""), *messages)
    steps = (shows(*first, user()), turn, receipt(body), shown, says("Done."), done())
    return judge(LAW, tell(*steps))


def note(text, role="user"):
    return Shown(role, text, (), None)


ITEM = gets("tc_1", TEXT)


@pytest.mark.parametrize(
    "more",
    [
        (),
        (note("ch_A17 was charged", "assistant"),),
        (note("So far: one charge", "system"),),
        (gets("tc_2", TEXT),),
    ],
    ids=["once", "named", "summed up", "a replay"],
)
def test_held(more):
    """Once as an item; other words about it, and another call's result, are no second one."""
    assert told(ITEM, *more) == "HELD"


def test_what_was_said_before():
    """What the model itself said, or what stood there before, is no second receipt."""
    assert told(ITEM, said=f"I expect {TEXT}") == "HELD"
    assert told(ITEM, first=(note(f"like {TEXT}", "system"),)) == "HELD"


@pytest.mark.parametrize("role", ["user", "system", "developer", "assistant"])
def test_broken(role):
    """AF415: as an item and as prose."""
    broken = ["AF415 charge_card: Called#1 Replied#1 ModelInput#2"]
    assert told(ITEM, note(f"So far: charge_card -> {TEXT}", role)) == broken
    assert told(ITEM, note(str(RECEIPT), role)) == broken


def test_not_exercised():
    """Nothing was executed, or shown, or it cannot be recognised."""
    assert told(note(TEXT)) == "NOT_EXERCISED"
    assert told(gets("tc_1", "ok"), note("ok"), body="ok") == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(), done())) == "NOT_EXERCISED"
    lost = (shows(user()), asks("tc_1"), under("tc_1", charge()), timeout(), shows(user(), ITEM))
    assert judge(LAW, tell(*lost, done())) == "NOT_EXERCISED"


# on whole loops

FAULTS = (TimeoutError, ConnectionError, ToolError)
DONE, UNKNOWN = Completion.success(handle="A17"), Completion.blocked()


@scenario(
    task="Charge order A17, then ship it.",
    script=[("charge", {"order_id": "A17"}), ("ship", {"order_id": "A17"}), "Done."],
)
def shop(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge(order_id: str) -> dict:
        return {"charge_id": f"ch_{order_id}", "cents": 900}

    @world.tool(effect="shipment", scope=("order_id",), dedup="scope")
    def ship(order_id: str) -> dict:
        return {"parcel": f"p_{order_id}_1"}


def talks(shown):
    """A plain loop; `shown` is what the model is shown of the conversation after a failure."""

    def agent(world: World) -> Completion:
        messages: list[dict] = [{"role": "user", "content": world.task}]
        receipts: set[str] = set()
        failed = False
        for _ in range(8):
            try:
                turn = world.model(shown(messages) if failed else messages, list(world.tools))
            except (ModelError, TimeoutError, ConnectionError):
                failed = True
                continue
            if turn["stop"] not in ("end", "tool_calls"):
                return UNKNOWN
            messages.append(turn)
            if not turn["tool_calls"]:
                return DONE if len(receipts) == 2 else UNKNOWN
            for one in turn["tool_calls"]:
                text = "Error: bad arguments"
                try:
                    if isinstance(one["arguments"], dict):
                        found = world.call(one["name"], one["arguments"], asked=one["id"])
                        text = json.dumps(found)
                        receipts |= {one["name"]} if "_A17" in text else set()
                except FAULTS as error:
                    text, failed = f"Error: {error}", True
                messages.append({"role": "tool", "tool_call_id": one["id"], "content": text})
        return UNKNOWN

    return agent


def told_over(messages):
    """Victim: hands over with a summary, and keeps the items."""
    lines = "; ".join(one["content"] for one in messages if one["role"] == "tool")
    return [*messages, {"role": "user", "content": f"So far: {lines}"}]


def as_prose(messages):
    """Survivor: the summary stands in for the items."""
    lines = "; ".join(one["content"] for one in messages if one["role"] == "tool")
    return [messages[0], {"role": "user", "content": f"So far: {lines}"}]


def with_names(messages):
    """Survivor: a note names what was done, beside the items."""
    names = ", ".join(one["tool_call_id"] for one in messages if one["role"] == "tool")
    return [*messages, {"role": "system", "content": f"Done so far: {names}; ch_A17"}]


def as_it_is(messages):
    """Survivor: shows what there is."""
    return messages


def test_victim(found):
    """A summary of what is shown as well."""
    told = found(LAW, shop, talks(told_over))
    assert told == ["AF415 ship: charge#1:once/timeout", "AF415 charge: ship#1:once/timeout"]


@pytest.mark.parametrize("shown", [as_prose, with_names, as_it_is])
def test_survivor(held, shown):
    """The summary or the items."""
    assert held(LAW, shop, talks(shown), depth=1) > 0
