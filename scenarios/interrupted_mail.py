"""Two mails, a word in between, and half a reply.

A bot tells two guests that dinner is at eight. While a mail is under way its user says something,
and a loop that turns to the user at once has sent a mail and never noted it: its model does not see
it, and sends another one. Or the model's reply breaks off after the first of its two calls; whoever
carries that one out and asks again is asked to do it again. Or a proxy delivers the request twice.
What helps: half a reply is none, a key that belongs to the guest, and an answer to each call before
anybody talks on.

Source: Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a Tool Property" (2026).
Rows: F04 F15 B07.
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
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
GUESTS = ("ann", "bob")


@scenario(
    at_most_once(),
    effects_remembered(),
    errors_surface(),
    structured_termination(),
    truthful(),
    task="Tell Ann and Bob that dinner is at eight.",
    script=[
        [("send_mail", {"to": name, "text": "Dinner is at eight."}) for name in GUESTS],
        Completion.success(handle="ann, bob"),
    ],
    faults=("interrupt",),
)
def interrupted_mail(world: World) -> None:
    @world.tool(effect="mail", scope=("to",), dedup="key")
    def send_mail(to: str, text: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Send a mail."""
        return {"sent": f"m_{to}"}


def per_guest(world: World, each: dict) -> str | None:
    return f"{world.trigger_id}:{each['arguments'].get('to')}"


def carried_out(world: World, each: dict, key_of) -> str:
    """One call that the model asked for, and what it is shown of the answer."""
    arguments = each["arguments"]
    if isinstance(arguments, dict) and each["name"] == "send_mail":
        arguments = {**arguments, "idempotency_key": key_of(world, each)}
    try:
        return json.dumps(world.call(each["name"], arguments, asked=each["id"]))
    except FAILURES as error:
        return f"Error: {type(error).__name__}: {error}"


def converse(world: World, key_of=per_guest, at_once=False, halves=False) -> Completion:
    """A tool-calling loop. `at_once`: it turns to its user before it has noted a result; `halves`:
    it carries out what there is of a reply that broke off."""
    messages: list[dict] = [{"role": "user", "content": world.task}]
    told: set[str] = set()
    errors: list[str] = []

    def listens() -> bool:
        heard = [{"role": "user", "content": word} for word in world.inbox]
        world.inbox.clear()
        messages.extend(heard)
        return bool(heard)

    for _ in range(8):
        listens()
        try:
            turn = world.model(messages, list(world.tools))
        except (ModelError, TimeoutError, ConnectionError):
            continue
        if turn["stop"] == "length":
            for each in turn["tool_calls"][:-1] if halves else ():
                told.add(carried_out(world, each, key_of))
            continue
        if any(each["name"] == "done" for each in turn["tool_calls"]) or not turn["tool_calls"]:
            break
        messages.append(turn)
        errors = []
        for each in turn["tool_calls"]:
            text = carried_out(world, each, key_of)
            told.add(text)
            errors += [text] if text.startswith("Error") else []
            if at_once and listens():
                break
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
    unsure = [name for name in GUESTS if json.dumps({"sent": f"m_{name}"}) not in told]
    if unsure or errors:
        return Completion.blocked(reason="outcome_unknown", handle=", ".join(unsure or GUESTS))
    return Completion.success(handle=", ".join(GUESTS))


def per_call(world: World, each: dict) -> str | None:
    return each["id"]


def drops_what_it_was_at(world: World) -> Completion:
    """Victim: the user comes first; what the mail's server said is not noted any more."""
    return converse(world, key_of=per_call, at_once=True)


def makes_do_with_half(world: World) -> Completion:
    """Victim: carries out the calls that came before a reply broke off, and asks again."""
    return converse(world, key_of=per_call, halves=True)


def without_a_key(world: World) -> Completion:
    """Victim: calls once, and what the network does is not its affair."""
    return converse(world, key_of=lambda world, each: None)


def answers_first(world: World) -> Completion:
    """Survivor: each call is answered, with its guest's key, before the next word."""
    return converse(world)


VICTIMS = {
    drops_what_it_was_at: ("AF101", "AF412"),
    makes_do_with_half: ("AF101",),
    without_a_key: ("AF102",),
}
SURVIVORS = (answers_first,)
