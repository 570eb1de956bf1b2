"""Whether two effects of one intent were called for with the same arguments.

Law: pure functions of histories. The key is no argument. What the fault-free run did is the
measure, where its intent says which call is meant. Asked by the laws about arguments.

Left out by default are arguments whose names say that they differ from try to try: times, counts
of attempts, ids of requests, and how (not what) something is done.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from agentfuzz.core.events import Committed, Json, Struck
from agentfuzz.core.history import History
from agentfuzz.invariants.queries.calls import KEY
from agentfuzz.invariants.queries.undoing import undone

_VARIES = re.compile(
    # when
    r"time(stamp)?|ts|date(time)?|at|day|hour|minute|seconds?|ms|now|epoch|due|until|expir(es|y)"
    r"|deadline|start|end|begin|age|duration|elapsed|ttl|wait(ed)?|delay|sleep|backoff|interval"
    r"|latency"
    # for the how-manieth time
    r"|attempts?|retr(y|ies)|try|tries|times|again|resend|repeat|nth|seq(uence)?|counter|index"
    r"|version|rev(ision)?|iteration|round|step|turn"
    # under which name
    r"|key|nonce|rand(om)?|seed|salt|token|trace|span|request|correlation|session|run|call"
    r"|ref(erence)?|uuid|guid|otp|hash|digest|checksum"
    # how
    r"|timeout|limit|page|size|batch|chunk|offset|cursor|depth|concurrency|parallel|workers|force"
    r"|overwrite|verify|check|dry|fallback|resume|recover|priority|urgent|debug|verbose"
    r"|temperature|budget|max|min|confidence|score|progress"
)
# What a fault of these words tells the agent is no lie, and no other order.
_HONEST = frozenset(
    (
        *("once", "lost", "twice", "late", "intact"),
        *("timeout", "error", "rate_limited", "unauthorized", "gone"),
        *("returns", "raises", "hangs", "before", "after", "in_flight", "crash", "empty", "cut"),
        *("closed", "reset", "error_event", "silence"),
    )
)
_BOUNDARIES = frozenset(("tool", "local", "model", "process", "store", "turn", "end"))


class Changed(NamedTuple):
    """An effect that was carried out with another argument than it should have been."""

    commit: Committed
    name: str
    have: Json
    want: Json


def varies(name: str) -> bool:
    """Whether an argument's name says that it may differ from try to try."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
    return any(_VARIES.fullmatch(word) for word in re.split(r"[^a-z]+", words))


def not_lied_to(history: History) -> bool:
    """Whether no fault told the agent or its model anything that is not so, or changed what was
    wanted of it."""
    return all(
        one.slot.boundary in _BOUNDARIES and _HONEST.issuperset(one.fault.axes)
        for one in history.of(Struck)
    )


def alike(history: History, baseline: History) -> bool:
    """Whether two runs have the same ledger to the last argument: the common case, told at once."""
    return history.deeds == baseline.deeds


def numbers_changed(history: History, baseline: History) -> Iterator[Changed]:
    """The clear case: the agent claims success, nobody had lied to it, and an effect of the
    fault-free run, which breaks no law itself, was carried out with another number, or a yes for
    a no."""
    claim, good = history.success, baseline.success is not None and not baseline.breaks
    if claim is None or not good or not not_lied_to(history):
        return
    for commit, want in _pairs(history, baseline):
        if commit.seq < claim.seq:
            yield from _first_change(commit, want, _is_number)


def changed(
    history: History, baseline: History, *, only: tuple[str, ...], ignore: tuple[str, ...]
) -> Iterator[Changed]:
    """The effects of the fault-free run that were carried out with another argument: one of `only`
    these names, or any but those to `ignore` and those that vary."""

    def counts(name: str, value: Json) -> bool:
        return name in only if only else name not in ignore and not varies(name)

    for commit, want in _pairs(history, baseline):
        yield from _first_change(commit, want, counts)


def _is_number(name: str, value: Json) -> bool:
    return isinstance(value, (bool, int, float)) and not varies(name)


def _pairs(
    history: History, baseline: History
) -> Iterator[tuple[Committed, list[Mapping[str, Json]]]]:
    """The effects that stand and are meant by the fault-free run, with its arguments for them. An
    intent without a scope says which is meant only where there is one of it in both runs."""
    gone = undone(history, len(history.events))
    for intent, made in history.effects.items():
        theirs = [one.args for one in baseline.effects.get(intent, ())]
        if theirs and (intent.scope or len(made) == len(theirs) == 1):
            for commit in made:
                if commit.seq not in gone:
                    yield commit, theirs


def _first_change(
    commit: Committed, wanted: list[Mapping[str, Json]], counts: Callable[[str, Json], bool]
) -> Iterator[Changed]:
    """What differs from the nearest of several, if none is the same."""
    differing = [list(differences(commit.args, want, counts)) for want in wanted]
    nearest = min(differing, key=len)
    if nearest:
        yield Changed(commit, *nearest[0])


def differences(
    have: Mapping[str, Json], want: Mapping[str, Json], counts: Callable[[str, Json], bool]
) -> Iterator[tuple[str, Json, Json]]:
    """The arguments that differ, as (name, have, want). Only values that stand at the same place
    in both are compared."""
    for name in want:
        if name != KEY and name in have:
            yield from _within(name, have[name], want[name], counts)


def _within(
    name: str, have: Json, want: Json, counts: Callable[[str, Json], bool]
) -> Iterator[tuple[str, Json, Json]]:
    if isinstance(have, Mapping) and isinstance(want, Mapping) and have.keys() == want.keys():
        for inner in want:
            yield from _within(inner, have[inner], want[inner], counts)
    elif isinstance(have, list) and isinstance(want, list) and len(have) == len(want):
        for mine, its in zip(have, want, strict=True):
            yield from _within(name, mine, its, counts)
    elif not _same(have, want) and counts(name, have) and counts(name, want):
        yield name, have, want


def _same(have: Json, want: Json) -> bool:
    """Whether two values are the same, however they are written: 42, 42.0 and "42"."""
    if have == want or str(have).strip() == str(want).strip():
        return True
    try:
        return math.isclose(float(have), float(want))
    except (TypeError, ValueError):
        return False
