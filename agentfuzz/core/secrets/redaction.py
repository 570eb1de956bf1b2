"""Redaction: whatever is stored or shown of a campaign, without the secrets in it.

Law: a secret is replaced by a mark, the same mark for the same secret, so that one can still see
whether a key changed; what holds no secret comes back as the very object. Called by the door
before a result is told to anybody.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.secrets.finder import Finder, is_field

T = TypeVar("T")
_DEEP = 200  # levels of what agents and tools have said; what lies deeper is not kept


class Redactor:
    """The marks of one result: `[redacted 1: an AWS key]`."""

    def __init__(self) -> None:
        self._finder = Finder()
        self._marks: dict[str, str] = {}
        self._clean: set[str] = set()  # texts that were searched: most are met often

    def text(self, text: str) -> str:
        """A text with a mark in place of each secret."""
        if text in self._clean:
            return text
        spans = sorted(self._finder.spans(text), key=lambda span: (span.start, -span.end))
        if not spans:
            self._clean.add(text)
            return text
        out, at = [], 0
        for span in spans:
            if span.end <= at:
                continue
            start = max(span.start, at)
            out += [text[at:start], self._mark(text[span.start : span.end], span.kind)]
            at = span.end
        return "".join([*out, text[at:]])

    def _mark(self, secret: str, kind: str) -> str:
        return self._marks.setdefault(secret, f"[redacted {len(self._marks) + 1}: {kind}]")

    def value(self, value: Any, deep: int = 0) -> Any:
        """The same of anything: a text, a container, an event, a history, a result."""
        if isinstance(value, str):
            return self.text(value)
        if deep > _DEEP or value is None or isinstance(value, bool | int | float | FaultPlan):
            return value
        if isinstance(value, History):
            events = [self.value(event, deep + 1) for event in value.events]
            same = all(new is old for new, old in zip(events, value.events, strict=True))
            return value if same else History(events, value.tools)
        if isinstance(value, Mapping):
            found = {self.value(k, deep + 1): self._field(k, v, deep) for k, v in value.items()}
            return value if found == value else found
        if isinstance(value, tuple | list):
            items = [self.value(item, deep + 1) for item in value]
            if all(new is old for new, old in zip(items, value, strict=True)):
                return value
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        if is_dataclass(value) and not isinstance(value, type):
            given = {one.name: getattr(value, one.name) for one in fields(value) if one.init}
            changed = {name: self.value(one, deep + 1) for name, one in given.items()}
            changed = {name: new for name, new in changed.items() if new is not given[name]}
            return replace(value, **changed) if changed else value
        return value

    def _field(self, name: Any, value: Any, deep: int) -> Any:
        if isinstance(value, str) and len(value) >= 6 and is_field(name):
            return self._mark(value, "a secret by its name")
        return self.value(value, deep + 1)


def redacted(value: T) -> T:
    """A result, or a part of one, without secrets."""
    found: T = Redactor().value(value)
    return found
