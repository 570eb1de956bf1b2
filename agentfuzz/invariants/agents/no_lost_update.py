"""The law that nobody writes over what it has not read (AF704).

Law: an update rests on what was read; what another agent wrote in between is gone. Source:
CATALOGUE law M4.
"""

from collections.abc import Iterator
from itertools import groupby

from agentfuzz.core.between import SharedRead, SharedWritten
from agentfuzz.core.events import Event
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law


@law(codes={"AF704": "An update was lost"}, catalogue="M4")
def no_lost_update() -> Check:
    """Who updates a shared value has read its latest version.

    A write that goes by an older version than the last one overwrites what was written in between,
    unless the same agent wrote that itself. Equal values are no excuse: of two that count to one,
    one is lost. A write by an agent that never read the value updates nothing: it sets it.

    NOT_EXERCISED when no value was written by two agents.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        by_key = sorted(history.of(SharedWritten), key=lambda one: one.key)
        found, exercised = [], False
        for _, group in groupby(by_key, key=lambda one: one.key):
            writes = list(group)
            exercised = exercised or len({one.agent for one in writes}) > 1
            found += list(_lost(history, writes))
        return sorted(found, key=lambda one: one.witness[-1]) if exercised else None

    return check


def _lost(history: History, writes: list[SharedWritten]) -> Iterator[Violation]:
    for at, write in enumerate(writes):
        others = [
            one for one in writes[:at] if one.version > write.based_on and one.agent != write.agent
        ]
        basis = _basis(history, write) if others and not write.checked else None
        if basis is not None:
            yield _violation(basis, others[-1], write)


def _basis(history: History, write: SharedWritten) -> Event | None:
    """What an agent knew of a value when it wrote it, if it has ever read it."""
    known = [
        one
        for one in history.events[: write.seq]
        if isinstance(one, SharedRead | SharedWritten)
        if one.agent == write.agent and one.key == write.key
    ]
    if not any(type(one) is SharedRead for one in known):
        return None
    based = [one for one in known if one.version == write.based_on]
    return based[-1] if based else None


def _violation(basis: Event, lost: SharedWritten, write: SharedWritten) -> Violation:
    key, agent, other = write.key, write.agent or "their parent", lost.agent or "their parent"
    knew = "read" if type(basis) is SharedRead else "wrote"
    return Violation(
        code="AF704",
        subject=key,
        title=titled(f"{key}: version {lost.version} lost"),
        sentence=(
            f"{agent} {knew} version {write.based_on} of {key} at {basis.t:g} s; {other} wrote "
            f"version {lost.version} at {lost.t:g} s; {agent} wrote version {write.version} from "
            f"version {write.based_on} at {write.t:g} s: what {other} wrote is gone."
        ),
        says=f"{agent} goes by version {write.based_on}",
        world=f"{other} had written version {lost.version}",
        witness=(basis.seq, lost.seq, write.seq),
        hint=f"write with `if_version=`, and read {key} again when that is refused",
    )
