"""How the ledgers of two runs differ: what stands in one and not in the other, and who was told.

Law: intents are counted, whatever their order, their keys or their arguments; an effect that was
taken back for good counts no more, nor does its undo, unless the other run took it back, too. Where
nobody named the scope, one intent stands for another of the same tool: which arguments make the
difference is not known.
Asked by the laws that take another run for their oracle.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agentfuzz.core.events import Committed, Intent
from agentfuzz.core.history import History
from agentfuzz.invariants.queries.requests import Request, requests
from agentfuzz.invariants.queries.undoing import taken_back


class Unequal(NamedTuple):
    """An intent that a tool carried out `have` times in a run, and `want` times in the other."""

    intent: Intent
    tool: str
    have: int
    want: int


class Lack(NamedTuple):
    """An effect of the fault-free run that does not stand, and the request that it was part of."""

    one: Unequal
    request: Request


class Extra(NamedTuple):
    """An effect that the fault-free run does not have, and the requests up to its own."""

    commit: Committed
    requests: list[Request]


class Difference(NamedTuple):
    """How a run differs from the one without faults: what stands more often than there, what it
    lacks, and what it has instead or besides."""

    again: list[Unequal]
    lacks: list[Lack]
    extras: list[Extra]


def unequal(history: History, other: History) -> list[Unequal]:
    """The intents whose effects two runs do not count alike, the other run's first."""
    if history.intents == other.intents:
        return []
    known = vars(history).get("_unequal")
    if known is None or known[0] is not other:
        known = vars(history)["_unequal"] = other, _unequal(history, other)
    unlike: list[Unequal] = known[1]
    return unlike


def _unequal(history: History, other: History) -> list[Unequal]:
    mine, theirs = history.effects, other.effects
    found: list[Unequal] = []
    for intent in {**theirs, **mine}:
        have, want = mine.get(intent, []), theirs.get(intent, [])
        if len(have) != len(want):
            found.append(Unequal(intent, (have or want)[-1].tool, len(have), len(want)))
    return _matched(history, found)


def _matched(history: History, found: list[Unequal]) -> list[Unequal]:
    """What is left when, of each tool whose scope nobody named, so many that are missing are taken
    for so many others."""
    spare: dict[str, int] = {}  # by tool: so many of what is missing another one stands for
    for tool in {one.tool for one in found if history.derived(one.tool)}:
        sums = [one.have - one.want for one in found if one.tool == tool]
        more, less = sum(n for n in sums if n > 0), sum(-n for n in sums if n < 0)
        spare[tool] = min(more, less)
    return list(_paired(found, spare)) if spare else found


def _paired(found: list[Unequal], spare: dict[str, int]) -> Iterator[Unequal]:
    """What is left when of each tool so many that are missing are taken for so many others."""
    left = {sign: dict(spare) for sign in (True, False)}
    for one in found:
        over, rest = one.have > one.want, left[one.have > one.want]
        taken = min(rest.get(one.tool, 0), abs(one.have - one.want))
        if taken:
            rest[one.tool] -= taken
            one = one._replace(have=one.have - taken if over else one.have + taken)
        if one.have != one.want:
            yield one


def standing_unequal(history: History, other: History) -> list[Unequal]:
    """The same of what stands at the end."""
    have: dict[Intent, int] = {}
    for commit in _standing(history, other):
        have[commit.intent] = have.get(commit.intent, 0) + 1
    want = {intent: len(made) for intent, made in other.effects.items()}
    found = [
        Unequal(intent, _tool(intent, other, history), have.get(intent, 0), want.get(intent, 0))
        for intent in {**want, **have}
        if have.get(intent, 0) != want.get(intent, 0)
    ]
    return _matched(history, found)


def difference(history: History, baseline: History) -> Difference:
    """How a run differs from the one without faults. What the scenario lets stand in for something
    else (`instead`) is neither an extra nor lacking, one for one."""
    if not unequal(history, baseline):
        return Difference([], [], [])
    known = vars(history).get("_difference")
    if known is None or known[0] is not baseline or known[1] is not baseline.instead:
        found = _difference(history, baseline)
        known = vars(history)["_difference"] = baseline, baseline.instead, found
    told: Difference = known[2]
    return told


def _difference(history: History, baseline: History) -> Difference:
    differing = standing_unequal(history, baseline)
    lacks = [lack for one in differing for lack in _lacks(history, baseline, one)]
    extra = {one.intent for one in differing if not one.want}
    asked = requests(history)
    extras = [
        Extra(commit, asked[: _place(asked, commit) + 1])
        for commit in _standing(history, baseline)
        if commit.intent in extra
    ]
    for lack in sorted(lacks, key=lambda one: len(baseline.instead.get(one.one.intent.effect, ()))):
        allowed = baseline.instead.get(lack.one.intent.effect, ())
        stand_in = nearest(lack, [one for one in extras if one.commit.intent.effect in allowed])
        if stand_in is not None:
            lacks.remove(lack)
            extras.remove(stand_in)
    again = [one for one in differing if one.have > one.want > 0]
    return Difference(again, lacks, extras)


def unmet(history: History, baseline: History) -> list[Intent]:
    """The intents of the fault-free run that did not happen, although success is claimed for the
    request that they are part of."""
    if history.intents == baseline.intents:  # nearly always
        return []
    lacks = difference(history, baseline).lacks
    return [
        one.intent for one, request in lacks if not one.have and request.answer.claim == "success"
    ]


def nearest(lack: Lack, extras: Iterable[Extra]) -> Extra | None:
    """Of these effects the one that is most about the same thing, the first of several."""
    values = set(map(str, dict(lack.one.intent.scope).values()))

    def shared(one: Extra) -> int:
        return len(values & set(map(str, dict(one.commit.intent.scope).values())))

    return max(extras, key=shared, default=None)


def _standing(history: History, other: History) -> list[Committed]:
    """The ledger of a run without what it took back beyond what the other one takes back, and
    without those undos."""
    undos = taken_back(history)
    if not undos:
        return history.ledger
    planned = Counter(commit.intent for commit in other.ledger)
    have = Counter(commit.intent for commit in history.ledger)
    gone: set[int] = set()
    for undo in undos:
        assert undo.of is not None, "only what there was is taken back"
        if have[undo.commit.intent] > planned[undo.commit.intent]:
            have[undo.commit.intent] -= 1
            gone |= {undo.of.seq, undo.commit.seq}
    return [commit for commit in history.ledger if commit.seq not in gone]


def _lacks(history: History, baseline: History, one: Unequal) -> Iterator[Lack]:
    """An intent that is lacking, for each request that had it without faults and has it no more. A
    request that was never begun lacks nothing."""
    if one.have >= one.want:
        return
    mine, theirs = requests(history), requests(baseline)
    have = [each for each in _standing(history, baseline) if each.intent == one.intent]
    for request, planned in zip(mine, theirs, strict=False):
        done = sum(each.call in request.calls for each in have)
        want = sum(each.call in planned.calls for each in baseline.effects[one.intent])
        if done < want:
            yield Lack(one, request)


def _place(asked: list[Request], commit: Committed) -> int:
    return next((at for at, one in enumerate(asked) if commit.call in one.calls), len(asked) - 1)


def _tool(intent: Intent, *histories: History) -> str:
    made = next(each.effects[intent] for each in histories if intent in each.effects)
    return made[-1].tool
