"""'Done!' is not a return code: an orchestrator that reads the model's prose.

A support ticket has to be answered once and closed. The model does the work and then says so, in
its own words. An orchestrator that looks for "done" in those words is wrong both ways: it takes
a ticket for resolved when nothing has happened (premature completion), and runs a finished one
again because the words did not match (missed completion), so that the customer is answered twice.

Source: Tian Pan, "'Done!' Is Not a Return Code" (2026).
Rows: F12 F20 F21 F23 F25 F26 B08 B23.
"""

import json
import re

from agentfuzz import (
    Completion,
    World,
    exactly_once,
    replay_transparency,
    scenario,
    structured_termination,
    text_has_no_authority,
    truthful,
)


@scenario(
    exactly_once("answer", intents=[{"ticket_id": "T-9"}]),
    structured_termination(),
    truthful(),
    replay_transparency(),
    text_has_no_authority(),
    task="Resolve ticket T-9.",
    script=[
        ("read_ticket", {"ticket_id": "T-9"}),
        ("send_answer", {"ticket_id": "T-9", "text": "Your parcel leaves today."}),
        "Done! Ticket T-9 is resolved.",
    ],
)
def resolve_ticket(world: World) -> None:
    @world.tool
    def read_ticket(ticket_id: str) -> dict[str, object]:
        """Read a ticket."""
        return {"ticket_id": ticket_id, "subject": "Where is my parcel?", "open": True}

    @world.tool(effect="answer", scope=("ticket_id",), dedup="key")
    def send_answer(
        ticket_id: str, text: str, idempotency_key: str | None = None
    ) -> dict[str, object]:
        """Send an answer to the customer."""
        return {"message_id": f"msg_{ticket_id}", "status": "sent"}


DETECTOR = re.compile(r"\b(done|complete|completed|finished)\b", re.IGNORECASE)


def converse(world: World, key_of) -> tuple[str, dict | None]:
    """One conversation: the model's closing words, and the receipt of the answer if one came."""
    messages: list[dict] = [{"role": "user", "content": world.task}]
    receipt = None
    for _ in range(12):
        turn = world.model(messages, list(world.tools))
        messages.append(turn)
        if not turn["tool_calls"]:
            return turn["content"] or "", receipt
        for each in turn["tool_calls"]:
            arguments = dict(each["arguments"])
            if each["name"] == "send_answer":
                arguments["idempotency_key"] = key_of(each)
            try:
                reply = world.call(each["name"], arguments, asked=each["id"])
            except Exception as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            if isinstance(reply, dict) and "message_id" in reply:
                receipt = reply
            text = reply if isinstance(reply, str) else json.dumps(reply, default=str)
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
    return "", receipt


def reads_prose(world: World) -> Completion:
    """Victim: the classic detector. Unclear words mean that the task is run again."""
    for _ in range(3):
        words, _ = converse(world, lambda each: each["id"])
        if DETECTOR.search(words):
            return Completion.success(handle="T-9")
    return Completion.failed(reason="other", detail="the model never said that it was done")


def believes_any_ending(world: World) -> Completion:
    """Victim: whoever stops calling tools must be done."""
    converse(world, _intent_key)
    return Completion.success(handle="T-9")


def returns_the_words(world: World) -> str:
    """Victim: hands the closing sentence on and lets its caller guess."""
    words, _ = converse(world, _intent_key)
    return words


def reads_receipts(world: World) -> Completion:
    """Survivor: the words decide nothing. One key per ticket; success is a receipt."""
    for _ in range(2):
        _, receipt = converse(world, _intent_key)
        if receipt:
            return Completion.success(handle="T-9")
    return Completion.blocked(reason="outcome_unknown", handle="T-9")


def _intent_key(each: dict) -> str:
    return f"run-1:send_answer:{each['arguments'].get('ticket_id')}"


VICTIMS = {
    reads_prose: ("AF101", "AF103", "AF301", "AF304"),
    believes_any_ending: ("AF103", "AF301"),
    returns_the_words: ("AF204",),
}
SURVIVORS = (reads_receipts,)
