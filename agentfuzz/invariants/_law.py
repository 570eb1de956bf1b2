"""The noun behind every law: an Invariant, a pure function from a history to a verdict.

Law: an invariant reads a History (and, if it compares, the fault-free one) and changes nothing;
it can be called on any history, also one written by hand. Called by the run after the last
event. Add a law by writing a function in the file of its family and decorating it with `law`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import wraps
from typing import ParamSpec

from agentfuzz.core.codec import plain
from agentfuzz.core.history import History
from agentfuzz.core.verdict import HELD, NOT_EXERCISED, VIOLATED, Verdict, Violation

P = ParamSpec("P")
# None: not exercised. Otherwise the violations, none of them if the law held.
Check = Callable[[History, History | None], "Iterable[Violation] | None"]


@dataclass(frozen=True, slots=True)
class Invariant:
    """A law with its name and parameters. Call it with a history to get a Verdict.

    `needs_baseline` says that it compares with the fault-free run of the same scenario; called
    without one it answers NOT_EXERCISED.
    """

    name: str
    check: Check = field(compare=False, repr=False)
    needs_baseline: bool = False
    _idle: Verdict = field(init=False, compare=False, repr=False)
    _held: Verdict = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_idle", Verdict(self.name, NOT_EXERCISED))
        object.__setattr__(self, "_held", Verdict(self.name, HELD))

    def __call__(self, history: History, baseline: History | None = None) -> Verdict:
        if self.needs_baseline and baseline is None:
            return self._idle
        found = self.check(history, baseline)
        if found is None:
            return self._idle
        violations = tuple(found)
        return Verdict(self.name, VIOLATED, violations) if violations else self._held

    def __str__(self) -> str:
        return self.name


def _shown(value: object) -> str:
    """A parameter in a law's name: the same text in every process."""
    name = getattr(value, "__name__", None)
    return name if isinstance(name, str) else repr(plain(value))


def law(*, needs_baseline: bool = False) -> Callable[[Callable[P, Check]], Callable[P, Invariant]]:
    """Turn a function that builds a check into one that builds an Invariant of the same name."""

    def decorate(build: Callable[P, Check]) -> Callable[P, Invariant]:
        @wraps(build)
        def invariant(*args: P.args, **kwargs: P.kwargs) -> Invariant:
            shown = [_shown(a) for a in args] + [f"{k}={_shown(v)}" for k, v in kwargs.items()]
            name = f"{build.__name__}({', '.join(shown)})" if shown else build.__name__
            return Invariant(name, build(*args, **kwargs), needs_baseline)

        return invariant

    return decorate


def invariant(check: Callable[[History], "str | Iterable[str] | None"]) -> Invariant:
    """A law of your own (code AF500): a function of a history that yields what is wrong.

    Return None when the history says nothing about the law (NOT_EXERCISED), an empty list or
    string when it held, and a sentence, or several, when it was broken.
    """

    name = getattr(check, "__name__", type(check).__name__)

    def adapted(history: History, baseline: History | None) -> list[Violation] | None:
        found = check(history)
        if found is None:
            return None
        sentences = [found] if isinstance(found, str) else list(found)
        witness = (len(history.events) - 1,) if history.events else ()
        return [
            Violation("AF500", name, f"{name} broken", text, "", "", witness, "")
            for text in sentences
            if text
        ]

    return Invariant(name, adapted)
