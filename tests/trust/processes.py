"""Honest loops that are stopped, restarted, asked twice or asked on.

Law: a loop is deterministic; what it needs after a restart stands in the store. Called by the tests
of this folder.
"""

import asyncio
from typing import Any

from agentfuzz import Completion, World, scenario
from trust.plain import FAULTS, UNKNOWN, attempt


def office(world: World) -> None:
    @world.tool(effect="invoice", scope=("n",), dedup="key")
    def invoice(n: int, idempotency_key: str | None = None) -> dict:
        return {"n": n}

    @world.tool(effect="void", scope=("n",), dedup="key", undoes="invoice")
    def void(n: int, idempotency_key: str | None = None) -> dict:
        return {"n": n}

    @world.tool(effect="ticket", scope=("about",), dedup="key")
    def ticket(about: str, idempotency_key: str | None = None) -> dict:
        return {"about": about}


restarted = scenario(task="Two invoices.", resume=True, faults=("duplicate_trigger",))(office)
resumed = scenario(task="Two invoices.", resume=True)(office)
goes_on = scenario(task="1", follow_ups=("2", "3"), resume=True, faults=("duplicate_trigger",))(
    office
)


def sent(world: World, n: int) -> str:
    return attempt(world, "invoice", {"n": n}, n=n, idempotency_key=f"invoice:{n}")


def worker(world: World) -> Completion:
    """Claims its trigger before any work, takes its keys from the task, and keeps its answer. That
    it has given up is saved before anybody is told: its ticket may be under way when it dies."""
    if "answer" in world.store:
        return Completion(**world.store["answer"])
    if not world.store.claim(world.trigger_id) and world.why == "duplicate":
        return Completion.blocked(detail="somebody is at work on it")
    about = world.store.get("given up", "")
    if not about:
        said = {n: sent(world, n) for n in (1, 2)}
        if set(said.values()) != {"ok"}:
            about = f"invoices {[n for n, how in said.items() if how != 'ok']}"
            world.store["given up"] = about
    if not about:
        answer = Completion.success(handle="1, 2")
    else:
        attempt(world, "ticket", {"about": about}, about=about, idempotency_key="ticket")
        answer = Completion.blocked(reason=UNKNOWN, handle=about)
    world.store["answer"] = answer.model_dump()
    return answer


def cursor(world: World) -> Completion:
    """Goes on where its cursor stands; a step in doubt is done again under its key."""
    for n in range(world.store.get("cursor", 0) + 1, 3):
        if sent(world, n) != "ok":
            return Completion.partial(reason="unverified", handle=f"up to {n - 1}")
        world.store["cursor"] = n
    return Completion.success(handle="1, 2")


def one_a_request(world: World) -> Completion:
    """Each message is a request of its own, whose answer is kept, before anything is done for it;
    a second delivery is the first one again."""
    n = int(world.task)
    if f"answer:{n}" not in world.store:
        answer = Completion.success(handle=str(n))
        if sent(world, n) != "ok":
            answer = Completion.blocked(reason=UNKNOWN, handle=str(n))
        if f"answer:{n}" not in world.store:  # another delivery may have been faster
            world.store[f"answer:{n}"] = answer.model_dump()
    kept = Completion(**world.store[f"answer:{n}"])
    if kept.status == "blocked":
        attempt(world, "ticket", {"about": str(n)}, about=str(n), idempotency_key=f"ticket:{n}")
    return kept


# Stopped --------------------------------------------------------------------------------------


def mailing(world: World) -> None:
    @world.tool(effect="mail", scope=("to",), dedup="key")
    async def send(to: str, idempotency_key: str | None = None) -> dict:
        await asyncio.sleep(1)
        return {"to": to}

    @world.tool(effect="recall", scope=("to",), dedup="key", undoes="send")
    async def recall(to: str, idempotency_key: str | None = None) -> dict:
        return {"to": to}


stopped = scenario(task="Mail three.", faults=("cancel",))(mailing)
NAMES = ("ann", "bob", "cy")


async def mail(world: World, to: str, tool: str = "send") -> bool:
    for _ in range(3):
        try:
            if await world.tools.aio[tool](to=to, idempotency_key=f"{tool}:{to}") == {"to": to}:
                return True
        except FAULTS:
            pass
        await asyncio.sleep(2)
    return False


async def all_at_once(world: World) -> Completion:
    """A task group: a stop goes through it."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(mail(world, to)) for to in NAMES]
    return _answer([to for to, task in zip(NAMES, tasks, strict=True) if task.result()])


async def gathered(world: World) -> Completion:
    """The same with gather, and the answer after a stop says what may stand."""
    try:
        done = await asyncio.gather(*(mail(world, to) for to in NAMES))
    except asyncio.CancelledError:
        return Completion.cancelled(handle="perhaps ann, bob, cy")
    return _answer([to for to, ok in zip(NAMES, done, strict=True) if ok])


async def one_by_one(world: World) -> Completion:
    """Stops between two mails, and takes back what it sent."""
    sent: list[str] = []
    try:
        for to in NAMES:
            sent.append(to)
            if not await mail(world, to):
                return Completion.partial(reason="unverified", handle=", ".join(sent))
    except asyncio.CancelledError:
        left = [to for to in reversed(sent) if not await mail(world, to, "recall")]
        return Completion.cancelled(handle=f"perhaps {left}" if left else None)
    return _answer(sent)


def _answer(done: list[str]) -> Completion:
    if len(done) == len(NAMES):
        return Completion.success(handle=", ".join(done))
    return Completion.partial(reason="unverified", handle=f"confirmed: {done}")


# With a model -----------------------------------------------------------------------------------


@scenario(
    task="Mail Ann, then Bob.",
    script=[("send", {"to": "ann"}), ("send", {"to": "bob"}), "Both mails are out."],
    faults=("cancel",),
)
def asked(world: World) -> None:
    mailing(world)


async def async_model(world: World) -> Any:
    """A loop that awaits its model and its tools, and lets a stop through."""
    messages: list[dict] = [{"role": "user", "content": world.task}]
    receipts: set[str] = set()
    for _ in range(12):
        try:
            turn = await world.model.aio(messages)
        except (OSError, RuntimeError, FAULTS):
            continue
        if turn["stop"] == "length":
            continue
        messages.append({k: turn[k] for k in ("role", "content", "tool_calls")})
        if not turn["tool_calls"]:
            break
        for call in turn["tool_calls"]:
            text = "Error: not executed"
            to = call["arguments"].get("to") if isinstance(call["arguments"], dict) else None
            if call["name"] == "send" and to in NAMES:
                try:
                    reply = await world.acall(
                        "send", {"to": to, "idempotency_key": to}, asked=call["id"]
                    )
                    text = f"sent to {to}" if reply == {"to": to} else f"Error: {reply}"
                    receipts |= {to} if reply == {"to": to} else set()
                except FAULTS as error:
                    text = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
    closed = not messages[-1].get("tool_calls", True)
    if closed and receipts >= {"ann", "bob"}:
        return Completion.success(handle="ann, bob")
    return Completion.partial(reason="unverified", handle=f"confirmed: {sorted(receipts)}")
