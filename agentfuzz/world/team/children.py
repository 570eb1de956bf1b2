"""Children: agents that an agent begins, to work for it, and waits for.

Law: a child acts under a name of its own; that it was begun, how it ended and how its parent learnt
of it are events. A fault of the boundary `child` keeps it from beginning, loses its result, keeps
it back, lets it never answer, or begins it twice. Used by the surface.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from agentfuzz.core.between import Finished, Joined, Spawned, Waited, Waits
from agentfuzz.core.codec import message, plain
from agentfuzz.core.errors import CutOff, ScenarioError
from agentfuzz.core.faults import Slot
from agentfuzz.runtime.async_library import pause
from agentfuzz.runtime.clock import FOREVER
from agentfuzz.world.acting import named
from agentfuzz.world.delivery import LATE
from agentfuzz.world.team.called import no_coroutine, runs_async
from agentfuzz.world.team.state import Team


class Child:
    """An agent that another one has begun: await it, or ask a sync one for its `result()`."""

    def __init__(self, team: Team, name: str, parent: str) -> None:
        self.name, self.parent = name, parent
        self._team, self._number = team, len(team.known)
        self._task: asyncio.Task[Any] | None = None
        self._came: tuple[Any, BaseException | None] | None = None
        self._joined = False

    def __hash__(self) -> int:
        return self._number  # the order of a set of children is that of every run

    def done(self) -> bool:
        """Whether it has ended."""
        return self._came is not None or (self._task is not None and self._task.done())

    def cancel(self) -> None:
        """Ask it to stop."""
        if self._task is not None:
            self._task.cancel()

    def result(self) -> Any:
        """What a child that has ended returned. Raises what it raised, and InvalidStateError while
        it is at work."""
        if self._came is None:
            if self._task is None or not self._task.done():
                raise asyncio.InvalidStateError(f"{self.name} is still at work; await it.")
            self._joins("cancelled" if self._task.cancelled() else _how(self._task.exception()))
            return self._task.result()
        value, error = self._came
        self._joins(_how(error))
        if error is not None:
            raise error
        return value

    def __await__(self) -> Generator[Any, None, Any]:
        return self._awaited().__await__()

    async def _awaited(self) -> Any:
        team, task = self._team, self._task
        if task is None:
            return self.result()
        waiting = not task.done()
        if waiting:
            team.log.write(Waits, self.parent, self.name, "child")
        how = "cancelled"
        try:
            await asyncio.wait([task])
            how = "came"
        finally:
            if waiting and team.calls.budget >= 0:
                team.log.write(Waited, self.parent, self.name, "child", how)
        return self.result()

    def _joins(self, how: str) -> None:
        if not self._joined:
            self._joined = True
            self._team.log.write(Joined, self.name, self.parent, how)


def spawn(
    team: Team, name: str, work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Child:
    """Begin a child: an async function at once, beside its parent; a sync one from its beginning to
    its end."""
    if not callable(work):
        raise ScenarioError(
            f"spawn({name!r}, {work!r}): give the function that the child carries out."
        )
    is_async = runs_async(work)
    if is_async and asyncio._get_running_loop() is None:
        raise ScenarioError(
            f"spawn({name!r}, ...) of an async function is called in an asyncio loop; elsewhere "
            "begin it as your library does, within world.acting(...)."
        )
    parent = team.log.acts()
    slot = team.process.slot("child", name)
    label = name if slot.nth == 1 else f"{name}_{slot.nth}"
    team.knows(label)
    team.log.write(Spawned, label, parent, slot)
    child = Child(team, label, parent)
    fault = team.struck(slot, "child" if is_async else "child sync")
    if fault is not None:
        team.note(slot, fault)
    kind = fault.axes[0] if fault is not None else "works"

    def begin() -> Any:
        found = work(*args, **kwargs)
        if not is_async:
            no_coroutine(found, "spawn", work)
        return found

    with named(label):
        if is_async:
            child._task = asyncio.get_running_loop().create_task(
                _lives(team, label, begin, kind), name=label
            )
            return child
        for _ in range(2 if kind == "twice" else 1):
            came = _lived(team, slot, begin, kind)
            child._came = child._came or came
    return child


async def _lives(team: Team, agent: str, begin: Callable[[], Awaitable[Any]], kind: str) -> Any:
    how, value = "cancelled", None
    try:
        if kind == "fails":
            raise _unreachable(agent)
        if kind == "hangs":
            await pause(FOREVER)
        if kind == "twice":
            twin = asyncio.get_running_loop().create_task(_quiet(begin()), name=agent)
            team.calls.late.append(twin)
        found = await begin()
        if kind == "dies":
            raise _died(agent)
        if kind == "late":
            await pause(LATE)
        how, value = "returned", plain(found)
        return found
    except Exception as error:
        how, value = "raised", f"{type(error).__name__}: {message(error)}"
        raise
    finally:
        if team.calls.budget >= 0:
            team.log.write(Finished, agent, how, value)


async def _quiet(work: Awaitable[Any]) -> None:
    """A child that nobody waits for."""
    try:
        await work
    except Exception:
        return


def _lived(
    team: Team, slot: Slot, begin: Callable[[], Any], kind: str
) -> tuple[Any, BaseException | None]:
    agent = team.acting
    found, error = None, None
    try:
        if kind == "fails":
            raise _unreachable(agent)
        found = begin()
        if kind == "dies":
            raise _died(agent)
    except (CutOff, ScenarioError):
        raise
    except Exception as raised:
        found, error = None, raised
    if kind == "late":
        team.log.clock.advance(LATE)
    said = plain(found) if error is None else f"{type(error).__name__}: {message(error)}"
    team.log.write(Finished, agent, _how(error), said)
    return found, error


def _how(error: BaseException | None) -> str:
    return "returned" if error is None else "raised"


def _unreachable(agent: str) -> ConnectionError:
    return ConnectionError(f"{agent} could not be begun")


def _died(agent: str) -> ConnectionError:
    return ConnectionError(f"{agent} died before it could answer")
