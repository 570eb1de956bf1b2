"""The plan in a recording: what the recorded model did, as the script of a simulated one.

Law: a conversation is the turns that go on from each other; what lies between two messages of
the user is one script, its calls in order and its last text as the closing. A call that failed
and was made again is one step, the later one: trying again is behaviour, not plan. Called
by the store, once per cassette.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from agentfuzz.core.completion import Completion
from agentfuzz.model.cassettes.match import Question, written
from agentfuzz.model.results import reads_as_error
from agentfuzz.model.script import Call, Script
from agentfuzz.world.toolbox import DONE


class Recording:
    """One recorded turn: the question, the turn, and its place in the plan: `steps` are the
    script's calls behind its calls, `script` is the plan of its part of the conversation.
    `number` is its interaction in the file, from 1."""

    __slots__ = ("number", "question", "script", "steps", "turn")

    def __init__(self, number: int, question: Question, turn: dict[str, Any]) -> None:
        self.number = number
        self.question = question
        self.turn = turn
        self.steps: tuple[Call, ...] = ()
        self.script = Script((), "Done.")

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls of the turn."""
        made: list[dict[str, Any]] = self.turn["tool_calls"]
        return made


def plan(recordings: Sequence[Recording]) -> None:
    """Give every recording its steps and its script."""
    parents = [_parent(recordings, i) for i in range(len(recordings))]
    leaves = set(range(len(recordings))) - {at for at in parents if at is not None}
    paths = [_path(leaf, parents) for leaf in sorted(leaves)]
    planned: set[int] = set()
    for path in sorted(paths, key=lambda path: (-len(path), path)):
        for _, group in groupby(path, key=lambda i: recordings[i].question.having("user")):
            part = [i for i in group if i not in planned]
            planned.update(part)
            if part:
                after = _next(path, part[-1])
                _script([recordings[i] for i in part], None if after is None else recordings[after])


def _parent(recordings: Sequence[Recording], at: int) -> int | None:
    """The latest recording that this one goes on from."""
    said = recordings[at].question.said
    best: tuple[int, bool, int] | None = None
    for i, one in enumerate(recordings[:at]):
        before = len(one.question.said)
        if before < len(said) and said[:before] == one.question.said:
            echo = said[before]
            if echo.role == "assistant":
                calls = tuple(written(c["name"], c["arguments"]) for c in one.calls)
                best = max(best or (-1, False, -1), (before, echo.calls == calls, i))
    return None if best is None else best[2]


def _path(leaf: int, parents: Sequence[int | None]) -> list[int]:
    path = [leaf]
    while (before := parents[path[-1]]) is not None:
        path.append(before)
    return path[::-1]


def _next(path: list[int], at: int) -> int | None:
    place = path.index(at) + 1
    return path[place] if place < len(path) else None


def _script(part: list[Recording], after: Recording | None) -> None:
    steps: list[tuple[Call, ...]] = []
    later: dict[str, Call] = {}
    closing: str | Completion = part[-1].turn["content"] or "Done."
    for one, shown in reversed(list(zip(part, [*part[1:], after], strict=True))):
        made, planned = [], []
        first = sum(len(said.calls) for said in one.question.said) + 1
        for k, call in enumerate(one.calls):
            if call["name"] == DONE:
                made.append(Call(DONE, {}))
                closing = _completion(call["arguments"], closing)
                continue
            known = written(call["name"], call["arguments"])
            if known in later and _failed(shown, first + k):
                made.append(later[known])
                continue
            given = call["arguments"] if isinstance(call["arguments"], dict) else {}
            later[known] = Call(call["name"], given)
            made.append(later[known])
            planned.append(later[known])
        one.steps = tuple(made)
        if planned:
            steps.insert(0, tuple(planned))
    script = Script(tuple(steps), closing)
    for one in part:
        one.script = script


def _failed(shown: Recording | None, call: int) -> bool:
    said = shown.question.said if shown is not None else ()
    return any(
        one.role == "tool" and one.answers == call and reads_as_error(one.text) for one in said
    )


def _completion(arguments: Any, otherwise: str | Completion) -> str | Completion:
    """The completion that a recorded call of the done tool stands for, if it is a valid one."""
    try:
        return Completion(**arguments)
    except (TypeError, ValueError):
        return otherwise
