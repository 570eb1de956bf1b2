"""The reference loop: no law is broken, whatever strikes, and without faults the work is done."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import loops
import pytest

from agentfuzz import Completion
from agentfuzz.conformance.stories import story
from agentfuzz.events import Called
from agentfuzz.invariants import LAWS
from agentfuzz.search.space import Space
from reference_loop import loop as loop_
from reference_loop.loop import Loop, Tool, hand_over, handoff, owned, receive
from reference_world import proof, tools_of
from search.support import hunt, shown
from tests.examples.stories import INVOICE, NOT_HERE, NOTE, STORIES
from tests.extent import upto

EXCLUDED = {
    "invoice": ("twice",)
}  # nobody can help a network that doubles, and a backend that is blind
RESOLVE_TICKET = story("resolve_ticket").scenario, loops.reference("resolve_ticket")
RUNS = upto(120, 250)  # of one story at most


@pytest.fixture(scope="module")
def campaign(simulation):
    """`campaign(name)` is the result of one campaign of a story, with its crashes; made once."""

    @cache
    def made(name):
        story, loop = {**STORIES, "resolve_ticket": RESOLVE_TICKET}[name]  # its model ends in prose
        space = Space(faults=story.faults, exclude=EXCLUDED.get(name, ()))
        living = replace(story, resume=True)
        return hunt(living, loop, simulation, space=space, depth=2, max_runs=RUNS, deep_runs=0)

    return made


@pytest.mark.parametrize("name", STORIES)
def test_without_faults_the_work_is_done(name, play):
    """A loop that does nothing would keep nearly every law."""
    story, loop = STORIES[name]
    history = play(story, loop).history
    assert history.success is not None
    expected = {"approvals": 2, "mails": 2, "notes": 5, "relay": 2, "shop": 2, "trip": 3}
    assert len(history.ledger) == expected.get(name, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
def test_every_law_holds_under_two_faults(name, campaign):
    """Every plan with one fault, and as many with two as the budget has."""
    result = campaign(name)
    assert result.struck
    assert shown(result) == []


def test_what_it_once_broke(play):
    """A done that is refused is told."""
    assert play(*STORIES["invoice"], "model#1:skip + model#4:mixed_done").violations == ()


@pytest.mark.slow
def test_each_law_is_exercised_somewhere(campaign):
    """All laws that a story can have, but those that this loop gives no occasion for."""
    held = set()
    for name in (*STORIES, "resolve_ticket"):
        result = campaign(name)
        held |= {law.partition("(")[0] for law, count in result.laws.items() if count.held}
    unheard = {
        "no_effect_after_completion",  # nothing is called after it
        "no_stale_answer",  # it answers in words of its own
        "valid_histories",  # it is refused nothing
    }
    assert set(LAWS) - held == unheard | set(NOT_HERE)


@pytest.mark.slow
def test_the_laws_of_handoffs_are_judged(campaign):
    """Each of them came up in the relay, and held."""
    result = campaign("relay")
    held = {law.partition("(")[0] for law, count in result.laws.items() if count.held}
    assert {name for name, record in LAWS.items() if record.family == "handoffs"} <= held


def test_it_is_short():
    """It is what users copy: under 300 lines, all of its folder together."""
    folder = Path(loop_.__file__).parent
    lines = [len(path.read_text("utf-8").splitlines()) for path in folder.glob("*.py")]
    assert sum(lines) < 300


# Each part of the loop is needed: without it some law is broken.


def codes(play, name, plan):
    return {violation.code for violation in play(*STORIES[name], plan).violations}


def test_without_a_look_up(monkeypatch, play):
    """Repeats what is in doubt."""
    monkeypatch.delitem(INVOICE["send_invoice"], "look_up")
    monkeypatch.setitem(INVOICE["send_invoice"], "dedup", "scope")  # as if any repeat were known
    assert {"AF101", "AF104"} <= codes(play, "invoice", "send_invoice#1:once/timeout")


def test_without_waiting(monkeypatch, play):
    """Looks up while the request may still arrive."""
    monkeypatch.setattr(loop_, "SETTLES", 0.0)
    assert {"AF101", "AF104"} <= codes(play, "invoice", "send_invoice#1:late/timeout")


def test_without_writing_ahead(monkeypatch, play):
    """A process that died does not know what it had sent."""
    save = Loop.save

    def forgets(self):
        for step in self.state["steps"]:
            if step["outcome"] == "unknown":
                return
        save(self)

    monkeypatch.setattr(Loop, "save", forgets)
    assert "AF101" in codes(play, "invoice", "process:send_invoice#1:crash/after")


def test_without_a_use_up_of_the_approval(monkeypatch, play):
    """Takes every answer about a call for a yes."""
    hear = Loop.hear

    def takes_any(self, *words):
        decision = self.host.decision
        self.host.decision = decision and decision._replace(granted=True)
        hear(self, *words)

    monkeypatch.setattr(Loop, "hear", takes_any)
    assert "AF409" in codes(play, "approvals", "approval:pay#1:refused")


def test_without_a_whole_conversation(play):
    """A window in which an effect is not told any more."""

    def windowed(world):
        def short(talk, tools):
            begins = [at for at, one in enumerate(talk) if one["role"] == "assistant"]
            shown = talk if len(begins) <= 2 else [talk[0], *talk[begins[-2] :]]
            return world.model(shown, tools)

        host = SimpleNamespace(
            store=world.store, model=short, call=world.call, decision=None, why="", cancelled=False
        )
        story_loop = Loop(host, tools_of(world, **NOTE), "r", "r")
        return Completion(**story_loop.run("m", world.task))

    found = play(STORIES["notes"][0], windowed).violations
    assert "AF412" in {violation.code for violation in found}


def test_without_a_ledger_that_crosses(monkeypatch, play):
    """The receiver does again what the sender has done: only a backend with keys saves it."""
    init = Loop.__init__
    monkeypatch.setattr(
        Loop, "__init__", lambda self, *a, **words: init(self, *a, **{**words, "ledger": ()})
    )
    story, loop = STORIES["relay"]
    history = play(story, loop).history
    assert [event.slot.name for event in history.of(Called)].count("charge") == 2


def test_with_a_ledger_that_crosses(play):
    """The receiver's model asks for the charge once more, and is answered from the ledger."""
    history = play(*STORIES["relay"]).history
    assert [event.slot.name for event in history.of(Called)].count("charge") == 1


# Parts that no fault of a world reaches


STEP = {
    "tool": "charge",
    "writes": True,
    "outcome": "applied",
    "said": "{}",
    "asked": "tc_1",
    "receipt": "ch_1",
}


def handed(version=1, owner="bob"):
    return handoff([STEP], "t", version, owner, limit=5)


def test_a_handoff_is_taken_once_and_by_its_owner():
    """Of each version once, no older one, nothing that was changed, nothing of another's."""
    store: dict = {}
    second = handed(2)
    carry = second["carry"]
    assert receive(store, "eve", second) == "for bob"
    assert (
        receive(store, "bob", {**second, "carry": {**carry, "limit": 50}}) == "changed on the way"
    )
    assert receive(store, "bob", {**second, "more": 1}) == "changed on the way"
    assert receive(store, "bob", {**second, "carry": {}}) == "invalid"
    assert receive(store, "bob", "please go on") == "invalid"
    assert store == {}
    assert receive(store, "bob", second) == "accepted"
    assert receive(store, "bob", second) == "known"
    assert receive(store, "bob", handed(1)) == "out of date"
    assert [one["version"] for one in owned(store, "bob")] == [2]
    assert receive(store, "bob", handed(3)) == "accepted"


def test_a_handoff_is_sent_again_until_somebody_has_it():
    """The same one; who has it already has it, and after three times nobody waits any more."""
    order = handoff([], "order A17", 1, "bob")
    for answers, sent in (["", "known"], True), (["for bob", "accepted"], True), ([""] * 9, False):
        seen = []

        def send(payload, seen=seen, answers=answers):
            seen.append(payload)
            return answers[len(seen) - 1]

        assert hand_over(send, order) is sent
        assert seen == [order] * (2 if sent else 3)


def test_a_handoff_says_what_is_done():
    """Receipts, and what was found with its source: in it, and in what is told."""
    found = handed()
    assert found["effects"] == ["ch_1"]
    assert found["claims"] == [{"item": "charge", "value": "{}", "source": "tc_1"}]
    assert all(word in found["text"] for word in ("limit", "ch_1", "tc_1"))


@pytest.mark.parametrize("fault", ["lost", "twice", "late", "misrouted", "once/poisoned"])
def test_a_handoff_without_an_answer_is_sent_again(fault, play):
    """A few times; a `known` is a yes, and the work is done once."""
    axes = fault if "/" in fault else f"{fault}/intact"
    result = play(*STORIES["relay"], f"handoff:shipper#1:{axes}")
    assert result.violations == ()
    assert result.history.success is not None
    assert len(result.history.ledger) == 2


class Desk:
    """A host with a clock, a store, and a model that pays and is done."""

    tools, why, decision, cancelled = (), "", None, False

    def __init__(self, monkeypatch, reply=lambda arguments: {"payment_id": "pay_1"}):
        self.store, self.now, self.made, self.reply = Store(), 0.0, [], reply
        clock = SimpleNamespace(time=lambda: self.now, sleep=self.sleep)
        monkeypatch.setattr(loop_, "time", clock)

    def model(self, messages, tools):
        paid = any(one["role"] == "tool" for one in messages)
        name, arguments = ("done", {"status": "success"}) if paid else ("pay", {"invoice": "I1"})
        calls = [{"id": f"tc_{len(messages)}", "name": name, "arguments": arguments}]
        return {"content": None, "tool_calls": calls, "stop": "tool_calls"}

    def call(self, tool, arguments, asked=None):
        self.made.append((tool, dict(arguments)))
        return self.reply(arguments)

    def sleep(self, seconds):
        self.now += seconds

    def loop(self, **more):
        words = {"dedup": "none", "writes": True, **proof("payment_id"), **more}
        return Loop(self, {"pay": Tool(("invoice",), ("invoice",), **words)}, "r", "r")


class Store(dict):
    """A store that inserts a name once."""

    def claim(self, name):
        return self.setdefault(name, mine := object()) is mine


def test_keys_that_have_expired_are_no_keys(monkeypatch):
    """A repeat after the time for which the backend knows them is looked up, or not made."""

    def lost(arguments):
        desk.now += 25 * 3600.0
        raise TimeoutError

    desk = Desk(monkeypatch, lost)
    monkeypatch.setitem(loop_.MOST, "seconds", 1e9)
    end = desk.loop(dedup="key").run("m", "Pay.")
    assert (end["status"], len(desk.made)) == ("partial", 1)
    assert "unknown: pay" in end["detail"]


@pytest.mark.parametrize(("name", "most"), [("turns", 1), ("seconds", 0.0), ("calls", 0)])
def test_budgets_end_honestly(name, most, monkeypatch):
    """Calls, turns and time: never a success, and what stands is said."""
    monkeypatch.setitem(loop_.MOST, name, most)
    end = Desk(monkeypatch).loop().run("m", "Pay.")
    assert (end["status"], end["reason"]) == ("partial", "budget_exhausted")
    assert (end["handle"] == "pay_1") is (name == "turns")


def test_what_was_stopped_is_not_gone_on_with(monkeypatch):
    """The rest of a turn is not made when the user speaks again, and its calls have results."""

    def model(messages, tools):
        if any(one["role"] == "tool" for one in messages):
            calls = [
                {"id": f"tc_{len(messages)}", "name": "done", "arguments": {"status": "partial"}}
            ]
        else:
            calls = [{"id": n, "name": "pay", "arguments": {"invoice": n}} for n in ("I1", "I2")]
        return {"content": None, "tool_calls": calls, "stop": "tool_calls"}

    def stops(arguments):
        desk.cancelled = True
        return {"payment_id": "pay_1"}

    desk = Desk(monkeypatch, stops)
    desk.model = model
    loop = desk.loop()
    end = loop.run("m1", "Pay.")
    assert (end["status"], end["handle"]) == ("cancelled", "pay_1")
    desk.cancelled = False
    assert loop.run("m2", "And now?")["status"] == "partial"
    assert [arguments for _, arguments in desk.made] == [{"invoice": "I1"}]
    results = [one["tool_call_id"] for one in loop.state["talk"] if one["role"] == "tool"]
    assert results[:2] == ["I1", "I2"]
