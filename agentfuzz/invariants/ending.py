"""Laws about what an ending is worth (AF210, AF211, AF212, AF214).

Law: what has been reported as over stays over, limits are limits and are owned up to, and control
comes back. Called by the run through `Invariant`. Source: CATALOGUE laws P6, P8 and P11, and the
bugs behind them.
"""

import re

from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import (
    Called,
    Committed,
    Done,
    Ended,
    ModelInput,
    ModelTurn,
    Replied,
    Struck,
)
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law
from agentfuzz.invariants._talk import Asked, asked_for, origin, passes_for_success, replies

_FAILURE = re.compile(
    r"\b(error|timed out|timeout|fail(ed|ure)?|cancel(l?ed)?|aborted|exception)\b", re.IGNORECASE
)


@law()
def no_effect_after_reported_failure() -> Check:
    """P6: no effect of a call comes after its failure was reported (by its own reply, or to the
    model as its result), and none after the run's answer. What the network did (a late or lost
    delivery of that call) is not the loop's doing; calls after the done tool are
    `no_effect_after_completion`'s.

    NOT_EXERCISED when no effectful call was reported as failed and nothing followed the answer.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        called = {call.call: call for call in history.of(Called)}
        ends = _ends(history)
        asks, answered = asked_for(history), replies(history)
        told = {
            name: _reported(history, call, answered.get(name), origin(asks, call))
            for name, call in called.items()
        }
        network = {
            event.slot._replace(boundary="tool")
            for event in history.of(Struck)
            if event.fault.axes[0] in ("late", "lost") or event.fault.axes[-1] == "in_flight"
        }
        found: dict[tuple[str, str], Violation] = {}
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
                violation = _too_late(commit, *min(before, key=lambda one: one[1]))
                found.setdefault(violation.signature, violation)
        exercised = any(told[call] for call, event in called.items() if event.intent is not None)
        return list(found.values()) if exercised or followed else None

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


def _reported(
    history: History, call: Called, reply: Replied | None, ask: Asked | None
) -> list[int]:
    """Where this call was reported as failed: by its reply, or before it was executed (or had
    answered) to the model, as the result of the id under which it was asked for."""
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
        "AF210",
        commit.intent.effect,
        f"{commit.tool} ran after {what}",
        f"{commit.intent} took effect after {what} had been reported; whoever acted on that report "
        "was misled, and no fault of the network explains it.",
        f"reported as over (event {seq})",
        f"{commit.intent} at {commit.t:g}s",
        (seq, commit.seq),
        "cancel the call, and wait until it is cancelled, before you report that it failed",
    )


@law()
def limits_hold(
    *,
    calls: int | None = None,
    turns: int | None = None,
    tokens: int | None = None,
    seconds: float | None = None,
) -> Check:
    """P8: a declared limit is never exceeded (AF211): no tool call beyond `calls`, no model turn
    beyond `turns`, no turn once `tokens` are used up, no call or turn begun after `seconds` of
    virtual time. And a run that a limit stopped, with the model still asking for calls or the
    last call failed, says so by a status or an exception (AF212), not by a text or success.

    NOT_EXERCISED when nothing was called and no model asked.
    """
    limits = {"calls": calls, "turns": turns, "tokens": tokens, "seconds": seconds}
    given = {word: limit for word, limit in limits.items() if limit is not None}
    if not given or any(limit <= 0 for limit in given.values()):
        raise ScenarioError(
            f"limits_hold({', '.join(f'{k}={v}' for k, v in given.items())}) declares no limit "
            "that a run could keep; give at least one, as in limits_hold(turns=10), above 0."
        )

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        if not history.of(Called) and not history.of(ModelTurn):
            return None
        found = []
        reached = []
        for word, limit in given.items():
            used, beyond = _used(history, word, limit)
            if beyond is not None:
                found.append(_exceeded(word, used, limit, beyond))
            if used >= limit:
                reached.append(f"{limit:g} {word}")
        ended = passes_for_success(history)
        open_end = _open_end(history) if reached and ended is not None else None
        if ended is not None and open_end is not None:
            found.append(_not_said(reached, open_end, ended, history.claim))
        return found

    return check


_ACTS = (Called, Replied, ModelInput, ModelTurn, Done)  # of the agent: what arrives late is not


def _used(history: History, word: str, limit: float) -> tuple[float, int | None]:
    """How much of a limit a run has used, and the first event beyond it."""
    if word == "seconds":
        begun = [e for e in history.events if isinstance(e, (Called, ModelInput))]
        late = next((event.seq for event in begun if event.t > limit), None)
        return max(event.t for event in history.events if isinstance(event, _ACTS)), late
    if word == "tokens":
        used, beyond = 0, None
        for turn in history.of(ModelTurn):
            beyond = turn.seq if beyond is None and used >= limit else beyond
            used += turn.tokens
        return used, beyond
    kind: type[Called] | type[ModelTurn] = Called if word == "calls" else ModelTurn
    seqs = [event.seq for event in history.events if type(event) is kind]
    return len(seqs), seqs[int(limit)] if len(seqs) > limit else None


def _open_end(history: History) -> int | None:
    """The event that shows that the work was not over: the model asked for more, or was cut off;
    without a model, the last call failed."""
    turns, called = history.of(ModelTurn), history.of(Called)
    if any(done.via == "tool" and not done.problem for done in history.of(Done)):
        return None
    if turns:
        return turns[-1].seq if turns[-1].calls or turns[-1].stop != "end" else None
    reply = replies(history).get(called[-1].call)
    failed = reply is None or reply.raised is not None or not reply.complete
    return called[-1].seq if failed else None


def _exceeded(word: str, used: float, limit: float, seq: int) -> Violation:
    return Violation(
        "AF211",
        word,
        f"{used:g} {word}, limit {limit:g}",
        f"The run used {used:g} {word}; its declared limit is {limit:g}.",
        f"at most {limit:g} {word}",
        f"{used:g} {word}",
        (seq,),
        "count before each call and each turn, over all layers, and stop at the limit",
    )


def _not_said(reached: list[str], open_end: int, ended: Ended, claim: str | None) -> Violation:
    limits = ", ".join(reached)
    said = "claims success" if claim else "returned without a status"
    return Violation(
        "AF212",
        "limit",
        "stopped by a limit, does not say so",
        f"The run stopped at its limit of {limits} with work still open, and {said}.",
        said,
        f"limit reached: {limits}",
        (open_end, ended.seq),
        "end with partial or failed (reason budget_exhausted), or raise",
    )


@law()
def returns_control() -> Check:
    """P11: the run ends by itself, by returning or by raising. One that hangs or spins until it is
    cut off breaks it; running into the budget is `bounded`'s to judge.

    NOT_EXERCISED when the run has not ended or ran into the budget.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        ended = history.ended
        if ended is None or (ended.how == "cut_off" and ended.error == "budget"):
            return None
        if ended.how != "cut_off":
            return []
        called = len(history.of(Called))
        return [
            Violation(
                "AF214",
                "run",
                f"control not returned: {ended.error}",
                f"After {called} tool calls and {ended.t:g} virtual seconds the run gave control "
                f"back neither by returning nor by raising: it was cut off ({ended.error}).",
                "still running",
                f"cut off ({ended.error})",
                (ended.seq,),
                "give every wait a deadline and every loop a count, and raise or end when it is up",
            )
        ]

    return check
