"""The law that what has been reported as over stays over (AF210).

Law: whoever acts on the report of a failure, or of the end, is not misled by an effect that comes
later. Source: CATALOGUE law P6, and the bugs behind it.
"""

import re

from agentfuzz.core.events import Called, Committed, Done, Ended, ModelInput, Struck
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.conversations import origin

_FAILURE = re.compile(
    r"\b(error|timed out|timeout|fail(ed|ure)?|cancel(l?ed)?|aborted|exception)\b", re.IGNORECASE
)


@law(codes={"AF210": "An effect after its failure, or the end, had been reported"}, catalogue="P6")
def no_effect_after_reported_failure() -> Check:
    """No effect comes after its failure, or the end of the run, was reported.

    No effect of a call comes after its failure was reported (by its own reply, or to the model as
    its result), and none after the run's answer. What the network did (a late or lost delivery of
    that call) is not the loop's doing; calls after the done tool are
    `no_effect_after_completion`'s.

    NOT_EXERCISED when no effectful call was reported as failed and nothing followed the answer.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        called, ends = history.calls, _ends(history)
        told = {name: _reported(history, call) for name, call in called.items()}
        network = {
            event.slot._replace(boundary="tool")
            for event in history.of(Struck)
            if event.fault.axes[0] in ("late", "lost") or event.fault.axes[-1] == "in_flight"
        }
        found: list[Violation] = []
        followed = False
        for commit in history.of(Committed):
            call = called[commit.call]
            if call.slot in network:
                continue
            over = [("the end", seq) for seq in ends.get(call.call, ())]
            over += [("its failure", seq) for seq in told[call.call]]
            before = [(what, seq) for what, seq in over if seq < commit.seq]
            followed = followed or bool(before)
            if before:
                found.append(_too_late(commit, *min(before, key=lambda one: one[1])))
        exercised = any(told[call] for call, event in called.items() if event.intent is not None)
        return found if exercised or followed else None

    return check


def _ends(history: History) -> dict[str, list[int]]:
    """Where the leg that made a call gave its answer, by call."""
    found: dict[str, list[int]] = {}
    for leg in history.legs:
        end = [
            event.seq
            for event in leg
            if isinstance(event, Ended)
            or (isinstance(event, Done) and event.via == "return" and not event.problem)
        ]
        for event in leg:
            if isinstance(event, Called):
                found[event.call] = end[:1]
    return found


def _reported(history: History, call: Called) -> list[int]:
    """Where this call was reported as failed: by its reply, or before it was executed (or had
    answered) to the model, as the result of the id under which it was asked for."""
    reply, ask = history.replies.get(call.call), origin(history, call)
    found = []
    if reply is not None and (reply.raised is not None or reply.outcome in ("unknown", "failed")):
        found.append(reply.seq)
    if ask is None:
        return found
    for given in history.of(ModelInput):
        if given.seq < ask.turn.seq or (reply is not None and given.seq > reply.seq):
            continue
        if any(one.answers == ask.id and _FAILURE.search(one.text) for one in given.messages):
            found.append(given.seq)
    return found


def _too_late(commit: Committed, what: str, seq: int) -> Violation:
    return Violation(
        code="AF210",
        subject=commit.intent.effect,
        title=f"{commit.tool} ran after {what}",
        sentence=(
            f"{commit.intent} took effect after {what} had been reported; whoever acted on that "
            "report was misled, and no fault of the network explains it."
        ),
        says=f"reported as over (event {seq})",
        world=f"{commit.intent} at {commit.t:g}s",
        witness=(seq, commit.seq),
        hint="cancel the call, and wait until it is cancelled, before you report that it failed",
    )
