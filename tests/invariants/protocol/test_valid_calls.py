"""`valid_calls`: a call that the backend refused is mended before success is claimed."""

from collections.abc import Callable
from typing import Any

import pytest

from agentfuzz import Completion, ToolError, World, valid_calls
from invariants.histories import (
    call,
    charge,
    charged,
    commit,
    done,
    judge,
    looked_up,
    refuse,
    replay,
    tell,
    timeout,
)
from invariants.loops.billing import BLOCKED, DONE, FAULTS, LOST, billing
from invariants.support import EVERY_SEED

CODES = {"unknown_tool": "AF401", "invalid_arguments": "AF402", "key_reused": "AF403"}


@pytest.mark.parametrize("kind", CODES)
def test_broken(kind):
    """AF401, AF402, AF403: the backend refused, and success is claimed all the same."""
    history = tell(charge(), refuse(kind), done())
    assert judge(valid_calls(), history) == [f"{CODES[kind]} charge_card: Refused#1"]
    assert valid_calls()(history).violations[0].title == "charge_card refused, success claimed"


def test_mended_by_another_tool():
    """AF402: an accepted call of some other tool mends nothing."""
    history = tell(charge(), refuse("invalid_arguments"), looked_up(), done())
    assert judge(valid_calls(), history) == ["AF402 charge_card: Refused#1"]


def test_says_it_once_per_tool():
    """Many refusals of one kind and tool are one violation, proved by the last."""
    bad = [charge(), refuse("invalid_arguments")]
    history = tell(*bad, *bad, call("ship"), refuse("invalid_arguments"), done())
    expected = ["AF402 charge_card: Refused#2", "AF402 ship: Refused#3"]
    assert judge(valid_calls(), history) == expected


def test_an_unknown_tool_is_mended_by_another():
    """A tool that is not there can only be replaced: any later accepted call mends it."""
    history = tell(call("refund"), refuse("unknown_tool"), looked_up(), done())
    assert judge(valid_calls(), history) == "HELD"
    history = tell(looked_up(), call("refund"), refuse("unknown_tool"), done())
    assert judge(valid_calls(), history) == ["AF401 refund: Refused#1"]


@pytest.mark.parametrize("accepted", [commit(), replay()], ids=["committed", "replayed"])
def test_accepted_without_an_answer(accepted):
    """A better call that the backend took was accepted, though its reply was lost."""
    history = tell(charge(), refuse("invalid_arguments"), charge(), accepted, timeout(), done())
    assert judge(valid_calls(), history) == "HELD"
    history = tell(charge(), refuse("invalid_arguments"), charge(), timeout(), done())
    assert judge(valid_calls(), history) == ["AF402 charge_card: Refused#1"]


@pytest.mark.parametrize("kind", ["invalid_arguments", "key_reused"])
def test_held(kind):
    """The refused call was mended, or success is not claimed."""
    assert judge(valid_calls(), tell(charge(), refuse(kind), charged(), done())) == "HELD"
    assert judge(valid_calls(), tell(charge(), refuse(kind), done("failed"))) == "HELD"


@pytest.mark.parametrize("kind", ["key_conflict", "tool_raised"])
def test_not_exercised(kind):
    """Nothing was refused for the agent's own mistake."""
    assert judge(valid_calls(), tell(charge(), timeout(), done())) == "NOT_EXERCISED"
    assert judge(valid_calls(), tell(charge(), refuse(kind), done())) == "NOT_EXERCISED"


# on whole loops


def after_a_timeout(refused: Callable[[World], Any], otherwise: Completion) -> Any:
    """After a timeout, makes a call that the backend refuses, and swallows the refusal. A victim
    if it claims success then, a survivor if it does not."""

    def agent(world: World) -> Completion:
        try:
            world.tools.charge(order_id="A17")
        except TimeoutError:
            try:
                refused(world)
            except ToolError:
                return otherwise
        except FAULTS:
            return BLOCKED
        return DONE

    return agent


def nonsense(world: World) -> Any:
    return world.tools.charge(order_id="A17", amount="42.00 EUR")


def invented(world: World) -> Any:
    return world.call("refund", {"order_id": "A17"})


def one_key_too_few(otherwise: Completion) -> Any:
    """After a timeout, goes on to the next order and forgets to mint another key."""

    def agent(world: World) -> Completion:
        key, answer = "key-1", DONE
        try:
            world.tools.charge(order_id="A17", idempotency_key=key)
            key = "key-2"
        except TimeoutError:
            answer = otherwise
        except FAULTS:
            return BLOCKED
        try:
            world.tools.charge(order_id="B18", idempotency_key=key)
        except LOST:
            return BLOCKED
        except ToolError:
            return otherwise
        return answer

    return agent


LAW = valid_calls()


@pytest.mark.parametrize(
    ("victim", "dedup", "expected"),
    [
        (after_a_timeout(nonsense, DONE), "none", "AF402 charge: charge#1:lost/timeout"),
        (after_a_timeout(invented, DONE), "none", "AF401 refund: charge#1:lost/timeout"),
        (one_key_too_few(DONE), "key", "AF403 charge: charge#1:once/timeout"),
    ],
    ids=["arguments", "tool", "key"],
)
def test_victim(found, victim, dedup, expected):
    """Makes a call that is refused, swallows the refusal, and claims success."""
    assert found(LAW, billing(dedup), victim, **EVERY_SEED) == [expected]


@pytest.mark.parametrize(
    ("survivor", "dedup"),
    [
        (after_a_timeout(nonsense, BLOCKED), "none"),
        (after_a_timeout(invented, BLOCKED), "none"),
        (one_key_too_few(BLOCKED), "key"),
    ],
    ids=["arguments", "tool", "key"],
)
def test_survivor(held, survivor, dedup):
    """The same, and does not claim it."""
    assert held(LAW, billing(dedup), survivor, **EVERY_SEED) > 0
