"""GitHub: annotations at the lines of the agent's code, and the summary of a step.

Law: a line is one command of ours and nothing else, whatever agents have said, and a runner reads
back exactly what was meant; of errors at most ten, because it drops what is more, and of notices,
which tell what is known; a summary is as long as there is room for. Called by the writer, and by
the doors for the lines.
"""

from collections.abc import Iterator, Sequence

from agentfuzz.core.escaping import terminal
from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.lanes.words import count
from agentfuzz.report.account import Account
from agentfuzz.report.formats.format import Format
from agentfuzz.report.places import Place
from agentfuzz.report.step_summary import summary
from agentfuzz.telling import story as stories
from agentfuzz.telling.causes import Cause

MOST = 9  # of ten that a runner takes of a step; the last one says how many more there are
_TITLE, _MESSAGE = 180, 2_000  # characters; a runner cuts a message at 4,096
NOTHING = "AF801"


def annotations(account: Account) -> list[str]:
    """A line for each cause, and for each campaign that tested nothing."""
    new = [*_causes(account, known=False), *_nothing(account)]
    return [*_lines("error", new), *_lines("notice", [*_causes(account, known=True)])]


def _lines(command: str, told: Sequence[tuple[Place | None, str, str]]) -> Iterator[str]:
    for one in told[:MOST]:
        yield _command(command, *one)
    if len(told) > MOST:
        more = f"{len(told) - MOST} more are told in the summary of this step and in the reports"
        yield _command(command, None, f"agentfuzz: {len(told) - MOST} more", more)


def _causes(account: Account, *, known: bool) -> Iterator[tuple[Place | None, str, str]]:
    for one in account.apart:
        if one.known == known:
            title = f"agentfuzz {one.lead.code}{', known' * known}: {one.lead.title}"
            yield account.places.of(one.lead), title, _message(one)


def _nothing(account: Account) -> Iterator[tuple[Place | None, str, str]]:
    for result in account.results:
        for text in _untested(result):
            place = account.places.test(result.nodeid)
            yield place, f"agentfuzz {NOTHING}", f"{text}\n{result.nodeid}"


def _untested(result: CampaignResult) -> list[str]:
    return [text for text in result.untested if text.startswith(NOTHING)][:1]


def _message(cause: Cause) -> str:
    story = stories.tell(cause.lead)
    lines = [story.sentence, *story.warnings, *(f"fault: {one.words}" for one in story.faults)]
    lines += [f"it {cause.breaks}"] if cause.breaks else []
    lines += [f"hint: {story.hint}"] if story.hint else []
    lines += [f"test: {story.nodeid}"]
    if others := len(cause.places) - 1:
        lines.append(f"and at {count(others, 'other place')}")
    return "\n".join([*lines, story.replay])


def _command(command: str, place: Place | None, title: str, message: str) -> str:
    """One command, as the runner reads it."""
    given = {"file": place.path, "line": str(place.line)} if place else {}
    given["title"] = title[:_TITLE]
    properties = ",".join(f"{name}={_property(value)}" for name, value in given.items())
    return f"::{command} {properties}::{_data(message[:_MESSAGE])}"


def _data(text: str) -> str:
    shown = terminal(text, multiline=True)
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(terminal(text)).replace(":", "%3A").replace(",", "%2C")


FORMAT = Format(
    name="github",
    lines=annotations,
    appended=summary,
    to="GITHUB_STEP_SUMMARY",
    where="GITHUB_ACTIONS",
    order=5,
)
