"""What a user has confirmed, or corrected, of tools that were guessed at: one line a tool.

Law: a line names tools, by name or by a glob, and says some of their words; what it says counts,
and comes from where it was written; what it does not say stays a guess. Lines are read in order,
those with a glob first, and a later one says more. A line that cannot be read, or that fits no
tool, is an error that names it. Pure: the plugin reads the lines.

    get_*: reads
    book_flight: effect=booking scope=flight,seat dedup=key transport=network
    shop.tills:Till.charge: effect=charge scope=order_id

The last one says, too, where a tool is that no framework has in its hands.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from agentfuzz.core.errors import ScenarioError, near_miss
from agentfuzz.world.declaration import DEDUPS, GROUPS
from agentfuzz.world.guessing import Guess, Parameter, scope_of
from agentfuzz.world.verbs import own_name

READS = "reads"
_PLACE = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.]*")
TRANSPORTS = tuple(name for name in GROUPS if name != "guessed")
WORDS = ("effect", "scope", "dedup", "transport")
CURE = "Write one line a tool, as: book_flight: effect=booking scope=flight,seat transport=network"


@dataclass(frozen=True, slots=True)
class Correction:
    """One line: which tools it fits, and what it says of them. `reads` without any other word but
    a transport; `place` is where it was written."""

    pattern: str
    said: Mapping[str, Any]
    reads: bool
    place: str
    line: str

    @property
    def is_glob(self) -> bool:
        """Whether it may fit several tools."""
        return bool(re.search(r"[*?\[]", self.pattern))

    @property
    def is_place(self) -> bool:
        """Whether it may say where a function is: a tool may be called so, too."""
        return bool(_PLACE.fullmatch(self.pattern))

    def fits(self, name: str) -> bool:
        """Whether it is about a tool of this name, with or without the server it comes from."""
        names = (name, own_name(name))
        if self.is_glob:
            return any(fnmatchcase(one, self.pattern) for one in names)
        last = re.split("[:.]", self.pattern)[-1] if self.is_place else self.pattern
        return self.pattern in names or last in names


def corrections(lines: Iterable[str], place: str) -> tuple[Correction, ...]:
    """The lines that were written at `place` (`pyproject.toml`); empty ones and comments (`#`) say
    nothing. Raises ScenarioError."""
    found: list[Correction] = []
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        one = _read(line.strip(), place)
        if any(other.pattern == one.pattern for other in found):
            raise _wrong(one.line, place, f"{one.pattern} has a line already", "Join the two.")
        found.append(one)
    return tuple(sorted(found, key=lambda one: not one.is_glob))


def _wrong(line: str, place: str, what: str, cure: str = CURE) -> ScenarioError:
    return ScenarioError(f"{place}: agentfuzz_tools: {line!r}: {what}. {cure}")


def _read(line: str, place: str) -> Correction:
    pattern, colon, rest = line.rpartition(":")
    pattern = pattern.strip()
    if not colon or not pattern or "=" in pattern:
        raise _wrong(line, place, "a name of a tool and a colon are missing")
    try:
        parts = shlex.split(rest)
    except ValueError:
        raise _wrong(line, place, "a quotation mark is not closed") from None
    if not parts:
        raise _wrong(line, place, "it says nothing of the tool")
    said: dict[str, Any] = {}
    reads = False
    for part in parts:
        word, equals, value = part.partition("=")
        if part == READS:
            reads = True
        elif not equals or word not in WORDS:
            near = near_miss(word, (*WORDS, READS)).removesuffix("?")
            cure = f"{near.strip()}?" if near else f"Known are {', '.join(WORDS)} and {READS}."
            raise _wrong(line, place, f"{word!r} is no word for a tool", cure)
        elif word in said:
            raise _wrong(line, place, f"{word} is said twice", "Say it once.")
        else:
            said[word] = _value(word, value, line, place)
    if reads and said.keys() - {"transport"}:
        raise _wrong(
            line, place, "a tool that reads has no effect, scope or dedup", f"Leave out {READS}."
        )
    return Correction(pattern, said, reads, place, line)


def _value(word: str, value: str, line: str, place: str) -> Any:
    if word == "scope":
        return tuple(name.strip() for name in value.split(",") if name.strip())
    known = {"dedup": DEDUPS, "transport": TRANSPORTS}.get(word)
    if known is not None and value not in known:
        raise _wrong(
            line,
            place,
            f"{word}={value} is none",
            f"It is one of {', '.join(known)}.{near_miss(value, known)}",
        )
    if not value:
        raise _wrong(line, place, f"{word}= is empty", f"A tool without an effect: {READS}.")
    return value


def corrected(
    name: str, guess: Guess, lines: Sequence[Correction], parameters: Iterable[Parameter] = ()
) -> Guess:
    """The guess at a tool, as these lines correct it. Raises ScenarioError for a scope that names
    no parameter of it, or for the scope of a tool that was guessed to read."""
    known = tuple(parameters)
    for line in lines:
        if line.fits(name):
            guess = _by(line, name, guess, known)
    return guess


def _by(line: Correction, name: str, guess: Guess, parameters: tuple[Parameter, ...]) -> Guess:
    origin, known = f"confirmed in {line.place}", [one.name for one in parameters]
    said, origins = dict(line.said), dict(guess.origins)
    if line.reads:
        said |= {"effect": None, "scope": (), "dedup": "none"}
    elif guess.effect is None and "effect" not in said and said.keys() & {"scope", "dedup"}:
        why = f"{name} was guessed to read ({guess.origins.get('effect', '')})"
        raise _wrong(line.line, line.place, why, "Say its effect=, too.")
    for one in said.get("scope", ()):
        if known and one not in known:
            why = f"{one!r} is no parameter of {name} ({', '.join(known)})"
            raise _wrong(line.line, line.place, why, f"Name parameters.{near_miss(one, known)}")
    origins |= dict.fromkeys(said, origin)
    if guess.effect is None and "effect" in line.said and "scope" not in said:
        said["scope"], origins["scope"] = scope_of(name, parameters)
    return replace(guess, **said, origins=origins)


def unused(lines: Sequence[Correction], names: Iterable[str]) -> list[str]:
    """What there is to say of lines that fit none of the tools that were met."""
    met = list(names)
    return [
        f"{line.place}: agentfuzz_tools: {line.line!r} fits no tool that was met."
        f"{near_miss(line.pattern, met)}"
        for line in lines
        if not any(line.fits(name) for name in met)
    ]
