"""Two desks and one offer: each waits for the other one, or they never agree.

A writer drafts an offer, and a reviewer says which clause is missing; the writer mends it, hands it
over again, and sends it once nothing is missing. When a draft gets lost on its way, the writer
waits for an answer and the reviewer for a draft, for ever. And when the reason gets lost, the
writer has a no and nothing to mend: the same draft, the same no, until somebody sees the bill. What
helps: a deadline for each wait, a reason with each no, and a number of rounds after which people
decide.

Source: Tian Pan, "Why Multi-Agent Systems Break at the Seams: Designing Reliable Handoffs" and "AI
Agent Architecture: What Actually Works in Production" (2026).
Rows: F55 F61 B19.
"""

import asyncio
from collections.abc import Iterable

from agentfuzz import (
    Completion,
    Payload,
    ToolError,
    World,
    at_most_once,
    bounded,
    constraints_survive,
    no_deadlock,
    no_stuck_repeats,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
CLAUSES = ("price", "tax")
PATIENCE = 40.0  # seconds for which an answer is waited for
ROUNDS = 6


@scenario(
    at_most_once(),
    bounded(),
    constraints_survive(),
    no_deadlock(),
    no_stuck_repeats(),
    structured_termination(),
    truthful(),
    task="Send Ann an offer, once the reviewer has nothing against it.",
)
def two_desks(world: World) -> None:
    world.agents("writer", "reviewer")

    @world.tool
    def check(draft: str) -> dict[str, object]:
        """Which clause of an offer is missing; none: an empty text."""
        missing = [clause for clause in CLAUSES if clause not in draft.split()]
        return {"draft": draft, "missing": missing[0] if missing else ""}

    @world.tool(effect="offer", scope=("to",), dedup="key")
    def send_offer(to: str, draft: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Send the offer."""
        return {"offer_id": f"of_{to}"}


async def checked(world: World, draft: str) -> str | None:
    """What a draft lacks, by three attempts."""
    for _ in range(3):
        try:
            reply = await world.tools.aio.check(draft=draft)
        except FAILURES:
            continue
        missing = reply.get("missing") if isinstance(reply, dict) else None
        if missing in ("", *CLAUSES) and reply == {"draft": draft, "missing": missing}:
            return missing
    return None


async def sent(world: World, draft: str) -> Completion:
    """Three attempts with one key, and what is known of them."""
    for _ in range(3):
        key = f"{world.trigger_id}:offer"
        try:
            reply = await world.tools.aio.send_offer(to="ann", draft=draft, idempotency_key=key)
        except FAILURES:
            continue
        if reply == {"offer_id": "of_ann"}:
            return Completion.success(handle="of_ann")
    return Completion.blocked(reason="outcome_unknown", handle="ann")


async def arriving(world: World, patience: float | None):
    """The next handoff that is of its type and for me; the others are rejected."""
    async with asyncio.timeout(patience):
        while True:
            handed = await world.inbox_of(world.agent).next()
            try:
                asked = handed.read()
            except ValueError as error:
                handed.reject(str(error))
                continue
            if asked.owner == world.agent:
                return handed, asked
            handed.reject("not for me")


def hand_over(world: World, to: str, version: int, draft: str, **found: object) -> None:
    carry = {"draft": draft, **found}
    world.handoff(to, Payload(task=f"offer: {draft}", version=version, owner=to, carry=carry))


# The reviewer -------------------------------------------------------------------------------------


async def gives_reasons(world: World) -> None:
    """Says of each draft what is missing, as often as it is asked; looks at nothing twice."""
    seen: set[str] = set()
    known: dict[str, str] = {}
    while True:
        handed, asked = await arriving(world, None)
        draft = asked.carry.get("draft", "")
        if handed.id in seen or not draft or not set(draft.split()) <= set(CLAUSES):
            handed.reject("known, or no draft")
            continue
        seen.add(handed.id)
        found = known.get(draft) or await checked(world, draft)
        if found is None:
            handed.reject("it cannot be checked")
            continue
        handed.accept()
        known[draft] = found
        hand_over(world, "writer", 2, draft, missing=found)


async def as_i_said(world: World) -> None:
    """Gives the reason once."""
    said: set[str] = set()
    while True:
        handed, asked = await arriving(world, None)
        handed.accept()
        draft = asked.carry.get("draft", "")
        missing = await checked(world, draft)
        if missing and draft in said:
            missing = "as I said"
        said.add(draft)
        hand_over(world, "writer", 2, draft, missing=missing)


# The writer ---------------------------------------------------------------------------------------


async def answer(world: World, draft: str, patience: float | None) -> str | None:
    """What the reviewer misses in a draft; None: it has not said."""
    try:
        while True:
            handed, asked = await arriving(world, patience)
            missing = asked.carry.get("missing")
            if asked.carry.get("draft") != draft:
                handed.reject("no answer to this draft")
            elif missing in ("", *CLAUSES):
                handed.accept()
                return missing
            else:
                return handed.reject("no reason")
    except TimeoutError:
        return None


async def agreed(world: World, rounds: Iterable[int], patience: float | None) -> str | None:
    """The draft in which nothing is missing, if some rounds are enough."""
    draft = CLAUSES[0]
    for _ in rounds:
        hand_over(world, "reviewer", 1, draft)
        missing = await answer(world, draft, patience)
        if missing == "":
            return draft
        draft = f"{draft} {missing}" if missing else draft
    return None


async def pair(
    world: World, review=gives_reasons, rounds=range(ROUNDS), patience: float | None = PATIENCE
) -> Completion:
    """Both, side by side, until the writer is through."""

    async def reviews() -> None:
        with world.acting("reviewer"):
            await review(world)

    reviewer = asyncio.create_task(reviews())
    try:
        with world.acting("writer"):
            draft = await agreed(world, rounds, patience)
            if draft is None:
                return Completion.blocked(reason="needs_approval", detail="no agreement")
            return await sent(world, draft)
    finally:
        reviewer.cancel()
        await asyncio.gather(reviewer, return_exceptions=True)


def for_ever() -> Iterable[int]:
    """Rounds without an end."""
    return iter(int, 1)


async def waits_for_the_other(world: World) -> Completion:
    """Victim: an answer will come."""
    return await pair(world, patience=None)


async def until_they_agree(world: World) -> Completion:
    """Victim: a reviewer that says why only once, and a writer that asks until it hears a yes."""
    return await pair(world, review=as_i_said, rounds=for_ever())


async def some_rounds(world: World) -> Completion:
    """Survivor: deadlines, reasons, and after some rounds it is people who decide."""
    return await pair(world)


VICTIMS = {
    waits_for_the_other: ("AF606",),
    until_they_agree: ("AF201", "AF207"),
}
SURVIVORS = (some_rounds,)
