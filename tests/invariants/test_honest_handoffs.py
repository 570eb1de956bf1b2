"""Honest teams of many shapes, and the laws of handoffs: not one is accused."""

import asyncio
import time
from dataclasses import replace

import pytest

from agentfuzz import (
    Completion,
    World,
    evidence_resolves,
    handoffs_valid,
    latest_version,
    single_owner,
)
from agentfuzz.search.space import Space
from invariants.loops.teams import (
    DONE,
    FAULTS,
    ORDER,
    UNKNOWN,
    claim,
    fits,
    payload,
    pays,
    refunds,
    works,
)
from search.support import hunt

LAWS = (handoffs_valid(), single_owner(), latest_version(), evidence_resolves())
DAY = 24 * 3600.0


def by_id(world: World) -> Completion:
    """Recognises a second arrival by the id of the handoff."""
    with world.acting("lead"):
        world.handoff("billing", payload())
    time.sleep(DAY)
    with world.acting("billing"):
        for handed in world.inbox_of("billing"):
            if not world.store.claim(handed.id):
                handed.reject("known")
            elif fits(handed, {}):
                handed.reject(fits(handed, {}))
            else:
                handed.accept()
                pays(world)
    return DONE


def sends_again(world: World) -> Completion:
    """Whatever is rejected is sent again, as the next version."""
    seen: dict[str, int] = {}
    for version in range(1, 4):
        with world.acting("lead"):
            receipt = world.handoff("billing", payload(version))
        time.sleep(DAY)
        works(world, seen)
        if receipt.status == "accepted":
            return DONE
    return UNKNOWN


def chain(world: World) -> Completion:
    """From the lead to the desk, from the desk to billing; the desk mails once it is done."""
    taken = False
    with world.acting("lead"):
        world.handoff("desk", payload(owner="desk"))
    time.sleep(DAY)
    with world.acting("desk"):
        for handed in world.inbox_of("desk"):
            problem = fits(handed, {}, "desk")
            if problem or not world.store.claim(handed.id):
                handed.reject(problem or "known")
                continue
            handed.accept()
            taken = True
            world.handoff("billing", payload(handed.payload["version"] + 1))
    time.sleep(DAY)
    works(world, {})
    if taken:
        with world.acting("desk"):
            pays(world, tool="mail")
    return DONE


def hands_back(world: World) -> Completion:
    """Billing cannot do it and hands it back; the lead takes it back, and does it itself."""
    with world.acting("lead"):
        receipt = world.handoff("billing", payload())
    time.sleep(DAY)
    with world.acting("billing"):
        for handed in world.inbox_of("billing"):
            if fits(handed, {}):
                handed.reject("not like this")
            elif world.store.claim(handed.id):
                handed.accept()
                world.handoff("lead", payload(handed.payload["version"] + 1, owner="lead"))
    time.sleep(DAY)
    with world.acting("lead"):
        for handed in world.inbox_of("lead"):
            if fits(handed, {}, "lead") or not world.store.claim(handed.id):
                handed.reject("not like this")
                continue
            handed.accept()
            return DONE if pays(world) else UNKNOWN
        if receipt.status != "accepted":
            return DONE if pays(world) else UNKNOWN
    return UNKNOWN


def broadcast(world: World) -> Completion:
    """Two tasks for two agents; the lead writes down that it is done."""
    with world.acting("lead"):
        world.handoff("billing", payload())
        world.handoff("desk", payload(task="mail", owner="desk"))
    time.sleep(DAY)
    works(world, {})
    works(world, {}, "desk", "mail")
    with world.acting("lead"):
        pays(world, "B18", "mail")
    return DONE


def functions(world: World) -> Completion:
    """Agents that are functions; each says no to what is not for it, and answers a repeat from what
    it knows. The lead mails when billing has answered."""
    known: dict[str, str] = {}

    def billing(order: dict) -> str:
        if order["task"] != "refund" or set(order) != {"task", "order_id"}:
            raise ValueError("not mine")
        order_id = str(order["order_id"])
        if order_id not in known:
            known[order_id] = "refunded" if pays(world, order_id) else "unknown"
        return known[order_id]

    def desk(order: dict) -> str:
        if order["task"] != "check":
            return "I only check."
        return str(world.tools.find(order_id=order["order_id"]))

    to_billing, to_desk = world.handoff_of(billing), world.handoff_of(desk)
    with world.acting("lead"):
        for _ in range(3):
            try:
                to_desk({"task": "check", "order_id": "A17"})
                to_billing({"task": "refund", "order_id": "A17"})
                return DONE if pays(world, tool="mail") else UNKNOWN
            except (*FAULTS, ValueError, TypeError, KeyError):
                continue
    return UNKNOWN


def stands_in(world: World) -> Completion:
    """A function that fails after its first effect; the lead does the rest itself, with keys."""

    def billing(order: dict) -> str:
        if set(order) != {"order_id"} or not order["order_id"]:
            raise ValueError("which order?")
        world.tools.mail(order_id="A17", idempotency_key="mail-A17")
        world.tools.refund(order_id="A17", idempotency_key="refund-A17")
        return "refunded"

    to_billing = world.handoff_of(billing)
    with world.acting("lead"):
        try:
            to_billing({"order_id": "A17"})
        except (*FAULTS, ValueError, TypeError):
            return DONE if pays(world, tool="mail") and pays(world) else UNKNOWN
    return DONE


async def in_company(world: World) -> Completion:
    """Two at once: billing waits for what comes, and the lead for its answer."""

    async def billing() -> str:
        with world.acting("billing"):
            try:
                while True:
                    handed = await world.inbox_of("billing").next(timeout=90)
                    if fits(handed, seen):
                        handed.reject(fits(handed, seen))
                        continue
                    seen[handed.payload["task"]] = handed.payload["version"]
                    handed.accept()
                    for _ in range(3):
                        try:
                            await world.tools.aio.refund(
                                order_id="A17", idempotency_key="refund-A17"
                            )
                            break
                        except FAULTS:
                            continue
            except TimeoutError:
                return "done"

    async def lead() -> None:
        with world.acting("lead"):
            for version in (1, 2):
                receipt = world.handoff("billing", payload(version))
                await asyncio.sleep(60)
                if receipt.status == "accepted":
                    return

    seen: dict[str, int] = {}
    await asyncio.gather(billing(), lead())
    return DONE


def the_same_again(world: World) -> Completion:
    """The same task and version once more when nobody answers; billing takes the first."""
    seen: dict[str, int] = {}
    for _ in range(3):
        with world.acting("lead"):
            receipt = world.handoff("billing", payload())
        works(world, seen)
        if receipt.status != "sent":
            break
        time.sleep(40)
    time.sleep(DAY)
    works(world, seen)
    return DONE if seen else UNKNOWN


def gives_up(world: World) -> Completion:
    """Nobody has answered: says so, and does nothing itself."""
    with world.acting("lead"):
        receipt = world.handoff("billing", payload())
        time.sleep(20)
    works(world, {})
    return DONE if receipt.status == "accepted" else Completion.blocked(reason="no_answer")


def goes_on(world: World) -> Completion:
    """A lead that hands one part over and goes on with the rest; no handoff names it."""
    with world.acting("lead"):
        world.handoff("billing", payload())
        pays(world, tool="mail")
    works(world, {})
    with world.acting("lead"):
        pays(world, "B18")
        pays(world, "B18", "mail")
    return DONE


def does_it_itself(world: World) -> Completion:
    """Nobody has answered: the lead does it itself, with the key that everybody has for it."""
    with world.acting("lead"):
        receipt = world.handoff("billing", payload())
        time.sleep(20)
    works(world, {})
    with world.acting("lead"):
        if receipt.status != "accepted":
            pays(world)
    time.sleep(DAY)
    works(world, {})
    return DONE


def acts_then_accepts(world: World) -> Completion:
    """Billing acknowledges a handoff when its work is done, as consumers of queues do."""
    with world.acting("lead"):
        world.handoff("billing", payload())
    time.sleep(DAY)
    with world.acting("billing"):
        for handed in world.inbox_of("billing"):
            if fits(handed, {}) or not world.store.claim(handed.id):
                handed.reject("not like this")
            elif pays(world):
                handed.accept()
            else:
                return UNKNOWN
    return DONE


def audits(world: World) -> None:
    """Writes down that something came, whatever became of it."""
    pays(world, "audit", "mail")


def reports_what_is_wrong(world: World) -> Completion:
    """Billing tells the customer of a good handoff, and, in other words, of one that it rejects."""
    with world.acting("lead"):
        world.handoff("billing", payload())
    time.sleep(DAY)
    with world.acting("billing"):
        for handed in world.inbox_of("billing"):
            if not world.store.claim(handed.id):
                handed.reject("known")
            elif fits(handed, {}):
                pays(world, tool="mail", text="there is a delay")
                handed.reject("not like this")
            else:
                handed.accept()
                pays(world)
                pays(world, tool="mail", text="refunded")
            audits(world)
    return DONE


def writes_down_what_comes(world: World) -> Completion:
    """Before billing reads what has come it writes down that something has."""
    with world.acting("lead"):
        world.handoff("billing", payload())
    time.sleep(DAY)
    with world.acting("billing"):
        for handed in world.inbox_of("billing"):
            audits(world)
            if fits(handed, {}) or not world.store.claim(handed.id):
                handed.reject("not like this")
            else:
                handed.accept()
                pays(world)
    return DONE


def two_boxes(world: World) -> Completion:
    """Takes everything out of the box before it looks at it, and keeps the newest of each task."""
    with world.acting("lead"):
        world.handoff("billing", payload(1))
        world.handoff("billing", payload(2))
    time.sleep(DAY)
    newest = {}
    with world.acting("billing"):
        for handed in list(world.inbox_of("billing")):
            if fits(handed, {}):
                handed.reject("not like this")
                continue
            other = newest.get("refund")
            if other is not None and other.payload["version"] >= handed.payload["version"]:
                handed.reject("not newer")
                continue
            if other is not None:
                other.reject("overtaken")
            newest["refund"] = handed
        for handed in newest.values():
            handed.accept()
            pays(world)
    return DONE


def in_order(world: World) -> Completion:
    """Accepts one version, then the next one, which was sent before it had looked."""
    with world.acting("lead"):
        world.handoff("billing", payload(1))
        world.handoff("billing", payload(2))
    works(world, seen := {})
    time.sleep(DAY)
    works(world, seen)
    return DONE


def reads_for_itself(world: World) -> Completion:
    """What the lead has found billing reads again before it pays."""
    with world.acting("lead"):
        try:
            world.handoff("billing", payload(claims=(claim(world),)))
        except (*FAULTS, KeyError, TypeError):
            return UNKNOWN
    time.sleep(DAY)
    seen: dict[str, int] = {}
    with world.acting("billing"):
        for handed in world.inbox_of("billing"):
            if fits(handed, seen):
                handed.reject("not like this")
                continue
            seen["refund"] = 1
            handed.accept()
            try:
                amount = world.tools.find(order_id="A17")["amount"]
            except (*FAULTS, KeyError, TypeError):
                return UNKNOWN
            pays(world, amount=amount)
    return DONE


def checks_the_claim(world: World) -> Completion:
    """Says no to a claim that is not what its source says, where all agents see the sources."""
    with world.acting("lead"):
        try:
            found = claim(world)
        except (*FAULTS, KeyError, TypeError):
            return UNKNOWN
        world.shared["call_1"] = found.value
        world.handoff("billing", payload(claims=(found,)))
    time.sleep(DAY)
    seen: dict[str, int] = {}
    with world.acting("billing"):
        for handed in world.inbox_of("billing"):
            if fits(handed, seen):
                handed.reject("not like this")
            elif any(c["value"] != world.shared[c["source"]] for c in handed.payload["claims"]):
                handed.reject("that is not so")
            else:
                seen["refund"] = 1
                handed.accept()
                pays(world)
    return DONE


def texts(world: World) -> Completion:
    """Hands prose over; nobody can say what is wrong with it, so billing asks for the order."""
    with world.acting("lead"):
        world.handoff("billing", "Please refund order A17.", carry=ORDER)
    time.sleep(DAY)
    with world.acting("billing"):
        for handed in world.inbox_of("billing"):
            if "A17" not in handed.text or not world.store.claim(handed.id):
                handed.reject("which order?")
            else:
                handed.accept()
                pays(world)
    return DONE


async def fails_over(world: World) -> Completion:
    """Nobody has answered: the same task goes to the desk, and whoever claims it first does it."""

    async def worker(agent: str) -> None:
        with world.acting(agent):
            try:
                while True:
                    handed = await world.inbox_of(agent).next(timeout=200)
                    if not isinstance(handed.payload, dict) or fits(handed, {}, agent):
                        handed.reject("not like this")
                    elif not world.store.claim(handed.payload["task"]):
                        handed.reject("somebody has it")
                    else:
                        handed.accept()
                        pays(world)
            except TimeoutError:
                return

    async def lead() -> None:
        with world.acting("lead"):
            receipt = world.handoff("billing", payload())
            await asyncio.sleep(30)
            if receipt.status != "accepted":
                world.handoff("desk", payload(owner="desk"))

    await asyncio.gather(worker("billing"), worker("desk"), lead())
    return DONE


def reports_come_back(world: World) -> Completion:
    """Billing answers with a handoff, which the lead reads and does not accept."""
    with world.acting("lead"):
        world.handoff("billing", payload())
    time.sleep(DAY)
    works(world, {})
    with world.acting("billing"):
        world.handoff("lead", {"report": "refunded", "order_id": "A17"})
    time.sleep(DAY)
    with world.acting("lead"):
        for report in world.inbox_of("lead"):
            if "refunded" in str(report.payload) and pays(world, tool="mail"):
                return DONE
    return UNKNOWN


async def sends_a_child(world: World) -> Completion:
    """Billing is an async function, and lets a child pay; what is for others it refuses."""

    async def payer(order_id: str) -> str:
        for _ in range(3):
            try:
                key = f"refund-{order_id}"
                await world.tools.aio.refund(order_id=order_id, idempotency_key=key)
                return "refunded"
            except FAULTS:
                continue
        return "unknown"

    async def billing(order: dict) -> str:
        if set(order) != {"task", "order_id"} or order["order_id"] != "A17":
            raise ValueError("not mine")
        return known or str(await world.spawn("payer", payer, order["order_id"]))

    known, to_billing = "", world.handoff_of(billing)
    with world.acting("lead"):
        for _ in range(2):
            try:
                async with asyncio.timeout(300):
                    known = await to_billing({"task": "refund", "order_id": "A17"})
                return DONE if pays(world, tool="mail") else UNKNOWN
            except (*FAULTS, ValueError, TypeError):
                continue
    return UNKNOWN


TEAMS = (
    *(by_id, sends_again, chain, hands_back, broadcast, functions, stands_in, in_company),
    *(the_same_again, gives_up, goes_on, does_it_itself, acts_then_accepts, two_boxes, in_order),
    *(reports_what_is_wrong, writes_down_what_comes, reads_for_itself, checks_the_claim, texts),
    *(fails_over, reports_come_back, sends_a_child),
)


NEEDS_KEYS = (does_it_itself, stands_in)  # without them things are done twice
CASES = [(team, "key") for team in TEAMS]
CASES += [(team, "none") for team in TEAMS if team not in NEEDS_KEYS]


@pytest.mark.parametrize(
    ("team", "dedup"), CASES, ids=[f"{team.__name__}-{dedup}" for team, dedup in CASES]
)
def test_an_honest_team(team, dedup, simulation):
    """Every fault by itself, in every wording; a backend that knows keys, and one that does not."""
    story = refunds(dedup=dedup, team=("lead", "billing", "desk"))
    story = replace(story, invariants=LAWS)
    result = hunt(story, team, simulation, space=Space(), depth=1, deep_runs=0)
    assert result.stopped == "exhausted"
    assert result.struck
    assert [(cx.code, str(cx.plan), cx.violation.sentence) for cx in result.findings] == []
