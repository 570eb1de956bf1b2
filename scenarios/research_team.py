"""A team that searches side by side: what the answer has lost on its way from five agents to one.

Rows: F40 F41 F42 F43 B08.

A lead divides a question into a few parts, begins a searcher for each, puts together what they
found, says where each fact comes from, and has a writer send the report. Any of them may be late,
fail, die, never answer, or be begun twice; two of the sources disagree about the rent, as sources
do; and once the plan says fifty where five was meant. Nothing of it raises an error: there is a
report in the end, it reads well, and a part, a number or a source is missing, or it was sent twice.
What helps is dull: a limit, a deadline for each part, one more attempt under the same name, what is
missing said, values kept with their sources, and one writer at a time.

Source: Tian Pan, "Building a Multi-Agent Research System" (2026).
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from agentfuzz import (
    Completion,
    ToolError,
    World,
    at_most_once,
    claims_have_sources,
    conflicts_kept,
    disjoint,
    fan_out,
    joins_all,
    scenario,
    structured_termination,
    truthful,
)

TITLE = "An office in Lisbon"
PLACES = {  # where to look, and what is to be found there
    "registry": ("rent", 900),
    "portal": ("rent", 950),
    "city": ("tax", 34),
    "utility": ("heating", 60),
    "broker": ("deposit", 1800),
}
LIMIT = 5
FAULTS = (TimeoutError, ConnectionError, ToolError, LookupError)
PATIENCE = 150.0  # seconds for which a child is waited for


class Finding(NamedTuple):
    """What a searcher brings back."""

    item: str
    value: int
    source: str


Facts = dict[str, tuple[object, list[str]]]  # by item: its value, or values, and their sources


@scenario(
    disjoint(),
    fan_out(limit=LIMIT),
    joins_all(),
    conflicts_kept(),
    claims_have_sources(),
    at_most_once(),
    structured_termination(),
    truthful(),
    task="What does an office in Lisbon cost? Send a report, with sources.",
    max_crossings=200,
)
def research_team(world: World) -> None:
    @world.tool
    def outline() -> dict[str, object]:
        """How many parts the question has."""
        return {"parts": len(PLACES)}

    @world.tool
    def search(place: str) -> dict[str, object]:
        """Look in one place."""
        item, value = PLACES[place]
        return {"id": f"doc-{place}", "item": item, "value": value}

    @world.tool(effect="report", scope=("title",), dedup="key")
    def send_report(
        title: str, facts: dict, idempotency_key: str | None = None
    ) -> dict[str, object]:
        """Send the report."""
        return {"sent": title}


async def searcher(world: World, place: str) -> Finding:
    """Three attempts at one place; what is found is claimed with the id of its document."""
    for _ in range(3):
        try:
            reply = await world.tools.aio.search(place=place)
        except FAULTS:
            continue
        found = reply if isinstance(reply, dict) else {}
        item, value, source = (found.get(name) for name in ("item", "value", "id"))
        if item == PLACES[place][0] and type(value) is int and isinstance(source, str) and source:
            world.claim(item, value, [source])
            return Finding(item, value, source)
    raise LookupError(f"nothing was found in {place}")


async def writer(world: World, facts: Facts) -> bool:
    """Three attempts at the report, under one key; whether its receipt came."""
    said = {item: {"value": value, "sources": sources} for item, (value, sources) in facts.items()}
    for _ in range(3):
        try:
            key = f"{world.trigger_id}:report"
            reply = await world.tools.aio.send_report(TITLE, said, idempotency_key=key)
        except FAULTS:
            continue
        if reply == {"sent": TITLE}:
            return True
    return False


async def within(world: World, name: str, work, *args):
    """A child's result, in time; who is not waited for any more is stopped."""
    child = world.spawn(name, work, world, *args)
    try:
        return await asyncio.wait_for(child, PATIENCE)
    finally:
        child.cancel()


async def once_more(world: World, name: str, work, *args):
    """The same, and one more attempt. Raises what the second one raised."""
    try:
        return await within(world, name, work, *args)
    except FAULTS:
        return await within(world, name, work, *args)


# What a lead decides: how many parts, who searches them, what they add up to, who writes ----------


async def bounded(world: World) -> list[str]:
    """The parts of the plan, as far as there are places to look in; all, if it says nothing."""
    try:
        said = (await world.tools.aio.outline())["parts"]
    except (*FAULTS, TypeError):
        said = None
    known = list(PLACES)
    return known[: max(said, 3)] if type(said) is int else known


async def as_planned(world: World) -> list[str]:
    """As many parts as the plan has; when the places are used up, from the first one again."""
    said = (await world.tools.aio.outline())["parts"]
    return [list(PLACES)[number % len(PLACES)] for number in range(said)]


async def behind_a_limit(world: World, places: Sequence[str]) -> tuple[list[Finding], list[str]]:
    """What was found, and in which places nothing was: three at a time, each once more."""
    room = asyncio.Semaphore(3)

    async def one(place: str) -> Finding:
        async with room:
            return await once_more(world, place, searcher, place)

    return sorted_out(places, await asyncio.gather(*map(one, places), return_exceptions=True))


async def all_at_once(world: World, places: Sequence[str]) -> tuple[list[Finding], list[str]]:
    """The same, each once more, and nobody waits for a place."""
    each = [once_more(world, place, searcher, place) for place in places]
    return sorted_out(places, await asyncio.gather(*each, return_exceptions=True))


async def what_came(world: World, places: Sequence[str]) -> tuple[list[Finding], list[str]]:
    """The findings of those who found something."""
    found, _ = await behind_a_limit(world, places)
    return found, []


async def filled_in(world: World, places: Sequence[str]) -> tuple[list[Finding], list[str]]:
    """The same, and what everybody knows where nothing was found."""
    found, missing = await behind_a_limit(world, places)
    return [*found, *(Finding(*PLACES[place], "general knowledge") for place in missing)], []


def sorted_out(places: Sequence[str], ends: Sequence) -> tuple[list[Finding], list[str]]:
    """The findings, and the places without one."""
    found = [end for end in ends if isinstance(end, Finding)]
    return found, [p for p, end in zip(places, ends, strict=True) if not isinstance(end, Finding)]


def each_value(found: Sequence[Finding]) -> Facts:
    """Every value of an item, with the documents that have it."""
    facts: Facts = {}
    for item in dict.fromkeys(one.item for one in found):
        values = list(dict.fromkeys(one.value for one in found if one.item == item))
        sources = [one.source for one in found if one.item == item]
        facts[item] = (values[0] if len(values) == 1 else values, sources)
    return facts


def last_value(found: Sequence[Finding]) -> Facts:
    """One value by its name."""
    return {one.item: (one.value, [one.source]) for one in found}


def footnotes(found: Sequence[Finding]) -> Facts:
    """Every value of an item, and a number that looks like a source."""
    facts = each_value(found).items()
    return {item: (value, [f"[{n}]"]) for n, (item, (value, _)) in enumerate(facts, 1)}


async def one_at_a_time(world: World, facts: Facts) -> bool:
    """The report is one writer's, and once more another one's, when the first has stopped."""
    try:
        return await once_more(world, "writer", writer, facts)
    except FAULTS:
        return False


async def impatient(world: World, facts: Facts) -> bool:
    """After forty seconds another writer begins; the first one is still at it."""
    for _ in range(2):
        try:
            return await asyncio.wait_for(world.spawn("writer", writer, world, facts), 40)
        except FAULTS:
            continue
    return False


async def team(
    world: World,
    plan=bounded,
    collect=behind_a_limit,
    add_up=each_value,
    write=one_at_a_time,
) -> Completion:
    """From the question to the report; what is missing is said."""
    with world.acting("lead"):
        found, missing = await collect(world, await plan(world))
        facts = add_up(found)
        for item, (value, sources) in facts.items():
            world.claim(item, value, sources)
        if not await write(world, facts):
            return Completion.blocked(reason="outcome_unknown", handle=TITLE)
    if missing:
        words = f"nothing from {', '.join(missing)}"
        return Completion.partial(reason="unverified", handle=TITLE, detail=words)
    return Completion.success(handle=TITLE)


async def fifty(world: World) -> Completion:
    """Victim: begins whatever the plan says, at once."""
    return await team(world, plan=as_planned, collect=all_at_once)


async def leaves_out(world: World) -> Completion:
    """Victim: who found nothing is not spoken of."""
    return await team(world, collect=what_came)


async def improvises(world: World) -> Completion:
    """Victim: where a search is down it knows an answer all the same."""
    return await team(world, collect=filled_in)


async def one_rent(world: World) -> Completion:
    """Victim: the value that came last has written over the first."""
    return await team(world, add_up=last_value)


async def cites_afterwards(world: World) -> Completion:
    """Victim: numbers its sources when the text is done."""
    return await team(world, add_up=footnotes)


async def two_writers(world: World) -> Completion:
    """Victim: begins another writer, and does not stop the first."""
    return await team(world, write=impatient)


async def keeps_it_all(world: World) -> Completion:
    """Survivor: a limit, a deadline, one more attempt, both rents, each source, one writer."""
    return await team(world)


VICTIMS = {
    two_writers: ("AF701",),
    fifty: ("AF702",),
    leaves_out: ("AF703",),
    improvises: ("AF706",),
    one_rent: ("AF705",),
    cites_afterwards: ("AF706",),
}
SURVIVORS = (keeps_it_all,)
