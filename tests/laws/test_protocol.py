"""The law about refused calls bites, holds, and says when it had nothing to judge."""

import pytest

from agentfuzz.invariants import valid_calls
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

CODES = {"unknown_tool": "AF401", "invalid_arguments": "AF402", "key_reused": "AF403"}


@pytest.mark.parametrize("kind", CODES)
def test_valid_calls_never_mended(kind):
    """AF401, AF402, AF403: the backend refused, and success is claimed all the same."""
    history = tell(charge(), refuse(kind), done())
    assert judge(valid_calls(), history) == [f"{CODES[kind]} charge_card: Refused#1"]
    assert valid_calls()(history).violations[0].title == "charge_card refused, success claimed"


def test_valid_calls_mended_by_another_tool():
    """AF402: an accepted call of some other tool mends nothing."""
    history = tell(charge(), refuse("invalid_arguments"), looked_up(), done())
    assert judge(valid_calls(), history) == ["AF402 charge_card: Refused#1"]


def test_valid_calls_says_it_once_per_tool():
    """Many refusals of one kind and tool are one violation, proved by the last."""
    bad = [charge(), refuse("invalid_arguments")]
    history = tell(*bad, *bad, call("ship"), refuse("invalid_arguments"), done())
    expected = ["AF402 charge_card: Refused#2", "AF402 ship: Refused#3"]
    assert judge(valid_calls(), history) == expected


def test_valid_calls_an_unknown_tool_is_mended_by_another():
    """A tool that is not there can only be replaced: any later accepted call mends it."""
    history = tell(call("refund"), refuse("unknown_tool"), looked_up(), done())
    assert judge(valid_calls(), history) == "HELD"
    history = tell(looked_up(), call("refund"), refuse("unknown_tool"), done())
    assert judge(valid_calls(), history) == ["AF401 refund: Refused#1"]


@pytest.mark.parametrize("accepted", [commit(), replay()], ids=["committed", "replayed"])
def test_valid_calls_accepted_without_an_answer(accepted):
    """A better call that the backend took was accepted, though its reply was lost."""
    history = tell(charge(), refuse("invalid_arguments"), charge(), accepted, timeout(), done())
    assert judge(valid_calls(), history) == "HELD"
    history = tell(charge(), refuse("invalid_arguments"), charge(), timeout(), done())
    assert judge(valid_calls(), history) == ["AF402 charge_card: Refused#1"]


@pytest.mark.parametrize("kind", ["invalid_arguments", "key_reused"])
def test_valid_calls_held(kind):
    """The refused call was mended, or success is not claimed."""
    assert judge(valid_calls(), tell(charge(), refuse(kind), charged(), done())) == "HELD"
    assert judge(valid_calls(), tell(charge(), refuse(kind), done("failed"))) == "HELD"


@pytest.mark.parametrize("kind", ["key_conflict", "tool_raised"])
def test_valid_calls_not_exercised(kind):
    """Nothing was refused for the agent's own mistake."""
    assert judge(valid_calls(), tell(charge(), timeout(), done())) == "NOT_EXERCISED"
    assert judge(valid_calls(), tell(charge(), refuse(kind), done())) == "NOT_EXERCISED"
