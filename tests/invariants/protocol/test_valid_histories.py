"""`valid_histories`: what a provider refused is mended, or the loop that built it is broken."""

import json
from typing import Any

import openai
import pytest

from agentfuzz import Completion, run, valid_histories, wire
from agentfuzz.core.events import Resumed
from agentfuzz.engine.child.process import in_child
from invariants.conversations import asks, gets, says, shows, user, wants
from invariants.histories import charged, done, judge, tell
from invariants.loops.field import Loop, plain, shop

NO = says("No tool output found for function call call_1.", stop="refused")


def again(story: Any) -> None:
    story.add(Resumed, "follow_up", 2, "returned")


def test_broken():
    """AF419: the model took no turn after the refusal, or only in another leg."""
    asked = (shows(user()), asks("tc_1"), shows(user(), wants("tc_1")), NO)
    assert judge(valid_histories(), tell(*asked, done())) == ["AF419 conversation: ModelTurn#2"]
    assert judge(valid_histories(), tell(*asked, NO, done("failed"))) == [
        "AF419 conversation: ModelTurn#3"
    ]
    later = tell(*asked, again, shows(user()), says("Charged."), done())
    assert judge(valid_histories(), later) == ["AF419 conversation: ModelTurn#2"]
    (violation,) = valid_histories()(later).violations
    assert violation.sentence.endswith("No tool output found for function call call_1.")


def test_held():
    """The next request was accepted, whatever the model made of it."""
    mended = (NO, shows(user(), wants("tc_1"), gets("tc_1")))
    for turn in (says("Charged."), asks("tc_2"), says("", stop="error")):
        assert judge(valid_histories(), tell(shows(user()), asks("tc_1"), *mended, turn)) == "HELD"


def test_not_exercised():
    """Nothing was refused; or no model was asked."""
    for history in (tell(shows(user()), says("No tool output found.")), tell(charged(), done())):
        assert judge(valid_histories(), history) == "NOT_EXERCISED"


# on whole loops


class Wired(Loop):
    """The survivor's body: the field's plain loop, over the official client."""

    strict = True

    def ask(self) -> Any:
        client = wire.openai_client(self.world, strict=self.strict, max_retries=0)
        try:
            said = client.chat.completions.create(
                model="m",
                messages=[*map(spoken, self.messages)],
                tools=[{"type": "function", "function": {"name": one}} for one in self.world.tools],
            )
        except openai.BadRequestError as error:
            return self.refused(error)
        except openai.OpenAIError:
            return None
        choice = said.choices[0]
        calls = [
            {"id": one.id, "name": one.function.name, "arguments": arguments(one.function)}
            for one in choice.message.tool_calls or ()
        ]
        stop = {"stop": "end"}.get(choice.finish_reason, choice.finish_reason)
        return {"content": choice.message.content, "tool_calls": calls, "stop": stop}

    def refused(self, error: openai.BadRequestError) -> Any:
        return None


def arguments(function: Any) -> Any:
    try:
        found = json.loads(function.arguments)
    except ValueError:
        return function.arguments
    return found if isinstance(found, dict) else function.arguments


def spoken(message: dict[str, Any]) -> dict[str, Any]:
    """A message as Chat Completions know it."""
    calls = [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["name"], "arguments": json.dumps(call["arguments"])},
        }
        for call in message.get("tool_calls", ())
    ]
    return {**message, "tool_calls": calls} if calls else message


class Dangles(Wired):
    """P1: a call that failed gets no result, and the next request is refused."""

    def act(self, turn):
        calls = self.wanted(turn)
        self.said(turn, calls)
        for call in calls:
            text = self.attempt(call)
            if not text.startswith("error"):
                self.result(call["id"], text)


class Repeats(Wired):
    """Writes down that a call failed, tries again, and writes that down as well."""

    def act(self, turn):
        super().act(turn)
        last = self.messages[-1]
        if last["role"] == "tool" and last["content"].startswith("error"):
            self.result(last["tool_call_id"], self.attempt(self.wanted(turn)[-1]))


class Echoes(Wired):
    """Executes and answers whatever stands in the turn, the same id twice."""

    def wanted(self, turn):
        return list(turn["tool_calls"])


class Mends(Dangles):
    """Is refused as well; then gives what has no result one, and asks again."""

    def refused(self, error):
        results = {m["tool_call_id"] for m in self.messages if m["role"] == "tool"}
        asked = [call["id"] for m in self.messages for call in m.get("tool_calls", ())]
        for call in asked:
            if call not in results:
                self.result(call, "error: it failed")
        return self.ask()


class Lenient(Dangles):
    strict = False


LAW = valid_histories()
TIMEOUT = "charge_card#1:once/timeout"


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        (Dangles, [f"AF419 conversation: {TIMEOUT}"]),
        (Repeats, [f"AF419 conversation: {TIMEOUT}"]),
    ],
)
def test_victim(found, victim, expected):
    """A fault, and the next request holds a gap, or one result too many."""
    assert found(LAW, shop(), plain(victim)) == expected


def test_survivor(held):
    """Mends what was refused."""
    assert held(LAW, shop(), plain(Mends), depth=1) > 3


@pytest.mark.parametrize("loop", [Wired, Echoes, Lenient])
def test_untested(untested, loop):
    """An honest loop is refused nothing, and one whose client is lenient neither."""
    assert untested(LAW, shop(), plain(loop)) == []


def test_the_words_of_the_provider_are_told():
    """A run tells what the loop was refused for, at the turn that it was refused."""
    told = str(run(shop(), plain(Dangles), TIMEOUT))
    assert "did not have response messages: call_" in " ".join(told.split())
    assert 'model#2 refused: "An assistant message' in told


def test_completion_after_a_refusal():
    """To say that it did not work is no cure: the task can never be done."""
    found = run(shop(), plain(Dangles), TIMEOUT)
    assert found.history.claim == Completion.blocked().status
    assert [violation.code for violation in found.violations] == ["AF419"]


def test_from_a_process_of_its_own():
    """A loop in a child process is refused in the run, as one that is here."""
    here, there = (run(shop(), agent, TIMEOUT) for agent in (DANGLES, in_child(DANGLES)))
    assert here.history.events == there.history.events


DANGLES = plain(Dangles)
