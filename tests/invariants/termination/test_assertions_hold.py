"""`assertions_hold`: what the test itself asserts holds in every run."""

import asyncio
from functools import partial

import pytest

from agentfuzz import Completion, World, assertions_hold, survives
from agentfuzz.core.events import Asserted
from invariants.histories import (
    charged,
    done,
    happens,
    judge,
    prefix,
    raised,
    resumes,
    returned,
    strikes,
    tell,
)
from invariants.loops.billing import BLOCKED, FAULTS, billing, honest
from invariants.support import EVERY_SEED

LAW = assertions_hold()


def fails(source: str = "assert ok", function: str = "test_it", text: str = "assert False"):
    return happens(Asserted, function, source, text)


def test_held():
    """The run returned, or raised something that is no assertion of the test."""
    assert judge(LAW, tell(charged(), done())) == "HELD"
    assert judge(LAW, tell(charged(), raised("AssertionError"))) == "HELD"


@pytest.mark.parametrize("faults", [[], [strikes("charge_card#1:twice")]], ids=["none", "one"])
def test_broken(faults):
    """AF906 with a fault or without, named by function and source; it is no AF900 besides."""
    history = tell(*faults, charged(), fails(), raised("AssertionError"))
    (line,) = judge(LAW, history)
    assert line == "AF906 test_it: assert ok: Asserted#1"
    (found,) = LAW(history).violations
    assert found.title == "assert ok"
    assert "(assert False)" in found.sentence
    assert judge(survives(), history) == "HELD"


def test_two_of_them_are_two_bugs():
    """Two asserts of one function, or one text in two functions, are told apart; a long one is cut
    in its title alone."""
    history = tell(
        fails("assert one"),
        raised("AssertionError"),
        resumes("follow_up", after="raised"),
        fails("assert two " + "x" * 50),
        fails("assert one", "helper"),
        returned(),
    )
    found = LAW(history).violations
    assert len({one.signature for one in found}) == 3
    assert all(len(one.title) <= 36 for one in found)


def test_not_exercised():
    """A history that has not ended yet."""
    assert judge(LAW, prefix(charged())) == "NOT_EXERCISED"


# on whole loops


def sure(world: World) -> Completion:
    """Victim: its test asserts what a lost reply makes untrue."""
    try:
        reply = world.tools.charge(order_id="A17")
    except FAULTS:
        reply = None
    assert reply is not None, "charged"
    return Completion.success(handle="ch_1")


def ready(world: World) -> Completion:
    """Survivor: asserts what holds however the loop ends."""
    answer = honest(world)
    assert answer.status in ("success", "blocked")
    return answer


def apart(world: World) -> Completion:
    """Survivor: catches its own assertion."""
    try:
        return sure(world)
    except AssertionError:
        return BLOCKED


def elsewhere(world: World) -> Completion:
    """Survivor: what raises is no assertion of this file."""
    exec(
        compile("def gives_up():\n    assert False, 'no reply'", "agent/loop.py", "exec"),
        here := {},
    )
    try:
        world.tools.charge(order_id="A17")
    except FAULTS:
        here["gives_up"]()
    return Completion.success(handle="ch_1")


async def gathered(world: World) -> Completion:
    """Survivor: an assertion in a task whose outcome is looked at."""

    async def one() -> None:
        await asyncio.sleep(1)
        assert world.task == ""

    (found,) = await asyncio.gather(one(), return_exceptions=True)
    return BLOCKED if isinstance(found, AssertionError) else honest(world)


def test_victim(found):
    """The smallest plan that makes the assertion untrue."""
    (line,) = {
        text.partition(": charge#1")[0] for text in found(LAW, billing(), sure, **EVERY_SEED)
    }
    assert line == 'AF906 sure: assert reply is not None, "charged"'


@pytest.mark.parametrize("loop", [honest, ready, apart, elsewhere, gathered])
def test_survivor(held, loop):
    """Loops whose tests assert what holds, or whose own modules assert."""
    assert held(LAW, billing(), loop, **EVERY_SEED) > 0


class Loop:
    def __call__(self, world: World) -> Completion:
        return sure(world)

    def method(self, world: World) -> Completion:
        return sure(world)


@pytest.mark.parametrize(
    "agent", [Loop(), Loop().method, partial(sure)], ids=["call", "method", "partial"]
)
def test_by_a_run(play, agent):
    """`agentfuzz.run`: the file of the function given is the test's, however it is wrapped."""
    assert "AF906" in {v.code for v in play(billing(), agent, "charge#1:once/timeout").violations}
