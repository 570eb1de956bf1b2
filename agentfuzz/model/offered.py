"""What a model does within an offer: the script's calls that it may make, the call that it must
make, and the answer that has the form asked for.

Law: pure; a function of the script, of what is seen and of the offer. A call that is not offered is
not made, and work that is left undone by it is told as undone. Called by the simulated model.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from agentfuzz.core.completion import Completion
from agentfuzz.core.events import Json
from agentfuzz.model.model_faults.kind import Draft, Planned
from agentfuzz.model.reading import Seen
from agentfuzz.model.schemas.fits import fits
from agentfuzz.model.schemas.value import NoValue, value_of
from agentfuzz.model.script import PLAIN, Call, Ref, Script, Value, resolve
from agentfuzz.providers.offer import Offer
from agentfuzz.world.toolbox import DONE
from agentfuzz.world.tools import ToolSpec

EARLY = ("withheld", "paused")  # stops that not every provider has
_IN_DOUBT = re.compile(r"timed out|timeout|connection", re.IGNORECASE)


def planned(
    script: Script, seen: Seen, offer: Offer, specs: Mapping[str, ToolSpec], retries: int
) -> Draft:
    """What an honest model would do now."""
    draft = _next(script, seen, offer, retries)
    if offer.choice == "required" and not draft.calls:
        draft = _forced(script, seen, offer, specs)
    if offer.most_calls is not None and len(draft.calls) > offer.most_calls:
        return Draft(draft.group, draft.text, draft.calls[: offer.most_calls], draft.stop)
    return draft


def _next(script: Script, seen: Seen, offer: Offer, retries: int) -> Draft:
    """The next step of the script of which something may be done, or its end."""
    out_of_reach: dict[str, None] = {}
    for step in script.steps:
        open_calls = [one for one in step if id(one) not in seen.finished]
        if not open_calls:
            continue
        if offer.names is not None:
            lost = [one for one in open_calls if not _reached(one, offer, out_of_reach)]
            out_of_reach.update(dict.fromkeys(one.tool for one in lost))
            open_calls = [one for one in open_calls if one not in lost]
            if not open_calls:
                continue
        for one in open_calls:
            errors = seen.errors.get(id(one), [])
            if len(errors) > retries:
                return closing(script, seen, offer, f"{one.tool}: {errors[-1][:200]}")
        calls = tuple(
            Planned(one.tool, resolve(one.arguments, seen.replies), one) for one in open_calls
        )
        return Draft("calls", None, calls, "tool_calls")
    if out_of_reach:
        named = " and ".join(out_of_reach)
        return closing(script, seen, offer, f"I am not offered {named} here")
    return closing(script, seen, offer)


def _reached(call: Call, offer: Offer, out_of_reach: Mapping[str, None]) -> bool:
    """Whether a call may be made, and waits for none that may not."""
    return offer.allows(call.tool) and not any(
        one.tool in out_of_reach for one in _refs(call.arguments)
    )


def _refs(value: Any) -> Iterator[Ref]:
    if type(value) in PLAIN:
        return
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, (Mapping, list)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _refs(item)


# The end of the task --------------------------------------------------------------------------


def closing(script: Script, seen: Seen, offer: Offer, trouble: str = "") -> Draft:
    """The end of the task, as the script closes it or, in trouble, as honesty does."""
    told = script.closing
    if isinstance(told, Completion):
        if seen.done:
            return _said("closed", told.detail or "The task is closed.", told, offer)
        told = _honest(told, trouble)
        if offer.allows(DONE):
            arguments = {name: value for name, value in told.model_dump().items() if value}
            calls = (Planned(DONE, arguments),)
            return Draft("giving_up" if trouble else "done", None, calls, "tool_calls")
    if trouble:
        return _said("giving_up", f"I could not finish the task: {trouble}", told, offer)
    if isinstance(told, Value):
        data = resolve(told.data, seen.replies)
        return Draft("answer" if offer.answer is not None else "closing", _written(data))
    text = told.detail or "The task is closed." if isinstance(told, Completion) else told
    return _said("closing", text, told, offer)


def _honest(told: Completion, trouble: str) -> Completion:
    if not trouble:
        return told
    if _IN_DOUBT.search(trouble):
        return Completion.blocked(reason="outcome_unknown", detail=trouble)
    return Completion.failed(reason="tool_failed", detail=trouble)


def _said(group: str, text: str, told: str | Completion | Value, offer: Offer) -> Draft:
    """A text, in the form that an answer must have: that of the text itself, of the completion,
    or of the simplest value that says the text wherever there is room for one."""
    if offer.answer is None:
        return Draft(group, text)
    group = "giving_up" if group == "giving_up" else "answer"
    if isinstance(told, Completion):
        whole = told.model_dump(mode="json")
        if fits(whole, offer.answer):
            return Draft(group, _written(whole))
    elif group == "answer" and _read(text) is not None:
        return Draft(group, text)
    try:
        return Draft(group, _written(value_of(offer.answer, text)))
    except NoValue:
        return Draft(group, text)


def _written(data: Json) -> str:
    return json.dumps(data, ensure_ascii=False)


def _read(text: str) -> Any:
    """The object or the list that a text is; None for any other text."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, (dict, list)) else None


# A call that must be made ----------------------------------------------------------------------


def _forced(script: Script, seen: Seen, offer: Offer, specs: Mapping[str, ToolSpec]) -> Draft:
    """The call of a model that has nothing left to call, and must: of a tool that takes what the
    script closes with, of one that is not the world's, of one that only reads, or a repetition."""
    names = offer.names or ()
    if not names:
        return closing(script, seen, offer)
    value = _value(script, seen)
    name = min(names, key=lambda one: _fitness(one, value, script, offer, specs))
    own = [call for step in script.steps for call in step if call.tool == name]
    if own:
        made = Planned(name, resolve(own[-1].arguments, seen.replies), own[-1])
    elif name not in specs and isinstance(value, dict):
        made = Planned(name, value)
    else:
        made = Planned(name, _arguments(name, offer, specs))
    return Draft("calls", None, (made,), "tool_calls")


def _value(script: Script, seen: Seen) -> Any:
    """The value that a script closes with, if its work is done."""
    finished = all(id(call) in seen.finished for step in script.steps for call in step)
    told = script.closing
    if not finished or isinstance(told, Completion):
        return None
    return resolve(told.data, seen.replies) if isinstance(told, Value) else _read(told)


def _fitness(
    name: str, value: Any, script: Script, offer: Offer, specs: Mapping[str, ToolSpec]
) -> tuple[bool, ...]:
    spec = specs.get(name)
    takes = spec is None and isinstance(value, dict) and fits(value, offer.schema(name))
    effect = spec is not None and spec.effect is not None
    return (not takes, name in script.tools, spec is not None, effect)


def _arguments(name: str, offer: Offer, specs: Mapping[str, ToolSpec]) -> dict[str, Json]:
    """The simplest arguments of a tool: as it is offered, or else as the world knows it."""
    schema = offer.schema(name)
    if not schema.get("properties") and name in specs:
        schema = specs[name].schema
    try:
        found = value_of(schema)
    except NoValue:
        return {}
    return found if isinstance(found, dict) else {}


# What becomes of a turn on its way --------------------------------------------------------------


def possible(draft: Draft, offer: Offer) -> bool:
    """Whether a provider would let this turn pass: no call where none may be, no more of them than
    may be, no words instead of one that must be, and no ending that it has no word for."""
    if draft.raises is not None:
        return True
    if draft.stop in EARLY and offer.early is not None and draft.stop not in offer.early:
        return False
    if draft.calls:
        most = offer.most_calls
        return offer.names != () and (most is None or len(draft.calls) <= most)
    return offer.choice != "required" or draft.stop != "end" or not draft.text
