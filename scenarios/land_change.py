"""Landed, though the test is still flaky.

A coding agent runs the tests of a change, lands it, and closes its ticket. Closing sentences from
the field: "I went ahead and landed the change, though the test for the edge case is still flaky",
"done, pending CI". A run of the tests that timed out is no green one, a change that a model says it
has landed is not landed, and a success that mentions a reservation in its prose is not read by the
pipeline that routes on the status. What decides: green is what the test runner said about this
very commit, landed is the receipt of the merge, and a reservation is one where the runner has it.

Source: Tian Pan, "'Done!' Is Not a Return Code" (2026).
Rows: F20 F23 F24 F25 B15 B23 B32.
"""

import json

from agentfuzz import (
    Completion,
    ModelError,
    ToolError,
    World,
    exactly_once,
    only_after,
    scenario,
    structured_termination,
    text_has_no_authority,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
COMMIT = "c0ffee"


@scenario(
    exactly_once("landing", intents=[{"commit": COMMIT}]),
    only_after("landing", needs="test run"),
    truthful(),
    text_has_no_authority(),
    structured_termination(),
    task="Run the tests of commit c0ffee, land it, and say how it went.",
    script=[
        ("run_tests", {"commit": COMMIT}),
        ("land", {"commit": COMMIT}),
        "I landed the change, though the test for the edge case is still flaky.",
    ],
)
def land_change(world: World) -> None:
    @world.tool(effect="test run", scope=("commit",), dedup="scope")
    def run_tests(commit: str) -> dict[str, object]:
        """Run the tests of a commit."""
        return {"commit": commit, "green": True, "flaky": []}

    @world.tool(effect="landing", scope=("commit",), dedup="scope")
    def land(commit: str) -> dict[str, object]:
        """Land a commit on the main branch."""
        return {"commit": commit, "merged": True}


def converse(world: World, may) -> tuple[str, dict[str, object]]:
    """One conversation: the words it closed with, and the last reply of each tool. `may` says
    whether a call of the model is carried out."""
    messages: list[dict] = [{"role": "user", "content": world.task}]
    replies: dict[str, object] = {}
    for _ in range(10):
        try:
            turn = world.model(messages, list(world.tools))
        except (ModelError, TimeoutError, ConnectionError):
            continue
        messages.append(turn)
        if not turn["tool_calls"]:
            return turn["content"] or "", replies
        for each in turn["tool_calls"]:
            try:
                if not may(each, replies):
                    raise ToolError("not now: the tests are not green")
                reply = world.call(each["name"], each["arguments"], asked=each["id"])
                replies[each["name"]] = reply
            except FAILURES as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            text = reply if isinstance(reply, str) else json.dumps(reply, default=str)
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
    return "", replies


def green(replies: dict[str, object]) -> bool:
    """Whether the test runner said that this commit is green."""
    run = replies.get("run_tests")
    return isinstance(run, dict) and run.get("commit") == COMMIT and run.get("green") is True


def landed(replies: dict[str, object]) -> bool:
    """Whether the receipt of the merge is there."""
    return replies.get("land") == {"commit": COMMIT, "merged": True}


def unknown() -> Completion:
    return Completion.blocked(reason="outcome_unknown", handle=COMMIT)


def landed_it_says(world: World) -> Completion:
    """Victim: "landed" in the closing is a success."""
    words, _ = converse(world, lambda each, replies: True)
    return Completion.success(handle=COMMIT) if "landed" in words else unknown()


def lands_untested(world: World) -> Completion:
    """Victim: reads receipts, and lands whenever it is asked to: a run of the tests that timed out
    was not red."""
    _, replies = converse(world, lambda each, replies: True)
    return Completion.success(handle=COMMIT) if landed(replies) else unknown()


def reads_reservations(world: World) -> Completion:
    """Victim: looks for the reservation in the words: "though", "still", "pending"."""
    words, replies = converse(world, gate)
    if not landed(replies):
        return unknown()
    if any(word in words for word in ("still", "though", "pending")):
        return Completion.partial(reason="unverified", handle=COMMIT, detail="the edge case")
    return Completion.success(handle=COMMIT)


def gate(each: dict, replies: dict[str, object]) -> bool:
    """Land only what is green."""
    return each["name"] != "land" or green(replies)


def reads_receipts(world: World) -> Completion:
    """Survivor: green, then landed, each by its receipt. What the runner calls flaky makes the
    answer a partial one, what the words say does not."""
    _, replies = converse(world, gate)
    if not (landed(replies) and green(replies)):
        return unknown()
    if replies["run_tests"].get("flaky") != []:
        return Completion.partial(reason="unverified", handle=COMMIT, detail="flaky tests")
    return Completion.success(handle=COMMIT)


VICTIMS = {
    landed_it_says: ("AF103", "AF301", "AF304"),
    lands_untested: ("AF117", "AF301"),
    reads_reservations: ("AF304",),
}
SURVIVORS = (reads_receipts,)
