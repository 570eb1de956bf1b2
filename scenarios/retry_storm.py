"""Three times three is nine: every layer retries, and none knows of the others.

A freight service answers one question a second and turns away whoever asks sooner. One reply gets
lost. The client tries again at once, three times; the model, shown the error, asks for the call
again, three times; a supervisor runs the whole task again, three times. Each layer is modest.
Together they keep the service busy with refusing them, until the last one gives up.

Source: Tian Pan, "When Your Agent Framework Becomes the Bug" (2026).
Rows: F30 B18.
"""

import json
import time
from collections import Counter

from agentfuzz import (
    Completion,
    RateLimited,
    World,
    call,
    exactly_once,
    ref,
    retry_budget,
    scenario,
    structured_termination,
    truthful,
    unknown_is_not_failed,
)

FAILURES = (TimeoutError, ConnectionError, RateLimited)
ATTEMPTS = 3


@scenario(
    retry_budget(attempts=ATTEMPTS),
    exactly_once("booking", intents=[{"shipment": "S-7"}]),
    structured_termination(),
    truthful(),
    unknown_is_not_failed(),
    task="Book the freight of shipment S-7.",
    script=[
        ("get_quote", {"shipment": "S-7"}),
        call("book_freight", shipment="S-7", quote_id=ref("get_quote", "quote_id")),
        Completion.success(handle="S-7"),
    ],
)
def retry_storm(world: World) -> None:
    @world.tool
    def get_quote(shipment: str) -> dict[str, object]:
        """Ask what the freight costs; once a second at most."""
        before = world.state.get("asked", -1.0)
        world.state["asked"] = world.clock.now
        if world.clock.now - before < 1.0:
            raise RateLimited("one request per second", retry_after=1.0)
        return {"quote_id": "q_S-7", "cents": 91_000}

    @world.tool(effect="booking", scope=("shipment",), dedup="key")
    def book_freight(
        shipment: str, quote_id: str, idempotency_key: str | None = None
    ) -> dict[str, object]:
        """Book the freight."""
        return {"booking_id": f"b_{shipment}", "quote_id": quote_id}


def converse(world: World, ask) -> Completion | None:
    """One conversation, and its success if the receipt came. `ask` makes a call of the model."""
    messages: list[dict] = [{"role": "user", "content": world.task}]
    receipt = None
    for _ in range(12):
        turn = world.model(messages, list(world.tools))
        messages.append(turn)
        calls = turn["tool_calls"]
        if not calls or any(each["name"] == "done" for each in calls):
            break
        for each in calls:
            try:
                reply = ask(each)
            except Exception as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            if isinstance(reply, dict) and isinstance(reply.get("booking_id"), str):
                receipt = reply
            text = reply if isinstance(reply, str) else json.dumps(reply, default=str)
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
    return Completion.success(handle="S-7") if receipt else None


def once(world: World, each: dict) -> object:
    """One attempt at a call of the model. The key is that of the shipment."""
    arguments = dict(each["arguments"])
    if each["name"] == "book_freight":
        arguments["idempotency_key"] = f"{world.trigger_id}:book_freight:S-7"
    return world.call(each["name"], arguments, asked=each["id"])


def client_times_model(world: World) -> Completion:
    """Victim: the client retries, as its default is; the model knows nothing of it, and asks
    again."""

    def client(each: dict) -> object:
        for left in reversed(range(ATTEMPTS)):
            try:
                return once(world, each)
            except FAILURES:
                if not left:
                    raise
        return None

    return converse(world, client) or _gave_up()


def model_times_supervisor(world: World) -> Completion:
    """Victim: the client's retries are off; the model asks again, and so does a supervisor, who
    runs the task once more."""
    for _ in range(ATTEMPTS):
        done = converse(world, lambda each: once(world, each))
        if done:
            return done
    return _gave_up()


class OutOfAttempts(Exception):
    """The budget of a call is used up, for all layers."""


def one_budget(world: World) -> Completion:
    """Survivor: the layer that calls has the only budget, and waits as long as it is told to. It
    answers a question that was answered before from memory, and the rest with the end."""
    spent: Counter[str] = Counter()
    known: dict[str, object] = {}

    def client(each: dict) -> object:
        about = json.dumps([each["name"], each["arguments"]], sort_keys=True)
        while about not in known:
            if spent[each["name"]] == ATTEMPTS:  # in whatever words it is asked for
                raise OutOfAttempts(f"{each['name']} failed; do not ask for it again")
            spent[each["name"]] += 1
            try:
                known[about] = once(world, each)
            except FAILURES as error:
                time.sleep(getattr(error, "retry_after", 1.0))
        return known[about]

    return converse(world, client) or _gave_up()


def _gave_up() -> Completion:
    return Completion.blocked(reason="dependency_unavailable", handle="S-7")


VICTIMS = {client_times_model: ("AF217",), model_times_supervisor: ("AF217",)}
SURVIVORS = (one_budget,)
