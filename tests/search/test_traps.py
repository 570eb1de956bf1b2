"""The traps that others fell into, each as a law of ours."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

import agentfuzz
from agentfuzz import (
    Completion,
    FaultPlan,
    PlanError,
    RateLimited,
    UnknownTool,
    World,
    no_blind_repeat,
    replay_transparency,
    scenario,
    structured_termination,
    truthful,
)
from agentfuzz.core.events import Called, Delivered, Replied, Struck
from agentfuzz.core.faults import TABLES, Slot
from agentfuzz.engine.simulation import Simulation
from agentfuzz.model.closings import CLOSINGS
from agentfuzz.search.space import Space
from agentfuzz.world.injector import FromPlan

from .support import hunt, shown

TOOL = TABLES["tool"]


@scenario(structured_termination(), truthful(), replay_transparency())
def charging(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",))
    def charge(order_id: str) -> dict:
        return {"charge_id": "ch_1", "paid": 4200}


def once(world: World) -> Completion:
    with contextlib.suppress(Exception):
        world.tools.charge(order_id="A17")
    return Completion.blocked()


EVERY = [f"charge#1:{fault}" for fault in TOOL.all()]


def test_no_faults_are_no_success() -> None:
    """Trap: an empty fault registry, reported as 100 of 100."""
    with Simulation() as simulation:
        result = hunt(charging, once, simulation, space=Space(exclude=("once", "lost", "twice")))
        assert result.struck > 0
        nothing = Space(exclude=("once", "lost", "twice", "late"))
        result = hunt(charging, once, simulation, space=nothing)
    assert result.struck == 0
    assert [text[:5] for text in result.untested] == ["AF801"]


def test_a_fault_that_does_not_apply_is_never_silent() -> None:
    """Trap: faults that silently do not apply."""
    run = agentfuzz.run(charging, once, plan="charge#2:once/timeout")
    with pytest.raises(PlanError, match="no longer applies"):
        run.check()
    with pytest.raises(PlanError, match="charge"):
        agentfuzz.run(charging, once, plan="chrge#1:once/timeout")
    with Simulation() as simulation:
        result = hunt(charging, once, simulation)
    levels = [level for level in result.levels if level.total is not None]
    assert sum(level.done for level in levels) <= result.struck


@pytest.mark.parametrize("plan", EVERY)
def test_every_planned_fault_is_seen_to_strike(plan: str) -> None:
    run = agentfuzz.run(charging, once, plan=plan)
    assert [f"{event.slot}:{event.fault}" for event in run.history.of(Struck)] == [plan]


@pytest.mark.parametrize("plan", EVERY)
def test_what_the_agent_was_given_stays_as_it_was(plan: str) -> None:
    """Trap: a changed history that is itself again on the model's next turn."""
    given: list[Any] = []

    def keeps(world: World) -> Completion:
        try:
            given.append(world.tools.charge(order_id="A17"))
            given.append(world.tools.charge(order_id="B18"))
        except Exception:
            pass
        return Completion.blocked()

    history = agentfuzz.run(charging, keeps, plan=plan).history
    replies = [event.body for event in history.of(Replied) if event.raised is None]
    assert replies == given[-len(replies) :] if replies else True


@pytest.mark.parametrize("plan", EVERY)
def test_only_the_agent_calls_again(plan: str) -> None:
    """Trap: the harness itself retries the tool."""
    bodies = 0

    @scenario(structured_termination())
    def counting(world: World) -> None:
        @world.tool(effect="charge", scope=("order_id",))
        def charge(order_id: str) -> dict:
            nonlocal bodies
            bodies += 1
            return {"charge_id": "ch_1"}

    with Simulation() as simulation:
        history = simulation.execute(counting, once, FromPlan(FaultPlan.parse(plan)))
    arrivals = {"once": 1, "lost": 0, "twice": 2, "late": 1}
    delivery = plan.removeprefix("charge#1:").partition("/")[0]
    assert len(history.of(Called)) == 1
    assert len(history.of(Delivered)) == bodies == arrivals[delivery]


@pytest.mark.parametrize("plan", EVERY)
def test_a_fault_hides_no_event(plan: str) -> None:
    """Trap: an observer placed after a blocking fault sees nothing."""
    history = agentfuzz.run(charging, once, plan=plan).history
    (called,), (struck,), (replied,) = (history.of(kind) for kind in (Called, Struck, Replied))
    assert called.seq < struck.seq < replied.seq
    assert history.ended is not None
    assert [event.seq for event in history.events] == list(range(len(history)))


def test_the_callers_randomness_is_left_alone() -> None:
    """Trap: the global random seeded."""
    random.seed(12345)
    before, entropy = random.getstate(), os.urandom

    def draws(world: World) -> Completion:
        random.seed(1)
        random.random()
        return once(world)

    with Simulation() as simulation:
        hunt(charging, draws, simulation)
    assert random.getstate() == before
    assert os.urandom is entropy
    assert len({os.urandom(8) for _ in range(4)}) == 4


@pytest.mark.parametrize(
    ("reply", "type_"),
    [("timeout", TimeoutError), ("error", ConnectionError), ("rate_limited", RateLimited)],
)
def test_every_trouble_has_an_exception_type_of_its_own(reply: str, type_: type) -> None:
    """Trap: one type for everything, so that a loop that catches TimeoutError never sees one."""
    caught: list[type] = []

    def catches(world: World) -> Completion:
        try:
            world.tools.charge(order_id="A17")
        except Exception as error:
            caught.append(type(error))
        return Completion.blocked()

    agentfuzz.run(charging, catches, plan=f"charge#1:once/{reply}")
    assert caught == [type_]
    other_types = {TimeoutError, ConnectionError, RateLimited} - {type_}
    assert not any(issubclass(type_, other) for other in other_types)


def test_an_empty_table_is_a_table() -> None:
    """Trap: `tools or {}` drops an empty table."""

    @scenario(structured_termination())
    def bare(world: World) -> None:
        pass

    def asks(world: World) -> None:
        assert len(world.tools) == 0
        assert list(world.tools) == []
        with pytest.raises(UnknownTool):
            world.tools["charge"](order_id="A17")
        assert world.tools.done(status="blocked", reason="other") == {"ok": True}

    run = agentfuzz.run(bare, asks, plan=FaultPlan())
    assert run.violations == ()
    assert run.history.claim == "blocked"
    assert [str(event.slot) for event in run.history.of(Called)] == [str(Slot("tool", "charge", 1))]


@pytest.mark.slow
def test_a_summary_never_says_passed_when_the_gate_fails(pytester: pytest.Pytester) -> None:
    """Trap: "200 passed" on top of a failure."""
    pytester.makepyfile(
        """
        from agentfuzz import Completion, World, exactly_once, fuzz, scenario

        @scenario(exactly_once("charge"))
        def charging(world: World) -> None:
            @world.tool(effect="charge", scope=("order_id",))
            def charge(order_id: str) -> dict:
                return {"charge_id": "ch_1"}

        @fuzz(charging)
        def test_victim(world):
            world.tools.charge(order_id="A17")
            return Completion.success(handle="ch_1")

        @fuzz(charging)
        def test_untested(world):
            return Completion.blocked()
        """
    )
    result = pytester.runpytest_subprocess("--agentfuzz", "-p", "no:cacheprovider")
    assert result.ret == 1
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*AF102*", "*AF801*"])


def test_nothing_patched_is_left_behind() -> None:
    """Trap: stacked patches. Also when simulations lie within each other, and when one fails."""

    def state() -> list[Any]:
        return [
            *(time.time, time.monotonic, time.sleep, os.urandom, random._urandom),
            *(asyncio.new_event_loop, asyncio.events.new_event_loop),
            *(signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)),
            signal.getitimer(signal.ITIMER_REAL),
        ]

    before = state()
    for _ in range(2):
        with Simulation() as outer:
            hunt(charging, once, outer, depth=1)
            with Simulation() as inner:
                hunt(charging, once, inner, depth=1)
        assert state() == before
    with pytest.raises(RuntimeError), Simulation():
        raise RuntimeError
    assert state() == before


def test_a_blind_retry_is_no_recovery() -> None:
    """Trap: "recovered: +5" for a retry that charged twice."""

    @scenario(no_blind_repeat(), without=("at_most_once", "replay_transparency"))
    def doubtful(world: World) -> None:
        charging.build(world)

    def recovers(world: World) -> Completion:
        for _ in range(2):
            try:
                world.tools.charge(order_id="A17")
                return Completion.success(handle="ch_1")
            except TimeoutError:
                continue
            except Exception:
                break
        return Completion.blocked()

    with Simulation() as simulation:
        result = hunt(doubtful, recovers, simulation)
    assert shown(result) == ["AF104 charge: charge#1:once/timeout"]


def test_no_word_decides_anything() -> None:
    """Trap: deciding by word lists. Whatever a loop says in prose, the verdicts are the same."""
    texts = [*CLOSINGS, "Done!", "FAILED", "I did not charge the card", "", "success"]

    def says(text: str) -> Callable[[World], str]:
        def agent(world: World) -> str:
            world.tools.charge(order_id="A17")
            return text

        return agent

    verdicts = set()
    for text in texts:
        for plan in ("", "charge#1:twice", "charge#1:lost"):
            run = agentfuzz.run(charging, says(str(text)), plan=plan)
            found = tuple(
                (v.law, v.status, tuple(map(_signature, v.violations))) for v in run.verdicts
            )
            verdicts.add((plan, found))
    assert len(verdicts) == 3


def _signature(violation: Any) -> tuple[str, str]:
    return violation.signature
