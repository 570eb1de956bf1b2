"""The law about what words may decide: nothing (AF304).

Law: with the calls and the completion fixed, other words for the same ending change nothing that
the agent does. Metamorphic: it compares a run whose only faults were rewordings with the
fault-free one. Source: CATALOGUE laws C2 and T1.
"""

from collections.abc import Mapping
from itertools import zip_longest
from typing import NamedTuple

from agentfuzz.core.events import Called, Committed, Done, Ended, Json, ModelTurn, Struck
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law


class _Act(NamedTuple):
    """One thing that the agent did, in a form that can be compared between two runs."""

    what: str
    subject: str
    facts: Json


@law(codes={"AF304": "The words of the model decided"}, catalogue="C2 T1", needs_baseline=True)
def text_has_no_authority() -> Check:
    """The words of the model decide nothing.

    The calls (tool, arguments, key), the effects, the completions and the way of ending are those
    of the fault-free run, in the same order, whatever words the model closed with.

    Words that the agent hands on whole, in an argument or a handle, are not compared: passing
    them on decides nothing. A key made of them does. NOT_EXERCISED when no closing was reworded,
    or when another fault struck too.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        assert baseline is not None, "Invariant answers NOT_EXERCISED without one"
        struck = history.of(Struck)
        if not struck or not all(map(_reworded, struck)):
            return None
        words = _words(history, baseline)
        acts, expected = _acts(history, words), _acts(baseline, words)
        for (seq, act), (_, then) in zip_longest(acts, expected, fillvalue=(None, None)):
            if act != then:
                return [_decided(history, baseline, seq, act, then)]
        return []

    return check


def _reworded(struck: Struck) -> bool:
    return struck.slot.boundary == "model" and struck.fault.axes[0] == "reword"


def _words(*histories: History) -> list[str]:
    """What the model said in any of the runs, the longest first: a text may hold another."""
    said = {turn.text.strip() for each in histories for turn in each.of(ModelTurn) if turn.text}
    return sorted(said - {""}, key=lambda text: (-len(text), text))


def _acts(history: History, words: list[str]) -> list[tuple[int | None, _Act | None]]:
    out: list[tuple[int | None, _Act | None]] = []
    for event in history.events:
        facts: Json
        if isinstance(event, Called):
            facts = [_without(event.args, words), event.key]
            out.append((event.seq, _Act("call", event.slot.name, facts)))
        elif isinstance(event, Committed):
            facts = [_without(event.args, words), event.key]
            out.append((event.seq, _Act("effect", event.tool, facts)))
        elif isinstance(event, Done):
            handle = _without(event.handle, words)
            facts = [event.status, event.reason, handle, event.via, bool(event.problem)]
            out.append((event.seq, _Act("claim", "claim", facts)))
        elif isinstance(event, Ended):
            out.append((event.seq, _Act("ending", "ending", [event.how, event.error])))
    return out


def _without(value: Json, words: list[str]) -> Json:
    """A value with the model's own words taken out."""
    if isinstance(value, str):
        for text in words:
            value = value.replace(text, "\0")
        return value
    if isinstance(value, Mapping):
        return {name: _without(item, words) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without(item, words) for item in value]
    return value


def _decided(
    history: History,
    baseline: History,
    seq: int | None,
    act: _Act | None,
    expected: _Act | None,
) -> Violation:
    turns = {turn.slot: turn for turn in history.of(ModelTurn)}
    before = {turn.slot: turn.text for turn in baseline.of(ModelTurn)}
    struck = [event for event in history.of(Struck) if seq is None or event.seq < seq][-1:]
    witness: list[int] = [event.seq for event in struck]
    said = then = ""
    if struck and struck[0].slot in turns:
        turn = turns[struck[0].slot]
        witness.append(turn.seq)
        said, then = turn.text or "", before.get(turn.slot) or ""
    witness.append(history.events[-1].seq if seq is None else seq)
    shown = expected if act is None or (act.what == "ending" and expected) else act
    assert shown is not None, "two runs differ at an act of one of them"
    now, was = _phrase(act), _phrase(expected)
    if now == was:
        now += " with another handle" if shown.what == "claim" else " with other arguments"
    became, stayed = _short(act), _short(expected)
    instead = f"{became} instead of {stayed}" if became != stayed else f"another {shown.what}"
    return Violation(
        code="AF304",
        subject=shown.subject,
        title=titled(f"reworded: {instead}"),
        sentence=(
            f"The model said the same in other words, {said[:80]!r} instead of {then[:80]!r}, and "
            f"what followed was {now} instead of {was}."
        ),
        says=f"{now} after {said[:80]!r}",
        world=f"the same as after {then[:80]!r}: there it was {was}",
        witness=tuple(witness),
        hint="decide on receipts and on the completion event; never look into the words",
    )


def _short(act: _Act | None) -> str:
    if act is None or act.what == "ending":
        return "the end"
    return str(act.facts[0]) if act.what == "claim" else act.subject


def _phrase(act: _Act | None) -> str:
    if act is None:
        return "nothing more"
    match act.what:
        case "call":
            key = act.facts[1]
            return f"a call of {act.subject}" + (f" with key {key}" if key else "")
        case "effect":
            return f"an effect of {act.subject}"
        case "claim":
            return f"the completion {act.facts[0]} ({act.facts[1]})"
        case _:
            how, error = act.facts
            return "the end" if how == "returned" else f"the end by {error or how}"
