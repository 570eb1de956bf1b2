"""Where two histories part, in words: what differs, and nothing else."""

from agentfuzz.core.events import Called, Done, Event
from agentfuzz.core.faults import Slot
from agentfuzz.core.history import History
from agentfuzz.core.parting import first_difference


def called(nth: int = 1, key: str | None = None, **args: object) -> Event:
    return Called(0, 0.0, "call_1", Slot("tool", "pay", nth), args, key, None, None)


def apart(one: Event, other: Event) -> str:
    told = first_difference(History((one,)), History((other,)))
    assert told.startswith("The first difference is event 0: ")
    return told.removeprefix("The first difference is event 0: ")


def test_one_argument() -> None:
    """What is the same in both is not told."""
    assert apart(called(order="A17", cents=1), called(order="A17", cents=2)) == (
        "args.cents is 1 in one run, 2 in the other."
    )


def test_several_values() -> None:
    """Three of them, and how many more; what only one of them has is nothing in the other."""
    one, other = called(a=1, b=1, c=1, d=1), called(key="k", a=2, b=2, c=2)
    assert apart(one, other) == (
        "args.a is 1 in one run, 2 in the other; args.b is 1 in one run, 2 in the other; "
        "args.c is 1 in one run, 2 in the other; 2 more."
    )
    assert apart(called(a=1), called()) == "args.a is 1 in one run, nothing in the other."


def test_a_long_text() -> None:
    """It is cut around the place where it differs."""
    told = apart(called(text="x" * 500 + "left" + "y" * 90), called(text="x" * 500 + "right"))
    assert "xxxleftyyy" in told
    assert 'xxxright" in the other' in told
    assert len(told) < 200


def test_two_kinds() -> None:
    """Each says what it is: no JSON, and nothing that is empty."""
    done = Done(0, 30.0, "return", "blocked", "outcome_unknown", None, "")
    assert apart(called(2, order="A17", cents=4200), done) == (
        'Called pay#2 (call "call_1", args.order "A17", args.cents 4200) in one run, '
        'Done (via "return", status "blocked", reason "outcome_unknown") in the other.'
    )


def test_one_ends_before() -> None:
    """Both lengths."""
    one, other = History((called(),)), History((called(), called(2)))
    assert first_difference(one, other) == "One run has 1 events, the other 2."
    assert first_difference(one, one) == ""
