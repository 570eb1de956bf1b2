"""A refund on its way through three agents, and what becomes of it at the two seams.

Triage looks an order up, tells the customer that it is on its way, and hands the refund to billing;
billing hands it to payments; payments pays. Between them a handoff may be lost, arrive twice, late
or at the wrong desk; it may come as a dump with the amount somewhere in the middle, as a summary
that has left out the evidence or what was done already, as free text, or with one digit more. A
wrong amount that billing passes on is paid by payments, which never saw where it came from.
What helps: a typed payload, a version, a look of one's own before accepting, a no with a reason,
a bounded number of further attempts by the sender, and one who pays.

Source: Tian Pan, "Why Multi-Agent Systems Break at the Seams: Designing Reliable Handoffs" (2026).
Rows: F50 F51 F52 F53 F54 F56 F57 B11.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from agentfuzz import (
    Claim,
    Completion,
    Payload,
    ToolError,
    World,
    constraints_survive,
    evidence_resolves,
    exactly_once,
    latest_version,
    ledger_crosses,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
ORDER, CENTS = "A17", 4200
PATIENCE = 30.0  # seconds for which a mailbox is watched


class Task(NamedTuple):
    """What an agent has taken over."""

    cents: int
    version: int = 1
    claims: tuple[Any, ...] = ()
    effects: tuple[str, ...] = ()


@scenario(
    exactly_once("refund", intents=[{"order_id": ORDER}]),
    constraints_survive(),
    evidence_resolves(),
    latest_version(),
    ledger_crosses(),
    structured_termination(),
    truthful(),
    task="Refund order A17, 42.00 EUR.",
)
def support_triage(world: World) -> None:
    world.agents("triage", "billing", "payments")

    @world.tool
    def find_order(order_id: str) -> dict[str, object]:
        """Look an order up."""
        return {"order_id": order_id, "cents": CENTS}

    @world.tool(effect="mail", scope=("order_id",), dedup="key")
    def tell_customer(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Write that the refund is on its way."""
        return {"mail_id": f"m_{order_id}"}

    @world.tool(effect="refund", scope=("order_id",), dedup="key")
    def refund(order_id: str, cents: int, idempotency_key: str | None = None) -> dict[str, object]:
        """Give the money back."""
        return {"refund_id": f"re_{order_id}"}


def looked_up(world: World, cents: int) -> str:
    """The id of a look-up that says that the order costs this much; three attempts."""
    for attempt in (1, 2, 3):
        source = f"look-{world.agent}-{attempt}"
        try:
            found = world.call("find_order", {"order_id": ORDER}, asked=source)
        except FAILURES:
            continue
        if found == {"order_id": ORDER, "cents": cents}:
            return source
    return ""


def sure(world: World, tool: str, receipt: str, who: str = "", **arguments: object) -> str | None:
    """Three attempts with one key, and the receipt if it came."""
    for _ in range(3):
        key = f"{world.trigger_id}:{who}{tool}"
        try:
            reply = world.tools[tool](order_id=ORDER, **arguments, idempotency_key=key)
        except FAILURES:
            continue
        if isinstance(reply, dict) and isinstance(reply.get(receipt), str):
            return reply[receipt]
    return None


def pay(world: World, task: Task, who: str = "") -> str | None:
    return sure(world, "refund", "refund_id", who, cents=task.cents)


# What a receiver makes of a handoff: the task, once it has accepted it ---------------------------


def mine(world: World, handed) -> Payload | None:
    """Of its type, for me, and newer than what I have."""
    try:
        asked = handed.read()
    except ValueError as error:
        return handed.reject(str(error))
    if asked.owner != world.agent or asked.version <= world.store.get(world.agent, 0):
        return handed.reject("not for me, or not new")
    return asked


def taken(world: World, handed, asked: Payload, cents: int, carry=None) -> Task:
    world.store[world.agent] = asked.version
    handed.accept(carry)
    return Task(cents, asked.version, asked.claims, asked.effects)


def checked(world: World, handed) -> Task | None:
    """What is mine, if its facts and its claims agree, and the order says so, too."""
    asked = mine(world, handed)
    if asked is None:
        return None
    cents = asked.carry.get("cents")
    if [one.value for one in asked.claims] != [cents] or asked.carry.get("order_id") != ORDER:
        return handed.reject("what it says has no evidence")
    if not looked_up(world, cents):
        return handed.reject("the order does not say so")
    return taken(world, handed, asked, cents)


def skimmed(world: World, handed) -> Task | None:
    """What has no field is in the text; what one did not see there is as always."""
    asked = mine(world, handed)
    if asked is None:
        return None
    seen = re.search(r"cents: (\d+)", handed.text)
    cents = asked.carry.get("cents") or int(seen[1] if seen else 5000)
    return taken(world, handed, asked, cents, {"order_id": ORDER, "cents": cents})


def believed(world: World, handed) -> Task | None:
    """What the one before me has found is so."""
    asked = mine(world, handed)
    if asked is None or not asked.claims:
        return asked and handed.reject("nothing was found")
    return taken(world, handed, asked, asked.claims[0].value)


def whatever(world: World, handed) -> Task | None:
    """It is here, so it is mine; and of free text or half a dict one sees what is meant."""
    said = handed.payload if isinstance(handed.payload, dict) else {}
    handed.accept()
    cents = said.get("carry", {}).get("cents", CENTS)
    return Task(cents, said.get("version", 1), said.get("claims", ()), said.get("effects", ()))


# How a task is handed over, and what comes back ---------------------------------------------------


def payload(to: str, task: Task) -> Payload:
    facts = {"order_id": ORDER, "cents": task.cents}
    name, known = f"refund {ORDER}", {"claims": task.claims, "effects": task.effects}
    return Payload(task=name, version=task.version, owner=to, carry=facts, **known)


def until_taken(world: World, to: str, work: Callable, task: Task) -> str | None:
    """Up to three times, until somebody has it; what was rejected is sent in a new version."""
    for _ in range(3):
        receipt = world.handoff(to, payload(to, task))
        done = work(world)
        if done or receipt.status == "accepted":
            return done
        if receipt.status == "rejected":
            task = task._replace(version=task.version + 1)
    return None


def thrown_over(world: World, to: str, work: Callable, task: Task) -> str | None:
    """Once, and then it is somebody else's."""
    world.handoff(to, payload(to, task))
    return work(world) or "handed over"


def or_done_myself(world: World, to: str, work: Callable, task: Task) -> str | None:
    """Who does not hear of the other one does it; and the other one finds it later."""
    world.handoff(to, payload(to, task))
    done = work(world) or pay(world, task, f"{world.agent}:")
    work(world)
    return done


def arriving(world: World) -> Iterator:
    """What comes into my mailbox, until half a minute has been quiet."""
    while True:
        try:
            yield world.inbox_of(world.agent).receive(PATIENCE)
        except TimeoutError:
            return


def desk(
    world: World,
    takes=checked,
    first=until_taken,
    second=until_taken,
    begin=lambda world, task: None,
) -> Completion:
    """Triage, billing and payments, from the look-up to the receipt. `first` and `second` are the
    ways over the two seams; `begin` is what billing begins with."""

    def payments(world: World) -> str | None:
        with world.acting("payments"):
            tasks = [takes(world, handed) for handed in arriving(world)]
            return next(filter(None, [pay(world, task) for task in tasks if task]), None)

    def billing(world: World) -> str | None:
        done = None
        with world.acting("billing"):
            for handed in arriving(world):
                task = takes(world, handed)
                if task:
                    begin(world, task)
                    done = second(world, "payments", payments, task) or done
        return done

    with world.acting("triage"):
        source = looked_up(world, CENTS)
        if not source:
            return Completion.failed(reason="rejected", detail="the order does not say so")
        mail = sure(world, "tell_customer", "mail_id")
        if not mail:
            return Completion.blocked(reason="outcome_unknown", handle=ORDER)
        found = Claim(item="cents", value=CENTS, source=source)
        done = first(world, "billing", billing, Task(CENTS, 1, (found,), (mail,)))
    if done:
        return Completion.success(handle=ORDER)
    return Completion.blocked(reason="outcome_unknown", handle=ORDER)


def skims(world: World) -> Completion:
    """Victim: reads the two ends of a dump, and fills in what it did not see."""
    return desk(world, takes=skimmed)


def believes(world: World) -> Completion:
    """Victim: nobody looks for himself, so the third one pays what the first one never said."""
    return desk(world, takes=believed)


def takes_all_that_comes(world: World) -> Completion:
    """Victim: accepts what is for others, what is known, and what is no payload at all."""
    return desk(world, takes=whatever)


def mails_again(world: World) -> Completion:
    """Victim: billing writes to the customer, unless the handoff says that it was done, and looks
    nowhere else."""

    def begin(world: World, task: Task) -> None:
        if not task.effects:
            sure(world, "tell_customer", "mail_id", "billing:")

    return desk(world, takes=whatever, begin=begin)


def throws_over(world: World) -> Completion:
    """Victim: handed over is done."""
    return desk(world, first=thrown_over)


def lends_a_hand(world: World) -> Completion:
    """Victim: billing pays what it has handed to payments, when it hears nothing."""
    return desk(world, second=or_done_myself)


def looks_first(world: World) -> Completion:
    """Survivor: accepts what is typed, its own, new and true; hands over again what nobody has."""
    return desk(world)


VICTIMS = {
    skims: ("AF608",),
    believes: ("AF604",),
    takes_all_that_comes: ("AF601", "AF603", "AF607"),
    mails_again: ("AF605",),
    throws_over: ("AF607",),
    lends_a_hand: ("AF602",),
}
SURVIVORS = (looks_first,)
