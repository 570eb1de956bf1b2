"""`known_input`: what a model is shown, somebody has declared, said or answered."""

import json
import re

import pytest

from agentfuzz import (
    Completion,
    ModelError,
    Scenario,
    ScenarioError,
    ToolError,
    World,
    known_input,
    run,
    scenario,
)
from agentfuzz.core.between import Acts, Finished, HandoffReceived, SharedRead
from agentfuzz.core.events import Messaged, Shown
from invariants.conversations import asks, gets, says, shows, under, user, wants
from invariants.histories import charged, done, happens, judge, looked_up, restarts, tell, timeout

PROMPT = "You are a careful clerk. Charge each order once."
TASK = "Charge order A17."
DATED = re.compile(r"Today is [\d-]+\.")
LAW = known_input(PROMPT, TASK, DATED)
LONG = "Never lose a receipt. " * 40


def system(text: str = PROMPT) -> Shown:
    return Shown("system", text, (), None)


def assistant(text: str) -> Shown:
    return Shown("assistant", text, (), None)


@pytest.mark.parametrize(
    "messages",
    [
        (user(TASK),),
        (system(), user(TASK)),
        (system(f"{PROMPT}\n\nToday is 2026-11-29."), user(TASK)),
        (user(f"{PROMPT}\n---\n{TASK}"),),
        (user("Charge\n  order A17. "),),
        (user(str([{"type": "text", "text": TASK}])),),
        (user(TASK), wants("tc_1"), gets("tc_1", "Error: try again, and harder")),
        (user(TASK), assistant("I shall look.")),
        (user(TASK), user("Stop, please.")),
        (user('Observation: {"charge_id": "ch_A17"}'),),
        (gets("tc_1", "Error: no JSON"), user("So far: Error: no JSON")),
        (user(""), assistant(" ")),
        (),
    ],
    ids=[
        *("task", "prompt", "with the day", "in one message", "other spaces", "as a part"),
        *("result", "own words", "message", "observation", "told again", "blank", "nothing"),
    ],
)
def test_held(messages):
    """What was declared, said by the user or a model, or answered; also several of these in one."""
    before = (says("I shall look."), happens(Messaged, "Stop, please.", "inbox"))
    receipt = looked_up(body={"charge_id": "ch_A17"})
    assert judge(LAW, tell(*before, receipt, shows(*messages), says("Well."))) == "HELD"


def test_a_text_that_was_cut():
    """Of a long one the beginning is known; what was added in front is not (AF416)."""
    law = known_input(LONG)
    assert judge(law, tell(shows(system(LONG[:500])))) == "HELD"
    before = f"Be quick. {LONG}"[:500]
    assert judge(law, tell(shows(system(before)))) == ["AF416 system: ModelInput#1"]
    assert judge(known_input(LONG, "Be quick."), tell(shows(system(before)))) == "HELD"
    both = known_input("Short.", LONG)
    assert judge(both, tell(shows(system(f"Short. {LONG}"[:500])))) == "HELD"


@pytest.mark.parametrize(
    ("message", "role"),
    [
        (system("If a tool fails, call it again."), "system"),
        (system(f"{PROMPT} Try hard."), "system"),
        (user("Continue."), "user"),
        (user(f"Task: {TASK}"), "user"),
        (user("Recharge order A17."), "user"),
        (user("Observation: ok"), "user"),
        (assistant("I am sure that it is paid."), "assistant"),
        (assistant("The API is down."), "assistant"),
    ],
)
def test_broken(message, role):
    """AF416: a sentence that nobody has said, by itself or beside known ones."""
    steps = (looked_up(), asks(text="The API is down.", stop="error"), shows(user(TASK), message))
    assert judge(LAW, tell(*steps, says("Well."))) == [f"AF416 {role}: ModelInput#1"]


def test_told_once_for_each_role():
    """AF416: the first message of each; what comes again says nothing new."""
    steps = (
        shows(system("Hurry."), user("Now."), user("Go.")),
        shows(system("Hurry."), user("Go.")),
    )
    assert judge(LAW, tell(*steps)) == ["AF416 system: ModelInput#1", "AF416 user: ModelInput#1"]


def test_nobody_knows_it_yet():
    """AF416: words are a model's own, and a message the user's, from when they were said on."""
    late = (says("I shall look."), happens(Messaged, "Stop, please.", "inbox"))
    for message, role in (
        (assistant("I shall look."), "assistant"),
        (user("Stop, please."), "user"),
    ):
        assert judge(LAW, tell(shows(message), *late)) == [f"AF416 {role}: ModelInput#1"]


def test_what_another_agent_says():
    """A payload, an answer and a shared value are results."""
    said = "Order A17 is open."
    for event in (
        happens(HandoffReceived, "h1", 1, "clerk", 1, {"note": said}, ""),
        happens(Finished, "clerk", "returned", said),
        happens(SharedRead, "clerk", "note", 1, said),
    ):
        assert judge(LAW, tell(event, shows(user(f"You were told: {said}")))) == "HELD"
    acts = happens(Acts, "clerk")
    assert judge(LAW, tell(acts, shows(user(said)))) == ["AF416 user: ModelInput#1"]


def test_not_exercised():
    """No model was shown anything."""
    assert judge(LAW, tell(charged(), done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(under("tc_1", charged()), restarts(), timeout())) == "NOT_EXERCISED"


def test_what_is_no_text():
    """The cure is in the message."""
    with pytest.raises(ScenarioError, match=r"give the system prompt as a text"):
        known_input(3)


# on whole loops

FAULTS = (TimeoutError, ConnectionError, ToolError)
DONE, UNKNOWN = Completion.success(handle="A17"), Completion.blocked()
NUDGE = {"role": "user", "content": "The tool failed. You must call a tool now."}


def shop(*follow_ups: str) -> Scenario:
    @scenario(
        task=TASK, script=[("charge", {"order_id": "A17"}), "Charged."], follow_ups=follow_ups
    )
    def story(world: World) -> None:
        @world.tool(effect="charge", scope=("order_id",), dedup="key")
        def charge(order_id: str, idempotency_key: str | None = None) -> dict:
            return {"charge_id": f"ch_{order_id}"}

    return story


def talks(after_error=None, wrap=str):
    """A loop that shows its prompt, the task and the results, and what `after_error` adds."""

    def agent(world: World) -> Completion:
        task = {"role": "user", "content": wrap(world.task)}
        messages = [{"role": "system", "content": PROMPT}, task]
        paid = False
        for _ in range(8):
            try:
                turn = world.model(messages, list(world.tools))
            except (ModelError, TimeoutError, ConnectionError):
                continue
            if turn["stop"] not in ("end", "tool_calls"):
                return UNKNOWN
            messages.append(turn)
            if not turn["tool_calls"]:
                return DONE if paid else UNKNOWN
            failed = False
            for one in turn["tool_calls"]:
                text = "Error: bad arguments"
                if isinstance(one["arguments"], dict):
                    try:
                        keyed = {**one["arguments"], "idempotency_key": "A17"}
                        reply = world.call(one["name"], keyed, asked=one["id"])
                        text, paid = json.dumps(reply), reply == {"charge_id": "ch_A17"}
                    except FAULTS as error:
                        text, failed = f"Error: {error}", True
                messages.append({"role": "tool", "tool_call_id": one["id"], "content": text})
            if failed and after_error:
                messages.append(after_error)
        return UNKNOWN

    return agent


def test_victim(found):
    """A helper adds a sentence when a tool fails, and the loop's author never sees it."""
    told = found(known_input(PROMPT), shop(), talks(NUDGE))
    assert told == ["AF416 user: charge#1:once/timeout"]
    violation = run(shop(), talks(NUDGE), "charge#1:once/timeout").history
    (told,) = known_input(PROMPT)(violation).violations
    assert "'The tool failed. You must call a tool now.'" in told.sentence


@pytest.mark.parametrize(
    ("law", "agent"),
    [
        (known_input(PROMPT), talks()),
        (known_input(PROMPT, NUDGE["content"]), talks(NUDGE)),
        (known_input(PROMPT, "Order:"), talks(wrap=lambda task: f"Order: {task}")),
    ],
    ids=["adds nothing", "says so", "wraps the task"],
)
def test_survivor(held, law, agent):
    """Nothing is added, or it is declared; the scenario's own words need no declaration."""
    assert held(law, shop(), agent, depth=1) > 0
    assert held(law, shop("Thanks. Is it paid?"), agent, depth=1) > 0
