"""The quality of the search at the agent's process: for every kind of fault a victim that is found
by exactly the smallest plan, whatever the seed, and a survivor of the same campaign.

Seed 0 walks exhaustively; all others grow plans from nothing, and shrink what they find.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from agentfuzz import Completion, History, Invariant, World, at_most_once, exactly_once, scenario
from agentfuzz import invariant as own
from agentfuzz.core.events import Decided, Done
from agentfuzz.core.faults import PROCESS_KINDS
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.space import Space
from search.support import hunt, shown

SEEDS = range(20)
DONE, BLOCKED = Completion.success(handle="ch_1"), Completion.blocked()
Agent = Callable[[World], Any]


def charge(world: World, **key: str) -> Completion:
    """Charge order A17, once, and say what came of it."""
    try:
        reply = world.tools.charge(order_id="A17", **key)
    except Exception:
        return BLOCKED
    return DONE if reply == {"number": 1} else BLOCKED


def charged(world: World) -> bool:
    return world.tools.find(order_id="A17")["charges"] > 0


# The process dies ---------------------------------------------------------------------------


def writes_first(world: World) -> Completion:
    """Victim: notes that it has charged before it has."""
    if not world.store.claim("noted"):
        return DONE
    return charge(world)


def charges_again(world: World) -> Completion:
    """A victim where the backend does not know a repeat: whoever is started again charges again,
    unless the first one had its answer."""
    if world.state.get("answered"):
        return DONE
    answer = charge(world)
    world.state["answered"] = True  # somewhere outside of its process
    return answer


def looks_up(world: World) -> Completion:
    """Victim: looks up what its predecessor did, and takes what is not there for not asked."""
    if world.why == "restart" and charged(world):
        return DONE
    return charge(world)


def waits_and_looks_up(world: World) -> Completion:
    """Looks up when nothing of its predecessor can be under way any more."""
    if world.why == "restart":
        world.clock.advance(120.0)
    return looks_up(world)


def writes_after(world: World) -> Completion:
    """A victim where the backend does not know a repeat."""
    if world.store.get("charged"):
        return DONE
    answer = charge(world)
    world.store["charged"] = True
    return answer


# It is stopped, or spoken to ------------------------------------------------------------------


def stopped(otherwise: Completion) -> Agent:
    """Swallows that it was stopped. A victim if it claims success then."""

    async def agent(world: World) -> Completion:
        try:
            await world.tools.aio.charge(order_id="A17")
        except asyncio.CancelledError:
            return otherwise
        except Exception:
            return BLOCKED
        return DONE

    return agent


def interrupted(again: bool) -> Agent:
    """Reads its messages after its work; a victim if it starts over for one."""

    def agent(world: World) -> Completion:
        answer = charge(world) if not world.inbox else BLOCKED
        if world.inbox and world.inbox.pop() and again:
            charge(world)
        return answer

    return agent


# It is told twice -----------------------------------------------------------------------------


def locks(world: World) -> Completion:
    """Victim: nobody else may work on this trigger, while it does."""
    if not world.store.claim(world.trigger_id):
        return BLOCKED
    answer = charge(world)
    del world.store[world.trigger_id]
    return answer


def checks_then_acts(world: World) -> Completion:
    """Victim: notes what it has worked on, when it has."""
    if world.store.get(world.trigger_id):
        return BLOCKED
    answer = charge(world)
    world.store[world.trigger_id] = True
    return answer


def claims(world: World) -> Completion:
    """Of all that are told, one acts."""
    return charge(world) if world.store.claim(world.trigger_id) else BLOCKED


# Time goes by ---------------------------------------------------------------------------------


def retries(**key: str) -> Agent:
    """Tries again with the same key: a victim where keys expire, and time may pass between the
    decision to call and the call."""

    def agent(world: World) -> Completion:
        answer = charge(world, **key)
        return charge(world, **key) if answer is BLOCKED else answer

    return agent


# It is decided --------------------------------------------------------------------------------


def asks(decided: Agent) -> Agent:
    """Asks before it charges."""

    def agent(world: World) -> Completion:
        if world.decision is None:
            world.request_approval("charge", call="tc_1")
            return BLOCKED
        return decided(world)

    return agent


def once_granted(world: World) -> Completion:
    return claims(world) if world.decision.granted else BLOCKED


def whatever_comes(world: World) -> Completion:
    """Victim: a decision is a yes."""
    return charge(world)


def each_yes(world: World) -> Completion:
    """Victim: each yes is one to act upon."""
    return charge(world) if world.decision.granted else BLOCKED


def each_yes_but_the_second(world: World) -> Completion:
    """Victim: notes what it has acted upon, when it has."""
    return checks_then_acts(world) if world.decision.granted else BLOCKED


def only_a_no(world: World) -> Completion:
    """Victim: acts when it is refused, and only once."""
    return claims(world)


def silence_is_consent(world: World) -> Completion:
    """Victim: acts when nobody answers, and when somebody does after all."""
    if world.decision.granted is None:
        return charge(world)
    return claims(world) if world.decision.granted else BLOCKED


@own
def a_no_is_a_no(history: History) -> list[str] | None:
    decided = history.of(Decided)
    if not decided:
        return None
    refused = [event.seq for event in decided if event.value is False]
    return ["it was refused"] if refused and history.ledger else []


# Its tasks race -------------------------------------------------------------------------------


def racing(check: bool) -> Agent:
    """Two children charge one order, each if it is not charged yet. A survivor under a lock."""

    async def agent(world: World) -> Completion:
        lock = asyncio.Lock()

        async def child() -> None:
            found = await world.tools.aio.find(order_id="A17")
            if found == {"charges": 0}:
                await world.tools.aio.charge(order_id="A17")

        async def alone() -> None:
            async with lock:
                await child()

        one = child if check else alone
        await asyncio.gather(one(), one(), return_exceptions=True)
        return BLOCKED

    return agent


def counting(newest: Callable[[int, int], int]) -> Agent:
    """Two children charge an order each, and note the number of the last charge."""

    async def agent(world: World) -> Completion:
        async def child(order: str) -> None:
            reply = await world.tools.aio.charge(order_id=order)
            world.state["last"] = newest(world.state.get("last", 0), reply["number"])

        await asyncio.gather(child("A17"), child("B18"), return_exceptions=True)
        return Completion.success(handle=str(world.state.get("last")))

    return agent


@own
def tells_the_last_number(history: History) -> list[str] | None:
    told = history.of(Done)
    if len(history.ledger) < 2 or not told:
        return None
    return [] if told[-1].handle == "2" else [f"it said {told[-1].handle}"]


class Case(NamedTuple):
    """A law, the loop that breaks it, what is found and nothing else, and the loop that holds."""

    law: Invariant
    victim: Agent
    found: str
    survivor: Agent
    kinds: tuple[str, ...]
    dedup: str = "none"
    survivor_dedup: str = ""
    beside: tuple[str, ...] = ("once/timeout",)
    also: tuple[str, ...] = ()  # the same word names a delivery


ONCE = at_most_once("charge")
CRASH, TRIGGER = ("crash",), ("duplicate_trigger",)
APPROVALS = ("double_click", "refused", "late")
CASES = {
    "crash before": Case(
        exactly_once("charge"),
        writes_first,
        "AF103 charge: process:charge#1:crash",
        writes_after,
        CRASH,
        "none",
        "scope",
    ),
    "crash after": Case(
        ONCE,
        charges_again,
        "AF101 charge: process:charge#1:crash/after",
        charges_again,
        CRASH,
        "none",
        "scope",
    ),
    "crash in flight": Case(
        ONCE,
        looks_up,
        "AF101 charge: process:charge#1:crash/in_flight",
        waits_and_looks_up,
        CRASH,
    ),
    "crash at a save": Case(
        ONCE,
        writes_after,
        "AF101 charge: store:charged#1:crash",
        writes_after,
        CRASH,
        "none",
        "scope",
    ),
    "cancel": Case(
        exactly_once("charge"),
        stopped(DONE),
        "AF103 charge: process:charge#1:cancel",
        stopped(BLOCKED),
        ("cancel",),
    ),
    "interrupt": Case(
        ONCE,
        interrupted(True),
        "AF101 charge: process:charge#1:interrupt",
        interrupted(False),
        ("interrupt",),
    ),
    "the trigger again": Case(
        ONCE, locks, "AF101 charge: end#1:duplicate_trigger", claims, TRIGGER
    ),
    "the trigger in the middle": Case(
        ONCE, checks_then_acts, "AF101 charge: process:charge#1:duplicate_trigger", claims, TRIGGER
    ),
    "a key expires": Case(
        ONCE,
        retries(idempotency_key="A17"),
        "AF101 charge: process:charge#2:clock_jump + charge#1:once/timeout",
        retries(),
        ("clock_jump",),
        "key",
        "scope",
    ),
    "approved twice": Case(
        ONCE,
        asks(each_yes),
        "AF101 charge: approval:charge#1:twice",
        asks(once_granted),
        ("twice",),
        "none",
        "scope",
        also=("AF102 charge: charge#1:twice",),
    ),
    "clicked twice": Case(
        ONCE,
        asks(each_yes_but_the_second),
        "AF101 charge: approval:charge#1:double_click",
        asks(once_granted),
        APPROVALS,
    ),
    "refused": Case(
        a_no_is_a_no,
        asks(only_a_no),
        "AF500 a_no_is_a_no: approval:charge#1:refused",
        asks(once_granted),
        APPROVALS,
    ),
    "decided late": Case(
        ONCE,
        asks(silence_is_consent),
        "AF101 charge: approval:charge#1:late",
        asks(once_granted),
        APPROVALS,
    ),
    "preempted": Case(
        ONCE,
        racing(True),
        "AF101 charge: schedule:charge#1:preempted",
        racing(False),
        ("preempted",),
    ),
    "preempted after": Case(
        tells_the_last_number,
        counting(lambda old, new: new),
        "AF500 tells_the_last_number: schedule:charge#1:preempted/after",
        counting(max),
        ("preempted",),
        beside=(),
    ),
}


def campaign(simulation: Simulation, case: Case, agent: Agent, dedup: Any, seed: int) -> Any:
    kinds = set(case.kinds) & set(PROCESS_KINDS)
    resume = "crash" in kinds

    @scenario(case.law, task="Charge A17.", resume=resume, faults=tuple(kinds - {"crash"}))
    def billing(world: World) -> None:
        charges: list[str] = world.state.setdefault("charges", [])

        @world.tool(effect="charge", scope=("order_id",), dedup=dedup)
        def charge(order_id: str) -> dict:
            charges.append(order_id)
            return {"number": len(charges)}

        @world.tool
        def find(order_id: str) -> dict:
            return {"charges": charges.count(order_id)}

    space = Space(faults=billing.faults, only=(*case.kinds, *case.beside))
    faults = case.found.count(" + ") + 1
    depth = faults if seed == 0 else 0
    return hunt(billing, agent, simulation, space=space, depth=depth, deep_runs=RUNS, seed=seed)


RUNS = 160


@pytest.mark.parametrize("name", CASES)
def test_a_victim_is_found_by_the_smallest_plan(name: str) -> None:
    case = CASES[name]
    with Simulation() as simulation:
        for seed in SEEDS:
            result = campaign(simulation, case, case.victim, case.dedup, seed)
            assert shown(result) == [case.found, *case.also], f"seed {seed}"
            assert all(not control.broken for control in result.findings[0].controls)
            phase = "random plans" if seed else "plans with "
            assert result.findings[0].phase.startswith(phase)


@pytest.mark.parametrize("name", CASES)
def test_a_survivor_is_clean_under_the_same_campaign(name: str) -> None:
    case = CASES[name]
    with Simulation() as simulation:
        for seed in SEEDS:
            dedup = case.survivor_dedup or case.dedup
            result = campaign(simulation, case, case.survivor, dedup, seed)
            assert shown(result) == [], f"seed {seed}"
            assert result.laws[case.law.name].held > 0, "the law was exercised"
            assert result.struck > 0
