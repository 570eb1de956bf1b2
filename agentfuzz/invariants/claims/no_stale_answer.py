"""The law that the answer is the last word (AF303).

Law: an answer is said after everything that it is about. Source: CATALOGUE law P4, and the bugs
behind it.
"""

from collections.abc import Iterator

from agentfuzz.core.events import Called, Ended, ModelInput, ModelTurn, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.astray import overdue
from agentfuzz.invariants.queries.conversations import NOT_SAID
from agentfuzz.invariants.queries.endings import closed_by_tool, own_completion, passes_for_success
from agentfuzz.invariants.queries.texts import forms

RECOGNISED = 8  # characters of an earlier text that cannot stand in another one by chance
LABEL = 20  # characters that may stand before an error's message: "Error: "


@law(codes={"AF303": "The answer is not the last word"}, catalogue="P4")
def no_stale_answer() -> Check:
    """The answer is what the model said last, after the last reply of a tool.

    Where the answer is a text that the model, a tool or an error said, the model said it after the
    last reply of a tool. It is no preamble, no older text, no error text and no output of a tool. A
    Completion that the agent returns is looked at for its handle and detail. What the loop calls by
    itself, once a turn has asked for nothing more (a log, a look-up, a notice), makes no text
    older, and neither does what is called for a handoff that arrives when it was given up.

    NOT_EXERCISED when the run did not return, says that the task is not done, ended by the done
    tool, had no model, or answered in words of the loop's own.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        ended, turns = passes_for_success(history), history.of(ModelTurn)
        if ended is None or not turns or closed_by_tool(history) is not None:
            return None
        last = _last_of_the_models(history)
        told = [turn for turn in turns if turn.stop not in NOT_SAID and (turn.text or "").strip()]
        exercised = False
        for text, loose in _answers(history, ended):
            if any(turn.seq > last and (turn.text or "").strip() in text for turn in told):
                exercised = True
            elif (source := _source(history, told, text, loose)) is not None:
                return [_not_the_last(ended, text, *source)]
        return [] if exercised else None

    return check


def _last_of_the_models(history: History) -> int:
    """The last reply to a call that the model asked for: under its id, or by name in the turn
    before it; or that the model was told of it, where that came first (a call that was given up).
    -1 where there is none."""
    turns, at, found = history.of(ModelTurn), 0, -1
    told: dict[str, int] = {}
    for given in reversed(history.of(ModelInput)):
        told.update((one.answers, given.seq) for one in given.messages if one.answers is not None)
    left = overdue(history)
    for call in history.of(Called):
        if call.call in left:
            continue
        while at < len(turns) and turns[at].seq < call.seq:
            at += 1
        named = at and any(tool == call.slot.name for _, tool, _ in turns[at - 1].calls)
        if (named or call.asked is not None) and call.call in history.replies:
            reply = history.replies[call.call].seq
            heard = told.get(call.asked or "", reply)
            found = max(found, heard if call.seq < heard < reply else reply)
    return found


def _answers(history: History, ended: Ended) -> Iterator[tuple[str, bool]]:
    """The texts that a run answers with, and whether a tool's output may stand there too."""
    own = own_completion(ended)
    found = [(ended.value, False)]
    if own is not None:
        found = [(own["detail"], False), (own["handle"], True)]
    found += [(done.handle, True) for done in history.completions]
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
        if turn.stop in NOT_SAID and _quotes(text, turn.text or ""):
            return "an error text", turn.seq
    return None


def _quotes(text: str, error: str) -> bool:
    error = error.strip()
    return bool(error) and text.endswith(error) and len(text) - len(error) <= LABEL


def _not_the_last(ended: Ended, text: str, what: str, seq: int) -> Violation:
    return Violation(
        code="AF303",
        subject="answer",
        title=f"the answer is {what}",
        sentence=(
            f"The answer, {text[:80]!r}, is {what}: no turn of the model after the last reply of a "
            "tool says it."
        ),
        says=text[:60],
        world=f"{what}, not the last word",
        witness=(seq, ended.seq),
        hint="answer with the text of the turn that asks for nothing more, and with nothing else",
    )
