"""A test that exists, as a scenario: its body is the agent, its tools are found, and guessed at.

Law: nothing of the test is changed. What a tool does is what somebody has confirmed, else what is
guessed, and a guess is borne out by what may happen to any function: nothing that is only guessed
to have an effect is lost, late or doubled, and one is judged where a repeat is known to do harm.
The run without faults is the oracle: there the test passes, and under a fault no effect happens
more often, and nothing goes on for ever. Made by the plugin, for each marked test.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import wraps
from importlib.util import find_spec
from itertools import count
from types import FunctionType
from typing import Any

from agentfuzz.core.completion import Completion
from agentfuzz.core.events import Struck
from agentfuzz.engine.scenario import scenario
from agentfuzz.invariants import assertions_hold, bounded, replay_transparency, survives
from agentfuzz.runtime.detours import generates
from agentfuzz.world.commands import CTRL_C
from agentfuzz.world.confirmed import Correction, corrected
from agentfuzz.world.guessing import Guess, Parameter, guess, of_function, of_schema
from agentfuzz.world.taps.decorators import Taps, alike, imported, noting
from agentfuzz.world.taps.hidden import hidden
from agentfuzz.world.taps.looking import in_hands
from agentfuzz.world.taps.sessions import Sessions
from agentfuzz.world.taps.surface import located
from agentfuzz.world.world import World

TOLD = "tool "  # how what is believed of a tool begins
SERVED = "mcp"  # what a server does is a tool of its clients
UNKNOWN = "no verb known"
UNSAID = "its server has not said what it does"
ONE_LINE = "confirm it in agentfuzz_tools:"
PASSED = "the test passed"


class Existing:
    """One test. `guesses` are those of its tools so far, by their names, as the `lines` that
    somebody has written down correct them; `passed`: in some run, with or without faults.
    By an exception of those in `leave` a test says that it is skipped."""

    def __init__(
        self,
        name: str,
        lines: Sequence[Correction],
        *,
        places: Sequence[str] = (),
        script: Any = None,
        asserts: bool = False,
        faults: tuple[str, ...] = (),
        leave: tuple[type[BaseException], ...] = (),
    ) -> None:
        self.passed = False
        self._leave = leave
        self.guesses: dict[str, Guess] = {}
        self._lines = lines
        self._places = (*places, *(line.pattern for line in lines if _is_there(line)))
        self._tapped = dict[str, FunctionType]()  # of this run
        self._world: World | None = None
        self._passing = set[str]()  # made anew in each run
        self._found = _Live(self._noted)
        laws = [survives(), bounded(), replay_transparency(strict=False)]
        laws += [assertions_hold()] if asserts else []
        made = scenario(script=script, faults=(CTRL_C, *faults))(self._build)
        implied = tuple(law.name for law in laws)
        self.scenario = replace(made, name=name, invariants=tuple(laws), implied=implied)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """A campaign: what frameworks have in their hands by now is found, and what they are handed
        within is noted."""
        named = [located(place) for place in self._places]
        for function in named:
            self._found.keep(function)
        for function in in_hands(SERVED).values():
            if not any(alike(function, one) for one in named):
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
                with self._left(world), _reached(world):
                    await test(*owner, **fixtures)
                self.passed = True
                return Completion.success(detail=PASSED)

            return awaited

        @wraps(test)
        def called(*given: Any, **fixtures: Any) -> Completion:
            *owner, world = given
            with self._left(world), _reached(world):
                test(*owner, **fixtures)
            self.passed = True
            return Completion.success(detail=PASSED)

        return called

    @contextmanager
    def _left(self, world: World) -> Iterator[None]:
        """A program that ends by itself, as a script does that gives up, is one that fails; so is a
        test that is left under a fault, where without any it is left for good."""
        try:
            yield
        except SystemExit as left:
            raise Left(f"SystemExit: {left.code}") from left
        except self._leave as left:
            if not any(type(event) is Struck for event in world.gateway.log):
                raise
            raise Left(f"{type(left).__name__}: {left}") from left

    def told(self, called: Mapping[str, int]) -> list[str]:
        """What is believed of each tool that was called, and the line by which one corrects it."""
        return [
            f"{TOLD}{_said(name, one)}" for name, one in self.guesses.items() if called.get(name)
        ]

    # Its tools ----------------------------------------------------------------------------

    def _build(self, world: World) -> None:
        self._world = None
        self._tapped.clear()
        for name, function in self._found.items():
            if name not in self._passing:
                self._tap(world, name, function)
        if "mcp" in sys.modules:
            Sessions(world, self._served, keeps=True).open()
        self._world = world

    def _noted(self, name: str, function: FunctionType) -> None:
        """A framework is handed a function in the middle of a run."""
        if self._world is not None:
            self._passing.add(name)
            self._tap(self._world, name, function)

    def _tap(self, world: World, name: str, function: FunctionType) -> None:
        """A tool of this run; of several functions that one `def` has made, each is one."""
        if any(one is function for one in self._tapped.values()):
            return
        free = (name if number == 1 else f"{name}_{number}" for number in count(1))
        label = next(one for one in free if one not in self._tapped)
        self._tapped[label] = function
        away = hidden(function, inspect.signature(function))
        known = [one for one in of_function(function) if one.name not in away]
        found = guess(function.__name__, known, inspect.getdoc(function) or "")
        world.tap(function, name=label, **self._words(name, found, known))

    def _served(self, name: str, tool: Mapping[str, Any]) -> Mapping[str, Any]:
        """A tool of an MCP server, of which it says this."""
        known = of_schema(tool.get("inputSchema") or {})
        doc = tool.get("description") or ""
        found = guess(name, known, doc, hints=tool.get("annotations") or {})
        if not tool:
            found = replace(found, origins={**found.origins, "effect": UNSAID})
        words = self._words(name, found, known)
        if words["effect"] is None:
            return words
        return {**words, "scope": words["scope"] if known else None, "effect_if": _took_effect}

    def _words(self, name: str, found: Guess, known: Sequence[Parameter]) -> Mapping[str, Any]:
        """The words of `World.tool`; of one that nobody has confirmed, those that harm nobody."""
        self.guesses[name] = found = corrected(name, found, self._lines, known)
        if confirmed(found):
            reads = found.effect is None
            return {
                "effect": found.effect,
                "scope": None if reads else found.scope,
                "dedup": found.dedup,
                "transport": found.transport,
            }
        away = "guessed" if found.transport == "network" else found.transport
        effect = None if _unjudged(found) else found.effect
        return {"effect": effect, "scope": None, "dedup": "none", "transport": away}


def _is_there(line: Correction) -> bool:
    """Whether a line says where a function is, and not how a server calls its tool."""
    return line.is_place and find_spec(re.split("[:.]", line.pattern)[0]) is not None


def _unjudged(found: Guess) -> str:
    """Why a tool that nobody has confirmed is not judged by what it does."""
    if found.effect is None:
        return ""
    why = found.origins["effect"]
    if why == UNSAID:
        return why
    return "no verb in its name is known" if why.startswith(UNKNOWN) else found.harmless


def _said(name: str, found: Guess) -> str:
    """What is believed of a tool, in one line."""
    why = f"{found.origins['effect']}; {found.transport}: {found.origins['transport']}"
    if found.effect is None:
        return f"{name}: reads ({why})"
    if confirmed(found):
        scope = ", ".join(found.scope) or "no parameter"
        return (
            f"{name}: effect {found.effect} ({why}), scope {scope} ({found.origins['scope']}), "
            f"dedup {found.dedup} ({found.origins['dedup']})"
        )
    line = f"{ONE_LINE} {name}: effect={found.effect}"
    if reason := _unjudged(found):
        return f"{name}: not judged ({reason}; {why}); {line}"
    return f"{name}: effect {found.effect} ({why}), scope: all of its arguments; {line}"


def confirmed(found: Guess) -> bool:
    """Whether somebody has said what a tool does."""
    return found.origins["effect"].startswith("confirmed")


def _took_effect(reply: object) -> bool:
    """Whether a server's answer is none of its errors."""
    return not (isinstance(reply, dict) and reply.get("isError") is True)


class Left(Exception):
    """The test was left: by SystemExit, or, under a fault, as one that is skipped."""


class _Live(Taps):
    """Functions that are noted while a run goes on."""

    def __init__(self, noted: Callable[[str, FunctionType], None]) -> None:
        super().__init__()
        self._noted = noted

    def note(self, function: FunctionType) -> None:
        if generates(function) or not function.__name__.isidentifier():
            return  # what has no one answer, or no name
        super().note(function)
        for name in [name for name, one in self.items() if one is function]:
            self._noted(name, function)


def _reached(world: World) -> Any:
    """Every client of the process, where the world has a model."""
    if not world.has_model:
        return nullcontext()
    from agentfuzz.wire import everywhere

    return everywhere(world)
