"""The checks that every adapter passes: one for each sentence of the contract.

Law: a check runs the framework itself and compares what happened with what the adapter says of it;
it raises AssertionError with both. What a framework does not have is not checked. Called by the
tests of adapters, see the package.
"""

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from agentfuzz.adapters.contract import Adapter, agent
from agentfuzz.adapters.testing.situations import Situation, situations
from agentfuzz.core.events import Called, Committed, Decided, Ended, ModelTurn, Saved
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.model.script import parse
from agentfuzz.world.injector import FromPlan

# How each failure of `Adapter.meets` is brought about: by a plan, or by what the model asks for.
_FAILS = "ship#1:once/error"
_MET: Mapping[str, tuple[str, Any]] = {
    "raised": (_FAILS, None),
    "soft": (_FAILS, None),
    "cancelled": (_FAILS, None),
    "invalid": ("", ("ship", {"number": 17})),
    "unknown": ("model#1:unknown_tool", None),
}
_TOOL_FAULTS = ("timeout", "error", "rate_limited", "truncated", "malformed", "hostile")
_MODEL_FAULTS = ("rate_limited", "error", "empty", "truncated", "unknown_tool")


@dataclass(frozen=True)
class Check:
    """One check of one adapter."""

    name: str
    run: Callable[[], None]

    def __call__(self) -> None:
        self.run()

    def __str__(self) -> str:
        return self.name


def checks(adapter: Adapter) -> list[Check]:
    """All that this adapter is asked for."""
    return list(_Kit(adapter).all())


class _Kit:
    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.situations = situations(adapter)
        self.alone = self.situations["alone"]

    def all(self) -> Iterator[Check]:
        """The checks, those of each entrypoint first."""
        yield Check("names", self.names)
        for entry in self.adapter.entrypoints:
            yield Check(f"{entry}-completes", partial(self.completes, entry))
            yield Check(f"{entry}-ids", partial(self.ids, entry))
            yield Check(f"{entry}-again", partial(self.again, entry))
            yield Check(f"{entry}-faults", partial(self.faults, entry))
            for failure in _MET:
                yield Check(
                    f"{entry}-meets-{failure}",
                    partial(self.meets, entry, failure),
                )
            if self.adapter.sessions:
                yield Check(f"{entry}-session", partial(self.session, entry))
            if self.adapter.pauses_for:
                yield Check(f"{entry}-approval", partial(self.approval, entry))
            if self.adapter.typed:
                yield Check(f"{entry}-typed", partial(self.typed, entry))
            if self.adapter.hands_over:
                yield Check(f"{entry}-handoff", partial(self.handoff, entry))
        for name, limit in self.adapter.limits.items():
            if limit.counts in ("turns", "calls"):
                yield Check(f"limit-{name}", partial(self.limit, name))
        yield Check("quiet", self.quiet)

    # One check each ------------------------------------------------------------------------

    def names(self) -> None:
        """It names itself, its package, and at least one entrypoint; what it meets has a word."""
        adapter = self.adapter
        assert adapter.name.isidentifier(), adapter.name
        assert adapter.package, "package: the distribution that is adapted"
        assert adapter.entrypoints, "entrypoints: at least one"
        said = {name.rpartition(":")[2] for name in adapter.meets}
        assert said == set(_MET), f"meets: says of {', '.join(_MET)}"
        assert set(adapter.meets.values()) <= {"told", "raised", "ended", "again"}, adapter.meets

    def completes(self, entry: str) -> None:
        """What the script plans happens once, in each situation that needs no more than a loop; the
        done tool is called, and its completion is the run's."""
        for name in ("one_by_one", "siblings", "structured"):
            history = self.play(self.situations[name], entry)
            assert committed(history) == ["charge_card", "ship"], (name, committed(history))
            assert how(history) == "returned", (name, how(history))
        assert history.claim == "success", history.claim

    def ids(self, entry: str) -> None:
        """Each call is made under the id that the model gave it, whether or not the framework says
        it; and no two turns have the same."""
        history = self.play(self.situations["siblings"], entry)
        given = [call[0] for turn in history.of(ModelTurn) for call in turn.calls]
        asked = [call.asked for call in history.of(Called)]
        assert sorted(map(str, asked)) == sorted(given), (asked, given)
        assert len(set(given)) == len(given), given

    def again(self, entry: str) -> None:
        """The same plan gives the same history, in one process: nothing is left of the first run,
        and nothing hangs on the time, on threads or on a registry."""
        for plan in ("", "charge_card#1:once/timeout", "model#2:rate_limited"):
            first, second = (
                self.play(self.situations["siblings"], entry, plan).events for _ in range(2)
            )
            different = [pair for pair in zip(first, second, strict=False) if pair[0] != pair[1]]
            assert first == second, (plan, different[:1] or (len(first), len(second)))

    def faults(self, entry: str) -> None:
        """Whatever a tool or the model does, the run ends by itself."""
        for slot, faults in (("ship#1:once", _TOOL_FAULTS), ("model#1", _MODEL_FAULTS)):
            for fault in faults:
                separator = "/" if slot.endswith("once") else ":"
                history = self.play(self.alone, entry, f"{slot}{separator}{fault}")
                assert how(history) in ("returned", "raised"), (slot, fault, how(history))

    def meets(self, entry: str, failure: str) -> None:
        """A failing tool comes to the framework's user as the adapter says."""
        words = {"failures": failure} if failure in ("soft", "cancelled") else {}
        plan, planned = _MET[failure]
        script = (parse([planned, "Done."]),) if planned else self.alone.scenario.scripts
        situation = replace(self.alone, scenario=replace(self.alone.scenario, scripts=script))
        met = came_of(self.play(situation, entry, plan, words))
        said = self.adapter.meets.get(f"{entry}:{failure}", self.adapter.meets[failure])
        assert met == said, f"{failure}: the adapter says {said!r}, and it was {met!r}"

    def session(self, entry: str) -> None:
        """A second request is shown what the first one did, and does nothing twice; the session's
        writes are saves of the world."""
        history = self.play(self.situations["conversation"], entry)
        assert committed(history) == ["charge_card", "ship"], committed(history)
        assert history.of(Saved), "session: its writes are no saves (world.saving)"

    def approval(self, entry: str) -> None:
        """Calls that need a person wait, are made when they are granted, and only then; a model
        that asks again for what was refused makes a call of its own, which waits as well."""
        history = self.play(self.situations["approved"], entry)
        assert committed(history) == ["charge_card", "ship"], committed(history)
        refused = self.play(self.situations["approved"], entry, "approval:ship#1:refused")
        granted = {one.call for one in refused.of(Decided) if one.value}
        made = {one.asked for one in refused.of(Called) if one.intent is not None}
        assert made == granted, f"made: {made}, granted: {granted}"
        assert len(granted) < len(refused.of(Decided)), "approval:ship#1 was not refused"

    def typed(self, entry: str) -> None:
        """A closing that is a Completion becomes the framework's typed output."""
        history = self.play(self.situations["typed"], entry)
        assert committed(history) == ["charge_card", "ship"], committed(history)
        assert history.claim == "success", history.claim

    def handoff(self, entry: str) -> None:
        """The agent that is handed the task does the rest of it. What is remembered of it when a
        second request comes is the framework's."""
        chosen = self.situations["handed_over"]
        once = replace(chosen, scenario=replace(chosen.scenario, follow_ups=()))
        history = self.play(once, entry)
        assert committed(history) == ["charge_card", "ship"], committed(history)

    def limit(self, name: str) -> None:
        """A limit ends a loop that would go on, and the ending says so."""
        history = self.play(self.situations["structured"], options={name: 1})
        assert committed(history) != ["charge_card", "ship"], "the limit did not hold"
        assert history.claim in ("failed", None), history.claim
        assert history.claim == "failed" or how(history) == "raised", how(history)

    def quiet(self) -> None:
        """Nothing is printed, and nobody is called: the network is refused in a simulation."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            self.play(self.alone)
        assert not out.getvalue(), out.getvalue()
        assert not err.getvalue(), err.getvalue()

    # How it is played ----------------------------------------------------------------------

    def play(
        self,
        situation: Situation,
        entry: str = "",
        plan: str = "",
        words: Mapping[str, Any] = {},
        options: Mapping[str, Any] = {},
    ) -> History:
        """A run of the framework's default loop."""
        loop = agent(self.adapter, entry, **{**situation.words, **words}, **options)
        with Simulation() as simulation:
            return simulation.execute(situation.scenario, loop, FromPlan(FaultPlan.parse(plan)))


def committed(history: History) -> list[str]:
    """The tools whose effects took place, in a fixed order."""
    return sorted(commit.tool for commit in history.of(Committed))


def how(history: History) -> str:
    """How a run ended."""
    [end] = history.of(Ended)
    return end.how


def came_of(history: History) -> str:
    """What a framework made of a failing tool: the model was `told`, the tool was called `again`
    without the model having asked, the run `raised`, or it `ended`."""
    turns = [turn for turn in history.of(ModelTurn) if turn.stop != "refused"]
    if len(history.of(Called)) > sum(len(turn.calls) for turn in turns):
        return "again"
    if len(turns) > 1:
        return "told"
    return "raised" if how(history) == "raised" else "ended"
