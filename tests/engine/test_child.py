"""An agent in a child process: the same history as in one, a real death, nothing left behind."""

import asyncio
import atexit
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentfuzz import Completion, ScenarioError, World, fuzz, in_child, run
from agentfuzz.core.events import Called, Resumed
from agentfuzz.engine.child.pipe import packed, unpacked
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.clock import Real
from agentfuzz.scenarios import charge_order as card
from agentfuzz.world.injector import FromPlan
from engine.children import Agent, card_twice, history, shop
from world.stories import told

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def steady(world: World) -> Completion:
    """A plain loop that uses all that a world has."""
    world.store["begun"] = world.store.get("begun", 0) + 1
    found = world.tools.find(order_id="A17")
    if world.cancelled or world.inbox:
        return Completion.cancelled(reason="cancelled_by_user")
    time.sleep(5)
    for _ in range(2):
        try:
            world.tools.charge(order_id=found["order_id"], idempotency_key=f"k{world.leg}")
            break
        except (TimeoutError, ConnectionError, TypeError):
            continue
    with world.saving("file", {"leg": world.leg}):
        pass
    if "asked" not in world.store:
        world.store["asked"] = world.request_approval("charge")
        return Completion.partial(reason="waiting")
    world.tools.done(status="success", handle="A17")
    return Completion.success(handle="A17")


async def busy(world: World) -> Completion:
    """An async loop with a deadline, and two calls at once."""
    try:
        async with asyncio.timeout(20):
            await asyncio.gather(
                world.tools.aio.charge(order_id="A17"), world.tools.aio.charge(order_id="B18")
            )
        await world.tools.aio.mail(to="ann")
    except (TimeoutError, ConnectionError):
        await asyncio.sleep(60)
        return Completion.blocked(reason="outcome_unknown")
    return Completion.success(handle="A17")


PLANS = (
    "",
    "charge#1:once/timeout",
    "charge#1:late/timeout + find#1:once/malformed",
    "charge#1:twice/rate_limited",
    "process:find#1:crash",
    "process:charge#1:crash",
    "process:charge#1:crash/after",
    "process:charge#1:crash/in_flight",
    "store:begun#1:crash + store:begun#2:crash/after",
    "store:file#1:crash",
    "store:file#1:crash/after",
    "store:asked#1:crash/after",
    "end#1:crash",
    "end#1:duplicate_trigger",
    "process:charge#1:duplicate_trigger/after",
    "process:charge#1:duplicate_trigger + process:charge#2:crash/after",
    "process:charge#1:cancel/after",
    "process:charge#1:cancel/in_flight",
    "process:charge#2:interrupt",
    "process:charge#1:clock_jump/after",
    "approval:charge#1:twice",
    "approval:charge#1:refused",
    "approval:charge#1:late",
    "approval:charge#1:double_click",
)


@pytest.mark.parametrize("plan", PLANS)
def test_a_plain_loop_has_the_history_that_it_has_in_one_process(
    simulation: Simulation, plan: str
) -> None:
    here = history(simulation, steady, plan)
    there = history(simulation, in_child(steady), plan)
    assert told(there) == told(here)
    assert there.events == here.events


def waits_for_a_decision(world: World) -> Completion:
    """Asks, and looks for the answer within its leg."""
    if world.decision is not None:
        return Completion.success(handle=str(world.decision.granted))
    request = world.request_approval("charge")
    while (decision := world.decision_on(request)) is None and world.clock.now < 90:
        time.sleep(20)
    return Completion.success(handle=str(decision))


@pytest.mark.parametrize("kind", ["", "refused", "late", "never"])
def test_a_decision_within_a_leg(simulation: Simulation, kind: str) -> None:
    plan = kind and f"approval:charge#1:{kind}"
    here = history(simulation, waits_for_a_decision, plan)
    assert history(simulation, in_child(waits_for_a_decision), plan).events == here.events


@pytest.mark.parametrize("agent", [*card.VICTIMS, *card.SURVIVORS])
@pytest.mark.parametrize(
    "plan",
    ["", "charge_card#1:late/timeout", "model#2:loop", "model#2:cut",
     "turn#2:crash", "process:charge_card#1:crash/after"],
)  # fmt: skip
def test_a_loop_with_a_model_too(simulation: Simulation, agent: Agent, plan: str) -> None:
    here = history(simulation, agent, plan, card.charge_order)
    assert history(simulation, in_child(agent), plan, card.charge_order).events == here.events


@pytest.mark.parametrize(
    "plan",
    ["", "charge#1:once/timeout", "charge#2:late/error", "mail#1:late/timeout",
     "schedule:charge#1:preempted", "schedule:charge#1:preempted/after",
     "process:charge#1:crash/after", "process:charge#2:crash/in_flight", "process:mail#1:crash",
     "process:charge#1:cancel", "process:charge#2:cancel/in_flight",
     "process:charge#1:interrupt/after"],
)  # fmt: skip
def test_an_async_loop_too(simulation: Simulation, plan: str) -> None:
    here = history(simulation, busy, plan)
    assert told(history(simulation, in_child(busy), plan)) == told(here)


def test_a_trace_names_the_line_in_the_child(simulation: Simulation) -> None:
    found = simulation.execute(shop, in_child(steady), FromPlan(), trace=True)
    calls = found.of(Called)
    line = steady.__code__.co_firstlineno + 3
    assert calls[0].where == f"{__file__}:{line} steady"


# How a child ends -------------------------------------------------------------------------


def dies(how: Callable[[], object]) -> Agent:
    def agent(world: World) -> None:
        world.tools.charge(order_id="A17")
        how()

    return in_child(agent)


@pytest.mark.parametrize(
    ("how", "ended"),
    [
        (lambda: os._exit(3), ("died", "ProcessDied", "exit code 3")),
        (lambda: os._exit(0), ("died", "ProcessDied", "exit code 0")),
        (lambda: os.kill(os.getpid(), signal.SIGTERM),
         ("died", "ProcessDied", "killed by SIGTERM")),
        (lambda: os.closerange(3, 256) or Real.sleep(30),
         ("died", "ProcessDied", "it closed its pipe to the run")),
        (lambda: exec("raise SystemExit(4)"), ("died", "SystemExit", "4")),
        (lambda: exec("class Odd(ValueError): pass\nraise Odd('so')"), ("raised", "Odd", "so")),
        (lambda: exec("raise KeyError('x')"), ("raised", "KeyError", "'x'")),
    ],
    ids=["exit 3", "exit 0", "killed", "closed", "SystemExit", "own exception", "KeyError"],
)  # fmt: skip
def test_a_child_that_dies_by_itself(simulation: Simulation, how: Any, ended: Any) -> None:
    found = history(simulation, dies(how), "", card_twice).ended
    assert (found.how, found.error, found.detail) == ended


def test_a_grandchild_that_holds_the_pipe_hangs_nothing(simulation: Simulation) -> None:
    """It lives until the test is over; nobody waits for it."""
    ours, its = os.pipe()

    def how() -> None:
        if os.fork():
            os._exit(5)
        os.close(its)
        os.read(ours, 1)  # until the last writer is gone, which is this test
        os._exit(0)

    try:
        found = history(simulation, dies(how), "", card_twice).ended
        assert (found.how, found.detail) == ("died", "exit code 5")
    finally:
        os.close(its)
        os.close(ours)


def test_a_spinning_child_is_cut_off() -> None:
    def spins(world: World) -> None:
        world.tools.charge(order_id="A17")
        while True:
            pass

    with Simulation(run_timeout=1) as simulation:
        ended = history(simulation, in_child(spins), "", card_twice).ended
    line = spins.__code__.co_firstlineno
    assert (ended.how, ended.error) == ("cut_off", "spinning")
    assert ended.detail == f"spins (test_child.py:{line})"
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)  # no child is left


def test_the_budget_cuts_a_child_off(simulation: Simulation) -> None:
    def endless(world: World) -> None:
        while True:
            world.tools.charge(order_id="A17")

    here, there = (history(simulation, one, "", card_twice) for one in (endless, in_child(endless)))
    assert (there.ended.how, there.ended.error) == ("cut_off", "budget")
    assert there.events == here.events


def test_a_hung_child_is_cut_off(simulation: Simulation) -> None:
    async def waits(world: World) -> None:
        await asyncio.get_running_loop().create_future()

    ended = history(simulation, in_child(waits), "", card_twice).ended
    assert (ended.how, ended.error) == ("cut_off", "hung")


def test_nothing_of_the_run_is_done_twice(
    simulation: Simulation, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Neither what stood in its buffers, nor what waits for its exit."""
    atexit.register(lambda: (tmp_path / "exit").write_text("twice"))
    print("before", end=" ")

    def agent(world: World) -> Completion:
        print("inside", end=" ")
        return Completion.success()

    history(simulation, in_child(agent), "", card_twice)
    print("after", end="")
    assert capfd.readouterr().out == "before inside after"
    assert not (tmp_path / "exit").exists()


def test_standard_input_is_empty(simulation: Simulation) -> None:
    child = in_child(lambda world: os.read(0, 1).decode())
    assert history(simulation, child, "", card_twice).ended.value == ""


def test_what_cannot_be_pickled_is_an_error(simulation: Simulation) -> None:
    with pytest.raises(ScenarioError, match="must be picklable"):
        history(simulation, in_child(lambda world: lambda: 1), "", card_twice)


def test_an_agent_without_a_world_is_an_error() -> None:
    with pytest.raises(ScenarioError, match=r"steady \(test_child.py:\d+\) is in_child"):
        in_child(steady)(None)


def test_a_system_without_fork_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with pytest.raises(ScenarioError, match=r"in_child needs os\.fork"):
        in_child(steady)


def test_it_stands_below_fuzz_and_takes_fixtures() -> None:
    @fuzz(card_twice)
    @in_child
    def test(world: World, place: str) -> Completion:
        world.tools.charge(order_id=place)
        return Completion.success(handle=place)

    test(place="A17")
    found = run(card_twice, lambda world: in_child(test)(world, place="A17")).history
    assert [call.args for call in found.of(Called)] == [{"order_id": "A17"}]


def test_each_leg_is_a_process(simulation: Simulation) -> None:
    def agent(world: World) -> str:
        world.store[f"leg {world.leg}"] = os.getpid()
        world.tools.charge(order_id="A17")
        return "told" if len({os.getpid(), *world.store.values()}) == world.leg else "same"

    found = history(simulation, in_child(agent), "process:charge#1:crash/after", card_twice)
    assert [event.why for event in found.of(Resumed)] == ["restart"]
    assert found.ended.value == "told"


class Strange(TimeoutError):
    def __init__(self, one: int, two: int) -> None:
        super().__init__("strange")


def test_an_exception_that_cannot_be_pickled_keeps_name_text_and_nearest_class() -> None:
    error = unpacked(packed(Strange(1, 2)))
    assert (type(error).__name__, str(error), isinstance(error, TimeoutError)) == (
        "Strange", "strange", True)  # fmt: skip
