"""The world as a child process has it: each crossing is asked of the run, over a pipe.

Law: nothing of the world happens here; this side holds the agent's own memory, and no fault, no
commit and no second passes without the run. The objects of the world are the ones that the agent
was forked with: they change their class, so that whoever holds one holds the right one. Made by
`child`, in the child alone.
"""

import asyncio
import os
import random
import threading
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from agentfuzz.core.codec import plain
from agentfuzz.core.faults import Slot
from agentfuzz.engine.child.pipe import Pipe, packed, unpacked
from agentfuzz.runtime import leaks
from agentfuzz.runtime.clock import FOREVER, Clock
from agentfuzz.runtime.user_code import caller
from agentfuzz.world.store import Store
from agentfuzz.world.world import World


class Link:
    """The child's end: asks, and takes over what has happened meanwhile."""

    def __init__(self, pipe: Pipe, world: World) -> None:
        self.pipe = pipe
        self.clock = world.clock
        self.events = world.events
        self.trace = world.calls._trace
        self.task: asyncio.Task[Any] | None = None
        self._lock = threading.RLock()

    def ask(self, verb: str, *given: Any) -> Any:
        """One question to the run, and its answer. Raises what the run says."""
        where = caller() if self.trace and verb in ("call", "start") else None
        ready = bool(getattr(asyncio._get_running_loop(), "_ready", ()))
        with self._lock:
            self.pipe.send(verb, given, ready, where, leaks.taken())
            try:
                kind, answer, now, due, news, pressed = self.pipe.receive()
            except EOFError:
                os._exit(1)  # the run is gone
        self.events += news
        self.clock._due = [] if due is None else [(due, 0, _nothing)]
        if now != self.clock.now:
            self.clock._set(now)
        if pressed and self.task is not None:
            self.task.cancel()
        if kind == "error":
            raise unpacked(answer)
        return answer


def _nothing() -> None:
    """What falls due in the run falls due there."""


class AwayClock(Clock):
    """A clock that the run moves."""

    __slots__ = ()

    def advance(self, seconds: float) -> None:
        if seconds > 0 and seconds != FOREVER:
            _link().ask("advance", seconds)

    def flush(self) -> None:
        _link().ask("flush")


class AwayStore(Store):
    """A store in the run."""

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        return _link().ask("store", "__getitem__", key)

    def __setitem__(self, key: str, value: Any) -> None:
        _link().ask("store", "__setitem__", key, deepcopy(value))

    def __delitem__(self, key: str) -> None:
        _link().ask("store", "__delitem__", key)

    def claim(self, key: str, value: Any = True) -> bool:
        return bool(_link().ask("store", "claim", key, value))

    def __iter__(self) -> Iterator[str]:
        return iter(_link().ask("store", "keys"))

    def __len__(self) -> int:
        return len(_link().ask("store", "keys"))

    def __repr__(self) -> str:
        return str(_link().ask("store", "__repr__"))


class AwayInbox(MutableSequence[str]):
    """The inbox in the run."""

    def __getitem__(self, index: Any) -> Any:
        return _link().ask("inbox", "__getitem__", index)

    def __setitem__(self, index: Any, value: Any) -> None:
        _link().ask("inbox", "__setitem__", index, value)

    def __delitem__(self, index: Any) -> None:
        _link().ask("inbox", "__delitem__", index)

    def __len__(self) -> int:
        return int(_link().ask("inbox", "__len__"))

    def insert(self, index: int, value: str) -> None:
        """As a list does."""
        _link().ask("inbox", "insert", index, value)


class AwayModel:
    """The model in the run."""

    def __call__(self, messages: Any, tools: Any = None) -> Any:
        return _link().ask("model", "__call__", messages, tools)

    async def aio(self, messages: Any, tools: Any = None) -> Any:
        """The same for async agents."""
        return _link().ask("model", "aio", messages, tools)

    def turn(self, messages: Any, tools: Any = None) -> Any:
        """One turn as it leaves the provider, a torn one included."""
        return _link().ask("model", "turn", messages, tools)

    @property
    def usage(self) -> Any:
        """The tokens so far."""
        return _link().ask("usage")


class AwayWorld(World):
    """A world in the run."""

    _away: Link

    def call(self, name: str, arguments: Any, asked: str | None = None) -> Any:
        spec = self.specs.get(name)
        if spec is not None and spec.is_async:
            return self.acall(name, arguments, asked)
        return self._away.ask("call", name, arguments, asked)

    async def acall(self, name: str, arguments: Any, asked: str | None = None) -> Any:
        ask = self._away.ask
        step = ask("start", name, arguments, asked)
        while step[0] == "pause":
            _, number, seconds = step
            try:
                if seconds == FOREVER:
                    await asyncio.get_running_loop().create_future()
                await asyncio.sleep(seconds)
            except BaseException as error:
                step = ask("throw", number, packed(error))
            else:
                step = ask("go", number)
        return step[1]

    def crossing(self) -> None:
        self._away.ask("crossing")

    def living(self) -> None:
        self._away.ask("living")

    @contextmanager
    def saving(self, name: str, value: Any = None) -> Iterator[None]:
        with self._around("saving", name, plain(value)):
            yield

    @contextmanager
    def may_die(self, name: str, group: str) -> Iterator[Slot]:
        with self._around("may_die", name, group) as slot:
            yield slot

    @contextmanager
    def _around(self, verb: str, *given: Any) -> Iterator[Any]:
        number, value = self._away.ask("enter", verb, *given)
        try:
            yield value
        except BaseException as error:
            self._away.ask("leave", number, packed(error))
            raise
        self._away.ask("leave", number, None)

    def request_approval(self, tool: str, *, call: str = "") -> str:
        return str(self._away.ask("request_approval", tool, call))

    @property
    def cancelled(self) -> bool:
        return bool(self._away.ask("cancelled"))

    @property
    def inbox(self) -> Any:
        return AwayInbox()

    def slot_for(self, boundary: str, name: str, asked: str | None = None) -> Slot:
        slot: Slot = self._away.ask("slot_for", boundary, name, asked)
        return slot

    def reserve(self, call_id: str, tool: str) -> None:
        self._away.ask("reserve", call_id, tool)

    def complete(self, *given: Any, **named: Any) -> str:
        return str(self._away.ask("complete", given, named))


_the_link: list[Link] = []


def _link() -> Link:
    return _the_link[0]


def moved(world: World, pipe: Pipe) -> Link:
    """Turn a forked world into one that asks the run. Its randomness is the run's own in the
    first leg; a process that is started again draws other numbers."""
    link = Link(pipe, world)
    _the_link[:] = [link]
    world.__class__ = AwayWorld
    world._away = link  # type: ignore[attr-defined]
    world.clock.__class__ = AwayClock
    world.store.__class__ = AwayStore
    if world._model is not None:
        world._model = AwayModel()
    if world.leg > 1:
        random.seed(world.leg)
        entropy = random.Random(world.leg)
        os.urandom = entropy.randbytes
        random._urandom = entropy.randbytes  # type: ignore[attr-defined]
    return link
