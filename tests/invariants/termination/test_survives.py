"""`survives`: an agent does not die of a fault, and raises nothing without one."""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from agentfuzz import Completion, World, survives
from agentfuzz.events import Unheard
from invariants.histories import (
    charged,
    cut_off,
    died,
    done,
    happens,
    judge,
    prefix,
    raised,
    returned,
    strikes,
    tell,
)
from invariants.loops.billing import BLOCKED, FAULTS, billing, honest
from invariants.support import EVERY_SEED


def struck():
    return strikes("charge_card#1:twice")


def test_held():
    """The agent returned, was cut off, or raised an ordinary exception under a fault."""
    assert judge(survives(), tell(charged(), done())) == "HELD"
    assert judge(survives(), tell(cut_off("budget"))) == "HELD"
    assert judge(survives(), tell(charged(), struck(), raised("ValueError"))) == "HELD"


def test_raised_without_a_fault():
    """AF900: no fault struck, and the agent raised."""
    assert judge(survives(), tell(charged(), raised("ValueError"))) == ["AF900 agent: Ended#1"]
    violation = survives()(tell(raised("ValueError"))).violations[0]
    assert violation.title == "agent fails without any fault"


@pytest.mark.parametrize("faults", [[], [struck()]], ids=["no fault", "a fault"])
def test_broken(faults):
    """AF901: something that `except Exception` does not catch, with a fault or without."""
    history = tell(*faults, died("SystemExit"))
    assert judge(survives(), history) == ["AF901 agent: Ended#1"]
    assert survives()(history).violations[0].title == "agent raised SystemExit"


def unheard():
    return happens(Unheard, "task", "agent.<locals>.mail", "TimeoutError", "no answer")


@pytest.mark.parametrize(
    "ending", [[done()], [returned("All is well.")]], ids=["success", "a text"]
)
def test_died_unheard(ending):
    """AF907: a task died, and the run passes for a success."""
    history = tell(struck(), unheard(), *ending)
    assert judge(survives(), history) == ["AF907 mail: Unheard#1"]
    (violation,) = survives()(history).violations
    assert violation.title == "mail died unheard"
    assert violation.sentence.startswith("A task (mail) died of TimeoutError: no answer, nobody")


@pytest.mark.parametrize(
    "ending", [[done("blocked")], [done("failed")], [raised("ValueError")], [cut_off("hung")]]
)
def test_what_says_that_it_failed_hides_no_death(ending):
    """Whatever died of it."""
    assert judge(survives(), tell(struck(), unheard(), *ending)) == "HELD"


@pytest.mark.parametrize("ending", [done(), done("blocked"), raised("IndexError")])
def test_goes_on(ending):
    """AF908: a command goes on, whatever the run says of itself."""
    left = happens(Unheard, "command", "shell", "KeyboardInterrupt", "")
    history = tell(strikes("command:shell#1:ctrl_c"), left, ending)
    assert judge(survives(), history) == ["AF908 shell: Unheard#1"]
    (violation,) = survives()(history).violations
    assert violation.title == "shell goes on after Ctrl-C"


def test_not_exercised():
    """A history that has not ended yet."""
    assert judge(survives(), prefix(charged())) == "NOT_EXERCISED"


# on whole loops


def exits(world: World) -> Completion:
    """Victim: a timeout ends the whole process."""
    try:
        world.tools.charge(order_id="A17")
    except TimeoutError:
        sys.exit(3)
    except FAULTS:
        pass
    return BLOCKED


def test_victim(found):
    """A timeout ends the whole process."""
    assert found(survives(), billing(), exits, **EVERY_SEED) == [
        "AF901 agent: charge#1:once/timeout"
    ]


def test_survivor(held):
    """A timeout ends in a completion."""
    assert held(survives(), billing(), honest, **EVERY_SEED) > 0


async def mails_in_the_background(world: World) -> Completion:
    """Victim: a task that nobody awaits finds the order, and dies of a timeout."""
    kept = set()
    task = asyncio.create_task(world.tools.aio.find(order_id="A17"))
    kept.add(task)
    task.add_done_callback(kept.discard)
    ending = honest(world)
    await asyncio.sleep(60)
    return ending


def finds_in_a_thread(world: World) -> Completion:
    """Victim: so does a thread."""
    thread = threading.Thread(target=world.tools.find, kwargs={"order_id": "A17"})
    thread.start()
    thread.join()
    return honest(world)


def finds_in_a_pool(world: World) -> Completion:
    """Victim: so does work whose future is thrown away."""
    with ThreadPoolExecutor() as pool:
        pool.submit(world.tools.find, order_id="A17")
    return honest(world)


@pytest.mark.parametrize("agent", [mails_in_the_background, finds_in_a_thread, finds_in_a_pool])
def test_victims_of_what_nobody_hears(found, agent):
    """AF907: a reply that does not come ends what was started, and the run says that all is
    well."""
    assert found(survives(), billing(), agent, **EVERY_SEED) == ["AF907 find: find#1:once/timeout"]


async def awaits_it(world: World) -> Completion:
    task = asyncio.create_task(world.tools.aio.find(order_id="A17"))
    ending = honest(world)
    with suppress(*FAULTS):
        await task
    return ending


async def in_a_group(world: World) -> Completion:
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(world.tools.aio.find(order_id="A17"))
    except* FAULTS:
        pass
    return honest(world)


async def with_a_deadline(world: World) -> Completion:
    with suppress(*FAULTS):
        async with asyncio.timeout(5):
            await asyncio.shield(world.tools.aio.find(order_id="A17"))
    return honest(world)


async def the_first_of_three(world: World) -> Completion:
    calls = [world.tools.aio.find(order_id="A17") for _ in range(3)]
    for one in asyncio.as_completed(calls):
        with suppress(*FAULTS):
            await one
            break
    return honest(world)


def catches_in_its_thread(world: World) -> Completion:
    def finds() -> None:
        with suppress(*FAULTS):
            world.tools.find(order_id="A17")

    threading.Thread(target=finds).start()
    return honest(world)


def asks_its_pool(world: World) -> Completion:
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(world.tools.find, order_id="A17") for _ in range(3)]
    if any(future.exception() for future in futures):
        return BLOCKED
    return honest(world)


@pytest.mark.parametrize(
    "agent",
    [
        awaits_it,
        in_a_group,
        with_a_deadline,
        the_first_of_three,
        catches_in_its_thread,
        asks_its_pool,
    ],
)
def test_survivors_of_what_nobody_hears(held, agent):
    """Whoever awaits, asks, catches, or needs but one."""
    assert held(survives(), billing(), agent, **EVERY_SEED) > 0
