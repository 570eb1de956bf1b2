"""Where a simulated model's plans come from: one script, or the one of several whose turn it is.

Law: which script it is hangs on the task, on who acts, or on what the request offers, and on
nothing that came before. Asked by the simulated model at every turn; a cassette is another planner.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from agentfuzz.core.errors import CassetteMiss, ScenarioError
from agentfuzz.model.memory import Message
from agentfuzz.model.model_faults.kind import Draft
from agentfuzz.model.schemas.fits import fits
from agentfuzz.model.script import Script, Value
from agentfuzz.providers.offer import Offer
from agentfuzz.world.acting import ACTING

_NUMBER = re.compile(r"_\d+$")


class Plan(NamedTuple):
    """What a model would do now: go on with a script; or, where the turn was `recorded`, take that
    one, which cost the `usage` that its provider counted, if it did."""

    script: Script
    recorded: Draft | None = None
    usage: Mapping[str, int] | None = None


class Planner(Protocol):
    """Where a model's plans come from: scripts, or a cassette. `missed` is the error of a
    question that no cassette holds, for an agent that swallows it."""

    missed: CassetteMiss | None

    def plan(self, messages: Sequence[Message], offer: Offer) -> Plan:
        """What it would do, asked this. Raises CassetteMiss."""
        ...


class Scripted:
    """A planner whose plan is one script, from beginning to end: that of the task, where a run has
    several, or that of the agent who asks, where a `cast` says whose they are."""

    missed: CassetteMiss | None = None

    def __init__(self, scripts: Sequence[Script], task: int = 1, cast: Sequence[str] = ()) -> None:
        self._scripts = scripts
        self._plan = Plan(scripts[min(task, len(scripts)) - 1])
        self._cast = dict(zip(cast, map(Plan, scripts), strict=False))

    def of_task(self, task: int) -> "Scripted":
        """The planner of another task of the run, from 1."""
        return Scripted(self._scripts, task, tuple(self._cast))

    def plan(self, messages: Sequence[Message], offer: Offer) -> Plan:
        """The script."""
        if not self._cast:
            return self._plan
        agent = ACTING.get()  # a second child of a name plans as the first
        found = self._cast.get(agent) or self._cast.get(_NUMBER.sub("", agent))
        if found is None:
            raise ScenarioError(
                f"the model of agent {agent!r} was asked, and script= has one for "
                f"{', '.join(self._cast)}; say who acts: with world.acting('...')."
            )
        return found


class ByOffer:
    """A planner with several scripts: each request is planned by the first one that suits its
    offer best."""

    missed: CassetteMiss | None = None

    def __init__(self, scripts: Sequence[Script]) -> None:
        self._scripts = scripts

    def plan(self, messages: Sequence[Message], offer: Offer) -> Plan:
        """The script whose calls are offered: all of them, or else some; where none are, one
        without calls. Among equals, one that closes as an answer is asked for."""
        return Plan(min(self._scripts, key=lambda one: (_covered(one, offer), _closed(one, offer))))


def _covered(script: Script, offer: Offer) -> int:
    """How well a script's calls suit: 0 is best. Whether they may be made in this very turn makes
    no difference: it is the same conversation."""
    if not script.tools:
        return 2
    shown = None if offer.tools is None else {tool["name"] for tool in offer.tools}
    offered = [shown is None or name in shown for name in script.tools]
    return 0 if all(offered) else 1 if any(offered) else 3


def _closed(script: Script, offer: Offer) -> int:
    """How well a script's closing suits: 0 is best."""
    value = script.closing.data if isinstance(script.closing, Value) else None
    schemas = [offer.answer] if offer.answer is not None else _forced(offer)
    if not schemas:
        return int(value is not None)
    if value is None:
        return 2
    return 0 if any(fits(value, schema) for schema in schemas) else 1


def _forced(offer: Offer) -> list[object]:
    """The arguments of the tools one of which must be called."""
    if offer.choice != "required":
        return []
    return [offer.schema(name) for name in offer.names or ()]
