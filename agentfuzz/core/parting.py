"""Parting: where two histories of one plan stop being the same.

Law: code locations do not count, nor does how a value is held: what counts is what would be
written. Of two events of one kind the sentence tells what differs, and nothing else. Called by
whatever runs a plan twice.
"""

from collections.abc import Iterator

from agentfuzz.core.codec import dump, event_to_json
from agentfuzz.core.events import Event, Json
from agentfuzz.core.history import History

NONE = "nothing"
_MOST = 3  # values that are told
_WIDE = 60  # characters of one of two
_LONG = 200  # of one that stands alone: it may say why
_DEEP = 2  # how far down its path goes
_ASIDE = ("event", "seq", "t", "slot", "intent")
_NOTHING = ("null", '""', "[]", "{}", "false")


def parting(one: History, other: History) -> int | None:
    """The index of the first event that differs, or that only one of them has; None if none."""
    for at, (a, b) in enumerate(zip(one.events, other.events, strict=False)):
        if (type(a) is not type(b) or a != b) and _written(a) != _written(b):
            return at
    return None if len(one) == len(other) else min(len(one), len(other))


def first_difference(one: History, other: History) -> str:
    """The same in a sentence, or an empty string."""
    at = parting(one, other)
    if at is None:
        return ""
    if at >= min(len(one), len(other)):
        return f"One run has {len(one)} events, the other {len(other)}."
    a, b = one.events[at], other.events[at]
    return f"The first difference is event {a.seq}: {_apart(a, b)}."


def _apart(a: Event, b: Event) -> str:
    left, right = dict(_facts(_data(a))), dict(_facts(_data(b)))
    if type(a) is not type(b):
        return f"{_told(a, left)} in one run, {_told(b, right)} in the other"
    every = {**left, **right}
    names = [name for name in every if left.get(name) != right.get(name)]
    names = [name for name in names if not any(one.startswith(f"{name}.") for one in every)]
    pairs = [(name, *_cut(left.get(name, NONE), right.get(name, NONE))) for name in names[:_MOST]]
    told = [f"{name} is {x} in one run, {y} in the other" for name, x, y in pairs]
    told += [f"{len(names) - _MOST:,} more"] if len(names) > _MOST else []
    return "; ".join(told)


def _told(event: Event, facts: dict[str, str]) -> str:
    """`Done (status "blocked", reason "tool_failed")`: its kind, and what is in it."""
    slot = getattr(event, "slot", None)
    said = [
        f"{name} {text if len(text) <= _LONG else text[: _LONG - 3] + '...'}"
        for name, text in facts.items()
        if text not in _NOTHING and name.split(".")[0] not in _ASIDE
    ]
    named = f"{type(event).__name__}{'' if slot is None else f' {slot}'}"
    return f"{named} ({', '.join(said[:_MOST])})" if said else named


def _facts(data: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Every value of an event under its path."""
    if isinstance(data, dict) and data and (name.count(".") < _DEEP):
        for key, value in data.items():
            yield from _facts(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, dump(data)


def _cut(left: str, right: str) -> tuple[str, str]:
    """Two texts, as far as their difference can be seen."""
    if max(len(left), len(right)) <= _WIDE:
        return left, right
    same = next((n for n, (x, y) in enumerate(zip(left, right, strict=False)) if x != y), None)
    begin = max((min(len(left), len(right)) if same is None else same) - _WIDE // 3, 0)
    cut = (f"{'...' * (begin > 0)}{text[begin : begin + _WIDE]}" for text in (left, right))
    first, second = (
        text + "..." * (len(whole) > begin + _WIDE)
        for text, whole in zip(cut, (left, right), strict=True)
    )
    return first, second


def _written(event: Event) -> str:
    return dump(_data(event))


def _data(event: Event) -> dict[str, Json]:
    data = event_to_json(event)
    data.pop("where", None)
    return data
