"""Misbehaviour: what a model fault makes of the turn that the model would have taken.

Law: each kind is a pure function from an honest draft to a dishonest one, or None where it would
mean nothing (then it did not strike). Called by the simulated model at a slot that has a fault.

A draft is a turn before it has ids: a text, calls, and how it stops (`end`, `tool_calls`,
`length`: the provider cut it off; `cut`: the connection broke in the middle). `raises` is the
API's error instead of a turn.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agentfuzz.core.errors import ModelError
from agentfuzz.core.faults import Fault
from agentfuzz.core.history import Json
from agentfuzz.model.closings import TRIED, closing
from agentfuzz.model.script import Call
from agentfuzz.world.tools import ToolSpec

FAN_OUT = 50
DONE = "done"


@dataclass(frozen=True, slots=True)
class Planned:
    """One call of a draft. `arguments` is a text where the model wrote no valid JSON; `same_id`
    says that it bears the id of the call before it; `step` is the script's call behind it."""

    tool: str
    arguments: Mapping[str, Json] | str
    step: Call | None = None
    same_id: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A turn in the making. `group` is the kind of turn it is (see `agentfuzz.world.injector`)."""

    group: str
    text: str | None = None
    calls: tuple[Planned, ...] = ()
    stop: str = "end"
    raises: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What a misbehaving model knows: its tools, the last call it saw answered, how it would
    close now, and what undoes that last call, if anything does."""

    specs: Mapping[str, ToolSpec]
    last: Planned | None
    closing: Draft
    undo: Planned | None = None


Kind = Callable[[Draft, Situation, int], Draft | None]


def misbehave(fault: Fault, draft: Draft, situation: Situation) -> Draft | None:
    """The draft under a fault, or None if the fault means nothing here."""
    return KINDS[fault.axes[0]](draft, situation, fault.variant)


def _again(planned: Planned) -> Planned:
    return replace(planned, same_id=False)


def _reword(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "closing":
        return None
    return replace(draft, text=closing(variant).text)


def _no_done(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "done":
        return None
    return Draft(draft.group, "I'm done with that now.")


def _skip(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return at.closing if draft.group == "calls" else None


def _repeat(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group == "calls":
        return replace(draft, calls=(*draft.calls, _again(draft.calls[-1])))
    if at.last is None:
        return None
    return Draft(draft.group, None, (_again(at.last),), "tool_calls")


def _drift(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group == "calls":
        drifted = tuple(_drifted(one, at.specs, variant) for one in draft.calls)
        return None if _written(drifted) == _written(draft.calls) else replace(draft, calls=drifted)
    if at.last is None:
        return None
    return Draft(draft.group, None, (_drifted(at.last, at.specs, variant),), "tool_calls")


def _written(calls: tuple[Planned, ...]) -> list[str]:
    """The arguments as a model writes them: 42 is not 42.0, and their order is one, too."""
    return [json.dumps(one.arguments, default=repr) for one in calls]


def _drifted(planned: Planned, specs: Mapping[str, ToolSpec], variant: int) -> Planned:
    """The same intent in cosmetically different arguments: never the scope itself."""
    spec = specs.get(planned.tool)
    if isinstance(planned.arguments, str) or spec is None:
        return planned
    changed = dict(planned.arguments)
    if variant % 2:
        changed = dict(reversed(changed.items()))
    for name, value in planned.arguments.items():
        if name in spec.scope:
            continue
        if isinstance(value, str):
            changed[name] = f" {value}" if variant % 2 else f"{value} "
        elif type(value) is int:
            changed[name] = float(value)
    return replace(planned, arguments=changed)


def _empty(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return Draft(draft.group, "")


def _truncated(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return _half(draft, "length")


def _cut(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return _half(draft, "cut")


def _half(draft: Draft, stop: str) -> Draft:
    text = draft.text and draft.text[: max(len(draft.text) // 2, 1)]
    if not draft.calls:
        return replace(draft, text=text, stop=stop)
    *whole, last = draft.calls
    written = last.arguments if isinstance(last.arguments, str) else json.dumps(last.arguments)
    torn = replace(last, arguments=written[: max(len(written) // 2, 1)])
    return replace(draft, text=text, calls=(*whole, torn), stop=stop)


def _rate_limited(draft: Draft, at: Situation, variant: int) -> Draft | None:
    error = ModelError("429 rate_limit_error: too many requests", 429, retry_after=1.0)
    return replace(draft, raises=error)


def _error(draft: Draft, at: Situation, variant: int) -> Draft | None:
    status = (500, 529, 503)[variant % 3]
    return replace(draft, raises=ModelError(f"{status} the model's API failed", status))


def _timeout(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return replace(draft, raises=TimeoutError("the model did not answer in time"))


def _duplicate_ids(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "calls":
        return None
    return replace(draft, calls=(*draft.calls, replace(draft.calls[-1], same_id=True)))


def _malformed_args(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "calls" or isinstance(draft.calls[-1].arguments, str):
        return None
    *rest, last = draft.calls
    arguments = last.arguments
    assert not isinstance(arguments, str), "checked above"
    if variant % 3 == 0:
        bad: Mapping[str, Json] | str = json.dumps(arguments)[:-1]
    elif variant % 3 == 1:
        bad = json.dumps(list(arguments.values()))
    else:
        bad = dict(list(arguments.items())[1:])
    return replace(draft, calls=(*rest, replace(last, arguments=bad)))


def _unknown_tool(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "calls":
        return None
    *rest, last = draft.calls
    wrong = replace(last, tool=f"{last.tool}_v2", step=None)
    return replace(draft, calls=(*rest, last, wrong) if variant % 2 else (*rest, wrong))


def _bad_done(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "done":
        return None
    arguments = dict(_arguments(draft.calls[0]))
    if variant % 3 == 0:
        arguments["status"] = "done"
    elif variant % 3 == 1:
        arguments.pop("status", None)
    else:
        arguments["reason"] = "tool_failed"
    return replace(draft, calls=(Planned(DONE, arguments),))


def _double_done(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "done":
        return None
    second = draft.calls[0]
    if variant % 2:
        second = Planned(DONE, {"status": "failed", "reason": "other"})
    return replace(draft, calls=(draft.calls[0], second))


def _mixed_done(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group == "calls":  # closes beside the calls that are still to be made
        if at.closing.calls:
            both = (*draft.calls, *at.closing.calls) if variant % 2 else ()
            return replace(draft, calls=both or (*at.closing.calls, *draft.calls))
        return replace(draft, text=at.closing.text)
    if draft.group != "done" or at.last is None:
        return None
    both = (_again(at.last), *draft.calls) if variant % 2 else (*draft.calls, _again(at.last))
    return replace(draft, calls=both)


def _contradict(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group == "calls" or at.undo is None:
        return None
    return Draft(draft.group, None, (at.undo,), "tool_calls")


def _loop(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.calls and draft.group == "calls":
        return draft
    return _repeat(draft, at, variant)


def _fan_out(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "calls":
        return None
    return replace(draft, calls=(*draft.calls, *(_again(draft.calls[-1]),) * (FAN_OUT - 1)))


def _arguments(planned: Planned) -> Mapping[str, Any]:
    return planned.arguments if not isinstance(planned.arguments, str) else {}


KINDS: Mapping[str, Kind] = {
    "reword": _reword,
    "no_done": _no_done,
    "skip": _skip,
    "repeat": _repeat,
    "drift": _drift,
    "empty": _empty,
    "truncated": _truncated,
    "cut": _cut,
    "rate_limited": _rate_limited,
    "error": _error,
    "timeout": _timeout,
    "duplicate_ids": _duplicate_ids,
    "malformed_args": _malformed_args,
    "unknown_tool": _unknown_tool,
    "bad_done": _bad_done,
    "double_done": _double_done,
    "mixed_done": _mixed_done,
    "contradict": _contradict,
    "loop": _loop,
    "fan_out": _fan_out,
}
# How many variants of each kind a search tries.
VARIANTS: Mapping[str, int] = {
    "reword": TRIED,
    "drift": 2,
    "error": 2,
    "malformed_args": 3,
    "unknown_tool": 2,
    "bad_done": 3,
    "double_done": 2,
    "mixed_done": 2,
}
