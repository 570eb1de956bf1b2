"""A scenario: the story an agent is put into, and the laws that must hold in it.

Law: a scenario is data and one function that builds a fresh world; it holds no state of a run.
Written by users with the `scenario` decorator, read by the run, the search and the doors.
"""

import copy
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import ScenarioError, near_miss
from agentfuzz.core.events import Json
from agentfuzz.core.faults import TABLES
from agentfuzz.core.history import History, ToolFacts
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.selection import select
from agentfuzz.core.verdict import VIOLATED, Verdict
from agentfuzz.engine.declared import (
    ALWAYS,
    UNDECLARED,
    beside,
    check_concurrent,
    check_crossings,
    check_laws,
    check_model,
    left_out,
    names,
    said,
    takes_a_world,
    texts,
    varying,
    word,
)
from agentfuzz.engine.inputs import Strategies, checked, filled
from agentfuzz.engine.judging import watched
from agentfuzz.engine.modelled import give_model
from agentfuzz.engine.written import written
from agentfuzz.invariants import Invariant, jury
from agentfuzz.model.behaviour import ModelBehaviour
from agentfuzz.model.script import Script
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.commands import CTRL_C, Commands
from agentfuzz.world.injector import Injector
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.world import World

BEHAVIOUR = ModelBehaviour()


def serve(world: World, **kwargs: Any) -> Any:
    """How a world is served on loopback: see `agentfuzz.wire.serve`."""
    from agentfuzz.wire.server import serve

    return serve(world, **kwargs)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named story: build(world) declares the tools, the laws judge the history. `implied` are
    the names of those laws that nobody declared.

    `given` are strategies for its inputs, `varies` says what of it is a function of these, and
    `data` are those that it has been given (see `of`); `agents` are those of its agents that take
    part in a slice of a run, none if all do."""

    name: str
    build: Callable[[World], object]
    invariants: tuple[Invariant, ...]
    task: str = ""
    scripts: tuple[Script, ...] = ()
    cast: tuple[str, ...] = ()  # the agents whose scripts these are
    by_offer: bool = False  # each request picks one of them by what it offers
    outcome: Callable[[Any], Completion | None] | None = None
    resume: Callable[[World], object] | bool = False
    follow_ups: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    concurrent: bool = False
    faults: tuple[str, ...] = ()
    max_crossings: int = 200
    model_behaviour: ModelBehaviour = BEHAVIOUR
    cassette: Path | None = None
    on_miss: str = "auto"
    rewrite: Callable[[str], str] | None = None
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    implied: tuple[str, ...] = ()
    given: Strategies = field(default_factory=dict, hash=False, repr=False)
    varies: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict, hash=False, repr=False)
    data: Mapping[str, Json] = field(default_factory=dict, hash=False)
    agents: tuple[str, ...] = ()

    def of(self, given: str = "") -> "Scenario":
        """The scenario of a run with these inputs, as a plan keeps them; what is left out is as
        in the simplest. Raises PlanError for an input that it does not have."""
        if not (self.given or given):
            return self
        data = filled(self.name, self.given, given)
        fixed = {"task": "" if self.tasks else self.task, "tasks": self.tasks}
        words = written(self.name, self.varies, data, fixed)
        if not {"script", "scripts"} & self.varies.keys():
            for name in ("scripts", "cast", "by_offer"):
                words.pop(name)
        agents = FaultPlan(given=given).agents
        return replace(self, **words, given={}, varies={}, data=data, agents=agents)

    @property
    def script(self) -> Script | None:
        """What the model plans, of several tasks for the first."""
        return self.scripts[0] if self.scripts else None

    @property
    def _inputs(self) -> dict[str, Json]:
        """A copy of what it has been given, for whoever may change it."""
        return copy.deepcopy(dict(self.data))

    @property
    def asked(self) -> tuple[str, ...]:
        """All that the user says by himself: the task, or the tasks, and the follow-ups."""
        return (self.task, *self.tasks, *self.follow_ups)

    def world(self, injector: Injector, clock: Clock, *, trace: bool = False) -> World:
        """A fresh world for one run. Raises ScenarioError when the declaration is wrong."""
        if self.given:
            return self.of().world(injector, clock, trace=trace)
        most = self.max_crossings * (len(self.tasks) if self.tasks else 1)
        gateway = LocalGateway(injector, clock, max_crossings=most, trace=trace)
        world = World(self.task, gateway)
        world._serve = serve
        if self.data:
            world._has(self.data)
        if self.agents:
            gateway.calls.team.slice = frozenset(self.agents)
        if CTRL_C in self.faults:
            Commands(gateway)
        self.build(world)
        if self.scripts or self.cassette is not None:
            give_model(
                gateway,
                self.model_behaviour,
                scripts=self.scripts,
                cast=self.cast,
                by_offer=self.by_offer,
                cassette=self.cassette,
                on_miss=self.on_miss,
                varied=bool(self.data),
            )
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
        for script in self.scripts:
            script.check(tools)
        if self.cassette is not None:
            from agentfuzz.model.cassettes.store import Cassette

            Cassette.load(self.cassette).check(tools)

    def judge(self, history: History, baseline: History | None = None) -> tuple[Verdict, ...]:
        """What every law of the scenario says about a history."""
        return jury.verdicts(self.invariants, history, baseline)

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
    task: str | Callable[[Any], str] = "",
    script: Sequence[Any] | Mapping[str, Any] | Callable[[Any], Any] | None = None,
    scripts: Sequence[Any] | Callable[[Any], Any] = (),
    given: Mapping[str, Any] | None = None,
    outcome: Callable[[Any], Completion | None] | None = None,
    resume: Callable[[World], object] | bool = False,
    follow_ups: Sequence[str] = (),
    tasks: Sequence[str] | Callable[[Any], Sequence[str]] = (),
    concurrent: bool = False,
    faults: Sequence[str] = (),
    max_crossings: int = 200,
    model_behaviour: ModelBehaviour | None = None,
    cassette: str | os.PathLike[str] | None = None,
    on_miss: str = "auto",
    rewrite: Callable[[str], str] | None = None,
    instead: Mapping[str, Sequence[str]] | None = None,
    without: Sequence[str] = (),
) -> Callable[[Callable[[World], object]], Scenario]:
    """Decorate a function that declares the tools of a fresh World.

    `invariants` are the laws, beside those that are always judged; of these `without` leaves out
    `"at_most_once"`, `"replay_transparency"` or `"same_arguments"`. `task` is what the agent is
    asked; `script` is what the simulated model plans (of several agents, by name, what each one's
    does), `scripts` are several, of which each request picks one by the tools that it offers;
    `outcome` maps whatever the agent returns to a Completion (or None); after `max_crossings`
    crossings a run is cut off; `model_behaviour` says how the simulated model reacts to errors and
    lost results.
    `resume` says that the agent's process may die and is started again: True for the same agent,
    or a function of a world. `follow_ups` are what the user says after the task, one leg each.
    `tasks`, instead of `task`, are several requests of one run: the agent is called for each, with
    a `trigger_id` of its own, in the world that the ones before it have left behind; `script` is
    then a list of scripts, one for each, and each has `max_crossings` of its own. `concurrent`: all
    of them at once, of an async agent, on one event loop.
    `faults` names what else this story has to live with (`"cancel"`, `"interrupt"`,
    `"ctrl_c"`, `"duplicate_trigger"`, `"clock_jump"`), which no campaign tries by itself.
    `cassette` is a recorded conversation that is the model instead of a script, as a path beside
    the scenario's file; `on_miss` says what it does with a question that was not recorded:
    `"auto"` (simulates once a fault has struck, before that an error), `"error"`, the `"nearest"`
    recording, or `"simulate"` (a simulated model goes on from it);
    `rewrite`, a function of a text, takes out of what is recorded what nobody may read.
    `instead` names effects that are as good as another one: `instead={"sms": ("mail",)}` lets a
    mail stand in for a text message that did not go out.
    `given` are Hypothesis strategies by name: what they draw is `world.data`, as plain values, and
    a campaign tries other ones as well as other faults. Then `task`, `script` and `scripts` may be
    functions of the data.
    """
    check_laws(invariants)
    words = texts("faults", faults)
    select(TABLES["process"], faults=words)  # a wrong word is an error here
    more = texts("follow_ups", follow_ups)
    check_crossings(max_crossings)
    check_model(script, scripts, cassette, tasks, on_miss)
    strategies = checked({} if given is None else given)
    functions: dict[str, Any] = {"task": task, "tasks": tasks, "script": script, "scripts": scripts}
    varies = varying(functions)
    told = said(**{name: one for name, one in functions.items() if name not in varies})
    if task and tasks:
        raise ScenarioError("task= and tasks= both say what the agent is asked; give one.")
    if concurrent:
        check_concurrent(tasks, resume=resume, follow_ups=follow_ups, faults=words)
    if varies and not strategies:
        raise ScenarioError(
            f"{' and '.join(varies)} of this scenario is a function of its data, and there is "
            "none; say given={...}."
        )
    declared = {law.name for law in invariants}
    left = left_out((without,) if isinstance(without, str) else tuple(without), declared)
    laws = (*ALWAYS, *invariants, *(law for law in UNDECLARED if word(law) not in left))

    def decorate(build: Callable[[World], object]) -> Scenario:
        if not callable(build):
            raise ScenarioError(f"@scenario(...) decorates a function of a world, not {build!r}.")
        takes_a_world(build)
        unique = tuple({law.name: watched(law) for law in laws}.values())
        return Scenario(
            name=getattr(build, "__name__", "scenario"),
            build=build,
            invariants=unique,
            **told,
            outcome=outcome,
            resume=resume,
            follow_ups=more,
            concurrent=concurrent,
            faults=(("crash",) if resume else ()) + words,
            max_crossings=max_crossings,
            model_behaviour=model_behaviour or BEHAVIOUR,
            cassette=None if cassette is None else beside(build, cassette),
            on_miss=on_miss,
            rewrite=rewrite,
            instead=names(instead or {}),
            implied=tuple(law.name for law in unique if law.name not in declared),
            given=strategies,
            varies=varies,
        )

    return decorate
