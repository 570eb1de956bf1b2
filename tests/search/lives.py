"""Small agent loops made from a number whose process may die, be stopped or be asked twice: with a
store, with approvals, with children that race, and with a simulated model.

Law: as in `programs`: the same number is the same loop, and it is deterministic. Called by the
tests that compare searches with each other.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from agentfuzz import Completion, Invariant, Scenario, World, invariants, scenario
from agentfuzz.search.space import Space

Agent = Callable[[World], Any]
DONE, BLOCKED = Completion.success(handle="all"), Completion.blocked()
KINDS = ("crash", "cancel", "interrupt", "duplicate_trigger", "clock_jump")
LIVES = range(12)


def every_law() -> list[Invariant]:
    """Every law that needs no declaration."""
    found = []
    for name in invariants.__all__:
        law = getattr(invariants, name)
        if name in ("Invariant", "invariant") or not callable(law):
            continue
        needed = [
            p
            for p in inspect.signature(law).parameters.values()
            if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        if not needed:
            try:
                found.append(law())
            except Exception:  # it needs a number after all
                continue
    return found


def story(dedup: Any, faults: tuple[str, ...], *, resume: bool, model: bool = False) -> Scenario:
    """One or two effects that are charged, and a look at them."""
    script = [("act", {"order": "A"}), ("act", {"order": "B"}), "All done."] if model else None

    @scenario(*every_law(), resume=resume, faults=faults, max_crossings=30, script=script)
    def generated(world: World) -> None:
        done: list[str] = world.state.setdefault("done", [])

        @world.tool(effect="act", scope=("order",), dedup=dedup)
        def act(order: str) -> dict:
            done.append(order)
            return {"ok": True}

        @world.tool
        def find(order: str) -> dict:
            return {"done": done.count(order)}

    return generated


def life(seed: int) -> tuple[Scenario, Agent]:
    """The scenario and the loop of this number: by turns one with a store, one with approvals,
    one whose children race, one with a model."""
    rnd = Random(seed)
    kind = seed % 4
    dedup = rnd.choice(("none", "key", "scope"))
    faults = tuple(rnd.sample(KINDS[1:], 2))
    if kind == 0:
        return story(dedup, faults, resume=True), _durable(rnd, dedup)
    if kind == 1:
        return story(dedup, faults[:1], resume=rnd.random() < 0.5), _approved(rnd, dedup)
    if kind == 2:
        return story(dedup, faults[:1], resume=rnd.random() < 0.3), _racing(rnd, dedup)
    return story(dedup, faults[:1], resume=rnd.random() < 0.7, model=True), _conversing(rnd)


def space_of(scenario: Scenario) -> Space:
    """Few kinds of tool and model fault; all of process, schedule and approval."""
    tool = ("once/timeout", "once/error", "once/wrong", "lost/timeout", "late/timeout", "twice")
    model = ("repeat", "loop", "skip")
    other = ("preempted", "double_click", "refused")
    return Space(faults=scenario.faults, only=(*tool, *model, *other, *KINDS))


def _key(dedup: str, order: str, tail: object, fresh: bool) -> dict[str, str]:
    if dedup != "key":
        return {}
    return {"idempotency_key": f"{order}-{tail}" if fresh else order}


def _durable(rnd: Random, dedup: str) -> Agent:
    saves = rnd.choice(("before", "after", "claim"))
    looks, polls, fresh = rnd.random() < 0.5, rnd.choice(("", "token", "inbox")), rnd.random() < 0.5
    attempts = rnd.randint(1, 2)

    def agent(world: World) -> Completion:
        leg = world.leg
        for order in ("A", "B"):
            if polls == "token" and world.cancelled:
                return BLOCKED
            if polls == "inbox" and world.inbox:
                world.inbox.pop()
            if saves == "claim":
                if not world.store.claim(order):
                    continue
            elif world.store.get(order):
                continue
            if saves == "before":
                world.store[order] = True
            if looks and leg > 1:
                try:
                    if world.tools.find(order=order) != {"done": 0}:
                        continue
                except Exception:
                    return BLOCKED
            for attempt in range(attempts):
                try:
                    world.tools.act(order=order, **_key(dedup, order, (leg, attempt), fresh))
                    break
                except Exception:
                    continue
            else:
                return BLOCKED
            if saves == "after":
                world.store[order] = True
        return DONE

    return agent


def _approved(rnd: Random, dedup: str) -> Agent:
    binds, checks = rnd.random() < 0.5, rnd.random() < 0.5
    first = rnd.random() < 0.5

    def agent(world: World) -> Completion:
        if world.decision is None:
            if first:
                try:
                    world.tools.act(order="B", **_key(dedup, "B", "", False))
                except Exception:
                    return BLOCKED
            world.request_approval("act", call="tc_1" if binds else "")
            try:
                world.tools.find(order="A")
            except Exception:
                return BLOCKED
            return BLOCKED
        if checks and not world.decision.granted:
            return BLOCKED
        try:
            key = _key(dedup, "A", world.leg, not binds)
            world.call("act", {"order": "A", **key}, "tc_1" if binds else None)
        except Exception:
            return BLOCKED
        return DONE

    return agent


def _racing(rnd: Random, dedup: str) -> Agent:
    looks, pause, shared = rnd.random() < 0.7, rnd.choice((0.0, 0.0, 5.0)), rnd.random() < 0.7
    fresh = rnd.random() < 0.5

    async def child(world: World, number: int) -> bool:
        order = "A" if shared else "AB"[number]
        try:
            if looks:
                found = await world.tools.aio.find(order=order)
                if found != {"done": 0}:
                    return True
            if pause and number:
                await asyncio.sleep(pause)
            await world.tools.aio.act(order=order, **_key(dedup, order, number, fresh))
        except Exception:
            return False
        return True

    async def agent(world: World) -> Completion:
        children: list[Awaitable[bool]] = [child(world, 0), child(world, 1)]
        return DONE if all(await asyncio.gather(*children)) else BLOCKED

    return agent


def _conversing(rnd: Random) -> Agent:
    stops, keeps = rnd.random() < 0.5, rnd.random() < 0.5

    def agent(world: World) -> Completion | str:
        said: list[dict[str, Any]] = [{"role": "user", "content": world.task}]
        if keeps and "said" in world.store:
            said = world.store["said"]
        for _ in range(6):
            try:
                turn = world.model(said, None)
            except Exception:
                return BLOCKED
            said.append(turn)
            if not turn["tool_calls"]:
                return DONE
            for call in turn["tool_calls"]:
                try:
                    reply = str(world.call(call["name"], call["arguments"], call["id"]))
                except Exception as error:
                    if stops:
                        return BLOCKED
                    reply = f"Error: {error}"
                said.append({"role": "tool", "tool_call_id": call["id"], "content": reply})
            if keeps:
                world.store["said"] = said
        return BLOCKED

    return agent
