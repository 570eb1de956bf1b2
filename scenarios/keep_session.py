"""The session that one timeout closed for good.

A buyer's bot looks up what is in stock and reserves it, over one session with the shop's server.
One answer does not come in time, the client closes the session, as it should, and nobody opens
another: from then on every call fails before it is made, the model is told so, asks again, and
gives up on a shop that is well. Or somebody does open another, at once, and for ever, while the
shop is down. What fails once fails alone: a new session for a new attempt, and a number of them.

Source: Tian Pan, "When Your Agent Framework Becomes the Bug" (2026).
Rows: F61 B38 B42.
"""

import json

from agentfuzz import (
    Completion,
    ModelError,
    ToolError,
    World,
    at_most_once,
    later_calls_work,
    recovers,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
PART = "P-7"


@scenario(
    later_calls_work(),
    recovers(),
    at_most_once(),
    structured_termination(),
    truthful(),
    task="Reserve one piece of P-7, if it is in stock.",
    script=[
        ("find_stock", {"part": PART}),
        ("reserve", {"part": PART}),
        Completion.success(handle=PART),
    ],
)
def keep_session(world: World) -> None:
    @world.tool
    def find_stock(part: str) -> dict[str, object]:
        """How many pieces of a part there are."""
        return {"part": part, "pieces": 3}

    @world.tool(effect="reservation", scope=("part",), dedup="scope")
    def reserve(part: str) -> dict[str, object]:
        """Reserve one piece of a part."""
        return {"reserved": part}


class Session:
    """A session with the shop's server, as a client library has one: an error closes it."""

    def __init__(self, world: World) -> None:
        self.world, self.open = world, True

    def call(self, each: dict) -> object:
        if not self.open:
            raise ConnectionError("the session is closed")
        try:
            return self.world.call(each["name"], each["arguments"], asked=each["id"])
        except (TimeoutError, ConnectionError):
            self.open = False
            raise


def converse(world: World, call) -> Completion:
    """A tool-calling loop; `call` makes a call of the model. Success is the receipt."""
    messages: list[dict] = [{"role": "user", "content": world.task}]
    reserved = False
    for _ in range(12):
        try:
            turn = world.model(messages, list(world.tools))
        except (ModelError, TimeoutError, ConnectionError):
            continue
        messages.append(turn)
        if not turn["tool_calls"] or any(each["name"] == "done" for each in turn["tool_calls"]):
            break
        for each in turn["tool_calls"]:
            try:
                reply = call(each)
            except FAILURES as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            reserved = reserved or reply == {"reserved": PART}
            text = reply if isinstance(reply, str) else json.dumps(reply, default=str)
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
    if reserved:
        return Completion.success(handle=PART)
    return Completion.blocked(reason="dependency_unavailable", handle=PART)


def one_session(world: World) -> Completion:
    """Victim: one session for the task, and what closed it closed it for good."""
    return converse(world, Session(world).call)


def reconnects_for_ever(world: World) -> Completion:
    """Victim: a closed session is opened again, and the call made again, until there is an
    answer."""

    def call(each: dict) -> object:
        while True:
            try:
                return Session(world).call(each)
            except (TimeoutError, ConnectionError):
                continue

    return converse(world, call)


def a_session_a_call(world: World) -> Completion:
    """Survivor: a new session for each call; whether to ask again is decided in one place, by the
    model, which is shown the error."""
    return converse(world, lambda each: Session(world).call(each))


VICTIMS = {
    one_session: ("AF219", "AF220"),
    reconnects_for_ever: ("AF201",),
}
SURVIVORS = (a_session_a_call,)
