"""Slots and the budget: every crossing has an address, and there are only so many of them."""

import asyncio

import pytest

from agentfuzz import scenario
from agentfuzz.core.events import Called

from .shop import once, shop

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

    @scenario(max_crossings=5, script=[("pay", {"order_id": "A17"}), "Paid."])
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

    @scenario(max_crossings=3)
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
    before = len(kept[-1].gateway.log)
    for act in (lambda w: w.tools.pay(order_id="A17"), lambda w: w.tools.done(status="success")):
        with pytest.raises(BaseException, match="budget"):
            act(kept[-1])
    assert len(kept[-1].gateway.log) == before
