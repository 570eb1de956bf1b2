"""Handoffs that are calls of functions: when such a receiver has accepted."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from agentfuzz import World, run, scenario
from agentfuzz.core.between import HandoffAccepted, HandoffRejected
from agentfuzz.core.events import Crashed


@scenario(task="Refund A17.")
def shop(world: World) -> None:
    @world.tool(effect="refund", scope=("order_id",))
    def refund(order_id: str) -> str:
        return "ok"


def team(acts: bool) -> Any:
    """Two functions, of which the second one answers, or acts."""

    def agent(world: World) -> None:
        def billing(order: dict) -> str:
            return str(world.tools.refund(order_id=order["order_id"]))

        def desk(order: dict) -> str:
            return billing(order) if acts else "That is not mine."

        to_billing, _ = world.handoff_of(billing), world.handoff_of(desk)
        with world.acting("lead"):
            to_billing({"order_id": "A17"})

    return agent


@pytest.mark.parametrize(("acts", "accepted"), [(False, []), (True, ["desk"])])
def test_what_went_astray_is_accepted_by_an_effect_alone(acts, accepted):
    """An answer to what was not meant for it is no acceptance: it may be a polite no."""
    history = run(shop, team(acts), "handoff:billing#1:misrouted").history
    assert [yes.agent for yes in history.of(HandoffAccepted)] == accepted
    said = [no.reason for no in history.of(HandoffRejected)]
    assert said == ([] if acts else ["answered without an effect"])


def test_an_answer_is_an_acceptance():
    """Of what was meant for it."""
    history = run(shop, team(acts=True)).history
    assert [yes.agent for yes in history.of(HandoffAccepted)] == ["billing"]


async def another(world: World) -> str:
    """Any async agent."""
    await asyncio.sleep(1)
    return "done"


@pytest.mark.parametrize("crash", ["crash", "crash/after"])
def test_a_receiver_that_dies_after_the_end(crash, play):
    """A late call is struck when its sender has ended; the next run knows nothing of it."""

    def lead(world: World) -> str:
        def billing(order: dict) -> str:
            return str(world.tools.refund(order_id=order["order_id"]))

        try:
            world.handoff_of(billing)({"order_id": "A17"})
        except TimeoutError:
            return "no answer"
        return "done"

    story = replace(shop, resume=True, faults=("crash",))
    died = play(story, lead, f"handoff:billing#1:late + process:refund#1:{crash}").history
    assert [event.slot.name for event in died.of(Crashed)] == ["refund"]
    assert play(story, another).history.ended.value == "done"
