"""The law that each claim rests on something that was there before it (AF706).

Law: a source is a name that leads somewhere: to a call, an effect, a text that an agent was given,
another claim, another agent. Whether it says what is claimed nobody judges here. Source: CATALOGUE
law M6.
"""

import re
from collections.abc import Iterator, Mapping

from agentfuzz.core.between import (
    Acts,
    Claimed,
    Finished,
    HandoffReceived,
    SharedRead,
    Spawned,
)
from agentfuzz.core.events import Called, Committed, Json, Messaged, ModelInput, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law


@law(codes={"AF706": "A claim without a source"}, catalogue="M6")
def claims_have_sources() -> Check:
    """Each claim has a source, and each of its sources leads to something that was there before.

    That is: the id of a call (its own, or the model's), of an effect; a name that occurs in a
    reply, in what another agent handed over, shared or returned, or in what the user or a model was
    told; an item that was claimed before, of another agent also by its source; another agent.

    NOT_EXERCISED when nothing was claimed.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        claims = history.of(Claimed)
        if not claims:
            return None
        return [
            _violation(claim, lost)
            for claim in claims
            for lost in [[one for one in claim.sources if not _leads(history, claim, one)]]
            if lost or not claim.sources
        ]

    return check


def _leads(history: History, claim: Claimed, source: str) -> bool:
    if not source.strip():
        return False
    if source in _names(history, claim):
        return True
    word = re.compile(rf"(?<!\w){re.escape(source)}(?!\w)")
    return any(word.search(text) for told in _told(history, claim.seq) for text in _texts(told))


def _names(history: History, claim: Claimed) -> Iterator[str | None]:
    """Names of their own that were there before a claim."""
    for call in history.of(Called):
        if call.seq < claim.seq:
            yield from (call.call, call.asked)
    yield from (one.effect_id for one in history.of(Committed) if one.seq < claim.seq)
    for other in history.of(Claimed):
        if other.seq < claim.seq and other.agent != claim.agent:
            yield from (other.item, *other.sources)
        elif other.seq < claim.seq and other.item != claim.item:
            yield other.item
    agents = {one.agent for one in history.of(Acts)} | {one.agent for one in history.of(Spawned)}
    yield from agents - {claim.agent, ""}


def _told(history: History, before: int) -> Iterator[Json]:
    """What any agent had been told before an event, and the run was given."""
    yield dict(history.data)
    yield from (one.body for one in history.of(Replied) if one.seq < before)
    yield from (one.payload for one in history.of(HandoffReceived) if one.seq < before)
    yield from (one.value for one in history.of(SharedRead) if one.seq < before)
    yield from (one.value for one in history.of(Finished) if one.seq < before)
    yield from (one.text for one in history.of(Messaged) if one.seq < before)
    for shown in history.of(ModelInput):
        if shown.seq < before:
            yield [one.text for one in shown.messages if one.role != "assistant"]


def _texts(told: Json) -> Iterator[str]:
    if isinstance(told, Mapping):
        for name, value in told.items():
            yield str(name)
            yield from _texts(value)
    elif isinstance(told, (list, tuple)):
        for value in told:
            yield from _texts(value)
    elif told is not None and not isinstance(told, bool):
        yield str(told)


def _violation(claim: Claimed, lost: list[str]) -> Violation:
    agent = claim.agent or "an agent"
    says = ", ".join(lost)
    why = f"rests on {says}, which leads nowhere" if says.strip() else "names no source"
    return Violation(
        code="AF706",
        subject=claim.item,
        title=titled(f"{claim.item}: no source"),
        sentence=f"What {agent} claims of {claim.item} at {claim.t:g} s {why}.",
        says=f"{claim.item} was found",
        world=why,
        witness=(claim.seq,),
        hint="pass the id of a result on together with what was found in it, and leave out a "
        "finding whose source is lost",
    )
