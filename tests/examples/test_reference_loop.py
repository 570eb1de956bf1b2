"""The reference loop: no law is broken, whatever strikes, and without faults the work is done."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from agentfuzz import Completion, Scenario
from agentfuzz.events import Called
from agentfuzz.invariants import LAWS
from agentfuzz.scenarios import (
    approve_payment,
    cancel_campaign,
    charge_order,
    resolve_ticket,
    resume_after_crash,
    retry_storm,
    saga,
    webhook_twice,
)
from agentfuzz.search.space import Space
from reference_loop import loop as loop_
from reference_loop.loop import Loop, Tool, hand_over, handoff, owned, receive
from reference_world import tools_of
from search.support import hunt, shown
from tests.examples.stories import INVOICE, NOT_HERE, NOTE, STORIES, Agent
from tests.examples.support import Planned, agent, proof

SALARIES = [("pay", {"employee": name, "cents": 250_000}) for name in resume_after_crash.STAFF]
MAILS = [("send_mail", {"customer": name}) for name in cancel_campaign.CUSTOMERS]
PAYMENT = {**proof("payment_id", "pay_{invoice_id}"), "approval": True}
A17 = {"order_id": "A17"}
BUNDLED: dict[str, tuple[Scenario, Agent]] = {
    "approve_payment": (
        approve_payment.approve_payment,
        agent(
            {"pay_invoice": PAYMENT}, [("pay_invoice", name) for name in approve_payment.INVOICES]
        ),
    ),
    "cancel_campaign": (
        cancel_campaign.cancel_campaign,
        agent(
            {"send_mail": proof("message_id", "msg_{customer}")},
            [("send_mail", name) for name in cancel_campaign.CUSTOMERS],
            plan=[MAILS],
        ),
    ),
    "charge_order": (
        charge_order.charge_order,
        agent({"charge_card": proof("charge_id", "ch_{order_id}")}, [("charge_card", "A17")]),
    ),
    "resolve_ticket": (
        resolve_ticket.resolve_ticket,
        agent({"send_answer": proof("message_id", "msg_{ticket_id}")}, [("send_answer", "T-9")]),
    ),
    "resume_after_crash": (
        resume_after_crash.resume_after_crash,
        agent(
            {"pay": proof("payment_id", "pay_{employee}")},
            [("pay", name) for name in resume_after_crash.STAFF],
            plan=[SALARIES],
        ),
    ),
    "retry_storm": (
        retry_storm.retry_storm,
        agent({"book_freight": proof("booking_id", "b_{shipment}")}, [("book_freight", "S-7")]),
    ),
    "saga": (
        saga.saga,
        agent(
            {
                "book_flight": proof("ticket", "t_{flight}"),
                "cancel_flight": proof("cancelled", "{flight}"),
                "book_hotel": proof("room", "r_{hotel}"),
            },
            [("book_flight", "LIS-1"), ("book_flight", "LIS-2"), ("book_hotel", "Tejo")],
            plan=[
                [("book_flight", {"flight": "LIS-1"})],
                [("book_flight", {"flight": "LIS-2"})],
                [("book_hotel", {"hotel": "Tejo"})],
            ],
        ),
    ),
    "webhook_twice": (
        webhook_twice.webhook_twice,
        agent(
            {
                "ship": proof("receipt", "parcel_{order_id}"),
                "send_mail": proof("receipt", "mail_{order_id}"),
            },
            [("ship", "A17"), ("send_mail", "A17")],
            plan=[[("ship", A17)], [("send_mail", A17)]],
        ),
    ),
}
ALL = {**BUNDLED, **STORIES}
EXCLUDED = {
    "invoice": ("twice",)
}  # nobody can help a network that doubles, and a backend that is blind
RUNS = 250  # of one story at most


def campaign(name, simulation, **budget):
    """The result of one campaign of a story, with its crashes."""
    story, loop = ALL[name]
    space = Space(faults=story.faults, exclude=EXCLUDED.get(name, ()))
    living = replace(story, resume=True)
    return hunt(living, loop, simulation, space=space, **{"deep_runs": 0, **budget})


@pytest.mark.parametrize("name", ALL)
def test_without_faults_the_work_is_done(name, play):
    """A loop that does nothing would keep nearly every law."""
    story, loop = ALL[name]
    history = play(story, loop).history
    assert history.success is not None
    expected = {"approvals": 2, "approve_payment": 2, "cancel_campaign": 3, "mails": 2, "notes": 5}
    expected |= {"relay": 2, "resume_after_crash": 4, "saga": 3, "shop": 2, "trip": 3}
    expected |= {"webhook_twice": 2}
    assert len(history.ledger) == expected.get(name, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_law_holds_under_two_faults(name, simulation):
    """Every plan with one fault, and as many with two as the budget has."""
    result = campaign(name, simulation, depth=2, max_runs=RUNS)
    assert result.struck
    assert shown(result) == []


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("retry_storm", "book_freight#1-2:once/timeout + book_freight#3:once/rate_limited"),
        ("retry_storm", "get_quote#1-2:once/truncated + get_quote#3:once/timeout"),
        ("saga", "book_flight#1-2:once/timeout + book_flight#3:once/rate_limited"),
        ("invoice", "model#1:skip + model#4:mixed_done"),
    ],
)
def test_what_it_once_broke(name, plan, play):
    """A 429 settles no earlier doubt, half a reading is none, a done that is refused is told."""
    assert play(*ALL[name], plan).violations == ()


@pytest.mark.slow
def test_each_law_is_exercised_somewhere(simulation):
    """All laws that a story can have, but those that this loop gives no occasion for."""
    held = set()
    for name in (*STORIES, "resolve_ticket"):
        result = campaign(name, simulation, depth=1, max_runs=RUNS)
        held |= {law.partition("(")[0] for law, count in result.laws.items() if count.held}
    unheard = {
        "no_effect_after_completion",  # nothing is called after it
        "no_stale_answer",  # it answers in words of its own
        "valid_histories",  # it is refused nothing
    }
    assert set(LAWS) - held == unheard | set(NOT_HERE)


@pytest.mark.slow
def test_the_laws_of_handoffs_are_judged(simulation):
    """Each of them came up in the relay, and held."""
    result = campaign("relay", simulation, depth=1, max_runs=RUNS)
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
        def short(talk):
            begins = [at for at, one in enumerate(talk) if one["role"] == "assistant"]
            shown = talk if len(begins) <= 2 else [talk[0], *talk[begins[-2] :]]
            return world.model(shown, list(world.tools))

        story_loop = Loop(Planned(world, short), tools_of(world, **NOTE), "r", "r")
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
