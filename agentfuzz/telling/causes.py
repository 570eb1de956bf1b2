"""Causes: the findings of a session, by what makes the agent fail.

Law: one cause is told once, whatever laws it breaks and wherever it was met, and every finding is
in exactly one. Two findings have one cause

- if one test shows them under one plan;
- if they break laws of one family in one test by the same troubles at the same places, and less has
  happened in both than without a fault, or in neither: too much and too little are two;
- if only the names of their troubles tell them apart: in one test, at the same places, in the same
  function, the agent did the same, and the law says the same of it, numbers apart;
- if each takes several faults, they share a trouble, and the law says the same of both: in one test
  and one function, what they share is the cause, and the others only kept it from being mended;
- if they break the same law by the same kinds of trouble in the same function of the agent's code,
  in whatever test and at whatever tool: there, it is one cause at several places. Where a place in
  the code is not known, as in a framework's loop, in one test or at one effect.

Without a fault, only the same law with the same subject is. What the project's baseline knows and
what it does not are told apart. Pure; called by all that tells a session.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from agentfuzz.core.events import (
    Called,
    Cancelled,
    Committed,
    Crashed,
    Done,
    Ended,
    Interrupted,
    Refused,
    Resumed,
)
from agentfuzz.core.findings import DIED, Counterexample
from agentfuzz.core.history import History
from agentfuzz.core.lanes.words import count
from agentfuzz.telling import commands
from agentfuzz.telling.troubles import places, troubles_of

# What is told first: what happened in the world, then between agents, then what an agent says.
_FAMILIES = "1674523"
_ALONE = {"AF902", "AF904"}  # about runs, not about what happened in one


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cause was met: the findings of one test under one plan, in the order of a cause."""

    findings: tuple[Counterexample, ...]

    @property
    def nodeid(self) -> str:
        return self.findings[0].nodeid

    @property
    def plan(self) -> str:
        return str(self.findings[0].plan)

    @property
    def id(self) -> str:
        """Of its first finding: it brings this place back."""
        return self.findings[0].id

    @property
    def replay(self) -> str:
        """What shows this place again."""
        return commands.replay(self.findings[0])

    @property
    def location(self) -> str:
        """`path:line function` in the agent's code, or an empty text."""
        return self.findings[0].location or ""

    @property
    def codes(self) -> tuple[str, ...]:
        """The laws that are broken here, each once."""
        return tuple(dict.fromkeys(cx.code for cx in self.findings))


@dataclass(frozen=True, slots=True)
class Cause:
    """Findings of one cause, never none; the first is its `lead`: of the most concrete law, under
    the smallest plan. Its `id` is the lead's."""

    findings: tuple[Counterexample, ...]

    @property
    def lead(self) -> Counterexample:
        return self.findings[0]

    @property
    def id(self) -> str:
        return self.lead.id

    @property
    def codes(self) -> tuple[str, ...]:
        """The laws that it breaks, each once, the most concrete first."""
        return tuple(dict.fromkeys(cx.code for cx in self.findings))

    @property
    def breaks(self) -> str:
        """`breaks 3 laws: AF101, AF104, AF106`; nothing where it breaks one."""
        several = len(self.codes) > 1
        return f"breaks {count(len(self.codes), 'law')}: {', '.join(self.codes)}" * several

    @property
    def known(self) -> bool:
        """Whether the project's baseline knows it."""
        return bool(self.lead.known)

    @property
    def tests(self) -> tuple[str, ...]:
        """The tests in which it was met, each once: the lead's first."""
        return tuple(dict.fromkeys(cx.nodeid for cx in self.findings))

    @property
    def places(self) -> tuple[Place, ...]:
        """Where it was met: the lead's place first."""
        found: dict[tuple[str, str], list[Counterexample]] = {}
        for cx in self.findings:
            found.setdefault((cx.nodeid, str(cx.plan)), []).append(cx)
        return tuple(Place(tuple(one)) for one in found.values())


def apart(cause: Cause, key: Callable[[Place], Hashable]) -> tuple[Cause, ...]:
    """A cause by its places: those with equal keys stay together, the lead's come first."""
    parts: dict[Hashable, list[Counterexample]] = {}
    for place in cause.places:
        parts.setdefault(key(place), []).extend(place.findings)
    return tuple(Cause(tuple(part)) for part in parts.values())


def causes(findings: Sequence[Counterexample]) -> tuple[Cause, ...]:
    """The causes of these findings, in the order in which each was met first. What is given twice
    under one id counts once."""
    found = list({cx.id: cx for cx in findings}.values())
    roots = list(range(len(found)))

    def root(at: int) -> int:
        while roots[at] != at:
            at = roots[at]
        return at

    def join(one: int, other: int) -> None:
        low, high = sorted((root(one), root(other)))
        roots[high] = low

    met: dict[tuple[bool, Hashable], int] = {}
    for at, cx in enumerate(found):
        for mark in _marks(cx):
            join(met.setdefault((bool(cx.known), mark), at), at)
    nowhere: dict[tuple[bool, Hashable], int] = {}
    for at, cx in sorted(enumerate(found), key=lambda one: not one[1].location):
        for kind in _kinds(cx):
            for what in (("effect", cx.violation.subject), ("test", cx.nodeid)):
                first = nowhere.setdefault((bool(cx.known), (kind, what)), at)
                if not cx.location:
                    join(first, at)
    groups: dict[int, list[Counterexample]] = {}
    for at, cx in enumerate(found):
        groups.setdefault(root(at), []).append(cx)
    return tuple(Cause(tuple(sorted(group, key=_order))) for group in groups.values())


def counted(findings: Sequence[Counterexample]) -> str:
    """`9 findings of 4 causes (3 known)`; `2 findings` where each has its own."""
    found, by = len({cx.id for cx in findings}), len(causes(findings))
    of = f" of {count(by, 'cause')}" if by != found else ""
    known = len({cx.id for cx in findings if cx.known})
    return f"{count(found, 'finding')}{of}{f' ({known} known)' * bool(known)}"


def _marks(cx: Counterexample) -> Iterator[Hashable]:
    """What one finding has in common with every other one of its cause."""
    if cx.code in _ALONE or cx.phase == DIED:
        yield "alone", cx.id
        return
    yield "plan", cx.nodeid, cx.plan
    if cx.code.startswith("AF9"):  # what a test raised says nothing of another one
        return
    troubles = troubles_of(cx.plan)
    if not troubles:
        yield "plain", cx.violation.signature, cx.location
        return
    function = _function(cx.location) if cx.location else None
    fewer = len(cx.history.ledger) < len(cx.baseline.ledger)
    yield "test", cx.nodeid, cx.code[:3], fewer, troubles
    yield "seen", cx.nodeid, function, places(troubles), _words(cx), tuple(_deeds(cx.history))
    if len(cx.plan) > 1:
        yield from (("shared", cx.nodeid, function, one, _words(cx)) for one in troubles)
    if function:
        yield from ((kind, function) for kind in _kinds(cx))


def _kinds(cx: Counterexample) -> Iterator[Hashable]:
    """The law, and the kinds of trouble by which it breaks, whatever the tool."""
    troubles = troubles_of(cx.plan)
    if troubles and not cx.code.startswith("AF9") and cx.phase != DIED:
        yield cx.code, tuple(sorted((where, what) for where, _, what in troubles))


def _words(cx: Counterexample) -> Hashable:
    """What the law says of a finding: how it came about, and how it is mended."""
    said = f"{cx.violation.sentence}\n{cx.violation.hint}"
    return cx.violation.signature, re.sub(r"\d+", "", said)


_DEEDS = (Called, Committed, Refused, Crashed, Cancelled, Interrupted, Resumed, Done, Ended)
_TOLD = ("slot", "call", "tool", "kind", "why", "status", "how", "error")


def _deeds(history: History) -> Iterator[Hashable]:
    """What an agent did, what came of it, and what became of its process."""
    for event in history.events:
        if isinstance(event, _DEEDS):
            yield type(event).__name__, *(getattr(event, name, "") for name in _TOLD)


def _function(location: str) -> tuple[str, str]:
    """The file and the function of a place in code."""
    path, _, rest = location.rpartition(":")
    return path, rest.partition(" ")[2]


def _order(cx: Counterexample) -> tuple[int, str, int, int]:
    """The most concrete law, the smallest plan, the shortest run."""
    family = _FAMILIES.find(cx.code[2:3])
    place = family if family >= 0 else len(_FAMILIES)
    return place, cx.code, len(cx.plan), len(cx.history.events)
