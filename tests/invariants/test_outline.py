"""The outline of a run: what is a part of it, and where there are none."""

import pytest

from agentfuzz.core.events import Called, Done, Refused
from agentfuzz.invariants.queries.outline import ENDING, KINDS, LEDGER, Resting, outline
from invariants.histories import (
    call,
    charged,
    commit,
    done,
    has_undos,
    ok,
    raised,
    refund,
    refuse,
    restarts,
    resumes,
    ship,
    tell,
)


def paid(cents, order="A17"):
    """Charged so much."""
    steps = (call("charge_card", order_id=order, cents=cents), commit(), ok())
    return lambda story: [step(story) for step in steps] and None


def undone():
    return lambda story: [step(story) for step in (refund(), commit(), ok())] and None


ONCE, SHIPPED = (paid(5), done()), (paid(5), ship(), commit(), ok())
TWICE = (paid(5), paid(5), done())


def of(steps, beside=ONCE):
    return outline(tell(has_undos(), *steps), tell(has_undos(), *beside))


@pytest.mark.parametrize(
    ("parts", "steps", "beside"),
    [
        (LEDGER, ONCE, ONCE),
        (LEDGER, (paid(5), done("blocked")), ONCE),
        (LEDGER, (*SHIPPED, done("blocked")), ONCE),
        (LEDGER, (*SHIPPED, raised("OSError")), ONCE),
        (LEDGER, (paid(5), raised("OSError")), ONCE),
        (LEDGER, (paid(7), done("blocked")), ONCE),
        (LEDGER, (), ()),
        # A difference where success is claimed, or where nothing is claimed and the run returned.
        (ENDING, (*SHIPPED, done()), ONCE),
        (ENDING, SHIPPED, ONCE),
        (ENDING, (paid(7), done()), ONCE),
        (ENDING, (paid(7),), ONCE),
        (ENDING, (), ONCE),
        # A repeat, whoever claims what, and whether or not it is there without faults.
        (ENDING, TWICE, TWICE),
        (ENDING, TWICE, ONCE),
        (ENDING, (paid(5), paid(5), done("blocked")), ONCE),
        (ENDING, (paid(5), undone(), paid(5), raised("OSError")), ONCE),
        # Several legs; completions that are several, or not valid.
        (KINDS, (paid(5), restarts(), done()), ONCE),
        (KINDS, (paid(5), resumes("follow_up"), done()), ONCE),
        (KINDS, (paid(5), done(), done()), ONCE),
        (KINDS, (paid(5), done(problem="no")), ONCE),
    ],
)
def test_so_many_parts_are_told(parts, steps, beside):
    """And a law that rests on more is asked."""
    found = of(steps, beside)
    assert len(found) == parts
    settled = [Resting(lambda *_: (), rests).settled_by(found) for rests in (KINDS, ENDING, LEDGER)]
    assert settled == [rests <= parts for rests in (KINDS, ENDING, LEDGER)]


RUN = (paid(5), *SHIPPED[1:], done("blocked"))


@pytest.mark.parametrize(
    "other",
    [
        (*SHIPPED[1:], paid(5), done("blocked")),
        (*SHIPPED, done("partial")),
        (*SHIPPED, done("blocked", "not_found")),
        (*SHIPPED, done("blocked"), raised("OSError")),
        (*SHIPPED, refuse("answered_no"), done("blocked")),
        (charged("B2"), *SHIPPED[1:], done("blocked")),
    ],
)
def test_what_makes_another_outline(other):
    """Another order of effects, status, reason, ending, kind of event, or intent."""
    assert of(RUN) == of(RUN)
    assert of(other) != of(RUN)


def test_what_makes_no_other_outline():
    """What no law asks for that rests on it: how a call was answered, and other arguments where
    nobody claims that all is well."""
    assert of((paid(7), *SHIPPED[1:], done("blocked"))) == of(RUN)


def test_kinds_of_events_that_settle_nothing():
    """A law that reads them is asked where there are any."""
    law = Resting(lambda *_: (), KINDS, but_for=(Refused,))
    assert law.settled_by(of(RUN))
    assert not law.settled_by(of((*SHIPPED, refuse("answered_no"), done("blocked"))))
    assert not Resting(lambda *_: (), KINDS, but_for=(Called, Done)).settled_by(of(RUN))
