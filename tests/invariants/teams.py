"""Steps of histories with several agents: `tell(acts("a"), sends("b"), gets(), accepts(), ...)`.

Law: as in `histories`; a step about a handoff is about the latest one, unless `of` names its
number. Called by the tests of the laws of handoffs and of agents.
"""

from collections.abc import Mapping
from typing import Any

from agentfuzz.core.between import (
    Acts,
    Claimed,
    Finished,
    HandoffAccepted,
    HandoffReceived,
    HandoffRejected,
    HandoffSent,
    Joined,
    SharedRead,
    SharedWritten,
    Spawned,
    Waited,
    Waits,
)
from agentfuzz.core.faults import Slot
from invariants.histories import Step, Story


def acting(story: Story) -> str:
    """Who acts now."""
    said = story.of(Acts)
    return said[-1].agent if said else ""


def acts(agent: str) -> Step:
    """From here on this agent acts."""
    return lambda story: story.add(Acts, agent)


def payload(task: str = "t", version: int = 1, **fields: Any) -> dict[str, Any]:
    """A payload as `agentfuzz.Payload` writes it."""
    empty = {"carry": {}, "claims": [], "effects": [], "questions": [], "text": "", "owner": ""}
    return {"task": task, "version": version, **empty, **fields}


def sends(to: str, task: str = "t", version: int = 1, **fields: Any) -> Step:
    """Whoever acts hands a task over; the fields are those of the payload."""

    def step(story: Story) -> None:
        number = len(story.of(HandoffSent)) + 1
        nth = 1 + sum(sent.to == to for sent in story.of(HandoffSent))
        body = payload(task, version, **fields)
        slot = Slot("handoff", to, nth)
        named = (f"handoff_{number}", slot, acting(story), to, task, version)
        story.add(HandoffSent, *named, body, body["carry"])

    return step


def _sent(story: Story, of: int | None) -> HandoffSent:
    found: HandoffSent = story.of(HandoffSent)[-1 if of is None else of - 1]
    return found


def gets(agent: str = "", *, of: int | None = None, problem: str = "", body: Any = None) -> Step:
    """A handoff arrives: at whom it is for, unless another agent is named; as it was sent, unless
    another `body` is given."""

    def step(story: Story) -> None:
        sent = _sent(story, of)
        nth = 1 + sum(one.handoff == sent.handoff for one in story.of(HandoffReceived))
        arrived = sent.payload if body is None else body
        version = arrived.get("version", 0) if isinstance(arrived, dict) else 0
        who = agent or sent.to
        story.add(HandoffReceived, sent.handoff, nth, who, version, arrived, problem)

    return step


def _last(story: Story, of: int | None) -> HandoffReceived:
    handoff = _sent(story, of).handoff
    return [one for one in story.of(HandoffReceived) if one.handoff == handoff][-1]


def accepts(*, of: int | None = None, carry: Mapping[str, Any] | None = None) -> Step:
    """The last arrival of a handoff is accepted."""

    def step(story: Story) -> None:
        got = _last(story, of)
        found = got.payload.get("carry", {}) if isinstance(got.payload, dict) else {}
        held = found if carry is None else dict(carry)
        story.add(HandoffAccepted, got.handoff, got.nth, got.agent, held)

    return step


def rejects(reason: str = "no", *, of: int | None = None) -> Step:
    """The last arrival of a handoff is rejected."""

    def step(story: Story) -> None:
        got = _last(story, of)
        story.add(HandoffRejected, got.handoff, got.nth, got.agent, reason)

    return step


def spawns(agent: str, parent: str = "") -> Step:
    """A child begins."""

    def step(story: Story) -> None:
        nth = 1 + sum(one.slot.name == agent for one in story.of(Spawned))
        story.add(Spawned, agent, parent or acting(story), Slot("child", agent, nth))

    return step


def finishes(agent: str, how: str = "returned", value: Any = None) -> Step:
    """A child ends."""
    return lambda story: story.add(Finished, agent, how, value)


def joins(agent: str, parent: str = "", how: str = "returned") -> Step:
    """Its parent learns of it."""
    return lambda story: story.add(Joined, agent, parent or acting(story), how)


def waits_for(on: str, agent: str = "", what: str = "handoff") -> Step:
    """An agent begins to wait for another one."""
    return lambda story: story.add(Waits, agent or acting(story), on, what)


def waited(on: str, agent: str = "", what: str = "handoff", how: str = "came") -> Step:
    """Its wait is over."""
    return lambda story: story.add(Waited, agent or acting(story), on, what, how)


def reads(key: str, version: int, value: Any = None, agent: str = "") -> Step:
    """A shared value is read."""
    return lambda story: story.add(SharedRead, agent or acting(story), key, version, value)


def writes(
    key: str,
    based_on: int,
    version: int,
    value: Any = None,
    agent: str = "",
    *,
    checked: bool = False,
) -> Step:
    """A shared value is written."""
    facts = (key, based_on, version, value, checked)
    return lambda story: story.add(SharedWritten, agent or acting(story), *facts)


def claims(item: str, value: Any, *sources: str, agent: str = "") -> Step:
    """A fact is stated."""
    return lambda story: story.add(Claimed, agent or acting(story), item, value, sources)
