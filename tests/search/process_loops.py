"""Loops whose process dies, is stopped, told twice, delayed, decided about, or races with itself.

Law: a victim has one flaw, said in one line. Called by the tests of the search at the process.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from agentfuzz import Completion, History, World
from agentfuzz import invariant as own
from agentfuzz.core.events import Decided, Done

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
    if world.state["outside"]:
        return DONE
    answer = charge(world)
    world.state["outside"].append("answered")
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
