"""A framework's default loop as an agent: a function of a world.

Law: whatever a framework keeps from leg to leg lies in its own session, as its users have it; a
pause asks the world for the approval, and the decision comes back as the framework wants it. Called
by whoever tests a framework: `fuzz`, `run`, the test kit, `--agentfuzz-loop`.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from inspect import iscoroutinefunction
from typing import Any
from weakref import WeakKeyDictionary

from agentfuzz.adapters.contract.adapter import Adapter, Ended, Failures, Setup, completion
from agentfuzz.adapters.contract.bridge import Key
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import AgentfuzzError, near_miss
from agentfuzz.world.world import World, inside


class _Kept:
    """What one run keeps for its legs."""

    session: Any = None
    paused: Any = None  # the result whose calls wait
    answer: Any = None  # the last one

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}  # the calls that wait, by the world's id of the request
        self.decided: dict[str, bool] = {}


_KEPT: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()


def agent(
    adapter: Adapter,
    entrypoint: str = "",
    *,
    key: Key = None,
    failures: Failures = "raised",
    approvals: Sequence[str] = (),
    session: bool = False,
    typed: bool = False,
    agents: Sequence[str] = (),
    tries: int = 1,
    **options: Any,
) -> Callable[[World], Any]:
    """The framework's loop as a function of a world, sync or async as its entrypoint is. What it
    returns is a Completion where the framework said how it ended, else its value. The other words
    are those of `Setup`; `session=True` keeps the conversation from leg to leg; `tries` is how
    often its caller calls it in a leg when it raises. Raises AgentfuzzError for an entrypoint, or a
    feature, that the adapter does not have."""
    entry = adapter.entrypoints[entrypoint_of(adapter, entrypoint)]
    for word, asked, has in (
        ("session", session, adapter.sessions),
        ("typed", typed, adapter.typed),
        ("approvals", approvals, adapter.pauses_for),
        ("agents", agents, adapter.hands_over),
    ):
        if asked and not has:
            raise AgentfuzzError(f"the adapter {adapter.name} has no {word}=; leave it out.")

    if iscoroutinefunction(entry):

        async def loop(world: World) -> Any:
            kept = _of(world)
            if not _goes_on(world, kept):
                return kept.answer
            for setup in attempts(world, kept):
                try:
                    result = await _stopped(adapter, setup, entry)
                    kept.answer = _after(adapter, world, kept, result)
                    break
                except Exception as error:
                    if not again(setup, error):
                        kept.answer = _by(adapter, kept, error)
                        break
            return kept.answer
    else:

        def loop(world: World) -> Any:  # type: ignore[misc]
            kept = _of(world)
            if not _goes_on(world, kept):
                return kept.answer
            for setup in attempts(world, kept):
                try:
                    kept.answer = _after(adapter, world, kept, entry(setup))
                    break
                except Exception as error:
                    if not again(setup, error):
                        kept.answer = _by(adapter, kept, error)
                        break
            return kept.answer

    def attempts(world: World, kept: _Kept) -> Iterator[Setup]:
        first = setup_for(world, kept)
        yield from (replace(first, attempt=number) for number in range(1, tries + 1))

    def again(setup: Setup, error: Exception) -> bool:
        """Whether the caller calls once more: not after an ending of the framework's own."""
        over = isinstance(error, AgentfuzzError) or adapter.ended(error) is not None
        return setup.attempt < tries and not over

    def setup_for(world: World, kept: _Kept) -> Setup:
        if session and kept.session is None:
            kept.session = adapter.session(world)
        return Setup(
            world=world,
            key=key,
            failures=failures,
            approvals=tuple(approvals),
            session=kept.session,
            paused=kept.paused,
            decisions=dict(kept.decided),
            typed=typed,
            agents=tuple(agents),
            options=options,
        )

    loop.__name__ = loop.__qualname__ = f"{adapter.name}.{entrypoint or 'default'}"
    return loop


def _of(world: World) -> _Kept:
    return _KEPT.setdefault(inside(world).process, _Kept())


def _goes_on(world: World, kept: _Kept) -> bool:
    """Whether the framework has something to do in this leg: not when a decision comes a second
    time, or while there are calls of which nobody has decided."""
    decision = world.decision
    if decision is None:
        return True
    call = kept.asked.pop(decision.approval, None)
    if call is None:
        return False
    kept.decided[call] = bool(decision.granted)
    return not kept.asked


def entrypoint_of(adapter: Adapter, name: str) -> str:
    """The name of an entrypoint, of the usual one if it is left out. Raises AgentfuzzError."""
    names = list(adapter.entrypoints)
    if not name:
        return names[0]
    if name not in names:
        raise AgentfuzzError(
            f"the adapter {adapter.name} has no entrypoint {name!r}; it has {', '.join(names)}."
            f"{near_miss(name, names)}"
        )
    return name


async def _stopped(adapter: Adapter, setup: Setup, entry: Any) -> Any:
    """Await an entrypoint; when Stop strikes, tell the framework in its own way, if it has one."""
    if type(adapter).stop is Adapter.stop:
        return await entry(setup)
    task = asyncio.ensure_future(entry(setup))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.done() or not adapter.stop(setup):
            task.cancel()
        return await task


def _by(adapter: Adapter, kept: _Kept, error: Exception) -> Any:
    """The ending that an exception is; nothing waits any more. Raises it where it is none."""
    kept.paused, kept.decided = None, {}
    found = adapter.ended(error)
    if found is None:
        raise error
    return _told(found)


def _after(adapter: Adapter, world: World, kept: _Kept, result: Any) -> Any:
    kept.paused, kept.decided = None, {}
    pauses = adapter.pauses(result)
    if pauses:
        kept.paused = result
        for pause in pauses:
            kept.asked[world.request_approval(pause.tool, call=pause.call)] = pause.call
        return Completion.blocked(reason="needs_approval")
    found = adapter.ended(result)
    return _told(found) if found is not None else None


def _told(ended: Ended) -> Any:
    """What a run returns: the completion that its ending is, or its value."""
    return completion(ended) or ended.value
