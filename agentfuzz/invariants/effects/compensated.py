"""The law about taking effects back (AF110).

Law: what a task that failed has done is undone, each effect once and the last one first, or the
answer says what stands. Source: CATALOGUE B06, and E1 on the intent of the compensation;
Garcia-Molina and Salem, "Sagas" (1987).
"""

from collections.abc import Iterator
from typing import Literal

from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import (
    Called,
    Committed,
    Done,
    Messaged,
    ModelInput,
    ModelTurn,
    Refused,
    Saved,
)
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import clean
from agentfuzz.invariants.queries.endings import over_and_undone
from agentfuzz.invariants.queries.texts import words_of
from agentfuzz.invariants.queries.under_way import unseen
from agentfuzz.invariants.queries.undoing import (
    SETTLES,
    Undo,
    fits,
    named,
    standing,
    undoable,
    undoing,
    undos,
)

_ACTS = (Called, Done, Messaged, ModelInput, ModelTurn, Saved)


@law(
    codes={"AF110": "What was done was not undone, or not as it should be"},
    catalogue="B06 B30 B31",
)
def compensated(order: Literal["reverse", "any"] = "reverse") -> Check:
    """What a task that failed has done is undone, once and in order, or the answer says what
    stands. The tools that declare `undoes` are used well:

    - An effect is undone once (subject: the undoing effect). One request that was delivered twice
      is `at_most_once`'s to judge.
    - When the last valid Done is failed or cancelled, or the agent raised without one, every
      undoable effect that no earlier success or partial has claimed is undone (subject: the
      effect). Honest ways out: `blocked` (somebody else has to repair it), `partial`, and naming
      what stands in the handle, the detail or the exception. Nobody has to undo what was answered
      as refused (a 429), and nobody is blamed who does.
    - A run that does not end in success undoes in the reverse order of the commits (subject:
      order), as far as the effects were made one after the other and nothing new was begun in
      between; the first attempt of each undo counts. `order="any"` does not ask for it.
    - Nothing is undone whose call was never made or was refused by its backend (subject: nothing),
      nor, in a run that ends so, one in doubt that arrives later and could have been looked up
      (subject: in flight).

    What the fault-free run does too (the same undo as often, or without an effect of this run) is
    the task itself. A run that was cut off, or whose process died for good, had no chance to
    undo. NOT_EXERCISED when nothing undoable took effect, or nothing was undone and nothing had
    to be.
    """
    if order not in ("reverse", "any"):
        raise ScenarioError(f"compensated(order={order!r}): say 'reverse' or 'any'.")

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        made = undos(history)
        due = _due(history)
        if not made and not due:
            return None
        planned = undos(baseline) if baseline is not None else []
        found = [*_without_effect(history, made, planned), *_in_flight(history, made)]
        found += _left(history, due)
        if order == "reverse" and history.claim not in SETTLES:
            found += _out_of_order(history, made)
        return found

    return check


# Undone once, and only what there was -------------------------------------------------------


def _without_effect(history: History, made: list[Undo], planned: list[Undo]) -> Iterator[Violation]:
    """Undos that found no effect left to take back: it was gone already, or never there."""
    for nth, undo in enumerate(made, 1):
        if undo.of is not None:
            continue
        intent = undo.commit.intent
        expected = [one for one in planned if one.commit.intent == intent]
        often = sum(one.commit.intent == intent for one in made[:nth])
        before = [
            one
            for one in made
            if one.of is not None
            and one.commit.seq < undo.commit.seq
            and fits(history, undo.call, one.of)
        ]
        if before:
            if often > len(expected):
                yield _again(before[-1], undo)
        elif all(one.of for one in expected) and not _in_doubt(history, undo):
            yield _of_nothing(history, undo)


def _in_doubt(history: History, undo: Undo) -> bool:
    """Whether the agent had reason to think that there is an effect: its backend had not refused
    the call. A 429 may come from something in front of it, and to make sure is no breach."""
    target = undoing(history, undo.call.slot.name)
    failed = {event.call for event in history.of(Refused) if event.seq < undo.call.seq}
    mine = dict(undo.call.intent.scope) if undo.call.intent else {}
    for call in history.of(Called):
        if call.slot.name != target or call.seq > undo.call.seq or call.intent is None:
            continue
        its = dict(call.intent.scope)
        same = all(mine[name] == its[name] for name in mine.keys() & its.keys())
        if same and call.call not in failed:
            return True
    return False


def _again(first: Undo, undo: Undo) -> Violation:
    tool, intent = undo.commit.tool, undo.commit.intent
    assert first.of is not None, "the first undo had an effect"
    return Violation(
        code="AF110",
        subject=intent.effect,
        title=f"{tool} undid one effect again",
        sentence=(
            f"{first.of.intent} was undone by {first.call.slot}, and {undo.call.slot} undid it "
            "again."
        ),
        says=f"{undo.call.slot} took effect",
        world=f"{first.of.intent} was undone already",
        witness=(first.of.seq, first.commit.seq, undo.commit.seq),
        hint="an undo is an effect of its own: one key for each effect that it takes back, and a "
        "look-up after a lost reply",
    )


def _of_nothing(history: History, undo: Undo) -> Violation:
    tool, target = undo.commit.tool, undoing(history, undo.commit.tool)
    return Violation(
        code="AF110",
        subject="nothing",
        title=f"{tool} undid nothing",
        sentence=(
            f"{undo.commit.intent} took effect, and {target} had never been carried out for it: it "
            "was not called, or its failure was certain."
        ),
        says=f"{undo.call.slot} took effect",
        world=f"no effect of {target} to undo",
        witness=(undo.commit.seq,),
        hint=(
            "write down each effect when its receipt comes (or when it is in doubt), and undo "
            "what is written down"
        ),
    )


def _in_flight(history: History, made: list[Undo]) -> Iterator[Violation]:
    """Undos that came before their effect, which was in doubt and had not been looked up."""
    over = over_and_undone(history)
    for undo in made:
        if over is None or undo.of is None or not unseen(history, undo.call, undo.of):
            continue
        if not named(history, undo.of, _answer(history, over)):
            yield _came_later(undo, undo.of)


def _came_later(undo: Undo, effect: Committed) -> Violation:
    return Violation(
        code="AF110",
        subject="in flight",
        title=titled(f"{undo.commit.tool} came before its effect"),
        sentence=f"{effect.intent} was in doubt, was undone by {undo.call.slot} without a look-up, "
        "took effect later, and stands.",
        says=f"{undo.call.slot} has undone it",
        world=f"{effect.intent} happened after its undo",
        witness=(undo.commit.seq, effect.seq),
        hint="wait and look it up, or repeat it with the same key, before it is undone",
    )


# Undone at all --------------------------------------------------------------------------------


def _due(history: History) -> list[tuple[Committed, int]]:
    """The undoable effects that may not stand at the end, and the event at which it was over."""
    over = over_and_undone(history)
    if over is None:
        return []
    acts = [event.seq for event in history.events if isinstance(event, _ACTS)]
    due = []
    for commit in standing(history, over):
        reply = history.replies.get(commit.call)
        late = reply is not None and commit.seq > reply.seq
        if undoable(history, commit) and not (late and all(seq < commit.seq for seq in acts)):
            due.append((commit, over))
    return due


def _left(history: History, due: list[tuple[Committed, int]]) -> Iterator[Violation]:
    answers = history.replies
    done = {commit.call for commit in history.ledger}
    told = [  # an undo that never took effect and was answered as if it had: the tool lied
        call
        for call in history.of(Called)
        if undoing(history, call.slot.name) and call.call not in done and call.call in answers
        if clean(answers[call.call]) and answers[call.call].outcome == "applied"
    ]
    for commit, over in due:
        believed = any(call.seq > commit.seq and fits(history, call, commit) for call in told)
        if not believed and not named(history, commit, _answer(history, over)):
            yield _stands(history, commit, over)


def _answer(history: History, over: int) -> list[str]:
    """What the run said at its end."""
    done, ended = history.events[over], history.ended
    assert ended is not None, "only what has ended is due"
    texts = words_of(done.handle) if isinstance(done, Done) else []
    return [*texts, *words_of(ended.value), ended.detail]


def _stands(history: History, commit: Committed, over: int) -> Violation:
    done, ended = history.events[over], history.ended
    status = ended.how if ended is not None else ""
    if isinstance(done, Done):
        status = f"{done.status} ({done.reason})"
    tools = [facts.name for facts in history.tools.values() if facts.undoes == commit.tool]
    return Violation(
        code="AF110",
        subject=commit.intent.effect,
        title=f"{commit.tool} was not undone",
        sentence=f"The run ended {status}, {commit.intent} stands, and the answer does not say so.",
        says=f"the run ended {status}",
        world=f"{commit.intent} stands",
        witness=(commit.seq, over),
        hint=f"on every way out call {tools[0]} for what has happened; if it fails, end blocked or "
        "partial and name what is left",
    )


# Undone in order ------------------------------------------------------------------------------


def _out_of_order(history: History, made: list[Undo]) -> Iterator[Violation]:
    begun = [
        call.seq
        for call in history.of(Called)
        if call.intent is not None and undoing(history, call.slot.name) is None
    ]
    undone = [(undo.of, _first_attempt(history, undo), undo) for undo in made if undo.of]
    for early, early_undo, _ in undone:
        for late, late_undo, undo in undone:
            answered = history.replies.get(early.call, history.calls[early.call]).seq
            follows = history.calls[late.call].seq > answered
            in_turn = early.seq < late.seq < early_undo < late_undo
            if follows and in_turn and not any(early_undo < seq < late_undo for seq in begun):
                yield _wrong_order(early, late, early_undo, undo)


def _first_attempt(history: History, undo: Undo) -> int:
    assert undo.of is not None, "only undone effects have an order"
    return next(
        call.seq
        for call in history.of(Called)
        if call.intent == undo.call.intent
        and call.slot.name == undo.call.slot.name
        and (call.seq > undo.of.seq or call is undo.call)
    )


def _wrong_order(early: Committed, late: Committed, early_undo: int, undo: Undo) -> Violation:
    return Violation(
        code="AF110",
        subject="order",
        title="undone in the wrong order",
        sentence=(
            f"{early.intent} happened before {late.intent}, and was undone before it: for a while "
            "the later effect stood on nothing."
        ),
        says=f"undid {early.tool} first",
        world=f"{early.tool} happened first",
        witness=(early.seq, late.seq, early_undo, undo.commit.seq),
        hint="keep the effects on a stack and undo from its top",
    )
