"""The law that a synthesis has all of its parts, or says which are missing (AF703).

Law: a child that never came, failed, or was not asked for has left a hole in what is put together.
What its parts say is others' to judge. Source: CATALOGUE law M3.
"""

import re

from agentfuzz.core.between import HandoffAccepted, HandoffSent, SharedRead, SharedWritten, Waited
from agentfuzz.core.events import Done
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.children import Child, asked_with, begun_for, last_word


@law(codes={"AF703": "A synthesis without all of its parts"}, catalogue="M3")
def joins_all() -> Check:
    """A run that claims success has the result of each of its children, or names it.

    For each child of the leg that claims success for the last time: it returned, and its parent
    asked for what it returned; or its parent read what it had shared, or took over what it handed
    over. Otherwise another child of the same name, begun later or in another leg that is about the
    same request, made up for it, or the claim's detail names it.

    NOT_EXERCISED when that leg began no child, or nothing was said at the end.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        last = last_word(history)
        if last is None:
            return None
        begun = begun_for(history, last)
        if not begun:
            return None
        if last.status != "success":
            return []
        return [
            _violation(child, last)
            for child in begun
            if not _has(history, child, last.seq)
            and not _made_up_for(history, child, begun, last)
            and not _named(child, last.detail)
        ]

    return check


def _has(history: History, child: Child, at: int) -> bool:
    """Whether its parent had what a child brought, however it got it."""
    if child.heard(at):
        return True
    agent, parent = child.spawned.agent, child.spawned.parent
    wrote = [one for one in history.of(SharedWritten) if one.agent == agent]
    sent = {one.handoff for one in history.of(HandoffSent) if one.sender == agent}
    return any(
        read.key == one.key and one.seq < read.seq < at
        for read in history.of(SharedRead)
        if read.agent == parent
        for one in wrote
    ) or any(
        yes.agent == parent and yes.seq < at and yes.handoff in sent
        for yes in history.of(HandoffAccepted)
    )


def _made_up_for(history: History, child: Child, begun: list[Child], last: Done) -> bool:
    """Whether a later one of the same name brought what it did not, or one of another leg that was
    about the same. Children that are begun side by side under one name have parts of their own."""
    given_up = [child.finished.seq] if child.finished is not None else []
    given_up += [one.seq for one in history.of(Waited) if one.on == child.spawned.agent]
    later = [
        other
        for other in begun
        if other.spawned.seq > child.spawned.seq
        if other.spawned.t > child.spawned.t or any(seq < other.spawned.seq for seq in given_up)
    ]
    elsewhere = [other for other in asked_with(history, last) if other not in begun]
    return any(
        other.name == child.name and _has(history, other, last.seq)
        for other in (*later, *elsewhere)
    )


def _named(child: Child, detail: str) -> bool:
    return any(
        re.search(rf"(?<!\w){re.escape(name)}(?!\w)", detail)
        for name in (child.spawned.agent, child.name)
    )


def _violation(child: Child, last: Done) -> Violation:
    name, became = child.spawned.agent, _became(child, last.seq)
    seen = [
        one.seq for one in (child.finished, child.joined) if one is not None and one.seq < last.seq
    ]
    return Violation(
        code="AF703",
        subject=child.name,
        title=titled(f"success without {name}"),
        sentence=(
            f"{name} was begun at {child.spawned.t:g} s and {became}; the answer of {last.t:g} s "
            "claims success and does not name it."
        ),
        says=f"{last.status} ({last.reason})",
        world=f"{name} {became}",
        witness=(child.spawned.seq, *seen, last.seq),
        hint="put together what every child returned; begin a failed one again, or end `partial` "
        "and name what is missing",
    )


def _became(child: Child, at: int) -> str:
    if child.finished is None or child.finished.seq > at:
        return "had not ended"
    if child.finished.how != "returned":
        return child.finished.how if child.finished.how == "raised" else "was cancelled"
    return "returned, and nobody asked for it"
