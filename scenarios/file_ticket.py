"""The ticket that was filed, summed up, and filed again.

A bot files a ticket about an incident and assigns it. What its model knows is what the loop shows
it: an error that becomes an empty text never happened, a receipt in a shape that the loop does not
expect is shown as nothing, and when the conversation gets long, what is cut off are the oldest
messages, and the ticket's number with them. A model that does not see that it has filed a ticket
files one. What helps: errors in words, results whole, and a summary that keeps receipts.

Source: Tian Pan, "When Your Agent Framework Becomes the Bug" (2026).
Rows: F31 F33 B09 B20 B41.
"""

import json

from agentfuzz import (
    Completion,
    ModelError,
    ToolError,
    World,
    at_most_once,
    effects_remembered,
    errors_surface,
    receipts_shown,
    results_not_blanked,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
FILED, ASSIGNED = ["T-1", "search is down"], {"assigned": 42, "to": "ada"}


@scenario(
    at_most_once(),
    effects_remembered(),
    errors_surface(),
    receipts_shown(),
    results_not_blanked(),
    structured_termination(),
    truthful(),
    task="File a ticket for incident 42 and assign it to Ada.",
    script=[
        ("file_ticket", {"incident": 42, "title": "search is down"}),
        ("assign_ticket", {"incident": 42, "to": "ada"}),
        Completion.success(handle="T-1"),
    ],
)
def file_ticket(world: World) -> None:
    @world.tool(effect="ticket", scope=("incident",), dedup="key")
    def file_ticket(incident: int, title: str, idempotency_key: str | None = None) -> list[str]:
        """File a ticket: its number, and its title."""
        return ["T-1", title]

    @world.tool(effect="assignment", scope=("incident",), dedup="scope")
    def assign_ticket(incident: int, to: str) -> dict[str, object]:
        """Assign the ticket of an incident."""
        return {"assigned": incident, "to": to}


def per_ticket(each: dict) -> str:
    return f"ticket:{each['arguments'].get('incident')}"


def in_words(error: Exception) -> str:
    return f"Error: {type(error).__name__}: {error}"


def converse(
    world: World, show=json.dumps, fails=in_words, compact=list, key=per_ticket
) -> Completion:
    """A tool-calling loop: `show` and `fails` say what the model sees of a reply and of an error,
    `compact` what is left of a conversation before it is sent."""
    messages: list[dict] = [{"role": "user", "content": world.task}]
    seen: list[object] = []
    errors: list[str] = []
    for _ in range(8):
        messages = compact(messages)
        try:
            turn = world.model(messages, list(world.tools))
        except (ModelError, TimeoutError, ConnectionError):
            continue
        messages.append(turn)
        if not turn["tool_calls"] or any(each["name"] == "done" for each in turn["tool_calls"]):
            break
        errors = []
        for each in turn["tool_calls"]:
            arguments = dict(each["arguments"])
            if each["name"] == "file_ticket":
                arguments["idempotency_key"] = key(each)
            try:
                seen.append(world.call(each["name"], arguments, asked=each["id"]))
                text = show(seen[-1])
            except FAILURES as error:
                text = fails(error)
                errors.append(text)
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
        if FILED in seen and ASSIGNED in seen and not errors:
            break
    if FILED in seen and ASSIGNED in seen:
        return Completion.success(handle="T-1", detail="; ".join(errors))
    return Completion.blocked(reason="outcome_unknown", handle="42", detail="; ".join(errors))


def swallows_errors(world: World) -> Completion:
    """Victim: a tool that fails is a tool without an answer."""
    return converse(world, fails=lambda error: "")


def expects_a_shape(world: World) -> Completion:
    """Victim: shows objects, and has no case for anything else."""
    return converse(world, show=lambda reply: json.dumps(reply) if type(reply) is dict else "")


def cuts_the_oldest(world: World) -> Completion:
    """Victim: a window of the last messages, which is long enough until something is retried; and
    a key for each call that the model makes."""
    window = lambda messages: messages[:1] + messages[1:][-4:]  # noqa: E731
    return converse(world, compact=window, key=lambda each: each["id"])


def sums_up(world: World) -> Completion:
    """Survivor: errors in words, every reply as it is, and the oldest turns as a record of what was
    called and what came back."""
    return converse(world, compact=summary)


def summary(messages: list[dict]) -> list[dict]:
    """A conversation with its oldest turns, as far as it is too long, in the words of the task."""
    messages = list(messages)
    while len(messages) > 5 and sum(each["role"] == "assistant" for each in messages) > 1:
        task, turn = messages.pop(0), messages.pop(0)
        asked = {each["id"]: each for each in turn["tool_calls"]}
        lines = []
        while messages[0]["role"] == "tool":
            result = messages.pop(0)
            each = asked[result["tool_call_id"]]
            lines.append(f"{each['name']} {json.dumps(each['arguments'])} -> {result['content']}")
        messages.insert(0, {"role": "user", "content": "\n".join([task["content"], *lines])})
    return messages


VICTIMS = {
    swallows_errors: ("AF411",),
    expects_a_shape: ("AF406", "AF412", "AF414"),
    cuts_the_oldest: ("AF101", "AF406", "AF412"),
}
SURVIVORS = (sums_up,)
