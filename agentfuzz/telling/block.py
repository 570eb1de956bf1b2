"""The block of one cause, and of one run, as lines for a terminal.

Law: plain text of at most `width` columns, but for what is pasted or opened, which is whole; no
colour (the doors add it), no control character, no line that a CI runner obeys. Called by the
terminal's format and by a run that is printed.
"""

from collections.abc import Sequence

from agentfuzz.core.between import HandoffSent
from agentfuzz.core.escaping import guard
from agentfuzz.core.findings import Counterexample
from agentfuzz.core.history import History
from agentfuzz.core.lanes.layout import cells, cut, lanes, plain, safe, wrap
from agentfuzz.core.lanes.row import Row
from agentfuzz.core.lanes.sequence import rows
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import HELD, NOT_EXERCISED, Verdict, unique
from agentfuzz.invariants import LAWS
from agentfuzz.telling import story as stories
from agentfuzz.telling.causes import Cause, Place

_LABEL = 9  # the fields' column: `replay   `
_ROWS = 40
_PLACES = 6


def block(
    cause: Cause,
    *,
    ascii_only: bool = False,
    width: int = 80,
    at: str = "",
) -> str:
    """One cause as lines of at most `width` (at least 40) columns: the story of its lead, what else
    is broken with it, and where else it was met.

    `at` is the path of its page, if one is written.
    `ascii_only` is for a terminal that shows nothing else.
    """
    cx = cause.lead
    story = stories.tell(cx)
    page = Page(max(width, 40), ascii_only)
    _head(page, story, cause.breaks)
    page.text(story.sentence)
    page.blank()
    _faults(page, story)
    page.field("given", *story.given)
    page.field("agents", story.agents)
    page.blank()
    page.sequence(story.rows)
    page.blank()
    page.field("same", story.same)
    page.field("differs", story.differs)
    page.contrast(story.says, story.world)
    here, *elsewhere = cause.places
    page.field("also", *(f"{one.code} {one.title}  {one.id}" for one in here.findings[1:]))
    page.field("places", *_places(elsewhere, cx, at))
    page.blank()
    page.field("code", story.location)
    page.source(story.source)
    page.field("raised", *story.traceback)
    page.field("stack", *story.stack)
    page.field("hint", story.hint)
    page.whole("replay", story.replay)
    page.whole("keep", story.keep)
    page.whole("more", at, story.explain)
    return "\n".join(page.lines)


def again(
    cause: Cause,
    nodeid: str,
    *,
    ascii_only: bool = False,
    width: int = 80,
    at: str = "",
) -> str:
    """A cause in short, for one test of it that is not the one that tells it: what it breaks
    here, and a hint if it is another one."""
    here = next(place for place in cause.places if place.nodeid == nodeid)
    story = stories.tell(here.findings[0])
    page = Page(max(width, 40), ascii_only)
    _head(page, story, "")
    page.text(story.sentence)
    page.blank()
    page.text(f"The same cause as in {cause.lead.nodeid}, told there.")
    page.blank()
    _faults(page, story, short=True)
    page.field("also", *(f"{one.code} {one.title}  {one.id}" for one in here.findings[1:]))
    others = [one for one in cause.places if one.nodeid == nodeid and one != here]
    page.field("places", *_places(others, here.findings[0], at))
    page.field("code", story.location)
    if cause.lead.violation.hint != here.findings[0].violation.hint:
        page.field("hint", story.hint)
    page.whole("replay", story.replay)
    page.whole("more", at)
    return "\n".join(page.lines)


def _head(page: "Page", story: stories.Story, breaks: str) -> None:
    page.text(story.headline, indent=0)
    page.blank()
    if breaks:
        page.text(f"{breaks[0].upper()}{breaks[1:]}.")
        page.blank()


def _faults(page: "Page", story: stories.Story, *, short: bool = False) -> None:
    lines = [line for fault in story.faults for line in (fault.words, f"  {fault.plan}")]
    proof = () if short else (f"{story.shrink}.", *story.controls)
    page.field("fault", *lines, *proof) if lines else page.field("fault", story.shrink)


def _places(places: Sequence[Place], told: Counterexample, at: str) -> list[str]:
    """Where else: of the same test, the plan alone; what broke there, if it is something else. All
    of the same test are named, for nobody else does."""
    own = [one for one in places if one.nodeid == told.nodeid]
    others = [one for one in places if one.nodeid != told.nodeid]
    lines = []
    for place in [*own, *others[:_PLACES]]:
        first = place.findings[0]
        where = "" if place.nodeid == told.nodeid else f"{place.nodeid}  "
        what = f" {first.title}" if first.title != told.title else ""
        lines.append(f"{where}{place.plan}  {' '.join(place.codes)}{what}  {place.id}")
    more = len(others) - _PLACES
    return [*lines, f"and {more:,} more{', on the page' * bool(at)}"] if more > 0 else lines


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
        page.whole("more", f"pytest --agentfuzz-explain {first.code}")
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

    def whole(self, label: str, *texts: str) -> None:
        """A label and what is pasted or opened: a line for each, however narrow the terminal."""
        name = label
        for text in filter(None, texts):
            self.lines.append(guard(f"  {name:<{_LABEL}}{plain(text, self.ascii)}"))
            name = ""

    def source(self, lines: Sequence[str]) -> None:
        """Lines of a file, cut where they are too long."""
        for line in lines:
            text = cut(plain(line, self.ascii), self.width - 2 - _LABEL)
            self.lines.append(safe(f"  {'':<{_LABEL}}{text}", self.width))

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
