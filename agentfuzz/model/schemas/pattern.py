"""A text that a regular expression matches: the shortest one, of the first alternatives.

Law: pure; what it cannot read of an expression raises ValueError, and a text that it gives has been
matched. Called by the maker of values.
"""

import re

_SAMPLES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "t": "\t", "n": "\n"}
_EDGES = "bBAZ"
_OTHERS = "a0A-_ .:/@"


def matching(pattern: str) -> str:
    """A text in which the expression is found. Raises ValueError where none is."""
    try:
        found: str = _Reader(pattern).alternatives()
        if re.search(pattern, found):
            return found
    except (IndexError, re.error):
        pass
    for found in ("", *_OTHERS):
        try:
            if re.search(pattern, found):
                return found
        except re.error:
            break
    raise ValueError(f"no text is known that {pattern!r} matches")


class _Reader:
    """Reads an expression from left to right, and writes a text that it matches."""

    def __init__(self, pattern: str) -> None:
        self._left = pattern
        self._at = 0

    def _next(self) -> str:
        self._at += 1
        return self._left[self._at - 1]

    def _sees(self, text: str) -> bool:
        found = self._left.startswith(text, self._at)
        self._at += len(text) if found else 0
        return found

    def alternatives(self) -> str:
        first = self._sequence()
        while self._sees("|"):
            self._sequence()
        return first

    def _sequence(self) -> str:
        made = ""
        while self._at < len(self._left) and self._left[self._at] not in "|)":
            one = self._atom()
            made += one * self._times()
        return made

    def _atom(self) -> str:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return self._one_of()
        if char == "\\":
            return self._escaped()
        if char == ".":
            return "a"
        return "" if char in "^$" else char

    def _group(self) -> str:
        looks = False
        if self._sees("?"):
            if self._sees("P<") or not any(map(self._sees, (":", "=", "!", "<=", "<!"))):
                self._at = self._left.index(">", self._at) + 1
            else:
                looks = self._left[self._at - 1] != ":"
        found = self.alternatives()
        self._next()
        return "" if looks else found

    def _escaped(self) -> str:
        char = self._next()
        return "" if char in _EDGES else _SAMPLES.get(char, char)

    def _one_of(self) -> str:
        start, negated = self._at - 1, self._sees("^")
        first = ""
        while not (self._left[self._at] == "]" and self._at > start + 1 + negated):
            char = self._next()
            first = first or (self._escaped() if char == "\\" else char)
        self._next()
        if not negated:
            return first
        inside = re.compile(self._left[start : self._at])
        return next(char for char in _OTHERS if inside.fullmatch(char))

    def _times(self) -> int:
        if self._sees("{"):
            least = self._left[self._at : self._left.index("}", self._at)].split(",")[0]
            self._at = self._left.index("}", self._at) + 1
            times = int(least or 0)
        elif self._sees("*") or self._sees("?"):
            times = 0
        else:
            self._sees("+")
            times = 1
        if not self._sees("?"):
            self._sees("+")
        return times
