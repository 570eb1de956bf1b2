"""The block of one finding, and of one run, as lines for a terminal.

Law: plain text of at most `width` columns, no colour (the doors add it), no control character, no
line that a CI runner obeys. Called by the terminal's format and by a run that is printed.
"""

from collections.abc import Sequence

from agentfuzz.core.between import HandoffSent
from agentfuzz.core.escaping import stem
from agentfuzz.core.findings import Counterexample
from agentfuzz.core.history import History
from agentfuzz.core.lanes.layout import cells, lanes, plain, safe, wrap
from agentfuzz.core.lanes.row import Row
from agentfuzz.core.lanes.sequence import rows
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import HELD, NOT_EXERCISED, Verdict, unique
from agentfuzz.invariants import LAWS
from agentfuzz.telling import story as stories

_LABEL = 9  # the fields' column: `replay   `
_ROWS = 40


def block(
    cx: Counterexample,
    *,
    also: Sequence[Counterexample] = (),
    ascii_only: bool = False,
    width: int = 80,
    folder: str = stories.FOLDER,
) -> str:
    """One finding as lines of at most `width` (at least 40) columns.

    `also` are other findings of the same plan, and other causes of this one. `folder` is where the
    HTML page stands, relative to the project. `ascii_only` is for a terminal that shows nothing
    else.
    """
    story = stories.tell(cx)
    width = max(width, 40)
    page = Page(width, ascii_only)
    page.text(story.headline, indent=0)
    page.blank()
    page.text(story.sentence)
    page.blank()
    if story.faults:
        lines = [line for fault in story.faults for line in (fault.words, f"  {fault.plan}")]
        page.field("fault", *lines, f"{story.shrink}.", *story.controls)
    else:
        page.field("fault", story.shrink)
    page.field("given", *story.given)
    page.field("agents", story.agents)
    page.blank()
    page.sequence(story.rows)
    page.blank()
    page.field("same", story.same)
    page.field("differs", story.differs)
    page.contrast(story.says, story.world)
    page.field("also", *(_also(cx, other) for other in also))
    page.blank()
    page.field("code", story.location)
    page.field("raised", *story.traceback)
    page.field("stack", *story.stack)
    page.field("hint", story.hint)
    page.field("replay", story.replay)
    page.field("keep", story.keep)
    page.field("more", f"{folder}/{stem(story.id)}.html", story.explain)
    return "\n".join(page.lines)


def _also(cx: Counterexample, other: Counterexample) -> str:
    what = other.title if other.plan == cx.plan else f"by {other.plan}"
    return f"{other.code} {what}  {other.id}"


def run(
    history: History,
    plan: FaultPlan,
    verdicts: Sequence[Verdict],
    baseline: History,
    *,
    missed: Sequence[str] = (),
    ascii_only: bool = False,
    width: int = 80,
) -> str:
    """One run under a plan, in the same lines: the first thing that broke with its sequence, what
    else did, and which laws held. `missed` are the places of faults that never struck."""
    violations = unique(violation for verdict in verdicts for violation in verdict.violations)
    first = violations[0] if violations else None
    page = Page(max(width, 40), ascii_only)
    page.text(f"{first.code} {first.title}" if first else "nothing broke", indent=0)
    page.blank()
    if first:
        page.text(first.sentence)
        page.blank()
    for place in missed:
        page.text(f"Nothing happened at {place}: this run is no evidence.")
    page.blank()
    faults = stories.fault_lines(plan)
    lines = [line for fault in faults for line in (fault.words, f"  {fault.plan}")]
    if faults:
        without = f"Without {'it' if len(faults) == 1 else 'them'}"
        lines.append(f"{without}: {stories.ledger_words(baseline)} (checked).")
    page.field("fault", *(lines or ["none"]))
    page.field("given", *stories.given_lines(plan))
    page.field("agents", stories.agents_line(plan, len(history.agents)))
    page.blank()
    page.sequence(rows(history, first.witness if first else ()))
    page.blank()
    if first:
        same, differs = stories.compared(history, first.witness)
        page.field("same", same)
        page.field("differs", differs)
        page.contrast(first.says, first.world)
        page.field("also", *(f"{other.code} {other.title}" for other in violations[1:]))
    else:
        page.field("world", stories.ledger_words(history))
    page.field("held", *(verdict.law for verdict in verdicts if verdict.status is HELD))
    page.field("untested", *(_untested(v) for v in verdicts if _could_be_tested(v, history)))
    if first:
        page.blank()
        page.field("hint", stories.advice(first.hint, history))
        page.field("more", f"pytest --agentfuzz-explain {first.code}")
    return "\n".join(page.lines)


def _could_be_tested(verdict: Verdict, history: History) -> bool:
    """Whether a law said nothing although it might have: those of handoffs that are part of every
    scenario are no matter of an agent that works alone, and what a provider refuses is none of one
    that was refused nothing."""
    record = LAWS.get(verdict.law)
    of_teams = record is not None and record.always and record.family == "handoffs"
    alone = not history.of(HandoffSent)
    if verdict.law == "valid_histories" or (alone and of_teams):
        return False
    return verdict.status is NOT_EXERCISED


def _untested(verdict: Verdict) -> str:
    return f"{verdict.law}: {verdict.note}" if verdict.note else verdict.law


class Page:
    """Lines under construction."""

    def __init__(self, width: int, ascii_only: bool) -> None:
        self.width, self.ascii = width, ascii_only
        self.lines: list[str] = []

    def blank(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def text(self, text: str, *, indent: int = 2) -> None:
        for line in wrap(plain(text, self.ascii), self.width - indent):
            self.lines.append(safe(" " * indent + line, self.width))

    def field(self, label: str, *texts: str) -> None:
        """A label and its texts, each on lines of its own; nothing if there is no text."""
        name = label
        for text in filter(None, texts):
            bare = text.lstrip(" ")
            inner = " " * (len(text) - len(bare))
            for line in wrap(plain(bare, self.ascii), self.width - 2 - _LABEL - len(inner)):
                self.lines.append(safe(f"  {name:<{_LABEL}}{inner}{line}", self.width))
                name = ""

    def contrast(self, says: str, world: str) -> None:
        """What the agent says against what the world holds: on one line if both fit."""
        one = f"{plain(says, self.ascii)}   world  {plain(world, self.ascii)}"
        if says and world and 2 + _LABEL + cells(one) <= self.width:
            self.lines.append(safe(f"  {'says':<{_LABEL}}{one}", self.width))
        else:
            self.field("says", says)
            self.field("world", world)

    def sequence(self, shown: Sequence[Row]) -> None:
        """Two lanes, at most 40 rows of them."""
        if shown:
            self.lines += lanes(shown, width=self.width, limit=_ROWS, ascii_only=self.ascii)
