"""What the names and numbers of a run belong to: to what was done, or to something else.

Law: pure functions of histories; a name that nothing in the run bears belongs to nothing. What a
false reply made up is known only where it was the first fault of the run: up to there everything
is as in the fault-free run. Asked by the laws about what an answer names.
"""

import re
from collections.abc import Iterator, Mapping

from agentfuzz.core.events import Called, Json, Replied, Struck
from agentfuzz.core.history import History, query
from agentfuzz.invariants.queries.texts import leaves

_BETWEEN = re.compile(r"[\s,;:|=(){}\[\]\"'<>]+")
_NAMES_IT = re.compile(r"(^|_)(ids?|no|number|ref|reference|key|handle|code)$", re.IGNORECASE)


def parts(text: str) -> list[str]:
    """The words of a text as they may name something, and the text itself."""
    words = [word.strip(".!?") for word in _BETWEEN.split(text)]
    return [text.strip(), *(word for word in words if word)]


@query
def of_what_was_done(history: History) -> set[str]:
    """Everything that effects which took place are known by: their ids, their arguments, and
    whatever the agent was answered."""
    done = {event.call for event in history.ledger}
    effects = {commit.intent for commit in history.ledger}
    done |= {call.call for call in history.of(Called) if call.intent in effects}
    found = {commit.effect_id for commit in history.ledger}
    for commit in history.ledger:
        found |= {*leaves(dict(commit.args)), *map(str, dict(commit.intent.scope).values())}
    for call in history.of(Called):
        if call.call in done:
            found |= set(leaves(dict(call.args)))
    for reply in history.of(Replied):
        if reply.call in done:
            found |= set(leaves(reply.body))
    return found


def of_something_else(history: History) -> Iterator[tuple[str, str]]:
    """What effects that did not take place, or look-ups of another thing, are about: values of the
    scope of an effect that did take place, as (value, what it belongs to)."""
    names = _scope_names(history)
    for call in history.of(Called):
        for name in names & call.args.keys():
            for value in leaves(call.args[name]):
                yield value, f"{name} of {call.slot}"


def made_up(history: History, baseline: History | None) -> dict[str, str]:
    """The values of a false reply that the honest one does not have, and the call it answered."""
    struck = history.of(Struck)
    if baseline is None or not struck or "wrong" not in struck[0].fault.axes:
        return {}
    slot = struck[0].slot
    replies = [
        run.replies[call.call].body
        for run in (history, baseline)
        for call in run.of(Called)
        if call.slot == slot and call.call in run.replies
    ]
    if len(replies) != 2:
        return {}
    false, honest = set(leaves(replies[0])), set(leaves(replies[1]))
    return dict.fromkeys(false - honest, str(slot))


def field_values(history: History, name: str) -> list[Json]:
    """What a field of this name had as a value in the arguments of effects that took place; none,
    unless it tells one effect from another (it is in its scope, or a number, or named an id)."""
    values = [commit.args[name] for commit in history.ledger if name in commit.args]
    scoped = name in _scope_names(history)
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if scoped or _NAMES_IT.search(name):
        return values
    return [*numbers, sum(numbers)] if values and len(numbers) == len(values) else []


def _scope_names(history: History) -> set[str]:
    """The arguments that tell one effect from another: those of a scope that somebody named, and
    of every argument those that are called like an id."""
    return {
        name
        for commit in history.ledger
        for name, _ in commit.intent.scope
        if not history.derived(commit.tool) or _NAMES_IT.search(name)
    }


def agrees(said: Json, value: Json) -> bool:
    """Whether a value in an answer may be this one: written otherwise, or in hundredths."""
    if str(said).strip() == str(value).strip():
        return True
    if isinstance(said, (list, tuple, Mapping)) or isinstance(value, (list, tuple, Mapping)):
        return bool(set(leaves(said)) & set(leaves(value)))
    try:
        have, want = float(said), float(value)
    except (TypeError, ValueError):
        return str(value).strip() in parts(str(said))
    return any(abs(have - want * times) < 1e-9 * max(1, abs(have)) for times in (1, 100, 0.01))
