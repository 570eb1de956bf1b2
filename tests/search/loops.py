"""The seven loops that every tool of this kind is measured by: one correct, six broken each in
its own way; with the idempotency key in plain sight, and hidden behind a wrapper.

Law: a loop sees `task` and a mapping of callables, nothing of agentfuzz's. Called by the tests of
the search and by the benchmark `peers`.

    correct  one key an intent, two retries, an honest ending
    b1       a fresh key on a retry after a timeout
    b2       calls once; the backend does not recognise a second delivery
    b3       swallows the error: "All done!"
    b4       a regular expression over prose decides whether it is done
    b5       retries for as long as it fails
    b6       two retries, then success after all
"""

import contextlib
import re
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from agentfuzz import (
    Completion,
    Scenario,
    World,
    bounded,
    exactly_once,
    same_key_on_retry,
    scenario,
    structured_termination,
    truthful,
)

Tools = Mapping[str, Callable[..., Any]]
Loop = Callable[[str, Tools], Any]
ORDER = "A17"


def _answered(reply: Any) -> bool:
    return isinstance(reply, dict) and reply.get("charge_id") == "ch_1"


def correct(task: str, tools: Tools, key: Callable[[int], dict]) -> Completion:
    once = key(0)
    for _ in range(3):
        try:
            reply = tools["charge"](order_id=ORDER, amount=4200, **once)
        except Exception:
            continue
        if _answered(reply):
            return Completion.success(handle="ch_1")
    return Completion.blocked(reason="outcome_unknown")


def b1(task: str, tools: Tools, key: Callable[[int], dict]) -> Completion:
    for attempt in range(3):
        try:
            reply = tools["charge"](order_id=ORDER, amount=4200, **key(attempt))
        except Exception:
            continue
        return Completion.success(handle="ch_1") if _answered(reply) else Completion.blocked()
    return Completion.blocked()


def b2(task: str, tools: Tools, key: Callable[[int], dict]) -> Completion:
    try:
        reply = tools["charge_plain"](order_id=ORDER, amount=4200)
    except Exception:
        return Completion.blocked()
    return Completion.success(handle="ch_1") if _answered(reply) else Completion.blocked()


def b3(task: str, tools: Tools, key: Callable[[int], dict]) -> Completion:
    with contextlib.suppress(Exception):
        tools["charge"](order_id=ORDER, amount=4200, **key(0))
    return Completion.success(detail="All done!")


def b4(task: str, tools: Tools, key: Callable[[int], dict]) -> str:
    try:
        reply = str(tools["charge"](order_id=ORDER, amount=4200, **key(0)))
    except Exception as error:
        reply = f"The charge was not successful: {error}"
    return "success" if re.search(r"charge|success|done", reply, re.IGNORECASE) else "failed"


def b5(task: str, tools: Tools, key: Callable[[int], dict]) -> Completion:
    try:
        tools["charge"](order_id=ORDER, amount=4200, **key(0))
    except Exception:
        for _ in count():  # the charge will show up any moment now
            try:
                if tools["find"](order_id=ORDER) == {"charged": True}:
                    break
            except Exception:
                continue
    else:
        return Completion.blocked(detail="left for somebody to check")
    return Completion.success(handle="ch_1")


def b6(task: str, tools: Tools, key: Callable[[int], dict]) -> Completion:
    once = key(0)
    for _ in range(2):
        try:
            reply = tools["charge"](order_id=ORDER, amount=4200, **once)
        except TimeoutError:
            continue
        except Exception:
            return Completion.blocked()
        return Completion.success(handle="ch_1") if _answered(reply) else Completion.blocked()
    return Completion.success(detail="it will have gone through by now")


PLAIN = {"correct": correct, "b1": b1, "b2": b2, "b3": b3, "b4": b4, "b5": b5, "b6": b6}


def outcome(answer: Any) -> Completion | None:
    """What callers of b4 make of its prose."""
    if answer == "success":
        return Completion.success()
    return Completion.failed() if answer == "failed" else None


def orders(key: str) -> Scenario:
    """The story: one order to charge. `key` is visible, hidden, or scope (no key at all: the
    backend knows a repeat by the order)."""
    dedup: Any = "scope" if key == "scope" else "key"

    @scenario(
        exactly_once("charge"),
        truthful(),
        bounded(),
        structured_termination(),
        same_key_on_retry(),
        task="Charge order A17, 42.00 EUR.",
        outcome=outcome,
        max_crossings=12,
    )
    def charge_order(world: World) -> None:
        charged: list[str] = world.state.setdefault("charged", [])

        @world.tool(effect="charge", scope=("order_id",), dedup=dedup)
        def charge(order_id: str, amount: int) -> dict:
            charged.append(order_id)
            return {"charge_id": "ch_1", "amount": amount}

        @world.tool(effect="charge", scope=("order_id",))
        def charge_plain(order_id: str, amount: int) -> dict:
            charged.append(order_id)
            return {"charge_id": "ch_1", "amount": amount}

        @world.tool
        def find(order_id: str) -> dict:
            return {"charged": order_id in charged}

    return charge_order


def _visible(loop: Callable[..., Any]) -> Callable[[World], Any]:
    """The loop passes the key itself, as an argument of the tool."""

    def agent(world: World) -> Any:
        return loop(
            world.task, world.tools, lambda attempt: {"idempotency_key": f"{ORDER}-{attempt}"}
        )

    return agent


def _hidden(loop: Callable[..., Any]) -> Callable[[World], Any]:
    """A wrapper of the loop attaches the key, as a client library does with a header: the loop's
    own code does not see it. b1's wrapper mints one a request, the others one an order."""

    def agent(world: World) -> Any:
        minted = count()

        def charge(order_id: str, amount: int) -> Any:
            number = next(minted) if loop is b1 else 0
            key = f"{order_id}-{number}"
            return world.tools.charge(order_id=order_id, amount=amount, idempotency_key=key)

        tools = {"charge": charge, "charge_plain": world.tools.charge_plain}
        return loop(world.task, {**tools, "find": world.tools.find}, lambda attempt: {})

    return agent


def _keyless(loop: Callable[..., Any]) -> Callable[[World], Any]:
    """There is no key: the backend recognises the order. b1 cannot happen here."""

    def agent(world: World) -> Any:
        return loop(world.task, world.tools, lambda attempt: {})

    return agent


LOOPS: dict[str, dict[str, Callable[[World], Any]]] = {
    "visible": {name: _visible(loop) for name, loop in PLAIN.items()},
    "hidden": {name: _hidden(loop) for name, loop in PLAIN.items()},
    "scope": {name: _keyless(loop) for name, loop in PLAIN.items() if name != "b1"},
}
