"""Saves of which half is there, that are lost with the process, or that fail."""

import asyncio
from contextlib import suppress

import pytest

from agentfuzz import Completion, FaultPlan, PlanError, run, scenario
from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.core.events import Called, Committed, Crashed, Done, Resumed, Saved
from agentfuzz.search.space import Space
from agentfuzz.world.store import half

DONE = Completion.success(handle="A17")


@scenario(task="Pay A17.", resume=True, faults=("torn", "stale"))
def shop(world):
    @world.tool(effect="payment", scope=("order_id",), dedup="key")
    def pay(order_id: str, idempotency_key: str | None = None):
        return {"receipt": order_id}


def saves(*values, then=None):
    """An agent that saves one value after the other, as `at`; a new leg tells what it finds."""

    def agent(world):
        if world.why == "restart":
            return Completion.success(handle=world.store.get("at", "nothing"))
        for value in values:
            world.store["at"] = value
            assert world.store["at"] == value
        if then:
            then(world)
        return DONE

    return agent


def found(history):
    """What the last leg found."""
    return history.of(Done)[-1].handle


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("abcd", "ab"),
        ("a", ""),
        ([1, 2, 3], [1]),
        ({"a": 1, "b": 2}, {"a": 1}),
        (b"abcd", b"ab"),
        (7, None),
        (None, None),
    ],
)
def test_half(value, left):
    """The beginning of what has one."""
    assert half(value) == left


def test_torn():
    """Half of it is there, and the process dies before it knows."""
    history = run(shop, saves("first", "second"), "store:at#2:torn").history
    assert found(history) == "sec"
    assert [event.value for event in history.of(Saved)] == ["first", "sec"]
    assert [event.slot.nth for event in history.of(Crashed)] == [2]
    assert [event.why for event in history.of(Resumed)] == ["restart"]


def pays(world):
    world.tools.pay(order_id="A17")
    world.tools.pay(order_id="A17")


def test_stale():
    """The process finds it, dies after its next call, and the next leg finds the one before."""
    history = run(shop, saves("first", "second", then=pays), "store:at#2:stale").history
    assert found(history) == "first"
    assert len(history.of(Committed)) == len(history.of(Called)) == 1
    assert found(run(shop, saves("first", then=pays), "store:at#1:stale").history) == "nothing"


def test_stale_until_the_end():
    """Without a call the process dies before its answer is acknowledged."""
    history = run(shop, saves("first"), "store:at#1:stale").history
    assert found(history) == "nothing"
    assert len(history.of(Crashed)) == 1


def test_stale_in_an_async_agent():
    """The same when the call is awaited."""

    async def agent(world):
        if world.why == "restart":
            return Completion.success(handle=str(dict(world.store)))
        world.store["at"] = "first"
        await asyncio.sleep(1)
        await world.tools.aio.pay(order_id="A17")
        return DONE

    history = run(shop, agent, "store:at#1:stale").history
    assert found(history) == "{}"
    assert len(history.of(Committed)) == 1


def test_a_deletion_that_is_lost():
    """What was deleted is there again."""

    def deletes(world):
        del world.store["at"]

    assert found(run(shop, saves("first", then=deletes), "store:at#2:stale").history) == "first"
    assert found(run(shop, saves("first", then=deletes), "store:at#2:torn").history) == "nothing"


@pytest.mark.parametrize(("moment", "left"), [("unsaved", "nothing"), ("unsaved/after", "first")])
def test_a_save_that_fails(moment, left):
    """The agent is told, and goes on; what was written may be there all the same."""

    def agent(world):
        with suppress(ConnectionError):
            world.store["at"] = "first"
        return Completion.success(handle=world.store.get("at", "nothing"))

    history = run(shop, agent, f"store:at#1:{moment}").history
    assert found(history) == left
    assert len(history.of(Saved)) == (left == "first")


@pytest.mark.parametrize(("moment", "left"), [("unsaved", ""), ("unsaved/after", "first")])
def test_a_save_of_the_agent_s_own_that_fails(moment, left):
    """Before it nothing is written, after it all of it is; who does not catch it, ends."""

    def agent(world):
        file = [""]
        with suppress(ConnectionError), world.saving("file"):
            file.append("first")
        with world.saving("other"):
            return Completion.success(handle=file[-1])

    assert found(run(shop, agent, f"store:file#1:{moment}").history) == left
    ended = run(shop, agent, f"store:other#1:{moment}").history.ended
    assert (ended.how, ended.error, ended.detail) == (
        *("raised", "ConnectionError"),
        "other: the store cannot be reached",
    )


def test_only_the_store_can_be_torn():
    """A write of the agent's own is not ours to tear, nor is a call: nothing happens there."""

    def agent(world):
        with world.saving("file"):
            world.store["at"] = "first"
        world.tools.pay(order_id="A17")
        return DONE

    space = Space(faults=("torn", "stale", "crash", "unsaved"))
    assert {fault.axes[0] for fault in space.at("process own save")} == {"crash", "unsaved"}
    told = {fault.text for fault in space.at("process save")}
    assert told == {"crash", "crash/after", "torn", "stale", "unsaved", "unsaved/after"}
    for plan in ("store:file#1:torn", "process:pay#1:stale", "end#1:torn"):
        with pytest.raises(PlanError, match="no longer applies"):
            run(shop, agent, plan).check()


def test_what_a_report_says():
    """One moment needs no words."""
    boundary = BOUNDARIES["store"]
    [(slot, fault)] = FaultPlan.parse("store:at#1:torn")
    assert boundary.phrase(slot, fault) == (
        "save 1 of at: half of it is written, and the process dies"
    )
