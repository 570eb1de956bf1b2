"""The end that stands in the middle of a sentence.

A bot books a seat, and its model closes with a sentence and a marker for the machine in it. The
loop looks for the marker, and believes what it says. Once the reply is cut off, the marker is half
a marker; once the model words it otherwise, there is none; and once the booking was skipped, it is
there all the same. What helps: an end that the loop makes itself, from the receipt.

Source: Tian Pan, '"Done!" Is Not a Return Code' (2026).
Rows: B28.
"""

import json
import re

from agentfuzz import (
    Completion,
    ModelError,
    ToolError,
    World,
    at_most_once,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
MARKER = re.compile(r"<done>(.*?)(</done>|$)")


@scenario(
    at_most_once(),
    structured_termination(),
    truthful(),
    task="Book seat 12A.",
    script=[
        ("book_seat", {"seat": "12A"}),
        'Seat 12A is yours. <done>{"status": "success", "handle": "12A"}</done> Have a good trip!',
    ],
)
def marker_in_text(world: World) -> None:
    @world.tool(effect="booking", scope=("seat",), dedup="key")
    def book_seat(seat: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Book a seat."""
        return {"booked": seat}


def converse(world: World) -> tuple[str, bool]:
    """The last words of a conversation, and whether the receipt came."""
    messages: list[dict] = [{"role": "user", "content": world.task}]
    booked = False
    for _ in range(8):
        try:
            turn = world.model(messages, list(world.tools))
        except (ModelError, TimeoutError, ConnectionError):
            continue
        if not turn["tool_calls"]:
            return turn["content"] or "", booked
        if turn["stop"] == "length":
            continue
        messages.append(turn)
        for each in turn["tool_calls"]:
            arguments = {**each["arguments"], "idempotency_key": f"{world.trigger_id}:seat"}
            try:
                reply = world.call(each["name"], arguments, asked=each["id"])
                text = json.dumps(reply)
            except FAILURES as error:
                reply, text = None, f"Error: {type(error).__name__}: {error}"
            booked = booked or reply == {"booked": "12A"}
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
    return "", booked


def reads_the_marker(world: World) -> str | None:
    """Victim: what stands in the marker is passed on; without one, the words are the answer."""
    words, _ = converse(world)
    marker = MARKER.search(words)
    if marker is None:
        return words
    try:
        said = json.loads(marker[1])
    except ValueError:
        said = {"status": marker[1]}
    world.tools.done(**said)
    return None


def reads_the_receipt(world: World) -> Completion:
    """Survivor: the words are for people."""
    _, booked = converse(world)
    if booked:
        return Completion.success(handle="12A")
    return Completion.blocked(reason="outcome_unknown", handle="12A")


VICTIMS = {reads_the_marker: ("AF204", "AF205", "AF301")}
SURVIVORS = (reads_the_receipt,)
