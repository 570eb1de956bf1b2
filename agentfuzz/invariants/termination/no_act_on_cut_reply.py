"""The law that a reply is whole before it counts (AF208, AF209).

Law: nobody knows what a reply that broke off would have said, and a blank one says nothing.
Source: CATALOGUE law P5, and the bugs behind it.
"""

from collections.abc import Iterator

from agentfuzz.core.events import Done, Ended, ModelTurn
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.confirmed import all_confirmed
from agentfuzz.invariants.queries.conversations import DONE, UNFINISHED, origin
from agentfuzz.invariants.queries.endings import closed_by_tool, own_completion, passes_for_success


@law(
    codes={
        "AF208": "A reply of the model that did not finish was acted on",
        "AF209": "The run ended with a blank answer",
    },
    catalogue="P5",
)
def no_act_on_cut_reply() -> Check:
    """Nothing is done, and nothing claimed, on a reply of the model that did not finish.

    No effect and no success comes from a model's turn that was cut off or failed (stop `length`,
    `cut`, `error`: AF208), and a run that passes for a success ends with an answer that is not
    blank (AF209). A completion by the done tool is an answer; so is a Completion that the agent
    itself returns with nothing of the broken reply in it, after an API error, or when the receipts
    of every effect of the fault-free run had come.

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
                own = _own_words(history, baseline, ended, turns[-1])
                found += [] if own else [_taken(turns[-1], ended)]
            elif _blank(history, ended):
                found.append(_said_nothing(turns[-1], ended))
        return found

    return check


def _acted(history: History) -> Iterator[Violation]:
    for commit in history.ledger:
        call = history.calls.get(commit.call)
        ask = origin(history, call) if call is not None else None
        if ask is not None and ask.turn.stop in UNFINISHED:
            yield Violation(
                code="AF208",
                subject=commit.intent.effect,
                title=f"{commit.tool} ran, reply unfinished",
                sentence=f"{commit.intent} took effect because of {ask.turn.slot}, a reply that "
                f"{UNFINISHED[ask.turn.stop]}.",
                says=f"executes {commit.tool}",
                world=f"{ask.turn.slot} stopped with {ask.turn.stop}",
                witness=(ask.turn.seq, commit.seq),
                hint=(
                    "look at the stop reason first; execute no call of a reply that did not finish"
                ),
            )


def _completed(history: History) -> Iterator[Violation]:
    """A success by the done tool that an unfinished turn asked for."""
    for done in history.completions:
        if done.via != "tool" or done.status != "success":
            continue
        before = [turn for turn in history.of(ModelTurn) if turn.seq < done.seq]
        torn = before[-1:] if before and before[-1].stop in UNFINISHED else []
        if any(tool == DONE for turn in torn for _, tool, _ in turn.calls):
            yield _taken(before[-1], done)


def _own_words(history: History, baseline: History | None, ended: Ended, turn: ModelTurn) -> bool:
    """Whether the agent claims success by itself: the reply never came, or the agent goes by its
    receipts, and the reply is not used."""
    own, said = own_completion(ended), (turn.text or "").strip()
    if own is None or (turn.stop == "length" and not all_confirmed(history, baseline)):
        return False
    return not said or not any(said in str(own[name] or "") for name in ("handle", "detail"))


def _taken(turn: ModelTurn, end: Ended | Done) -> Violation:
    return Violation(
        code="AF208",
        subject="answer",
        title="unfinished reply as the answer",
        sentence=f"The run passes for a success, and the last reply of the model ({turn.slot}) "
        f"{UNFINISHED[turn.stop]}: what it would have said is not known.",
        says="a finished task",
        world=f"{turn.slot} stopped with {turn.stop}",
        witness=(turn.seq, end.seq),
        hint="ask again, or end with partial, blocked or failed",
    )


def _blank(history: History, ended: Ended) -> bool:
    value, done = ended.value, history.completion
    if done is not None and isinstance(done.handle, str) and not done.handle.strip():
        return True
    if isinstance(value, str):
        return not value.strip()
    return value is None and done is None


def _said_nothing(turn: ModelTurn, ended: Ended) -> Violation:
    return Violation(
        code="AF209",
        subject="answer",
        title="ended with a blank answer",
        sentence=(
            "The run returned as if the task were done, with nothing in its answer; the last turn "
            f"of the model ({turn.slot}) stopped with {turn.stop}."
        ),
        says="returned normally",
        world="no answer",
        witness=(turn.seq, ended.seq),
        hint="take an empty turn for a failure: ask again, or end with an honest status",
    )
