"""Handoffs that are calls of functions: when such a receiver has accepted."""

from typing import Any

import pytest

from agentfuzz import World, run, scenario
from agentfuzz.core.between import HandoffAccepted, HandoffRejected


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
