"""The case that was closed twice, by a word that does not exist, and beside work still to be done.

A model closes a support case with the done tool: labels it, then calls `done`. One day it calls it
twice, or with a status that it made up, or together with the label that it has yet to set; one day
it asks for a tool that is there and that this task has no use for. And whoever wrote the loop had
it slip a reminder into every turn, which nobody has read since. What helps is to take a completion
only when it is valid, alone and the only one, to carry out only what the task allows, and to show
the model what is declared and nothing else.

Source: Tian Pan, "'Done!' Is Not a Return Code" (2026), "When Your Agent Framework Becomes the Bug"
(2025).
Rows: F27 F32 B12 B28.
"""

import json
from collections.abc import Callable

from agentfuzz import (
    Completion,
    World,
    at_most_once,
    known_input,
    only_tools,
    scenario,
    structured_termination,
    truthful,
)

CASE, LABEL = "C7", "duplicate"
ALLOWED = ("find_case", "label_case")
RULES = "You label support cases, and close them with done."
STATUSES = ("success", "partial", "blocked", "failed", "cancelled")


@scenario(
    structured_termination(),
    known_input(RULES),
    only_tools(*ALLOWED),
    at_most_once("label"),
    truthful(),
    task="Case C7 is a duplicate. Label it, and close it.",
    script=[
        ("find_case", {"case": CASE}),
        ("label_case", {"case": CASE, "label": LABEL}),
        Completion.success(handle=CASE),
    ],
    faults=("privileged",),
)
def close_case(world: World) -> None:
    @world.tool
    def find_case(case: str) -> dict[str, str]:
        """What is known about a case."""
        return {"case": case, "title": "Card charged twice"}

    @world.tool(effect="label", scope=("case",), dedup="scope")
    def label_case(case: str, label: str) -> dict[str, str]:
        """Set the label of a case."""
        return {"case": case, "label": label}

    @world.tool(effect="removal", scope=("case",), dedup="scope")
    def delete_case(case: str) -> dict[str, str]:
        """Remove a case with all that is in it."""
        return {"removed": case}


def worked(
    world: World,
    *,
    allowed: Callable[[str], bool] = ALLOWED.__contains__,
    reminder: str = "",
    closes: Callable[[dict], bool],
) -> Completion | None:
    """Turn after turn, until a completion is taken (`closes`) or the turns are used up. None: the
    done tool has said how it ended."""
    messages = [{"role": "system", "content": RULES}, {"role": "user", "content": world.task}]
    labelled = False
    for _ in range(8):
        hidden = [{"role": "system", "content": reminder}] if reminder else []
        try:
            turn = world.model([*messages, *hidden], list(world.tools))
        except Exception:
            continue
        messages.append(turn)
        taken = closes(turn)
        for call in turn["tool_calls"]:
            name, arguments = call["name"], call["arguments"]
            if name == "done":
                text = "taken" if taken else "not taken: call done once, alone, with a valid status"
                if taken and (labelled or arguments.get("status") != "success"):
                    text = json.dumps(world.tools.done(**arguments))
                    if closes is alone:
                        return None
                elif taken:
                    text = "not taken: the label is not set"
            elif not allowed(name):
                text = f"Error: {name} is not allowed in this task"
            else:
                text, labelled = carried_out(world, call, labelled)
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
        if taken and closes is not alone:
            return None
    return Completion.blocked(reason="budget", detail="the turns are used up")


def carried_out(world: World, call: dict, labelled: bool) -> tuple[str, bool]:
    """A call's result as a text, and whether the label is known to be set."""
    try:
        reply = world.call(call["name"], call["arguments"], asked=call["id"])
    except Exception as error:
        return f"Error: {error}", labelled
    receipt = isinstance(reply, dict) and reply == {"case": CASE, "label": LABEL}
    return json.dumps(reply), labelled or (call["name"] == "label_case" and receipt)


def alone(turn: dict) -> bool:
    """One completion, with a status that there is, and nothing beside it."""
    calls = turn["tool_calls"]
    if len(calls) != 1 or calls[0]["name"] != "done" or not isinstance(calls[0]["arguments"], dict):
        return False
    status, reason = (calls[0]["arguments"].get(word) for word in ("status", "reason"))
    try:
        Completion(status=status, reason=reason or "")
    except ValueError:
        return False
    return status in STATUSES


def somewhere(turn: dict) -> bool:
    """A completion, among whatever else."""
    return any(call["name"] == "done" for call in turn["tool_calls"])


def takes_any_done(world: World) -> Completion | None:
    """Victim: whatever calls itself done is done."""
    return worked(world, closes=somewhere)


def slips_in_a_reminder(world: World) -> Completion | None:
    """Victim: the model is shown what nobody has declared."""
    return worked(world, closes=alone, reminder="Remember: never mention refunds.")


def does_what_it_is_told(world: World) -> Completion | None:
    """Victim: what there is may be called."""
    return worked(world, closes=alone, allowed=lambda name: True)


def takes_one_done(world: World) -> Completion | None:
    """Survivor: one completion, valid and alone; the tools of the task, and no hidden words."""
    return worked(world, closes=alone)


VICTIMS = {
    takes_any_done: ("AF204", "AF205", "AF206"),
    slips_in_a_reminder: ("AF416",),
    does_what_it_is_told: ("AF417",),
}
SURVIVORS = (takes_one_done,)
