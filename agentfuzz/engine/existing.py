"""A test that exists, as a scenario: its body is the agent, its tools are found, and guessed at.

Law: nothing of the test is changed. What a tool does is what somebody has confirmed, else what is
guessed, and a guess is borne out by what may happen to any function: nothing that is only guessed
to have an effect is lost, late or doubled. The run without faults is the oracle: there the test
passes, and under a fault no effect happens more often, and nothing goes on for ever. Made by the
plugin, for each marked test.
"""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import wraps
from types import FunctionType
from typing import Any

from agentfuzz.adapters import mcp
from agentfuzz.core.completion import Completion
from agentfuzz.engine.scenario import Scenario, scenario
from agentfuzz.invariants import assertions_hold, bounded, replay_transparency, survives
from agentfuzz.world.guessing import Guess, guess
from agentfuzz.world.taps.decorators import Taps, imported, noting
from agentfuzz.world.taps.hidden import hidden
from agentfuzz.world.taps.looking import in_hands
from agentfuzz.world.world import World

Confirmed = Callable[[str], Mapping[str, Any] | None]
SERVED = "mcp"  # what a server does is a tool of its clients
PASSED = "the test passed"


class Existing:
    """One test. `guesses` are those of its tools so far, by their names; `confirmed` says what
    somebody has written down of one, in the words of `World.tool`."""

    def __init__(
        self,
        name: str,
        confirmed: Confirmed,
        *,
        places: Sequence[str] = (),
        script: Any = None,
        asserts: bool = False,
    ) -> None:
        self.guesses: dict[str, Guess] = {}
        self._confirmed = confirmed
        self._places = tuple(places)
        self._world: World | None = None
        self._passing = set[str]()  # made anew in each run
        self._found = _Live(self._noted)
        laws = (survives(), bounded(), replay_transparency(strict=False))
        laws = (*laws, assertions_hold()) if asserts else laws
        made = scenario(script=script)(self._build)
        self.scenario = replace(made, name=name, invariants=laws, implied=())

    @contextmanager
    def looking(self) -> Iterator[None]:
        """A campaign: what frameworks have in their hands by now is found, and what they are handed
        within is noted."""
        for function in in_hands(SERVED).values():
            self._found.note(function)
        with noting(self._found, *(one for one in imported() if one != SERVED)):
            yield
        self._world = None

    def agent(self, test: Callable[..., Any]) -> Callable[..., Any]:
        """The test as an agent: it takes a world last of all it takes by position, and passes."""
        if inspect.iscoroutinefunction(test):

            @wraps(test)
            async def awaited(*given: Any, **fixtures: Any) -> Completion:
                *owner, world = given
                with _reached(world):
                    await test(*owner, **fixtures)
                return Completion.success(detail=PASSED)

            return awaited

        @wraps(test)
        def called(*given: Any, **fixtures: Any) -> Completion:
            *owner, world = given
            with _reached(world):
                test(*owner, **fixtures)
            return Completion.success(detail=PASSED)

        return called

    def told(self, called: Mapping[str, int]) -> list[str]:
        """What is believed of each tool that was called, and how somebody corrects it."""
        return [
            f"{name}: {one}" for name, one in self.guesses.items() if called.get(name)
        ]

    # Its tools ----------------------------------------------------------------------------

    def _build(self, world: World) -> None:
        self._world = None
        for place in self._places:
            name = place.rpartition(":")[2].rpartition(".")[2]
            world.tap(place, **self._words(name, ()))
        for name, function in self._found.items():
            if name not in self._passing:
                self._tap(world, name, function)
        if "mcp" in sys.modules:
            mcp.Sessions(world, self._hinted).open()
        self._world = world

    def _noted(self, name: str, function: FunctionType) -> None:
        """A framework is handed a function in the middle of a run."""
        if self._world is not None:
            self._passing.add(name)
            self._tap(self._world, name, function)

    def _tap(self, world: World, name: str, function: FunctionType) -> None:
        signature = inspect.signature(function)
        away = hidden(function, signature)
        parameters = [one for one in signature.parameters if one not in away]
        world.tap(function, name=name, **self._words(name, parameters))

    def _words(self, name: str, parameters: Sequence[str]) -> Mapping[str, Any]:
        return self._known(name, parameters, None)

    def _hinted(self, name: str, hints: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._known(name, (), hints)

    def _known(
        self, name: str, parameters: Sequence[str], hints: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        confirmed = self._confirmed(name)
        if confirmed is not None:
            return confirmed
        found = self.guesses[name] = guess(name, parameters, hints=hints, remote=hints is not None)
        return {"effect": found.effect, "scope": found.scope, "transport": found.transport}


class _Live(Taps):
    """Functions that are noted while a run goes on."""

    def __init__(self, noted: Callable[[str, FunctionType], None]) -> None:
        super().__init__()
        self._noted = noted

    def note(self, function: FunctionType) -> None:
        super().note(function)
        for name in [name for name, one in self.items() if one is function]:
            self._noted(name, function)


def _reached(world: World) -> Any:
    """Every client of the process, where the world has a model."""
    if not world.has_model:
        return nullcontext()
    from agentfuzz.wire import everywhere

    return everywhere(world)
