"""`no_hidden_calls`: a loop's own log is what the backend saw."""

import pytest

from agentfuzz import World, no_hidden_calls
from invariants.conversations import under
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    judge,
    looked_up,
    ok,
    prefix,
    raised,
    restarts,
    returned,
    strikes,
    tell,
    timeout,
)
from invariants.loops.shopping import FAULTS, has_a_deadline, order

LAW = no_hidden_calls()
WORK = (looked_up(), charge(), timeout(), charged())


def logged(*calls):
    return returned({"status": "ok", "calls": list(calls)})


@pytest.mark.parametrize(
    "calls",
    [
        ["lookup", "charge_card", "charge_card"],
        ["charge_card", "lookup", "charge_card", "done"],
        [{"tool": "lookup"}, {"name": "charge_card", "attempts": 2}],
        [{"tool": "lookup", "attempts": None}, "charge_card", {"tool": "charge_card"}],
    ],
)
def test_held(calls):
    """Held, in whatever order and shape."""
    assert judge(LAW, tell(*WORK, done(), logged(*calls))) == "HELD"
    assert judge(LAW, tell(logged())) == "HELD"


def test_broken():
    """AF410: an SDK called again by itself, under the same id."""
    again = (under("tc_1", charge()), timeout(), under("tc_1", charged()))
    history = tell(*again, logged("charge_card"))
    assert judge(LAW, history) == ["AF410 charge_card: Called#1 Called#2 Ended#1"]
    found = LAW(history).violations[0]
    assert found.title == "charge_card: 2 calls, 1 logged"
    assert "tc_1 was called 2 times" in found.sentence
    unlogged = tell(*WORK, logged("charge_card", "charge_card"))
    assert judge(LAW, unlogged) == ["AF410 lookup: Called#1 Ended#1"]


def test_a_call_that_was_never_made():
    """AF410: the log says more than the backend saw."""
    assert judge(LAW, tell(charged(), logged("charge_card", "charge_card"))) == [
        "AF410 charge_card: Called#1 Ended#1"
    ]
    assert judge(LAW, tell(charged(), logged("charge_card", "ship"))) == ["AF410 ship: Ended#1"]


def test_a_network_that_delivers_twice():
    """No loop can know of it."""
    doubled = (charge(), strikes("charge_card#1:twice"), commit(), commit(), ok())
    assert judge(LAW, tell(*doubled, logged("charge_card"))) == "HELD"


@pytest.mark.parametrize("kind", ["truncated", "ambiguous", "malformed", "wrong", "hostile"])
def test_an_answer_that_leaves_doubt(kind):
    """A log of what was believed leaves out what was asked again; the last word is in it, and so
    is an effect that another key asked for anew."""

    def distrusted(key, other=None):
        forged = (charge(key=key), strikes(f"charge_card#1:once/{kind}"), commit(), ok("ch_9"))
        return (*forged, charged(key=other or key))

    for calls in (["charge_card"], ["charge_card", "charge_card"]):
        assert judge(LAW, tell(*distrusted("k1"), logged(*calls))) == "HELD"
    nothing = ["AF410 charge_card: Called#1 Called#2 Ended#1"]
    assert judge(LAW, tell(*distrusted("k1"), logged())) == nothing
    assert judge(LAW, tell(*distrusted("k1", "k2"), logged("charge_card"))) == nothing
    assert judge(LAW, tell(*distrusted(None), logged("charge_card"))) == nothing
    once = (charge(key="k"), strikes(f"charge_card#1:once/{kind}"), commit(), ok("ch_9"))
    assert judge(LAW, tell(*once, logged())) == ["AF410 charge_card: Called#1 Ended#1"]


def test_a_log_that_begins_anew():
    """After a restart the log holds the last leg at least, and all legs at most."""
    legs = (looked_up(), charged(), restarts(), charged())
    for calls in (["charge_card"], ["lookup", "charge_card", "charge_card"]):
        assert judge(LAW, tell(*legs, logged(*calls))) == "HELD"
    assert judge(LAW, tell(*legs, logged("lookup"))) == [
        "AF410 charge_card: Called#2 Called#3 Ended#1"
    ]


def test_a_journal():
    """AF410: one that outlives the process holds what every leg has called; an attempt that was
    written ahead need not have been made."""
    law = no_hidden_calls(durable=True)
    twice = (charge(), commit(), restarts(), charged())
    assert judge(law, tell(*twice, logged("charge_card", "charge_card"))) == "HELD"
    assert judge(law, tell(*twice, logged("charge_card"))) == [
        "AF410 charge_card: Called#1 Called#2 Ended#1"
    ]
    ahead = (restarts(), charged())
    for times in (1, 2):
        assert judge(law, tell(*ahead, logged(*["charge_card"] * times))) == "HELD"
    assert judge(law, tell(charged(), logged("charge_card", "charge_card"))) == [
        "AF410 charge_card: Called#1 Ended#1"
    ]


def test_a_log_of_another_shape():
    """`log` says where the names are, and returns None where there is none."""

    def trace(value):
        return value if isinstance(value, list) else None

    law = no_hidden_calls(log=trace)
    assert law.name == "no_hidden_calls(log=trace)"
    assert judge(law, tell(charged(), returned(["charge_card"]))) == "HELD"
    assert judge(law, tell(charged(), returned([]))) == ["AF410 charge_card: Called#1 Ended#1"]
    assert judge(law, tell(charged(), returned("Charged."))) == "NOT_EXERCISED"


@pytest.mark.parametrize("value", [None, "Charged.", {"status": "success"}, {"calls": 3}])
def test_not_exercised(value):
    """The run returned no log, or did not return."""
    assert judge(LAW, tell(charged(), returned(value))) == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(), logged(7))) == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(), raised("ValueError"))) == "NOT_EXERCISED"
    assert judge(LAW, prefix(charged())) == "NOT_EXERCISED"


# on whole loops


def sdk(world: World, *, logs_attempts: bool) -> dict:
    """A loop that hands on its log, and an SDK that tries each request twice."""
    log: list[str] = []
    for tool in ("charge_card", "ship"):
        log += [] if logs_attempts else [tool]
        for _ in range(2):
            log += [tool] if logs_attempts else []
            try:
                world.tools[tool](order_id="A17")
                break
            except FAULTS:
                continue
    return {"calls": log}


def logs_requests(world: World) -> dict:
    """Victim: one line for each request, above the SDK."""
    return sdk(world, logs_attempts=False)


def logs_attempts(world: World) -> dict:
    """Survivor: one line for each attempt, where it leaves."""
    return sdk(world, logs_attempts=True)


def test_victim(found):
    """The SDK's own retry is in no log."""
    assert found(LAW, order, logs_requests) == [
        "AF410 charge_card: charge_card#1:once/timeout",
        "AF410 ship: ship#1:once/timeout",
    ]


def test_survivor(held):
    """Every attempt is in the log, whatever the network did."""
    assert held(LAW, order, logs_attempts) > 50


def test_untested(untested):
    """A loop that returns a completion and no log."""
    assert untested(LAW, order, has_a_deadline) == ["AF802 no_hidden_calls was never exercised"]
