"""The laws about how a run ends bite, hold, and say when they had nothing to judge."""

import pytest

from agentfuzz.invariants import (
    bounded,
    no_effect_after_completion,
    no_stuck_repeats,
    structured_termination,
)
from invariants.histories import (
    charge,
    charged,
    commit,
    cut_off,
    done,
    judge,
    looked_up,
    lookup,
    ok,
    prefix,
    raised,
    reply,
    returned,
    tell,
    timeout,
    turn,
)

# structured_termination


@pytest.mark.parametrize("status", ["success", "partial", "blocked", "failed", "cancelled"])
def test_structured_termination_held(status):
    """Exactly one valid completion event, whatever it says."""
    assert judge(structured_termination(), tell(done(status))) == "HELD"


@pytest.mark.parametrize("value", ["All done!", None, {"ok": True}])
def test_structured_termination_without_an_event(value):
    """AF204: the run returned and no completion event says how it ended."""
    history = tell(charged(), returned(value))
    assert judge(structured_termination(), history) == ["AF204 completion: Ended#1"]
    guess = "guess from prose" if isinstance(value, str) else "nobody can tell"
    assert guess in structured_termination()(history).violations[0].sentence


def test_structured_termination_malformed():
    """AF205: an event that cannot be routed on."""
    history = tell(done("finished", problem="'finished' is no status"))
    assert judge(structured_termination(), history) == ["AF205 completion: Done#1"]
    assert structured_termination()(history).violations[0].world == "'finished' is no status"


def test_structured_termination_needs_a_handle_where_one_is_declared():
    """AF205: a status of `handle_for` came without a handle."""
    law = structured_termination(handle_for=("success",))
    assert judge(law, tell(done())) == ["AF205 completion: Done#1"]
    assert judge(law, tell(done(handle="ch_1"))) == "HELD"
    assert judge(law, tell(done("failed"))) == "HELD"


def test_structured_termination_twice():
    """AF206: two valid completion events of one task."""
    history = tell(done(via="tool"), done("failed"))
    assert judge(structured_termination(), history) == ["AF206 completion: Done#1 Done#2"]
    violation = structured_termination()(history).violations[0]
    assert (violation.title, violation.says) == ("2 completions, expected 1", "success, failed")


def test_structured_termination_malformed_and_mended():
    """A malformed event stays AF205 when a valid one follows, and is not counted as a second."""
    history = tell(done("finished", via="tool", problem="no status"), done())
    assert judge(structured_termination(), history) == ["AF205 completion: Done#1"]


def test_structured_termination_not_exercised():
    """The run raised, was cut off, or has not ended: not this law's to judge."""
    for history in (tell(raised("ValueError")), tell(cut_off("budget")), prefix(done())):
        assert judge(structured_termination(), history) == "NOT_EXERCISED"


# bounded


def test_bounded_held():
    """The run ended by itself, by an exception too, within its limits."""
    assert judge(bounded(), tell(charged(), done())) == "HELD"
    assert judge(bounded(calls=2, turns=1), tell(turn(), charged(), charged())) == "HELD"
    assert judge(bounded(), tell(raised("ValueError"))) == "HELD"


@pytest.mark.parametrize(
    ("why", "code", "title"),
    [
        ("budget", "AF201", "never ended by itself"),
        ("spinning", "AF202", "spins without a call"),
        ("hung", "AF203", "waits for what cannot come"),
    ],
)
def test_bounded_cut_off(why, code, title):
    """AF201, AF202, AF203: the run had to be cut off, and why."""
    history = tell(charged(), cut_off(why))
    assert judge(bounded(), history) == [f"{code} run: Ended#1"]
    assert bounded()(history).violations[0].title == title


def test_bounded_over_a_limit():
    """AF201: the witness is the first call, or model turn, beyond the declared limit."""
    history = tell(turn(), charged(), turn(), charged(), turn(), charged(), done())
    expected = ["AF201 tool calls: Called#3", "AF201 model turns: ModelTurn#2"]
    assert judge(bounded(calls=2, turns=1), history) == expected
    titles = [v.title for v in bounded(calls=2, turns=1)(history).violations]
    assert titles == ["3 tool calls, limit 2", "3 model turns, limit 1"]


def test_bounded_not_exercised():
    """A history that has not ended yet."""
    assert judge(bounded(calls=0), prefix(charged())) == "NOT_EXERCISED"


# progress


def test_progress_held():
    """Repeats are fine while something changes: the arguments, the reply, or the tool."""
    assert judge(no_stuck_repeats(), tell(*[looked_up()] * 3, done())) == "HELD"
    assert judge(no_stuck_repeats(), tell(*(looked_up(body=n) for n in range(9)))) == "HELD"
    assert judge(no_stuck_repeats(), tell(*(looked_up(str(n)) for n in range(9)))) == "HELD"
    mixed = [looked_up(), looked_up(), charged()]
    assert judge(no_stuck_repeats(), tell(*mixed, *mixed, *mixed)) == "HELD"


def test_progress_broken():
    """AF207: the same call and the same reply k times, and then the same call again."""
    history = tell(*[looked_up(body="pending")] * 4, done())
    assert judge(no_stuck_repeats(), history) == [
        "AF207 lookup: Called#1 Called#2 Called#3 Called#4"
    ]
    assert judge(no_stuck_repeats(k=1), history) == ["AF207 lookup: Called#1 Called#2"]
    assert judge(no_stuck_repeats(k=4), history) == "HELD"
    assert no_stuck_repeats()(tell(*[charged()] * 4)).violations[0].title == (
        "charge_card 3x same call and reply"
    )


@pytest.mark.parametrize(
    "odd", [timeout(), reply("applied", "pend", complete=False)], ids=["raised", "cut off"]
)
def test_progress_ignores_replies_that_are_none(odd):
    """A reply that raised or was cut off starts the count again: `bounded` judges retries."""
    polls = [looked_up(), looked_up(), lookup(), odd]
    assert judge(no_stuck_repeats(), tell(*polls, *polls, *polls)) == "HELD"


def test_progress_leaves_retries_and_open_calls_alone():
    """Four timeouts alike, or four calls that were never answered, are no four replies alike."""
    for polls in ([lookup(), timeout()], [lookup()]):
        assert judge(no_stuck_repeats(), tell(*polls * 4, looked_up(), looked_up())) == "HELD"


def test_progress_not_exercised():
    """No tool was called twice in a row."""
    assert judge(no_stuck_repeats(), tell(looked_up(), charged(), looked_up())) == "NOT_EXERCISED"


# no_effect_after_completion


def test_quiescence_held():
    """After the done tool nothing called later takes effect; a look-up may."""
    assert (
        judge(no_effect_after_completion(), tell(charged(), done(via="tool"), looked_up()))
        == "HELD"
    )


def test_quiescence_broken():
    """AF302: called after the completion event, and it took effect."""
    history = tell(done("blocked", via="tool"), charged())
    assert judge(no_effect_after_completion(), history) == ["AF302 charge: Done#1 Committed#1"]
    assert no_effect_after_completion()(history).violations[0].title == "charge_card ran after done"


def test_quiescence_leaves_open_requests_to_truthful():
    """A request that was under way at the Done is not this law's to judge."""
    assert (
        judge(no_effect_after_completion(), tell(charge(), timeout(), done(via="tool"), commit()))
        == "HELD"
    )


def test_quiescence_counts_from_the_first_valid_done():
    """A malformed event completes nothing; a second completion does not reopen the task."""
    malformed = done(via="tool", problem="no status")
    assert (
        judge(no_effect_after_completion(), tell(malformed, charged(), done(via="tool"))) == "HELD"
    )
    history = tell(done(via="tool"), charge(), commit(), ok(), done(via="tool"))
    assert judge(no_effect_after_completion(), history) == ["AF302 charge: Done#1 Committed#1"]


def test_quiescence_not_exercised():
    """The done tool was not called."""
    assert judge(no_effect_after_completion(), tell(charged(), done())) == "NOT_EXERCISED"
    assert judge(no_effect_after_completion(), tell(charged())) == "NOT_EXERCISED"
