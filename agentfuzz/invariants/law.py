"""The noun behind every law: an Invariant, a pure function from a history to a verdict.

Law: an invariant reads a History (and, if it compares, the fault-free one) and changes nothing;
it can be called on any history, also one written by hand. Called by the run after the last
event. Add a law by writing a function in a file of its own, in the folder of its code family, and
decorating it with `law`.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from types import MappingProxyType
from typing import Any, ParamSpec, Protocol
from zlib import crc32

from agentfuzz.core.codec import described, plain
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.history import History
from agentfuzz.core.verdict import HELD, NOT_EXERCISED, VIOLATED, Verdict, Violation, unique
from agentfuzz.invariants.queries.outline import Outline, Resting

P = ParamSpec("P")
# None: not exercised. Otherwise the violations, none of them if the law held.
Check = Callable[[History, History | None], "Iterable[Violation] | None"]
Found = tuple[Violation, ...] | None


@dataclass(frozen=True, slots=True)
class Invariant:
    """A law with its name and parameters. Call it with a history to get a Verdict.

    `needs_baseline` says that it compares with the fault-free run of the same scenario; called
    without one it answers NOT_EXERCISED. `unfit` says why a fault-free run is none to compare with,
    or nothing. `effect` is the one that it is about, None for any. `held` is its verdict
    where it held.
    """

    name: str
    check: Check = field(compare=False, repr=False)
    needs_baseline: bool = False
    unfit: Callable[[History], str] | None = field(default=None, compare=False, repr=False)
    effect: str | None = field(default=None, compare=False)
    _idle: Verdict = field(init=False, compare=False, repr=False)
    held: Verdict = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_idle", Verdict(self.name, NOT_EXERCISED))
        object.__setattr__(self, "held", Verdict(self.name, HELD))

    def __call__(self, history: History, baseline: History | None = None) -> Verdict:
        return self.verdict(self.found(history, baseline), baseline)

    def found(self, history: History, baseline: History | None) -> Found:
        """What its check finds: None where it is not exercised."""
        if baseline is None and self.needs_baseline:
            return None
        found = self.check(history, baseline)
        return None if found is None else tuple(found)

    def settled_by(self, outline: Outline) -> bool:
        """Whether it finds the same in every run with this outline."""
        check = self.check
        return isinstance(check, Resting) and check.settled_by(outline)

    def verdict(self, found: Found, baseline: History | None) -> Verdict:
        """The verdict on what the check has found."""
        if found is None:
            note = self.note(baseline)
            return Verdict(self.name, NOT_EXERCISED, note=note) if note else self._idle
        return Verdict(self.name, VIOLATED, unique(found)) if found else self.held

    def note(self, baseline: History | None) -> str:
        """Why the law cannot be asked, whatever happens, or nothing."""
        return "" if self.unfit is None or baseline is None else self.unfit(baseline)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class LawRecord:
    """What is told of a law in one place, for every list of laws and codes.

    `family` is the folder that it lives in; `codes` are those that it can report, each with the
    title that its page has; `catalogue` names its rows in the catalogue (`E1`); `holds` is what
    holds, in one sentence. `always`: part of every scenario.
    """

    name: str
    family: str
    codes: Mapping[str, str]
    catalogue: tuple[str, ...]
    holds: str
    needs_baseline: bool
    always: bool


class Law(Protocol[P]):
    """What `law` makes of a function: call it with the parameters of the law to get an
    Invariant."""

    __name__: str
    record: LawRecord

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Invariant: ...


_LONG = 80  # characters of a parameter, as of a whole prompt


def _shown(value: object) -> str:
    """A parameter in a law's name: the same text in every process."""
    name = getattr(value, "__name__", None)
    if isinstance(name, str):
        return name
    text = repr(plain(value))
    return text if len(text) <= _LONG else f"{text[: _LONG - 12]}...{crc32(text.encode()):08x}"


def _first_sentence(text: str | None) -> str:
    words = " ".join((text or "").split())
    return words[: words.find(". ") + 1] or words


def law(
    *,
    codes: Mapping[str, str],
    catalogue: str = "",
    needs_baseline: bool = False,
    always: bool = False,
    unfit: Callable[[History], str] | None = None,
) -> Callable[[Callable[P, Check]], Law[P]]:
    """Turn a function that builds a check into one that builds an Invariant of the same name.

    Its docstring opens with what holds, in one sentence. `codes` are those that its violations
    have, with their titles; `catalogue` the rows that it comes from, with spaces in between;
    `unfit` says why the law cannot compare with a fault-free run, or nothing.
    """

    def decorate(build: Callable[P, Check]) -> Law[P]:
        @wraps(build)
        def invariant(*args: P.args, **kwargs: P.kwargs) -> Invariant:
            shown = [_shown(a) for a in args] + [f"{k}={_shown(v)}" for k, v in kwargs.items()]
            name = f"{build.__name__}({', '.join(shown)})" if shown else build.__name__
            check = build(*args, **kwargs)  # first: it says what is wrong with its arguments
            effect = signature.bind(*args, **kwargs).arguments.get("effect")
            if effect is not None and not isinstance(effect, str):
                raise ScenarioError(
                    f"{name}: an effect is a text, as tools declare it (world.tool(effect=...))."
                )
            return Invariant(name, check, needs_baseline, unfit, effect)

        signature = inspect.signature(build)
        made: Any = invariant
        made.__signature__ = signature.replace(return_annotation=Invariant)
        made.__annotations__ = {**build.__annotations__, "return": Invariant}
        made.record = LawRecord(
            name=build.__name__,
            family=build.__module__.split(".")[-2],
            codes=MappingProxyType(dict(codes)),
            catalogue=tuple(catalogue.split()),
            holds=_first_sentence(build.__doc__),
            needs_baseline=needs_baseline,
            always=always,
        )
        ready: Law[P] = made
        return ready

    return decorate


def invariant(check: Callable[[History], "str | Iterable[str] | None"]) -> Invariant:
    """A law of your own (code AF500): a function of a history that yields what is wrong.

    Return None when the history says nothing about the law (NOT_EXERCISED), an empty list or
    string when it held, and a sentence when it was broken, or several, which are told together.
    """

    name = getattr(check, "__name__", type(check).__name__)

    def adapted(history: History, baseline: History | None) -> list[Violation] | None:
        found = check(history)
        if found is None:
            return None
        sentences = _sentences(name, found)
        if not any(sentences):
            return []
        return [
            Violation(
                code="AF500",
                subject=name,
                title=f"{name} broken",
                sentence=" ".join(sentences),
                says="",
                world="",
                witness=(len(history.events) - 1,) if history.events else (),
                hint="",
            )
        ]

    return Invariant(name, adapted)


def _sentences(name: str, found: object) -> list[str]:
    """What a law of the user's says. Raises ScenarioError where that is no text."""
    given = [found] if isinstance(found, str) or not isinstance(found, Iterable) else list(found)
    texts = []
    for text in given:
        if isinstance(text, str):
            texts.append(text)
        elif text is not None:
            raise ScenarioError(
                f"the law {name} returned {described(text)}; return sentences that say what is "
                "wrong (a text, or a list of them), [] where it held, None where there was nothing "
                "to judge."
            )
    return [text for text in texts if text]
