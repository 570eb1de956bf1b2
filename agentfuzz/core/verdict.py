"""Verdicts and violations: what a law says about a history.

Law: a verdict is three-valued. A law whose subject never came up was NOT_EXERCISED, which is no
evidence of anything. Written by invariants, read by the search and by every report.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from agentfuzz.core.errors import InvariantViolated, violation_type
from agentfuzz.core.escaping import visible

Status = Literal["HELD", "VIOLATED", "NOT_EXERCISED"]
HELD: Status = "HELD"
VIOLATED: Status = "VIOLATED"
NOT_EXERCISED: Status = "NOT_EXERCISED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One way in which a history breaks a law.

    `title` is the one line of the summary: at most about 36 characters, tool and numbers first.
    `sentence` says the same to somebody who has not seen the run. `says` and `world` are the
    two halves of the contradiction. `witness` holds the `seq` of the events that prove it, the
    last one being the event at which the law broke.
    """

    code: str
    subject: str
    title: str
    sentence: str
    says: str
    world: str
    witness: tuple[int, ...]
    hint: str

    @property
    def signature(self) -> tuple[str, str]:
        """What makes two violations the same bug: the code and the subject."""
        return (self.code, self.subject)

    def error(self) -> InvariantViolated:
        """This violation as an exception whose type is the signature's own."""
        text = visible(f"{self.code} {self.title}: {self.sentence}")
        return violation_type(self.code, self.subject)(text)


# What the comparison with the fault-free run finds, these say more exactly, of the same effect; and
# a success that is not true says it of the whole run. Agents that wait for each other are why a run
# hung.
_SUBJECT = {"AF105": ("AF101", "AF102", "AF103"), "AF203": ("AF606",)}
_RUN = {"AF105": (("AF301", "claim"),)}


def unique(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """The first violation of each signature, in order: one bug is told once, however often a run
    shows it and however many laws see it."""
    found: dict[tuple[str, str], Violation] = {}
    for violation in violations:
        found.setdefault(violation.signature, violation)
    return tuple(one for one in found.values() if not told_by_another(one, found))


def told_by_another(violation: Violation, others: Container[tuple[str, str]]) -> bool:
    """Whether another violation of the same run (`others` are signatures) says the same."""
    code, subject = violation.signature
    return any((one, subject) in others for one in _SUBJECT.get(code, ())) or any(
        one in others for one in _RUN.get(code, ())
    )


_TITLE = 36  # characters


def titled(text: str) -> str:
    """A text as the title of a violation: cut at a word where it is too long, within a word only if
    that is most of it."""
    if len(text) <= _TITLE:
        return text
    head = text[: _TITLE - 2]
    words = head.rpartition(" ")[0]
    kept = words if len(words) > _TITLE // 2 else head[:-1]
    return f"{kept.rstrip(' ,:;-')}..."


class Verdict(NamedTuple):
    """What one law says about one history, and a `note` why it could not say anything."""

    law: str
    status: Status
    violations: tuple[Violation, ...] = ()
    note: str = ""
