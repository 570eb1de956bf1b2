"""Laws about the answer that a run ends with (AF208, AF209, AF303).

Law: the answer is the last word of the model, whole, and said after everything that it is about.
Called by the run through `Invariant`. Source: CATALOGUE laws P4 and P5, and the bugs behind them.
"""

from collections.abc import Iterator

from agentfuzz.core.events import Called, Committed, Done, Ended, ModelTurn, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants._law import Check, law
from agentfuzz.invariants._talk import (
    DONE,
    UNFINISHED,
    asked_for,
    closed_by_tool,
    forms,
    origin,
    own_completion,
    passes_for_success,
)

RECOGNISED = 8  # characters of an earlier text that cannot stand in another one by chance
LABEL = 20  # characters that may stand before an error's message: "Error: "


@law()
def no_stale_answer() -> Check:
    """P4: where the answer is a text that the model, a tool or an error said, the model said it
    after the last reply of a tool. It is no preamble, no older text, no error text and no output
    of a tool. A Completion that the agent returns is looked at for its handle and detail.

    NOT_EXERCISED when the run did not return, says that the task is not done, ended by the done
    tool, had no model, or answered in words of the loop's own.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        ended, turns = passes_for_success(history), history.of(ModelTurn)
        if ended is None or not turns or closed_by_tool(history) is not None:
            return None
        last = max((reply.seq for reply in history.of(Replied)), default=-1)
        told = [turn for turn in turns if turn.stop != "error" and (turn.text or "").strip()]
        exercised = False
        for text, loose in _answers(history, ended):
            if any(turn.seq > last and (turn.text or "").strip() in text for turn in told):
                exercised = True
            elif (source := _source(history, told, text, loose)) is not None:
                return [_not_the_last(ended, text, *source)]
        return [] if exercised else None

    return check


def _answers(history: History, ended: Ended) -> Iterator[tuple[str, bool]]:
    """The texts that a run answers with, and whether a tool's output may stand there too."""
    own = own_completion(ended)
    found = [(ended.value, False)]
    if own is not None:
        found = [(own["detail"], False), (own["handle"], True)]
    found += [(done.handle, True) for done in history.of(Done) if not done.problem]
    yield from ((text.strip(), by) for text, by in found if isinstance(text, str) and text.strip())


def _source(
    history: History, told: list[ModelTurn], text: str, by_tool: bool
) -> tuple[str, int] | None:
    """Where an answer comes from that is not the last word: what it is, and the event."""
    for turn in reversed(told):
        said = (turn.text or "").strip()
        if said == text or (len(said) >= RECOGNISED and said in text):
            return "an older text", turn.seq
    for reply in reversed(history.of(Replied)):
        if reply.raised is not None and _quotes(text, str(reply.body or "")):
            return "an error text", reply.seq
        if reply.raised is None and not by_tool and text in forms(reply.body):
            return "a tool's output", reply.seq
    for turn in history.of(ModelTurn):
        if turn.stop == "error" and _quotes(text, turn.text or ""):
            return "an error text", turn.seq
    return None


def _quotes(text: str, error: str) -> bool:
    error = error.strip()
    return bool(error) and text.endswith(error) and len(text) - len(error) <= LABEL


def _not_the_last(ended: Ended, text: str, what: str, seq: int) -> Violation:
    return Violation(
        "AF303",
        "answer",
        f"the answer is {what}",
        f"The answer, {text[:80]!r}, is {what}: no turn of the model after the last reply of a "
        "tool says it.",
        text[:60],
        f"{what}, not the last word",
        (seq, ended.seq),
        "answer with the text of the turn that asks for nothing more, and with nothing else",
    )


@law()
def no_act_on_cut_reply() -> Check:
    """P5: no effect and no success comes from a model's turn that was cut off or failed (stop
    `length`, `cut`, `error`: AF208), and a run that passes for a success ends with an answer that
    is not blank (AF209). A completion by the done tool is an answer; so is a Completion that the
    agent itself returns after an API error, with nothing of the broken reply in it.

    NOT_EXERCISED when no turn was unfinished and the run did not end so.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        turns = history.of(ModelTurn)
        ended = passes_for_success(history)
        torn = [turn for turn in turns if turn.stop in UNFINISHED]
        if not turns or (ended is None and not torn):
            return None
        found = [*_acted(history), *_completed(history)]
        if ended is not None and closed_by_tool(history) is None:
            if turns[-1].stop in UNFINISHED:
                found += [] if _own_words(ended, turns[-1]) else [_taken(turns[-1], ended)]
            elif _blank(history, ended):
                found.append(_said_nothing(turns[-1], ended))
        return list({violation.signature: violation for violation in reversed(found)}.values())

    return check


def _acted(history: History) -> Iterator[Violation]:
    asks = asked_for(history)
    called = {call.call: call for call in history.of(Called) if call.asked is not None}
    for commit in history.of(Committed):
        ask = origin(asks, called[commit.call]) if commit.call in called else None
        if ask is not None and ask.turn.stop in UNFINISHED:
            yield Violation(
                "AF208",
                commit.intent.effect,
                f"{commit.tool} ran, reply unfinished",
                f"{commit.intent} took effect because of {ask.turn.slot}, a reply that "
                f"{UNFINISHED[ask.turn.stop]}.",
                f"executes {commit.tool}",
                f"{ask.turn.slot} stopped with {ask.turn.stop}",
                (ask.turn.seq, commit.seq),
                "look at the stop reason first; execute no call of a reply that did not finish",
            )


def _completed(history: History) -> Iterator[Violation]:
    """A success by the done tool that an unfinished turn asked for."""
    for done in history.of(Done):
        if done.via != "tool" or done.problem or done.status != "success":
            continue
        before = [turn for turn in history.of(ModelTurn) if turn.seq < done.seq]
        torn = before[-1:] if before and before[-1].stop in UNFINISHED else []
        if any(tool == DONE for turn in torn for _, tool, _ in turn.calls):
            yield _taken(before[-1], done)


def _own_words(ended: Ended, turn: ModelTurn) -> bool:
    """Whether the agent claims success by itself: the reply never came, and is not used."""
    own, said = own_completion(ended), (turn.text or "").strip()
    if own is None or turn.stop == "length":
        return False
    return not said or not any(said in str(own[name] or "") for name in ("handle", "detail"))


def _taken(turn: ModelTurn, end: Ended | Done) -> Violation:
    return Violation(
        "AF208",
        "answer",
        "unfinished reply as the answer",
        f"The run passes for a success, and the last reply of the model ({turn.slot}) "
        f"{UNFINISHED[turn.stop]}: what it would have said is not known.",
        "a finished task",
        f"{turn.slot} stopped with {turn.stop}",
        (turn.seq, end.seq),
        "ask again, or end with partial, blocked or failed",
    )


def _blank(history: History, ended: Ended) -> bool:
    value, said = ended.value, [done for done in history.of(Done) if not done.problem]
    if any(isinstance(done.handle, str) and not done.handle.strip() for done in said[-1:]):
        return True
    if isinstance(value, str):
        return not value.strip()
    return value is None and not said


def _said_nothing(turn: ModelTurn, ended: Ended) -> Violation:
    return Violation(
        "AF209",
        "answer",
        "ended with a blank answer",
        f"The run returned as if the task were done, with nothing in its answer; the last turn of "
        f"the model ({turn.slot}) stopped with {turn.stop}.",
        "returned normally",
        "no answer",
        (turn.seq, ended.seq),
        "take an empty turn for a failure: ask again, or end with an honest status",
    )
