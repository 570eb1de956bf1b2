"""What dies of an exception that nobody asks for is told at the end of its leg; what somebody
hears of is not, whatever the garbage collector does."""

import asyncio
import concurrent.futures
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from agentfuzz import scenario
from agentfuzz.core.events import Unheard
from agentfuzz.runtime import unheard
from runtime.pools import DONE


@scenario()
def office(world):
    @world.tool(effect="note")
    def note(text: str):
        return text


async def fails(after=0.0):
    await asyncio.sleep(after)
    raise ValueError("in the background")


async def well(after=0.0):
    await asyncio.sleep(after)


def breaks():
    raise ValueError("in the background")


def deaths(result):
    return [
        (one.kind, one.called.rpartition(".")[2], one.error) for one in result.history.of(Unheard)
    ]


# unheard


async def a_task(world):
    asyncio.create_task(fails())  # noqa: RUF006
    await asyncio.sleep(1)


async def a_task_that_is_kept(world):
    """As asyncio's documentation tells to keep one."""
    kept = set()
    task = asyncio.ensure_future(fails())
    kept.add(task)
    task.add_done_callback(kept.discard)
    await asyncio.sleep(1)


async def a_task_in_a_cycle(world):
    class Service:
        def start(self):
            self.task = asyncio.create_task(fails())

    Service().start()
    await asyncio.sleep(1)


async def all_of_several(world):
    await asyncio.wait([asyncio.create_task(fails()) for _ in range(3)])


async def in_an_executor(world):
    asyncio.get_running_loop().run_in_executor(None, breaks)
    await asyncio.sleep(1)


def a_loop_of_its_own(world):
    asyncio.run(a_task(world))


def a_thread(world):
    thread = threading.Thread(target=breaks)
    thread.start()
    thread.join()


def a_class_of_thread(world):
    class Sender(threading.Thread):
        def run(self):
            breaks()

    Sender(daemon=True).start()


def a_timer(world):
    threading.Timer(60, breaks).start()


def in_a_pool(world):
    with ThreadPoolExecutor() as pool:
        pool.submit(breaks)


def all_of_a_pool(world):
    with ThreadPoolExecutor() as pool:
        concurrent.futures.wait([pool.submit(breaks) for _ in range(2)])


FAILS, BREAKS = ("task", "fails", "ValueError"), ("thread", "breaks", "ValueError")
WORK = ("work", "breaks", "ValueError")


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (a_task, [FAILS]),
        (a_task_that_is_kept, [FAILS]),
        (a_task_in_a_cycle, [FAILS]),
        (all_of_several, [FAILS] * 3),
        (in_an_executor, [WORK]),
        (a_loop_of_its_own, [FAILS]),
        (a_thread, [BREAKS]),
        (a_class_of_thread, [("thread", "run", "ValueError")]),
        (a_timer, [BREAKS]),
        (in_a_pool, [WORK]),
        (all_of_a_pool, [WORK] * 2),
    ],
)
def test_it_is_told(play, agent, expected):
    """In the order in which they were made, before the end of the run."""
    result = play(office, agent)
    assert deaths(result) == expected
    assert result.history.ended.how == "returned"
    assert [(one.code, one.subject) for one in result.violations] == [("AF907", expected[0][1])]


# heard


async def awaited(world):
    with pytest.raises(ValueError):
        await asyncio.create_task(fails())


async def gathered(world):
    await asyncio.gather(fails(), fails(), return_exceptions=True)


async def gathered_and_one_was_enough(world):
    with pytest.raises(ValueError):
        await asyncio.gather(fails(1), fails(2))
    await asyncio.sleep(3)


async def in_a_group(world):
    with suppress(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            group.create_task(fails())


async def the_first_that_is_well(world):
    for one in asyncio.as_completed([well(1), fails(2), fails(3)]):
        await one
        break
    await asyncio.sleep(5)


async def hedged(world):
    tasks = [asyncio.create_task(one) for one in (well(1), fails(1), fails(2))]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(5)


async def one_after_the_other(world):
    """The first failure ends it, and the others are not looked at."""
    tasks = [asyncio.create_task(fails(n)) for n in range(3)]
    try:
        for task in tasks:
            await task
    except ValueError:
        await asyncio.sleep(5)


async def asked(world):
    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    assert task.exception()


async def asked_by_a_callback(world):
    asyncio.create_task(fails()).add_done_callback(lambda task: task.exception())
    await asyncio.sleep(1)


async def cancelled(world):
    task = asyncio.create_task(fails(60))
    await asyncio.sleep(1)
    task.cancel()


async def left_behind(world):
    world.state["kept"] = asyncio.create_task(fails(3600))


async def timed_out(world):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(fails(60), 1)


def of_a_pool(world):
    with ThreadPoolExecutor() as pool:
        future = pool.submit(breaks)
    with pytest.raises(ValueError):
        future.result()


def mapped(world):
    with ThreadPoolExecutor() as pool, pytest.raises(ValueError):
        list(pool.map(lambda _: breaks(), range(3)))


def the_first_of_a_pool(world):
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(int), pool.submit(breaks)]
        next(concurrent.futures.as_completed(futures)).done()


def exits(world):
    threading.Thread(target=lambda: exec("raise SystemExit")).start()


def hooked(world):
    """An agent with a hook of its own has heard."""
    heard, before = [], threading.excepthook
    threading.excepthook = heard.append
    try:
        a_thread(world)
    finally:
        threading.excepthook = before
    assert [type(one.exc_value) for one in heard] == [ValueError]


@pytest.mark.parametrize(
    "agent",
    [
        awaited,
        gathered,
        gathered_and_one_was_enough,
        in_a_group,
        the_first_that_is_well,
        hedged,
        one_after_the_other,
        asked,
        asked_by_a_callback,
        cancelled,
        left_behind,
        timed_out,
        of_a_pool,
        mapped,
        the_first_of_a_pool,
        exits,
        hooked,
    ],
)
def test_it_is_heard(play, agent):
    """Somebody awaited it, asked for it, or did not need it."""
    result = play(office, agent)
    assert (deaths(result), result.history.ended.how) == ([], "returned")
    assert result.violations == ()


def test_a_run_that_does_not_return_tells_of_none(play):
    """What raises, or is cut off, has said that it failed."""

    async def raises(world):
        await a_task(world)
        raise KeyError

    async def hangs(world):
        await a_task(world)
        await asyncio.get_running_loop().create_future()

    for agent in (raises, hangs):
        assert deaths(play(office, agent)) == []


def test_a_leg_tells_of_its_own(play):
    """The one that follows hears nothing of it."""

    @scenario(task="First.", follow_ups=["Then."])
    def twice(world):
        pass

    async def agent(world):
        if world.task == "First.":
            await a_task(world)
        return DONE

    history = play(twice, agent).history
    assert [type(one).__name__ for one in history.legs[0]][-1] == "Unheard"
    assert [type(one).__name__ for one in history.legs[1]].count("Unheard") == 0


def test_many_tasks_are_not_all_kept(play, monkeypatch):
    """Those that ended well are let go, those that died are not."""
    monkeypatch.setattr(unheard, "LIMIT", 50)

    async def agent(world):
        asyncio.create_task(fails())  # noqa: RUF006
        for _ in range(500):
            await asyncio.create_task(well())
        assert len(unheard._made) <= 50

    assert deaths(play(office, agent)) == [FAILS]
