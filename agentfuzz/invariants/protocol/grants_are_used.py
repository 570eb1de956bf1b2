"""The law that what was allowed is done, or its loss is said (AF413).

Law: a person who has said yes takes the thing for done. What a grant allows, and how often, is
`approval_single_use`'s to judge. Source: CATALOGUE B39.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from agentfuzz.core.events import Called, Cancelled, Decided, Done, Interrupted
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import logical_of
from agentfuzz.invariants.queries.conversations import last_asked


@law(codes={"AF413": "What was approved was never done"}, catalogue="B39")
def grants_are_used() -> Check:
    """A call that was granted is made, or the run does not end in success.

    For each request that was only ever answered with yes, and for the first time while it could
    still allow something (its leg had not ended in success, failed or cancelled, and nobody had
    cancelled the task), the call is made: under the id that waited, the same tool with the same
    arguments, or, where nothing more is known of it, that tool. 10 is 10.0 and "a " is "a", for
    what is written badly may be refused and asked for anew. Whatever came of the call others
    judge. Otherwise the last completion is none of success, or its detail names the request, the
    call or the tool.

    NOT_EXERCISED when nothing was granted, or nothing was said at the end.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        grants = list(_grants(history))
        last = history.completion
        ended = history.ended
        if not grants or last is None or ended is None or ended.how != "returned":
            return None
        if last.status != "success" or last.seq < grants[0][1].seq:
            return []
        return [
            _violation(history, wait, grant, last)
            for wait, grant in grants
            if not _made(history, wait)
            and not any(
                word and word in last.detail
                for word in (wait.interrupt, wait.call, _tool(history, wait))
            )
        ]

    return check


def _grants(history: History) -> Iterator[tuple[Interrupted, Decided]]:
    answers: dict[str, list[Decided]] = {}
    for decision in history.of(Decided):
        answers.setdefault(decision.interrupt, []).append(decision)
    seen = set()
    for wait in history.of(Interrupted):
        said = answers.get(wait.interrupt)
        if wait.interrupt in seen or not said or any(d.value in (False, None) for d in said):
            continue
        seen.add(wait.interrupt)
        if not _void(history, wait, said[0]):
            yield wait, said[0]


def _void(history: History, wait: Interrupted, grant: Decided) -> bool:
    if any(wait.seq < stop.seq for stop in history.of(Cancelled)):
        return True
    return any(
        type(event) is Done
        and not event.problem
        and event.status in ("success", "failed", "cancelled")
        and wait.seq < event.seq < grant.seq
        for event in history.leg_at(wait.seq)
    )


def _tool(history: History, wait: Interrupted) -> str:
    """The tool of a call that waits: by what the model asked for, or by the id that a call gets
    which has none of its own (tool_1)."""
    ask = last_asked(history, wait.call, wait.seq)
    if ask is not None:
        return ask.tool
    name = wait.call.rpartition("_")[0]
    return name if name in history.tools else ""


def _made(history: History, wait: Interrupted) -> bool:
    ask, tool = last_asked(history, wait.call, wait.seq), _tool(history, wait)
    if ask is not None and isinstance(ask.arguments, Mapping):
        meant = logical_of(tool, _bare(ask.arguments))
        calls = [call for call in history.of(Called) if call.slot.name == tool]
        if any(logical_of(tool, _bare(call.args)) == meant for call in calls):
            return True
    elif tool and any(call.slot.name == tool for call in history.of(Called)):
        return True
    return any(call.asked == wait.call for call in history.of(Called))


def _bare(value: Any) -> Any:
    """A value apart from how it is written."""
    if isinstance(value, Mapping):
        return {name: _bare(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_bare(each) for each in value]
    if isinstance(value, str):
        return value.strip()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _violation(history: History, wait: Interrupted, grant: Decided, last: Done) -> Violation:
    tool = _tool(history, wait) or wait.call
    return Violation(
        code="AF413",
        subject=tool,
        title=titled(f"{tool}: approved, never done"),
        sentence=(
            f"{wait.interrupt} was granted for {wait.call} ({tool}), the call was never made, and "
            "the answer claims success."
        ),
        says=f"{last.status} ({last.reason})",
        world=f"{tool} was approved and not called",
        witness=(wait.seq, grant.seq, last.seq),
        hint="write a grant down when it comes and cross it out when its call is answered; begin "
        "each leg with what is written down, and say so where it cannot be done",
    )
