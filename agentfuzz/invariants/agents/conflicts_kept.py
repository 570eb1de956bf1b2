"""The law that a contradiction between sources is kept (AF705).

Law: where two children found different values, whoever puts them together says both, or says that
they differ; which of them is right nobody judges here. Source: CATALOGUE law M5.
"""

import re
from collections.abc import Iterator, Mapping

from agentfuzz.core.between import Claimed
from agentfuzz.core.codec import dump
from agentfuzz.core.events import Done, Json
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.children import begun_for, children, last_word

Sides = dict[str, list[Claimed]]  # what children found of one item, by value


@law(codes={"AF705": "A contradiction between sources was dropped"}, catalogue="M5")
def conflicts_kept() -> Check:
    """A success says so where two children claimed different values of one item.

    Asked of the children of one parent, and of the leg that says it, whose results it had got, each
    with the one value that it claimed. The parent's last claim of the item, or where it made none
    the answer or handle that names the item, uses one of the values; then it holds the others as
    well, or its sources name those who found them, or theirs. Another claim of the item, or the
    detail of the completion, may say it, too.

    NOT_EXERCISED when no two children disagreed, or nothing was said at the end.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        last = last_word(history)
        if last is None:
            return None
        conflicts = list(_conflicts(history, last))
        if not conflicts:
            return None
        if last.status != "success":
            return []
        return [
            _violation(item, sides, claim, last)
            for parent, item, sides in conflicts
            for claim in [_silent(history, parent, item, sides, last)]
            if claim is not None
        ]

    return check


def _conflicts(history: History, last: Done) -> Iterator[tuple[str, str, Sides]]:
    """What the children of one parent disagreed about, as far as it could know."""
    found: dict[tuple[str, str], Sides] = {}
    for child in begun_for(history, last):
        if not child.heard(last.seq) or child.joined is None:
            continue
        own: dict[str, Sides] = {}
        for claim in history.of(Claimed):
            begun, heard = child.spawned.seq, child.joined.seq
            if claim.agent == child.spawned.agent and begun < claim.seq < heard:
                own.setdefault(claim.item, {}).setdefault(_key(claim.value), []).append(claim)
        for item, sides in own.items():
            if len(sides) == 1:  # of two values nobody knows by which one it stands
                for key, claims in sides.items():
                    known = found.setdefault((child.spawned.parent, item), {})
                    known.setdefault(key, []).extend(claims)
    for (parent, item), sides in found.items():
        if len(sides) > 1:
            yield parent, item, sides


def _silent(
    history: History, parent: str, item: str, sides: Sides, last: Done
) -> Claimed | Done | None:
    """Where one of the values is used as if there were no other, if anywhere."""
    if re.search(rf"(?<!\w){re.escape(item)}(?!\w)", last.detail, re.IGNORECASE):
        return None
    ours = {claim.seq for claims in sides.values() for claim in claims}
    told = [
        claim
        for claim in history.of(Claimed)
        if claim.item == item and min(ours) < claim.seq < last.seq and claim.seq not in ours
    ]
    given = {child.spawned.agent: child.name for child in children(history)}
    if any(_keeps(claim.value, claim.sources, sides, given) for claim in told):
        return None
    own = [claim for claim in told if claim.agent == parent]
    if own:
        return own[-1] if _uses(own[-1].value, sides) else None
    said = list(_said(history, item, last))
    return last if _uses(said, sides) and not _keeps(said, (), sides, given) else None


def _said(history: History, item: str, last: Done) -> Iterator[Json]:
    """What the answer and the handle say of an item, where they name it."""
    if isinstance(last.handle, str) and re.search(rf"(?<!\w){re.escape(item)}(?!\w)", last.handle):
        yield last.handle
    if history.ended is not None:
        yield from _entries(history.ended.value, item)


def _entries(value: Json, item: str) -> Iterator[Json]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from [inner] if name == item else _entries(inner, item)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _entries(inner, item)


def _uses(value: Json, sides: Sides) -> bool:
    return any(_holds(value, claims[0].value) for claims in sides.values())


def _keeps(value: Json, sources: tuple[str, ...], sides: Sides, given: Mapping[str, str]) -> bool:
    """Whether each of the values is held, or who found it is named, or what it rests on alone."""
    for key, claims in sides.items():
        others = {one for k, c in sides.items() if k != key for claim in c for one in claim.sources}
        theirs = {one for claim in claims for one in claim.sources} - others
        agents = {claim.agent for claim in claims}
        names = theirs | agents | {given[agent] for agent in agents}
        if not _holds(value, claims[0].value) and not names & set(sources):
            return False
    return True


def _key(value: Json) -> str:
    """Equal for what is the same value: case, blanks and 4.0 for 4 make no other one."""
    if isinstance(value, str):
        return dump(" ".join(value.split()).casefold())
    if isinstance(value, float) and value.is_integer():
        return dump(int(value))
    return dump(value)


def _holds(whole: Json, part: Json) -> bool:
    if _key(whole) == _key(part):
        return True
    if isinstance(whole, Mapping):
        return any(_holds(value, part) for value in whole.values())
    if isinstance(whole, (list, tuple)):
        return any(_holds(value, part) for value in whole)
    if not isinstance(whole, str) or isinstance(part, bool):
        return False
    if not isinstance(part, (str, int, float)) or not str(part).strip():
        return False
    number = rf"(?<!\w)(?<!\d\.){re.escape(str(part).strip())}(?!\w|\.\d)"
    return re.search(number, whole, re.IGNORECASE) is not None


def _violation(item: str, sides: Sides, where: Claimed | Done, last: Done) -> Violation:
    values = " and ".join(
        f"{claims[0].agent} found {_short(claims[0].value)}" for claims in sides.values()
    )
    tells = (
        f"{where.agent or 'their parent'} claims" if type(where) is Claimed else "the answer has"
    )
    witness = {claims[0].seq for claims in sides.values()} | {where.seq}
    return Violation(
        code="AF705",
        subject=item,
        title=titled(f"{item}: {len(sides)} values, one told"),
        sentence=f"Of {item} {values}; {tells} one of them, and the run says success.",
        says=f"{item} is known",
        world=values,
        witness=(*sorted(witness - {last.seq}), last.seq),
        hint="keep each value with its source, and say in the answer where they differ",
    )


def _short(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
