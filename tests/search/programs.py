"""Small agent loops made from a number: retries, catches, look-ups, keys, branches on replies.

Law: the same number is the same loop, which is deterministic; nothing is drawn while it runs.
Called by the tests that compare searches with each other.
"""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from agentfuzz import (
    Completion,
    Scenario,
    ToolError,
    World,
    at_most_once,
    no_blind_repeat,
    no_lost_intent,
    no_stuck_repeats,
    replay_transparency,
    same_key_on_retry,
    scenario,
    structured_termination,
    truthful,
)

CAUGHT: tuple[type[Exception], ...] = (TimeoutError, ConnectionError, ToolError)


class Step(NamedTuple):
    """One thing that the loop wants done, and what it does about trouble."""

    tool: str
    order: str
    attempts: int
    key: str  # none, fixed, fresh
    catches: tuple[type[Exception], ...]
    on_error: str  # retry, look, skip, block, claim
    on_odd: str  # what it does about a reply that it does not expect: believe, retry, block


def program(seed: int) -> tuple[Scenario, Callable[[World], Any]]:
    """The scenario and the loop of this number: two to four tools, three or four steps."""
    rnd = Random(seed)
    dedups = {
        name: rnd.choice(("none", "none", "key", "scope"))
        for name in rnd.sample(("charge", "ship", "notify"), rnd.randint(1, 3))
    }
    steps = [
        Step(
            tool=rnd.choice([*dedups, "find"]) if number else next(iter(dedups)),
            order=rnd.choice(("A", "A", "B")),
            attempts=rnd.randint(1, 3),
            key=rnd.choice(("none", "fixed", "fresh")),
            catches=tuple(rnd.sample(CAUGHT, rnd.randint(2, 3))),
            on_error=rnd.choice(
                ("retry", "retry", "look", "look", "skip", "skip", "block", "claim")
            ),
            on_odd=rnd.choice(("believe", "believe", "retry", "block")),
        )
        for number in range(rnd.randint(3, 4))
    ]
    return _story(dedups), _loop(steps, dedups, rnd.random() < 0.3)


def _story(dedups: dict[str, str]) -> Scenario:
    @scenario(
        at_most_once(),
        no_lost_intent(),
        no_blind_repeat(),
        replay_transparency(),
        structured_termination(),
        truthful(),
        no_stuck_repeats(k=2),
        same_key_on_retry(),
        max_crossings=30,
    )
    def generated(world: World) -> None:
        done: list[tuple[str, str]] = world.state.setdefault("done", [])

        def declare(name: str, dedup: Any) -> None:
            @world.tool(effect=name, scope=("order",), dedup=dedup, name=name)
            def act(order: str) -> dict:
                done.append((name, order))
                return {"ok": True, "number": len(done)}

        for name, dedup in dedups.items():
            declare(name, dedup)

        @world.tool
        def find(order: str) -> dict:
            return {"ok": True, "done": sum(1 for _, of in done if of == order)}

    return generated


def _loop(
    steps: list[Step], dedups: dict[str, str], in_prose: bool
) -> Callable[[World], Completion | str]:
    def agent(world: World) -> Completion | str:
        for step in steps:
            ending = _take(world, step, dedups)
            if ending == "claim":
                break
            if ending == "block":
                return "stopped" if in_prose else Completion.blocked()
        return Completion.success(handle="all")

    return agent


def _take(world: World, step: Step, dedups: dict[str, str]) -> str:
    for attempt in range(step.attempts):
        arguments = {"order": step.order}
        if dedups.get(step.tool) == "key" and step.key != "none":
            tail = f"-{attempt}" if step.key == "fresh" else ""
            arguments["idempotency_key"] = f"{step.tool}-{step.order}{tail}"
        try:
            reply = world.tools[step.tool](**arguments)
        except step.catches:
            if step.on_error == "retry":
                continue
            if step.on_error == "look":
                try:
                    found = world.tools.find(order=step.order)
                except Exception:
                    return "block"
                if isinstance(found, dict) and found.get("done"):
                    return "next"
                continue
            return "next" if step.on_error == "skip" else step.on_error
        if isinstance(reply, dict) and reply.get("ok") is True:
            return "next"
        if step.on_odd != "retry":
            return "next" if step.on_odd == "believe" else "block"
    return "block"
