"""`continuable`: a conversation can be gone on with, whatever became of its last leg."""

from dataclasses import replace

import pytest

from agentfuzz import Completion, ToolError, World, continuable, scenario
from agentfuzz.core.events import Resumed
from agentfuzz.world.reply_faults import as_text
from invariants.conversations import asks, gets, says, shows, under, user, wants
from invariants.histories import (
    charge,
    cut_off,
    decides,
    died,
    done,
    happens,
    judge,
    raised,
    resumes,
    returned,
    strikes,
    tell,
    timeout,
    waits,
)

FIRST = (shows(user()), asks("tc_1"), under("tc_1", charge()), timeout())
AGAIN = happens(Resumed, "follow_up")
WHOLE = shows(user(), wants("tc_1"), gets("tc_1", "timed out"), user("And now?"))
OPEN = shows(user(), wants("tc_1"), user("And now?"))


def test_held():
    """The next leg of the conversation shows no open call, and gets to a turn of the model."""
    assert (
        judge(continuable(), tell(*FIRST, AGAIN, WHOLE, says("Sorry."), done("failed"))) == "HELD"
    )
    then_raised = (says("Sorry."), raised("ValueError"))
    assert judge(continuable(), tell(*FIRST, AGAIN, WHOLE, *then_raised)) == "HELD"
    assert judge(continuable(), tell(*FIRST, AGAIN, returned("Nothing to do."))) == "HELD"


def test_broken():
    """AF213: the kept conversation ends with a call that has no result."""
    history = tell(*FIRST, AGAIN, OPEN, says("Sorry."), done("failed"))
    assert judge(continuable(), history) == ["AF213 conversation: Resumed#1 ModelInput#2"]
    assert continuable()(history).violations[0].title == "cannot be continued"
    twice = tell(*FIRST, AGAIN, WHOLE, says("Sorry."), AGAIN, OPEN, says("Sorry."))
    assert judge(continuable(), twice) == ["AF213 conversation: Resumed#2 ModelInput#3"]


@pytest.mark.parametrize("end", [raised("BadRequest"), died("SystemExit"), cut_off("hung")])
def test_fails_at_once(end):
    """AF213: the new leg fails before the model has taken a turn."""
    broken = ["AF213 conversation: Resumed#1 Ended#1"]
    assert judge(continuable(), tell(*FIRST, AGAIN, end)) == broken
    refused = (WHOLE, says("400 tool call without result", "error"))
    assert judge(continuable(), tell(*FIRST, AGAIN, *refused, end)) == broken


@pytest.mark.parametrize("value", [False, None, True])
def test_a_decision_that_a_fault_struck(value):
    """A leg that brings a refusal, or what came too late, may end with an exception; one that
    brings what nothing had struck may not."""
    broken = ["AF213 conversation: Resumed#1 Ended#1"]
    leg = (resumes("decision"), decides("tc_1", value), raised("PermissionError"))
    refused = (waits("tc_1"), strikes("approval:charge_card#1:refused"), *leg)
    assert judge(continuable(), tell(*FIRST, *refused)) == "HELD"
    assert judge(continuable(), tell(*FIRST, waits("tc_1"), *leg)) == broken
    elsewhere = (strikes("approval:charge_card#1:refused"), AGAIN, raised("BadRequest"))
    assert judge(continuable(), tell(*FIRST, *elsewhere)) == broken


def test_a_leg_that_ran_out_of_its_budget():
    """Held: `bounded` judges it."""
    assert judge(continuable(), tell(*FIRST, AGAIN, cut_off("budget"))) == "HELD"


def test_a_leg_that_a_fault_struck():
    """A fault in the new leg may end it."""
    fault = strikes("model#2:error")
    history = tell(*FIRST, AGAIN, WHOLE, fault, says("529", "error"), raised("ModelError"))
    assert judge(continuable(), history) == "HELD"


def test_not_exercised():
    """Nothing was resumed."""
    assert judge(continuable(), tell(*FIRST, raised("ValueError"))) == "NOT_EXERCISED"


# on whole loops
FAULTS = (TimeoutError, ConnectionError, ToolError)
BLOCKED = Completion.blocked(reason="dependency_unavailable")


@scenario(
    continuable(),
    task="Charge order A17.",
    follow_ups=("And is it paid?",),
    script=[("charge_card", {"order_id": "A17"}), "Order A17 is charged."],
)
def chat(world: World) -> None:
    """An order is charged, and the user has a question afterwards."""

    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str) -> dict:
        return {"charge_id": "ch_1"}


def talks(world: World, *, keeps_pairs: bool) -> Completion:
    """One leg of a conversation kept in the store; `keeps_pairs`: a call that failed is given a
    result before the conversation is kept."""
    messages = [*world.store.get("messages", ()), {"role": "user", "content": world.task}]
    try:
        for _ in range(4):
            turn = world.model(messages, list(world.tools))
            messages.append(turn)
            if not turn["tool_calls"]:
                return Completion.success(handle="A17")
            for one in turn["tool_calls"]:
                try:
                    reply = as_text(world.call(one["name"], one["arguments"], asked=one["id"]))
                except FAULTS as error:
                    if not keeps_pairs:
                        raise
                    reply = f"Error: {error}"
                messages.append({"role": "tool", "tool_call_id": one["id"], "content": reply})
    except Exception:
        return BLOCKED
    finally:
        world.store["messages"] = messages
    return Completion.partial(reason="budget_exhausted")


def poisons(world: World) -> Completion:
    """Victim: a call that raised stays in the conversation without a result."""
    return talks(world, keeps_pairs=False)


def pairs(world: World) -> Completion:
    """Survivor."""
    return talks(world, keeps_pairs=True)


LAW = continuable()
OF_TOOLS = ("timeout", "error", "rate_limited")


def test_victim(found):
    """The next leg's first input holds a call without a result."""
    how = {"only": OF_TOOLS, "depth": 2, "deep_runs": 20}
    assert found(LAW, chat, poisons, **how) == ["AF213 conversation: charge_card#1:once/timeout"]


def test_survivor(held):
    """The same faults, and every leg gets its turn."""
    assert held(LAW, chat, pairs, only=OF_TOOLS) > 10


def test_untested(untested):
    """A task that nobody comes back to."""
    once = replace(chat, follow_ups=())
    assert untested(LAW, once, poisons, only=("timeout",)) == [
        "AF802 continuable was never exercised"
    ]
