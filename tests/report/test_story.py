"""What a story says about each sample."""

from dataclasses import replace

import pytest

from agentfuzz.core.events import Ended, Struck
from agentfuzz.core.faults import TABLES, Fault, Slot
from agentfuzz.core.findings import Control
from agentfuzz.core.history import History
from agentfuzz.core.lanes import sequence
from agentfuzz.core.lanes.words import count
from agentfuzz.core.plan import FaultPlan
from agentfuzz.telling.story import NO_FAULT, fault_words, tell

from .log import Log
from .samples import ALL

TOOL = TABLES["tool"]
MODEL = TABLES["model"]


def test_every_fault_has_a_phrase_of_its_own() -> None:
    """Two faults that differ are told apart in words."""
    phrases = [
        fault_words(Slot("tool", "t", 1), fault) for fault in TOOL.all()
    ] + [fault_words(Slot("model", "", 1), fault) for fault in MODEL.all()]  # fmt: skip
    assert len(set(phrases)) == len(phrases) == 43 + len(MODEL.all())
    assert not any("/" in phrase for phrase in phrases), "words, not plan text"


def test_an_unknown_fault_is_shown_as_its_plan_text() -> None:
    """A boundary that comes later is not hidden."""
    assert fault_words(Slot("portal", "billing", 2), Fault(("stale",))) == (
        "portal:billing#2: stale"
    )


def test_the_flagship_in_words() -> None:
    """A double charge by timeout and retry."""
    story = tell(ALL["double_charge"])
    assert story.headline == "AF101 charge_card ran 2x, expected 1"
    assert [fault.words for fault in story.faults] == [
        "call 1 of charge_card: delivered once, reply lost in a timeout"
    ]
    assert story.shrink == "smallest of 3 faults (14 runs)"
    assert story.controls == ("Without charge_card#1:once/timeout: 1 charge (checked).",)
    assert story.same == "arguments order_id='A17' amount=4200"
    assert story.differs == "call id (call_1, call_2); neither sent an idempotency key"
    assert (story.effects, story.plain_effects) == ("2 charge", "1 charge")


def test_the_rows_of_the_flagship() -> None:
    """Commit, lost reply, exception, commit again: in this order, the fault marked."""
    rows = tell(ALL["double_charge"]).rows
    assert [(row.t, row.arrow, row.mark, row.effect, row.twin) for row in rows] == [
        (0.0, "request", False, 1, 0),
        (0.0, "reply_lost", True, 0, 0),
        (30.0, "", False, 0, 0),
        (30.0, "request", False, 2, 1),
        (30.0, "reply", False, 0, 0),
        (30.0, "", False, 0, 0),
    ]
    assert rows[3].note == "effect 2 = same intent"
    assert rows[2].agent == "TimeoutError"


@pytest.mark.parametrize("name", ALL)
def test_every_event_is_in_exactly_one_row_and_rows_are_in_order(name: str) -> None:
    """Nothing that happened is left out, nothing is told twice."""
    cx = ALL[name]
    told = [seq for row in sequence.rows(cx.history) for seq in row.seqs]
    assert sorted(told) == list(range(len(cx.history)))
    times = [row.t for row in sequence.rows(cx.history)]
    assert times == sorted(times)


@pytest.mark.parametrize("name", ALL)
def test_a_fault_that_struck_is_marked(name: str) -> None:
    """As many slots are marked as faults struck."""
    story = tell(ALL[name])
    assert any(row.mark for row in story.rows) == bool(story.faults)


def test_one_request_delivered_twice() -> None:
    """The second delivery is a row of its own, and the calls are one call."""
    story = tell(ALL["delivered_twice"])
    assert [row.mark for row in story.rows] == [False, True, False, False]
    assert story.rows[1].note == "effect 2 = same intent"
    assert story.same.startswith("one call, charge_card#1")
    assert story.differs == ""


def test_a_late_delivery_is_a_row_at_its_own_time() -> None:
    """It stands where it happened, not where it was sent."""
    story = tell(ALL["late_delivery"])
    late = [row for row in story.rows if row.arrow == "late"]
    assert [(row.t, row.effect, row.mark) for row in late] == [(45.0, 2, True)]
    assert story.warnings, "the control says that the fault is not the cause"
    assert "the law is broken too" in story.controls[0]


def test_a_lost_request_never_reaches_the_backend() -> None:
    """No reply is lost when nothing was delivered."""
    story = tell(ALL["premature_success"])
    assert [row.arrow for row in story.rows] == ["request_lost", "", ""]
    assert story.effects == "no effect"


def test_an_empty_plan_says_so() -> None:
    """No fault needed."""
    story = tell(ALL["empty_plan"])
    assert story.shrink == NO_FAULT
    assert story.plain_rows == ()
    assert story.differs.startswith("amount (4200, 42); call id (call_1, call_2); idempotency key")


def test_a_model_fault_marks_its_turn() -> None:
    """The turn that was reworded."""
    rows = tell(ALL["reworded"]).rows
    assert [row.note for row in rows if row.mark] == ["reword=3"]


def test_backend_answers_other_than_a_commit() -> None:
    """A replay and a refusal have no effect, and say so."""
    rows = tell(ALL["two_faults"]).rows
    notes = {row.backend: row.note for row in rows}
    assert notes["replay shipment-3"] == "no new effect"
    assert notes["refuse key_reused"] == "no effect"


def test_calls_that_interleave_keep_the_order_of_their_effects() -> None:
    """Two calls under way at once: each commit is a row where it happened."""
    log = Log()
    log.call(1)
    log.call(2)
    log.commit(2)
    log.commit(1)
    rows = sequence.rows(log.history())
    assert [(row.agent, row.effect) for row in rows] == [
        ("charge_card#1", 0),
        ("charge_card#2", 1),
        ("(charge_card#1)", 2),
    ]


def test_a_reply_to_a_request_that_never_arrived_is_made_up() -> None:
    """Phantom success is shown as the lie it is."""
    log = Log()
    log.call(1)
    log.strike("charge_card#1:lost")
    log.reply(1)
    rows = sequence.rows(log.history())
    assert [(row.arrow, row.backend, row.mark) for row in rows] == [
        ("request_lost", "request lost", True),
        ("reply_changed", "reply made up", True),
    ]


def test_a_run_that_goes_on_after_its_answer_has_an_end_of_its_own() -> None:
    """What is under way arrives after the agent's answer, and the answer is not told twice."""
    log = Log()
    log.call(1)
    log.strike("charge_card#1:late/timeout")
    log.reply(1, raised="TimeoutError")
    log.success()
    answer = log.events.pop()
    log.t = 45.0
    log.commit(1)
    log.events.append(answer._replace(seq=len(log.events), t=45.0))
    assert [row.agent for row in sequence.rows(log.history())] == [
        "charge_card#1",
        "TimeoutError",
        "done success (completed)",
        "(charge_card#1)",
        "end of the run",
    ]


def test_a_fault_without_a_trace_gets_a_row() -> None:
    """A crossing whose call never shows."""
    slot = Slot("process", "", 3)
    history = History(
        [Struck(0, 0.0, slot, Fault(("crash", "before"))), Ended(1, 1.0, "raised", None, "X", "")]
    )
    rows = sequence.rows(history)
    assert [(row.agent, row.mark) for row in rows] == [
        ("fault process#3:crash", True),
        ("raise X", False),
    ]
    assert tell(ALL["double_charge"]).plan == str(FaultPlan.parse("charge_card#1:once/timeout"))


def test_counts() -> None:
    """One run, two runs."""
    assert (count(1, "run"), count(0, "run"), count(1204, "run")) == (
        "1 run",
        "0 runs",
        "1,204 runs",
    )


def test_a_control_says_that_the_law_held_where_its_count_says_nothing() -> None:
    """One charge with the fault, one without: the count is no evidence by itself."""
    cx = ALL["reworded"]
    control = Control("model#2:reword=3", "", broken=False, effects=tell(cx).effects)
    assert tell(replace(cx, controls=(control,))).controls == (
        f"Without model#2:reword=3 the law held: {control.effects} (checked).",
    )
    other = replace(control, effects="no effect")
    assert tell(replace(cx, controls=(other,))).controls == (
        "Without model#2:reword=3: no effect (checked).",
    )
    broken = replace(control, broken=True)
    assert "broken too" in tell(replace(cx, controls=(broken,))).controls[0]


def test_what_the_customer_was_told_is_quoted_where_no_completion_came() -> None:
    """The text that was returned, in one line; nothing where a law quotes it by itself, where
    nothing was said, or where there was a completion."""
    cx = ALL["reworded"]
    quiet = replace(cx, violation=replace(cx.violation, says=""))
    (ended,) = cx.history.of(Ended)
    assert isinstance(ended.value, str)
    assert tell(quiet).says == f'the customer was told "{ended.value}"'
    assert tell(cx).says == cx.violation.says
    bare = replace(cx, violation=replace(cx.violation, says="no completion after 2 calls"))
    assert tell(bare).says == f"no completion after 2 calls; {tell(quiet).says}"
    done = ALL["double_charge"]
    assert tell(replace(done, violation=replace(done.violation, says=""))).says == ""
