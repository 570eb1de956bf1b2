"""The run's side of a child process: what the child asks is done here, in the one true world.

Law: a question is answered in the order of its arrival, with what a call in one process would
have given, and with what has happened meanwhile. A call of an async agent is a generator that
stands here and is driven from there, so that the child's own event loop decides what goes next.
Used by `child`.
"""

import inspect
from collections.abc import Callable
from itertools import count
from typing import Any

from agentfuzz.engine.child.pipe import unpacked
from agentfuzz.runtime.eventloop import VirtualLoop, finish
from agentfuzz.world.delivery import Sleep
from agentfuzz.world.process import Decision
from agentfuzz.world.world import World, inside

_AS_IT_IS = ("crossing", "living", "slot_for", "reserve")  # methods of a gateway


class Home:
    """A world, asked by verbs. `ready` says whether another task of the child could go on,
    `pressed` that its main task is to be cancelled."""

    def __init__(self, world: World) -> None:
        self.gateway = inside(world)
        self.ready = False
        self.pressed = False
        self._numbers = count(1)
        self._open: dict[int, Any] = {}  # calls and saves under way in the child

    def answer(self, verb: str, given: tuple[Any, ...]) -> Any:
        """Do what was asked. Raises what the world raises."""
        if verb in _AS_IT_IS:
            return getattr(self.gateway, verb)(*given)
        asked: Callable[..., Any] = getattr(self, f"_{verb}")
        return asked(*given)

    def close(self) -> None:
        """The child is gone: what it had under way ends here."""
        for steps in self._open.values():
            if inspect.isgenerator(steps):
                steps.close()
        self._open.clear()

    # Calls --------------------------------------------------------------------------------

    def _call(self, name: str, arguments: Any, asked: str | None) -> Any:
        return self.gateway.call(name, arguments, asked)

    def _start(self, name: str, arguments: Any, asked: str | None) -> tuple[Any, ...]:
        self.gateway.living()
        calls = self.gateway.calls
        spec = calls.specs.get(name)
        if spec is None:
            return ("value", calls.call(name, arguments, asked))
        number = next(self._numbers)
        self._open[number] = calls._cross(spec, arguments, asked, awaits=True)
        return self._step(number, "send", None)

    def _go(self, number: int) -> tuple[Any, ...]:
        return self._step(number, "send", None)

    def _throw(self, number: int, error: tuple[Any, ...]) -> tuple[Any, ...]:
        return self._step(number, "throw", unpacked(error))

    def _step(self, number: int, how: str, value: Any) -> tuple[Any, ...]:
        """A call up to where time passes in the child, or to its end."""
        steps = self._open[number]
        try:
            while True:
                step = getattr(steps, how)(value)
                if isinstance(step, Sleep):
                    return ("pause", number, float(step))
                try:
                    how, value = "send", self._awaited(step)
                except BaseException as error:
                    how, value = "throw", error
        except StopIteration as stop:
            del self._open[number]
            return ("value", stop.value)

    def _awaited(self, step: Any) -> Any:
        """What an awaitable of the run comes to, on a loop of its own."""
        loop = VirtualLoop(self.gateway.clock)
        loop.set_exception_handler(lambda loop, context: None)
        try:
            return loop.run_until_complete(step)
        finally:
            finish(loop)
            loop.close()

    # The model, the store, the inbox ------------------------------------------------------

    def _model(self, how: str, *given: Any) -> Any:
        turn = getattr(self.gateway.model, how)(*given)
        return self._awaited(turn) if inspect.isawaitable(turn) else turn

    def _usage(self) -> Any:
        return self.gateway.model.usage

    def _store(self, how: str, *given: Any) -> Any:
        found = getattr(self.gateway.store, how)(*given)
        return list(found) if how == "keys" else found

    def _inbox(self, how: str, *given: Any) -> Any:
        return getattr(self.gateway.inbox, how)(*given)

    # The life of the process --------------------------------------------------------------

    def _async(self) -> None:
        """The agent turned out to be async: it can be cancelled."""

        def press() -> None:
            self.pressed = True

        self.gateway.process.cancel_task = press

    def _outside(self, name: str, value: Any) -> None:
        self.gateway.outside[name] = value

    def _cancelled(self) -> bool:
        return self.gateway.cancelled

    def _request_approval(self, tool: str, call: str) -> str:
        return self.gateway.request_approval(tool, call)

    def _decision_on(self, request: str) -> Decision | None:
        return self.gateway.decision_on(request)

    def _complete(self, given: tuple[Any, ...], named: dict[str, Any]) -> str:
        return self.gateway.complete(*given, **named)

    def _enter(self, verb: str, *given: Any) -> tuple[int, Any]:
        number = next(self._numbers)
        self._open[number] = around = getattr(self.gateway, verb)(*given)
        return number, around.__enter__()

    def _leave(self, number: int, error: tuple[Any, ...] | None) -> None:
        raised = None if error is None else unpacked(error)
        self._open.pop(number).__exit__(raised and type(raised), raised, None)

    def _advance(self, seconds: float) -> None:
        self.gateway.clock.advance(seconds)

    def _flush(self) -> None:
        self.gateway.clock.flush()
