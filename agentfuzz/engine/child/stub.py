"""The gateway as a child process has it: each crossing is asked of the run, over a pipe.

Law: nothing of the world happens here; this side holds the agent's own memory, and no fault, no
commit and no second passes without the run. It takes the place of the gateway of the world that
the agent was forked with, so that whoever holds that world, or a tool of it, asks the run. Made by
`child.process`, in the child alone.
"""

import asyncio
import os
import random
import threading
from collections.abc import Iterator, MutableMapping, MutableSequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from agentfuzz.core.codec import plain
from agentfuzz.core.faults import Slot
from agentfuzz.engine.child.pipe import Pipe, packed, unpacked
from agentfuzz.runtime import leaks
from agentfuzz.runtime.clock import FOREVER
from agentfuzz.runtime.user_code import caller
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.process import Decision
from agentfuzz.world.toolbox import Toolbox
from agentfuzz.world.world import World, inside


class Link:
    """The child's end: asks, and takes over what has happened meanwhile."""

    def __init__(self, pipe: Pipe, gateway: LocalGateway) -> None:
        self.pipe = pipe
        self.clock = gateway.clock
        self.log = gateway.log
        self.trace = gateway.calls.trace
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
        self.log += news
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


class RemoteTime:
    """Who moves the clock of a child: the run."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def advance(self, seconds: float) -> None:
        """Move forward in the run."""
        if seconds > 0 and seconds != FOREVER:
            self._link.ask("advance", seconds)

    def flush(self) -> None:
        """Let everything still due happen there."""
        self._link.ask("flush")


class RemoteStore(MutableMapping[str, Any]):
    """A store in the run."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def __getitem__(self, key: str) -> Any:
        return self._link.ask("store", "__getitem__", key)

    def __setitem__(self, key: str, value: Any) -> None:
        self._link.ask("store", "__setitem__", key, deepcopy(value))

    def __delitem__(self, key: str) -> None:
        self._link.ask("store", "__delitem__", key)

    def claim(self, key: str, value: Any = True) -> bool:
        return bool(self._link.ask("store", "claim", key, value))

    def __iter__(self) -> Iterator[str]:
        return iter(self._link.ask("store", "keys"))

    def __len__(self) -> int:
        return len(self._link.ask("store", "keys"))

    def __repr__(self) -> str:
        return str(self._link.ask("store", "__repr__"))


class RemoteInbox(MutableSequence[str]):
    """The inbox in the run."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def __getitem__(self, index: Any) -> Any:
        return self._link.ask("inbox", "__getitem__", index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._link.ask("inbox", "__setitem__", index, value)

    def __delitem__(self, index: Any) -> None:
        self._link.ask("inbox", "__delitem__", index)

    def __len__(self) -> int:
        return int(self._link.ask("inbox", "__len__"))

    def insert(self, index: int, value: str) -> None:
        """As a list does."""
        self._link.ask("inbox", "insert", index, value)


class RemoteModel:
    """The model in the run."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def __call__(self, messages: Any, tools: Any = None) -> Any:
        return self._link.ask("model", "__call__", messages, tools)

    async def aio(self, messages: Any, tools: Any = None) -> Any:
        """The same for async agents."""
        return self._link.ask("model", "aio", messages, tools)

    def turn(self, messages: Any, tools: Any = None, ids: str = "", stream: bool = False) -> Any:
        """One turn as it leaves the provider, a torn one included."""
        return self._link.ask("model", "turn", messages, tools, ids, stream)

    def refuse(self, messages: Any, words: str) -> None:
        """A request that its provider refuses."""
        self._link.ask("model", "refuse", messages, words)

    @property
    def usage(self) -> Any:
        """The tokens so far."""
        return self._link.ask("usage")


class RemoteGateway:
    """See `Gateway`: each question is asked of the run."""

    def __init__(self, link: Link, here: LocalGateway) -> None:
        self._link = link
        self.clock, self.log, self.leg = here.clock, here.log, here.leg
        self.specs, self.offers_done = here.specs, here.offers_done
        self.outside = here.outside
        self.model = None if here.model is None else RemoteModel(link)
        self.store = RemoteStore(link)

    def call(self, name: str, arguments: Any, asked: str | None = None) -> Any:
        spec = self.specs.get(name)
        if spec is not None and spec.is_async:
            return self.acall(name, arguments, asked)
        return self._link.ask("call", name, arguments, asked)

    async def acall(self, name: str, arguments: Any, asked: str | None = None) -> Any:
        ask = self._link.ask
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
        self._link.ask("crossing")

    def living(self) -> None:
        self._link.ask("living")

    def went_out(self, name: str) -> None:
        self._link.ask("outside", name, self.outside[name])

    @contextmanager
    def saving(self, name: str, value: Any = None) -> Iterator[None]:
        with self._around("saving", name, plain(value)):
            yield

    @contextmanager
    def may_die(self, boundary: str, name: str, group: str) -> Iterator[Slot]:
        with self._around("may_die", boundary, name, group) as slot:
            yield slot

    @contextmanager
    def _around(self, verb: str, *given: Any) -> Iterator[Any]:
        number, value = self._link.ask("enter", verb, *given)
        try:
            yield value
        except BaseException as error:
            self._link.ask("leave", number, packed(error))
            raise
        self._link.ask("leave", number, None)

    def request_approval(self, tool: str, call: str) -> str:
        return str(self._link.ask("request_approval", tool, call))

    def decision_on(self, request: str) -> Decision | None:
        found = self._link.ask("decision_on", request)
        return found if found is None else Decision(*found)

    @property
    def cancelled(self) -> bool:
        return bool(self._link.ask("cancelled"))

    @property
    def inbox(self) -> Any:
        return RemoteInbox(self._link)

    def slot_for(self, boundary: str, name: str, asked: str | None = None) -> Slot:
        slot: Slot = self._link.ask("slot_for", boundary, name, asked)
        return slot

    def reserve(self, call_id: str, tool: str) -> None:
        self._link.ask("reserve", call_id, tool)

    def complete(self, *given: Any, **named: Any) -> str:
        return str(self._link.ask("complete", given, named))


def moved(world: World, pipe: Pipe) -> Link:
    """Let a forked world ask the run. Its randomness is the run's own in the first leg; a process
    that is started again draws other numbers."""
    here = inside(world)
    here.moved, here.life.team = True, None
    link = Link(pipe, here)
    world.gateway = RemoteGateway(link, here)
    world.tools = Toolbox(world.gateway)
    here.clock.elsewhere = RemoteTime(link)
    if here.leg > 1:
        random.seed(here.leg)
        entropy = random.Random(here.leg)
        os.urandom = entropy.randbytes
        random._urandom = entropy.randbytes  # type: ignore[attr-defined]
    return link
