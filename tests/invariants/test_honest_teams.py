"""Honest teams of many shapes, and all laws of several agents: not one is accused."""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from agentfuzz import (
    Completion,
    StaleWrite,
    ToolError,
    World,
    claims_have_sources,
    conflicts_kept,
    disjoint,
    fan_out,
    joins_all,
    no_lost_update,
    scenario,
)
from agentfuzz.search.space import Space
from search.support import hunt, shown

FAULTS = (TimeoutError, ConnectionError, ToolError, LookupError)
UNKNOWN = Completion.blocked(reason="outcome_unknown")
PLACES = ("east", "west")


@scenario(
    disjoint(),
    fan_out(limit=2),
    joins_all(),
    no_lost_update(),
    conflicts_kept(),
    claims_have_sources(),
    task="What is the rent? File it.",
)
def rents(world: World) -> None:
    @world.tool
    def find(place: str) -> dict:
        return {"id": f"doc-{place}", "rent": 900 if place == "east" else 950}

    @world.tool(effect="note", scope=("item",), dedup="key")
    def file_note(item: str, values: list, idempotency_key: str | None = None) -> str:
        return f"filed {item}"


def claimed(world: World, found: dict) -> tuple[int, str]:
    """A reply as a value and its document, and a claim of it. Raises LookupError."""
    try:
        rent, source = found["rent"], found["id"]
    except (TypeError, KeyError) as error:
        raise LookupError("no such reply") from error
    if type(rent) is not int or not isinstance(source, str) or not source:
        raise LookupError("no such rent")
    world.claim("rent", rent, [source])
    return rent, source


def look(world: World, place: str) -> tuple[int, str]:
    """Two attempts; the value and its document."""
    for _ in range(2):
        with suppress(*FAULTS):
            return claimed(world, world.tools.find(place=place))
    raise LookupError(place)


async def alook(world: World, place: str) -> tuple[int, str]:
    """The same, for async children."""
    for _ in range(2):
        with suppress(*FAULTS):
            return claimed(world, await world.tools.aio.find(place=place))
    raise LookupError(place)


NOTE = {"item": "rent", "idempotency_key": "rent"}


def note(world: World, values: list) -> bool:
    """Three attempts under one key."""
    for _ in range(3):
        with suppress(*FAULTS):
            if world.tools.file_note(values=values, **NOTE) == "filed rent":
                return True
    return False


async def anote(world: World, values: list) -> bool:
    """The same, for async agents."""
    for _ in range(3):
        with suppress(*FAULTS):
            if await world.tools.aio.file_note(values=values, **NOTE) == "filed rent":
                return True
    return False


def added_up(world: World, found: list[tuple[int, str]]) -> list[int]:
    """Every value, claimed with every source."""
    values = sorted({rent for rent, _ in found})
    if found:
        world.claim("rent", values, [source for _, source in found])
    return values


def ended(filed: bool, missing: list[str]) -> Completion:
    """What is certain, and what is missing."""
    if not filed:
        return UNKNOWN
    return Completion.partial(detail=f"without {missing}") if missing else Completion.success()


def one_after_the_other(world: World) -> Completion:
    """Sync children, each once more."""
    found, missing = [], []
    for place in PLACES:
        for _ in range(2):
            try:
                found.append(world.spawn(place, look, world, place).result())
                break
            except FAULTS:
                continue
        else:
            missing.append(place)
    return ended(note(world, added_up(world, found)), missing)


def blackboard(world: World) -> Completion:
    """Children write what they found where their parent looks; nobody asks for a result."""

    def write(world: World, place: str) -> None:
        world.shared[place] = look(world, place)

    for place in PLACES:
        world.spawn(place, write, world, place)
    found = [tuple(world.shared[place]) for place in PLACES if place in world.shared]
    missing = [place for place in PLACES if place not in world.shared]
    return ended(note(world, added_up(world, found)), missing)


def one_board(world: World) -> Completion:
    """They write into one value, over the version that they read."""

    def write(world: World, place: str) -> None:
        one = look(world, place)
        for _ in range(3):
            known, version = world.shared.read("board")
            try:
                world.shared.write("board", {**(known or {}), place: one}, if_version=version)
            except StaleWrite:
                continue
            return

    for place in PLACES:
        world.spawn(place, write, world, place)
    board = world.shared.read("board")[0] or {}
    missing = [place for place in PLACES if place not in board]
    found = [tuple(one) for one in board.values()]
    return ended(note(world, added_up(world, found)), missing)


def hands_over(world: World) -> Completion:
    """A searcher hands what it found to a clerk, who alone files it."""
    with world.acting("searcher"):
        try:
            found = [look(world, place) for place in PLACES]
        except LookupError:
            return Completion.failed()
        sent = {"task": "rent", "version": 1, "rents": [list(one) for one in found]}
        world.handoff("clerk", sent)
    with world.acting("clerk"):
        try:
            got = world.inbox_of("clerk").receive(60)
        except TimeoutError:
            return UNKNOWN
        if got.payload != sent:
            got.reject("not what was sent")
            return Completion.failed()
        got.accept()
        filed = note(world, sorted({rent for rent, _ in found}))
    return Completion.success() if filed else UNKNOWN


def falls_back(world: World) -> Completion:
    """Another agent begins when the first one was refused, and only then."""
    for agent in ("first", "second"):
        with world.acting(agent):
            try:
                reply = world.tools.file_note(values=[900], **NOTE)
                return Completion.success() if reply == "filed rent" else UNKNOWN
            except ToolError:
                continue
            except FAULTS:
                return UNKNOWN
    return Completion.failed()


async def side_by_side(world: World) -> Completion:
    """Async children with a deadline each; a substitute when one has been stopped."""

    async def work(world: World, place: str) -> tuple[int, str]:
        await asyncio.sleep(1)
        return await alook(world, place)

    async def one(place: str) -> tuple[int, str] | None:
        for _ in range(2):
            child = world.spawn(place, work, world, place)
            try:
                return await asyncio.wait_for(child, 100)
            except FAULTS:
                child.cancel()
                await asyncio.sleep(0)
        return None

    ends = await asyncio.gather(*map(one, PLACES))
    missing = [place for place, end in zip(PLACES, ends, strict=True) if end is None]
    values = added_up(world, [end for end in ends if end is not None])
    return ended(await anote(world, values), missing)


async def a_third_one_decides(world: World) -> Completion:
    """Where two disagree another one looks; the answer has one value, and cites all."""

    found = []
    for name, place in (("a", "east"), ("b", "west"), ("c", "east")):
        if len({rent for rent, _ in found}) == 1 and len(found) == 2:
            break
        try:
            found.append(await asyncio.wait_for(world.spawn(name, alook, world, place), 100))
        except FAULTS:
            return Completion.failed()
    rents = [rent for rent, _ in found]
    best = max(dict.fromkeys(rents), key=rents.count)
    world.claim("rent", best, ["a", "b", "c"][: len(found)])
    return ended(await anote(world, [best]), [])


def remembers(world: World) -> Completion:
    """What was found is saved; a new process goes on from there, and files it itself."""
    found = world.store.setdefault("found", {})
    for place in PLACES:
        if place not in found:
            time.sleep(1)
            try:
                one = world.spawn(place, look, world, place).result()
            except FAULTS:
                return Completion.failed()
            found = world.store["found"] = {**found, place: one}
    clerk = world.spawn("clerk", note, world, sorted({one[0] for one in found.values()}))
    try:
        return Completion.success() if clerk.result() else UNKNOWN
    except FAULTS:
        return UNKNOWN


HONEST = (
    one_after_the_other,
    blackboard,
    one_board,
    hands_over,
    falls_back,
    side_by_side,
    a_third_one_decides,
    remembers,
)


@pytest.mark.parametrize("agent", HONEST, ids=lambda one: one.__name__)
def test_not_one_is_accused(agent, simulation):
    """Under every fault, and when its process dies, or the trigger comes twice."""
    story = replace(rents, resume=True)
    room = Space(faults=("crash", "duplicate_trigger"))
    result = hunt(story, agent, simulation, space=room, depth=1, deep_runs=20)
    assert shown(result) == []
