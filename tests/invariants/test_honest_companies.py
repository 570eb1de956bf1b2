"""Honest companies of many shapes, and all laws of handoffs and of agents: not one is accused, and
a bug in one of them is.

Each is written twice: as it should be, and with one thing left out (`wrong`), whose finding names
the fault that it takes.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from agentfuzz import (
    Completion,
    Payload,
    StaleWrite,
    ToolError,
    World,
    at_most_once,
    claims_have_sources,
    conflicts_kept,
    constraints_survive,
    disjoint,
    evidence_resolves,
    joins_all,
    latest_version,
    ledger_crosses,
    no_deadlock,
    no_lost_update,
    scenario,
    truthful,
)
from agentfuzz.search.space import Space
from search.support import hunt, shown

FAULTS = (TimeoutError, ConnectionError, ToolError, LookupError)
UNKNOWN = Completion.blocked(reason="outcome_unknown")
DONE = Completion.success(handle="A17")
JOBS = ("A17", "B18", "C19")


@scenario(
    at_most_once("refund"),
    truthful(),
    latest_version(),
    evidence_resolves(),
    ledger_crosses(),
    no_deadlock(),
    constraints_survive(),
    disjoint(),
    joins_all(),
    no_lost_update(),
    conflicts_kept(),
    claims_have_sources(),
    task="Refund.",
)
def company(world: World) -> None:
    @world.tool(effect="refund", scope=("order",), dedup="key")
    def refund(order: str, idempotency_key: str) -> dict:
        return {"refund_id": f"re_{order}"}


def pays(world: World, order: str, key: str = "") -> bool:
    """Four times, with one key."""
    for _ in range(4):
        try:
            reply = world.tools.refund(order=order, idempotency_key=key or order)
        except FAULTS:
            continue
        if reply == {"refund_id": f"re_{order}"}:
            return True
    return False


async def apays(world: World, order: str) -> bool:
    for _ in range(4):
        try:
            reply = await world.tools.aio.refund(order=order, idempotency_key=order)
        except FAULTS:
            continue
        if reply == {"refund_id": f"re_{order}"}:
            return True
    return False


def asked(task: str, to: str, version: int) -> Payload:
    return Payload(task=task, owner=to, version=version, carry={"order": "A17"})


def fits(handed: Any, me: str, task: str) -> bool:
    """Of its type, for me, about this, and with what it must carry."""
    try:
        read = handed.read()
    except ValueError:
        return False
    return isinstance(read, Payload) and read == asked(task, me, read.version)


# The companies -----------------------------------------------------------------------------------


def broker(world: World, wrong: bool = False) -> Completion:
    """The front desk asks a broker, which asks the back office, until somebody says that he has it.
    Wrong: the broker passes on whatever comes, each time with a key of its own."""
    world.agents("front", "broker", "back", "spare")
    newest: dict[str, int] = {}
    paid: list[str] = []
    sent = 0

    def at(me: str, task: str, then: Callable[[str], None]) -> None:
        with world.acting(me):
            for handed in world.inbox_of(me):
                if not fits(handed, me, task):
                    handed.reject("not like this")
                elif handed.read().version <= newest.get(me, 0) and not wrong:
                    handed.reject("known")
                elif paid and not wrong:
                    handed.reject("done")
                else:
                    newest[me] = handed.read().version
                    handed.accept()
                    then(handed.id)

    def office(handoff: str) -> None:
        if pays(world, "A17", handoff if wrong else "A17"):
            paid.append(handoff)

    def forward(handoff: str) -> None:
        nonlocal sent
        for _ in range(3):
            sent += 1
            receipt = world.handoff("back", asked("pay", "back", sent))
            time.sleep(60)
            at("back", "pay", office)
            if receipt.status == "accepted" or receipt.reason in ("known", "done"):
                break

    for version in (1, 2, 3):
        with world.acting("front"):
            world.handoff("broker", asked("refund", "broker", version))
            time.sleep(50)
        at("broker", "refund", forward)
        if paid:
            return DONE
    return UNKNOWN


def two_phases(world: World, wrong: bool = False) -> Completion:
    """Each of three prepares, and only then each pays. Wrong: nobody waits for an answer."""
    names = ("p1", "p2", "p3")
    world.agents("lead", *names)
    state = dict.fromkeys(names, "")

    def works(name: str) -> None:
        with world.acting(name):
            for handed in world.inbox_of(name):
                if fits(handed, name, f"prepare {name}") and not state[name]:
                    handed.accept()
                    state[name] = "ready"
                elif fits(handed, name, f"pay {name}") and state[name] == "ready":
                    handed.accept()
                    state[name] = "paid" if pays(world, name) else "ready"
                else:
                    handed.reject("known, or not like this")

    def phase(word: str, wanted: tuple[str, ...]) -> bool:
        for version in range(1, 5):
            with world.acting("lead"):
                for name in names:
                    if state[name] not in wanted:
                        world.handoff(name, asked(f"{word} {name}", name, version))
                time.sleep(50)
            for name in names:
                works(name)
            if wrong or all(state[name] in wanted for name in names):
                return True
        return False

    return DONE if phase("prepare", ("ready", "paid")) and phase("pay", ("paid",)) else UNKNOWN


async def asks(world: World, wrong: bool = False) -> Completion:
    """A client asks a server, waits 100 seconds for its reply, and asks again. Wrong: the server
    does what it is asked, whatever it has done before."""
    world.agents("client", "server", "other")

    async def serves() -> None:
        known: set[str] = set()
        with world.acting("server"):
            while True:
                handed = await world.inbox_of("server").next()
                if handed.payload != {"task": "refund", "for": "server", "order": "A17"}:
                    handed.reject("not like this")
                    continue
                if handed.id in known or ("paid" in known and not wrong):
                    handed.reject("known")
                else:
                    handed.accept()
                    known.add(handed.id)
                    if wrong:
                        world.tools.refund(order="A17", idempotency_key=handed.id)
                    elif not await apays(world, "A17"):
                        continue
                    known.add("paid")
                world.handoff("client", {"task": "reply", "for": "client", "paid": True})

    server = asyncio.create_task(serves())
    try:
        with world.acting("client"):
            for _ in range(4):
                world.handoff("server", {"task": "refund", "for": "server", "order": "A17"})
                try:
                    while True:
                        handed = await world.inbox_of("client").next(100)
                        if handed.payload == {"task": "reply", "for": "client", "paid": True}:
                            handed.accept()
                            return DONE
                        handed.reject("no reply")
                except TimeoutError:
                    continue
        return UNKNOWN
    finally:
        server.cancel()


async def board(world: World, wrong: bool = False) -> Completion:
    """Two children take jobs from a board. Wrong: they write without a version."""

    async def works() -> None:
        for _ in range(40):
            jobs, version = await world.shared.aread("jobs")
            job = next((one for one in JOBS if jobs[one] == "open"), "")
            if not job:
                return
            try:
                taken = {**jobs, job: world.agent}
                await world.shared.awrite("jobs", taken, None if wrong else version)
            except StaleWrite:
                continue
            how = "paid" if await apays(world, job) else "unsure"
            for _ in range(40):
                jobs, version = await world.shared.aread("jobs")
                try:
                    await world.shared.awrite("jobs", {**jobs, job: how}, version)
                    break
                except StaleWrite:
                    continue

    world.agents("lead", "k1", "k2")
    with world.acting("lead"):
        world.shared.write("jobs", dict.fromkeys(JOBS, "open"))
    children = [world.spawn(name, works) for name in ("k1", "k2")]
    for child in children:
        try:
            async with asyncio.timeout(2_000):
                await child
        except FAULTS:
            child.cancel()
    await asyncio.sleep(0)
    with world.acting("lead"):
        jobs, _ = world.shared.read("jobs")
    if set(jobs.values()) == {"paid"}:
        return Completion.success(handle="board", detail="k1 k2")
    return UNKNOWN


def threads(world: World, wrong: bool = False) -> Completion:
    """A thread takes refunds from a queue that holds one. Wrong: it pays for each arrival."""
    line = world.handoff_over(queue.Queue(maxsize=1), "payer")
    paid: list[str] = []

    def works() -> None:
        while (item := line.get()) is not None:
            if item == {"task": "refund", "order": "A17"} and (wrong or not paid):
                key = f"{len(paid)}" if wrong else "A17"
                if pays(world, "A17", key):
                    paid.append(key)

    payer = threading.Thread(target=works)
    payer.start()
    with world.acting("boss"):
        for _ in range(3):
            line.put({"task": "refund", "order": "A17"})
            time.sleep(600)
            if paid:
                break
        line.put(None)
    payer.join()
    return DONE if paid else UNKNOWN


def tree(world: World, wrong: bool = False) -> Completion:
    """Twenty-five agents, each with three below it. Wrong: the last one pays for each arrival."""
    names = [f"t{n}" for n in range(25)]
    team = world.agents(*names)
    reached = {team[0]}
    for name in team:
        n = names.index(name)
        with world.acting(name):
            for nth, handed in enumerate(world.inbox_of(name)):
                if wrong and name == "t24":
                    handed.accept()
                    pays(world, name, f"key {nth}")
                elif fits(handed, name, f"reach {name}") and name not in reached:
                    handed.accept()
                else:
                    handed.reject("known, or not like this")
                    continue
                reached.add(name)
            if name not in reached:
                continue
            for below in names[3 * n + 1 : 3 * n + 4]:
                for version in (1, 2, 3) if below in team else ():
                    world.handoff(below, asked(f"reach {below}", below, version))
                    if len(world.inbox_of(below)):
                        break
                    time.sleep(60)
    return DONE if reached == set(names) else UNKNOWN


COMPANIES = {
    broker: "AF101 refund: handoff:broker#1:twice",
    two_phases: "AF607 p1: handoff:p1#1:lost",
    asks: "AF101 refund: handoff:client#1:lost",
    board: "AF704 jobs: schedule:shared#2:preempted",
    threads: "AF101 refund: handoff:payer#1:twice",
    tree: 'AF101 refund: handoff:t24#1:twice + given:agents=["t7","t24"]',
}


@pytest.mark.parametrize("loop", COMPANIES, ids=lambda loop: loop.__name__)
def test_not_one_is_accused(loop, simulation):
    """Every fault by itself, in every wording."""
    result = hunt(company, loop, simulation, space=Space(), depth=1, deep_runs=0)
    assert result.stopped == "exhausted"
    assert result.struck
    assert [f"{line}: {cx.violation.sentence}" for line, cx in told(result)] == []


@pytest.mark.parametrize("loop", COMPANIES, ids=lambda loop: loop.__name__)
def test_one_thing_left_out(loop, simulation):
    """Is found, under the fault that it takes, and among the agents that make it."""
    wrong = partial(loop, wrong=True)
    result = hunt(company, wrong, simulation, space=Space(), depth=1, deep_runs=0)
    assert COMPANIES[loop] in shown(result)


def told(result: Any) -> list[tuple[str, Any]]:
    return list(zip(shown(result), result.findings, strict=True))
