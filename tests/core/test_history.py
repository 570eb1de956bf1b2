"""What a history can be asked, each question answered by histories of a few events."""

import gc
import weakref

from agentfuzz.core.events import Called, Committed, Done, Ended, Intent, Replied, Resumed
from agentfuzz.core.faults import Slot
from agentfuzz.core.history import History, query

A17 = Intent("charge", (("order_id", "A17"),))
B2 = Intent("charge", (("order_id", "B2"),))


def called(seq, call, intent=A17):
    return Called(seq, 0.0, call, Slot("tool", "charge", seq), {}, None, intent, None)


def committed(seq, call, intent=A17):
    return Committed(seq, 0.0, f"e{seq}", call, 1, "charge", intent, None, {})


def replied(seq, call, outcome="applied"):
    return Replied(seq, 0.0, call, outcome, True, None, None)


def done(seq, status, problem=""):
    return Done(seq, 0.0, "return", status, "", None, problem)


def ended(seq, how="returned"):
    return Ended(seq, 0.0, how, None, "", "")


def test_calls_and_replies_by_id():
    """A call is found by its id, and so is its reply, if it got one."""
    history = History([called(0, "a"), called(1, "b"), replied(2, "b"), ended(3)])
    assert list(history.calls) == ["a", "b"]
    assert history.calls["b"] is history.call("b") is history.events[1]
    assert history.replies == {"b": history.events[2]}


def test_effects_by_intent():
    """The ledger by intent, in order of the first commit of each."""
    history = History([committed(0, "a", B2), committed(1, "b", A17), committed(2, "c", B2)])
    assert list(history.effects) == [B2, A17]
    assert [commit.seq for commit in history.effects[B2]] == [0, 2]
    assert history.ledger == list(history.events)
    assert History([]).effects == {}


def test_the_completion_is_the_last_valid_one():
    """What is malformed completes nothing; what was said last counts."""
    history = History([done(0, "success"), done(1, "blocked"), done(2, "success", "no handle")])
    assert [one.seq for one in history.completions] == [0, 1]
    assert history.completion is history.events[1]
    assert history.claim == "blocked"
    assert history.success is None


def test_the_completion_that_claims_success():
    """It is the last one, or there is none."""
    history = History([done(0, "blocked"), done(1, "success")])
    assert history.success is history.completion is history.events[1]
    empty = History([])
    assert (empty.completion, empty.claim, empty.success, empty.completions) == (None,) * 3 + ([],)


def test_legs():
    """A leg within another one has its own events; the outer one goes on after it."""
    inner = Resumed(1, 0.0, "duplicate", 2, "running")
    back = Resumed(3, 0.0, "back", 1, "returned")
    history = History([called(0, "a"), inner, called(2, "b"), back, replied(4, "a"), ended(5)])
    assert [[event.seq for event in leg] for leg in history.legs] == [[0, 3, 4, 5], [1, 2]]
    assert history.endings == ["returned", "returned"]
    assert [history.leg_at(seq)[0].seq for seq in range(6)] == [0, 1, 1, 0, 0, 0]
    assert history.final_leg == history.legs[0]


def test_one_leg():
    """A run that was never resumed is one leg."""
    history = History([called(0, "a"), ended(1)])
    assert history.legs == [list(history.events)]
    assert history.leg_at(1) == history.final_leg == history.legs[0]


def test_a_query_is_answered_once_for_each_history():
    """The answer stays with its history, and another history has one of its own."""
    asked = []

    @query
    def calls(history):
        """How many."""
        asked.append(history)
        return len(history.calls)

    one, two = History([called(0, "a")]), History([])
    assert [calls(one), calls(two), calls(one), calls(two)] == [1, 0, 1, 0]
    assert asked == [one, two]
    assert calls.__doc__ == "How many."


def test_an_answer_lives_as_long_as_its_history():
    """Nothing but the history holds what it was asked."""

    class Answer:
        pass

    @query
    def answer(history):
        return Answer()

    history = History([])
    gone = weakref.ref(answer(history))
    gc.collect()
    assert gone() is answer(history)
    del history
    gc.collect()
    assert gone() is None
