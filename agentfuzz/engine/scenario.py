"""A scenario: the story an agent is put into, and the laws that must hold in it.

Law: a scenario is data and one function that builds a fresh world; it holds no state of a run.
Written by users with the `scenario` decorator, read by the run, the search and the doors.
"""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import ScenarioError, near_miss
from agentfuzz.core.faults import TABLES
from agentfuzz.core.history import History, ToolFacts
from agentfuzz.core.selection import select
from agentfuzz.core.verdict import VIOLATED, Verdict
from agentfuzz.engine.judging import watched
from agentfuzz.invariants import (
    Invariant,
    assertions_hold,
    at_most_once,
    bounded,
    replay_transparency,
    same_arguments,
    survives,
    valid_calls,
)
from agentfuzz.model.behaviour import ModelBehaviour
from agentfuzz.model.cassettes.on_miss import ON_MISS
from agentfuzz.model.script import Script, parse
from agentfuzz.model.simulated import Planner, Scripted, SimulatedModel
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.injector import Injector
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.world import World

BEHAVIOUR = ModelBehaviour()


def serve(world: World, **kwargs: Any) -> Any:
    """How a world is served on loopback: see `agentfuzz.wire.serve`."""
    from agentfuzz.wire.server import serve

    return serve(world, **kwargs)


# What holds in every scenario, declared or not.
ALWAYS = (survives(), assertions_hold(), bounded(), valid_calls())
# The oracle that needs no declaration: judged unless a scenario does without.
UNDECLARED = (at_most_once(), replay_transparency(), same_arguments(strict=False))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named story: build(world) declares the tools, the laws judge the history. `implied` are
    the names of those laws that nobody declared."""

    name: str
    build: Callable[[World], object]
    invariants: tuple[Invariant, ...]
    task: str = ""
    script: Script | None = None
    outcome: Callable[[Any], Completion | None] | None = None
    resume: Callable[[World], object] | bool = False
    follow_ups: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    max_crossings: int = 200
    model_behaviour: ModelBehaviour = BEHAVIOUR
    cassette: Path | None = None
    on_miss: str = "error"
    rewrite: Callable[[str], str] | None = None
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    implied: tuple[str, ...] = ()

    def world(self, injector: Injector, clock: Clock, *, trace: bool = False) -> World:
        """A fresh world for one run. Raises ScenarioError when the declaration is wrong."""
        gateway = LocalGateway(injector, clock, max_crossings=self.max_crossings, trace=trace)
        world = World(self.task, gateway)
        world._serve = serve
        self.build(world)
        planner: Planner
        if self.cassette is not None:
            from agentfuzz.model.cassettes.model import FromCassette
            from agentfuzz.model.cassettes.store import Cassette

            cassette = Cassette.load(self.cassette)
            planner = FromCassette(cassette, self.on_miss)
            gateway.offers_done = cassette.offers_done
        elif self.script is not None:
            planner = Scripted(self.script)
            gateway.offers_done = self.script.closes_with_tool
        else:
            return world
        gateway.model = SimulatedModel(gateway, planner, self.model_behaviour)
        return world

    def check(self, facts: Mapping[str, ToolFacts]) -> None:
        """Raise ScenarioError when the script, or the cassette, calls a tool that the world does
        not have, a law is about an effect that no tool has, or such an effect is to stand in for
        another."""
        tools = list(facts)
        effects = list(dict.fromkeys(one.effect for one in facts.values() if one.effect))
        for name in (*self.instead, *(one for given in self.instead.values() for one in given)):
            if name not in effects:
                raise ScenarioError(
                    f"instead= of scenario {self.name!r} names the effect {name!r}; its tools have "
                    f"{', '.join(effects) or 'no effect'}.{near_miss(name, effects)}"
                )
        for one in facts.values():
            if one.undoes is not None and one.undoes not in tools:
                raise ScenarioError(
                    f"undoes={one.undoes!r} of tool {one.name!r} in scenario {self.name!r} names "
                    f"no tool; there is {', '.join(tools)}.{near_miss(one.undoes, tools)}"
                )
        for law in self.invariants:
            if law.effect is not None and law.effect not in effects:
                raise ScenarioError(
                    f"{law.name} in scenario {self.name!r} is about the effect {law.effect!r}; its "
                    f"tools have {', '.join(effects) or 'no effect (world.tool(effect=...))'}."
                    f"{near_miss(law.effect, effects)}"
                )
        if self.script is not None:
            self.script.check(tools)
        if self.cassette is not None:
            from agentfuzz.model.cassettes.store import Cassette

            Cassette.load(self.cassette).check(tools)

    def judge(self, history: History, baseline: History | None = None) -> tuple[Verdict, ...]:
        """What every law of the scenario says about a history."""
        said = []
        for law in self.invariants:  # as calling each would, without a frame of its own
            idle = law.needs_baseline and baseline is None
            found = None if idle else law.check(history, baseline)
            said.append(law.verdict(found, baseline))
        return tuple(said)

    def oracle(self, baseline: History) -> History:
        """The fault-free run as what other runs are compared with: which laws it breaks itself, and
        what may stand in for its effects. Raises ScenarioError where a declaration is wrong."""
        self.check(baseline.tools)
        baseline.instead = self.instead
        verdicts = self.judge(baseline, baseline)
        baseline.breaks = tuple(one.law for one in verdicts if one.status is VIOLATED)
        return baseline

    def __str__(self) -> str:
        return self.name


def scenario(
    *invariants: Invariant,
    task: str = "",
    script: Sequence[Any] | None = None,
    outcome: Callable[[Any], Completion | None] | None = None,
    resume: Callable[[World], object] | bool = False,
    follow_ups: Sequence[str] = (),
    faults: Sequence[str] = (),
    max_crossings: int = 200,
    model_behaviour: ModelBehaviour | None = None,
    cassette: str | os.PathLike[str] | None = None,
    on_miss: str = "error",
    rewrite: Callable[[str], str] | None = None,
    instead: Mapping[str, Sequence[str]] | None = None,
    without: Sequence[str] = (),
) -> Callable[[Callable[[World], object]], Scenario]:
    """Decorate a function that declares the tools of a fresh World.

    `invariants` are the laws, beside those that are always judged; of these `without` leaves out
    `"at_most_once"`, `"replay_transparency"` or `"same_arguments"`. `task` is what the agent is
    asked; `script` is what the simulated model plans; `outcome` maps whatever the agent returns to
    a Completion (or None); after `max_crossings` crossings a run is cut off; `model_behaviour` says
    how the simulated model reacts to errors and lost results.
    `resume` says that the agent's process may die and is started again: True for the same agent,
    or a function of a world. `follow_ups` are what the user says after the task, one leg each.
    `faults` names what else this story has to live with (`"cancel"`, `"interrupt"`,
    `"duplicate_trigger"`, `"clock_jump"`), which no campaign tries by itself.
    `cassette` is a recorded conversation that is the model instead of a script, as a path beside
    the scenario's file; `on_miss` says what it does with a question that was not recorded:
    `"error"`, the `"nearest"` recording, or `"simulate"` (a simulated model goes on from it);
    `rewrite`, a function of a text, takes out of what is recorded what nobody may read.
    `instead` names effects that are as good as another one: `instead={"sms": ("mail",)}` lets a
    mail stand in for a text message that did not go out.
    """
    for given in invariants:
        if not isinstance(given, Invariant):
            name = getattr(given, "__name__", repr(given))
            if len(invariants) == 1 and inspect.isfunction(given) and not hasattr(given, "record"):
                raise ScenarioError(
                    f"@scenario on {name} has no parentheses: write @scenario() above def {name}, "
                    "with the laws that must hold in between. If it is a law of your own, wrap it "
                    "with agentfuzz.invariant."
                )
            raise ScenarioError(
                f"@scenario({name}) is no invariant; call it ({name}()), or wrap a function of "
                "your own with agentfuzz.invariant."
            )
    words = (faults,) if isinstance(faults, str) else tuple(faults)
    select(TABLES["process"], faults=words)  # a wrong word is an error here
    if max_crossings < 1:
        raise ScenarioError(
            f"max_crossings={max_crossings} would cut off every run; give at least 1."
        )
    if script is not None and cassette is not None:
        raise ScenarioError("script= and cassette= both say what the model does; give one.")
    if on_miss not in ON_MISS:
        raise ScenarioError(
            f"on_miss={on_miss!r}: say {', '.join(ON_MISS)}.{near_miss(str(on_miss), ON_MISS)}"
        )
    declared = {law.name for law in invariants}
    left = _left_out((without,) if isinstance(without, str) else tuple(without), declared)
    laws = (*ALWAYS, *invariants, *(law for law in UNDECLARED if _word(law) not in left))

    def decorate(build: Callable[[World], object]) -> Scenario:
        if not callable(build):
            raise ScenarioError(f"@scenario(...) decorates a function of a world, not {build!r}.")
        _takes_a_world(build)
        unique = tuple({law.name: watched(law) for law in laws}.values())
        return Scenario(
            name=getattr(build, "__name__", "scenario"),
            build=build,
            invariants=unique,
            task=task,
            script=None if script is None else parse(script),
            outcome=outcome,
            resume=resume,
            follow_ups=(follow_ups,) if isinstance(follow_ups, str) else tuple(follow_ups),
            faults=(("crash",) if resume else ()) + words,
            max_crossings=max_crossings,
            model_behaviour=model_behaviour or BEHAVIOUR,
            cassette=None if cassette is None else _beside(build, cassette),
            on_miss=on_miss,
            rewrite=rewrite,
            instead=_names(instead or {}),
            implied=tuple(law.name for law in unique if law.name not in declared),
        )

    return decorate


def _takes_a_world(build: Callable[[World], object]) -> None:
    """Raise ScenarioError for a function that cannot be called with a world alone."""
    try:
        signature = inspect.signature(build)
    except (TypeError, ValueError):  # a callable that does not say
        return
    try:
        signature.bind(None)
    except TypeError:
        name = getattr(build, "__name__", "scenario")
        raise ScenarioError(
            f"{name}{signature} is called with the world and nothing else: write "
            f"def {name}(world). Fixtures are further parameters of the test, not of its scenario."
        ) from None


def _names(instead: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[str, ...]]:
    """The effects that stand in for others; one may be written without a list."""
    if not isinstance(instead, Mapping):
        raise ScenarioError(
            f"instead={instead!r}: write which effects may stand in for which, as "
            '{"sms": ("mail",)}.'
        )
    return {name: (one,) if isinstance(one, str) else tuple(one) for name, one in instead.items()}


def _left_out(without: tuple[str, ...], declared: set[str]) -> tuple[str, ...]:
    """The laws that a scenario does without. Raises ScenarioError for one that cannot be left out,
    or that is declared."""
    known = [_word(law) for law in UNDECLARED]
    for name in without:
        if name not in known:
            always = [law.name for law in ALWAYS]
            why = "is judged in every scenario" if name in always else "is no law to leave out"
            raise ScenarioError(
                f"without={name!r} {why}; there is: {', '.join(known)}."
                f"{near_miss(str(name), known)} A law of your own is left out by not declaring it."
            )
        if name in declared:
            raise ScenarioError(
                f"without={name!r} leaves out a law that this scenario declares: {name}(). "
                "Take out one of the two."
            )
    return without


def _word(law: Invariant) -> str:
    """What a law that nobody declared is called where one does without it."""
    return law.name.partition("(")[0]


def _beside(build: Callable[[World], object], cassette: str | os.PathLike[str]) -> Path:
    """The path of a cassette: as it is, or beside the file of the scenario's function."""
    file = getattr(getattr(build, "__code__", None), "co_filename", "")
    return Path(os.path.abspath(os.path.join(os.path.dirname(file), cassette)))
