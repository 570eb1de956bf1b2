"""The law that limits are limits, and are owned up to (AF211, AF212).

Law: a declared limit stops a run before it is exceeded, and the answer says that it did. Source:
CATALOGUE law P8, and the bugs behind it.
"""

from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Called, Done, Ended, ModelInput, ModelTurn, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.confirmed import all_confirmed
from agentfuzz.invariants.queries.conversations import DONE
from agentfuzz.invariants.queries.endings import closed_by_tool, passes_for_success


@law(
    codes={
        "AF211": "A declared limit was exceeded",
        "AF212": "A limit stopped the run, and the answer does not say so",
    },
    catalogue="P8",
)
def limits_hold(
    *,
    calls: int | None = None,
    turns: int | None = None,
    tokens: int | None = None,
    seconds: float | None = None,
) -> Check:
    """A declared limit is never exceeded, and an answer that it forced says so.

    No tool call beyond `calls`, no model turn beyond `turns`, no turn once `tokens` are used up, no
    call or turn begun after `seconds` of virtual time (AF211). And a run that a limit stopped, with
    the model still asking for calls or the last call failed, says so by a status or an exception
    (AF212), not by a text or success.

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
        open_end = _open_end(history, baseline) if reached and ended is not None else None
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


def _open_end(history: History, baseline: History | None) -> int | None:
    """The event that shows that the work was not over: the model asked for more, or was cut off
    (other than for a success that goes by the receipts of all); without a model, the last call
    failed."""
    turns, called = history.of(ModelTurn), history.of(Called)
    if closed_by_tool(history) is not None:
        return None
    if turns:
        last = turns[-1]
        if history.claim == "success":
            confirmed = all_confirmed(history, baseline)
            if last.stop != "tool_calls" and confirmed:
                return None
            if last.stop == "tool_calls" and _done(history, last, None if confirmed else last.seq):
                return None
        return last.seq if last.calls or last.stop != "end" else None
    reply = history.replies.get(called[-1].call)
    failed = reply is None or reply.raised is not None or not reply.complete
    return called[-1].seq if failed else None


def _done(history: History, turn: ModelTurn, until: int | None) -> bool:
    """Whether all that a turn asks for, but to be done, was asked for until then, and applied."""
    applied = []
    for call in history.of(Called):
        reply = history.replies.get(call.call)
        whole = reply is not None and reply.raised is None and reply.complete
        if whole and (until is None or call.seq < until):
            applied.append((call.slot.name, call.args))
    asked = [(tool, arguments) for _, tool, arguments in turn.calls if tool != DONE]
    return all(one in applied for one in asked)


def _exceeded(word: str, used: float, limit: float, seq: int) -> Violation:
    return Violation(
        code="AF211",
        subject=word,
        title=f"{used:g} {word}, limit {limit:g}",
        sentence=f"The run used {used:g} {word}; its declared limit is {limit:g}.",
        says=f"at most {limit:g} {word}",
        world=f"{used:g} {word}",
        witness=(seq,),
        hint="count before each call and each turn, over all layers, and stop at the limit",
    )


def _not_said(reached: list[str], open_end: int, ended: Ended, claim: str | None) -> Violation:
    limits = ", ".join(reached)
    said = "claims success" if claim else "returned without a status"
    return Violation(
        code="AF212",
        subject="limit",
        title="stopped by a limit, does not say so",
        sentence=f"The run stopped at its limit of {limits} with work still open, and {said}.",
        says=said,
        world=f"limit reached: {limits}",
        witness=(open_end, ended.seq),
        hint="end with partial or failed (reason budget_exhausted), or raise",
    )
