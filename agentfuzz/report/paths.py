"""Error paths that nothing reached, in words: a line each.

Law: of a session those are told that no campaign entered; what came near is what was measured.
Called by the formats.
"""

from collections.abc import Sequence

from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.lanes.words import count
from agentfuzz.core.paths import Nearest, Paths, Unreached, together

TITLE = "Error paths that nothing reached"
MOST = 5  # lines in a terminal
_WORDS = 6  # that are named of one place
_ANOTHER = "its code is another than its source says"
_SEES = "its agent comes out otherwise while they are watched"


def of(results: Sequence[CampaignResult]) -> Paths | None:
    """Those of a session; None where nobody asked for them."""
    return together(result.paths for result in results)


def lead(paths: Paths) -> str:
    """`3 of 11 error paths were entered by no run.`"""
    known = count(len(paths.reached) + len(paths.unreached), "error path")
    if not paths.unreached:
        nothing = "none is known" if aside(paths) else "the agent has no error path"
        return f"all {known} were entered" if paths.reached else nothing
    left = len(paths.unreached)
    return f"{left:,} of {known} {'was' if left == 1 else 'were'} entered by no run"


def lines(results: Sequence[CampaignResult]) -> list[str]:
    """What a terminal tells: the first of them, and how many more there are."""
    paths = of(results)
    if paths is None:
        return []
    told = [f"error paths: {lead(paths)}"]
    told += [
        f"not entered: {one.file}:{one.line} {one.source} ({one.what}; {near(one)})"
        for one in paths.unreached[:MOST]
    ]
    if (more := len(paths.unreached) - MOST) > 0:
        told.append(f"not entered: {more:,} more")
    return told + aside(paths)


def aside(paths: Paths) -> list[str]:
    """Of what nothing is known."""
    return [
        *(f"error paths of {file} are not known: {_ANOTHER}" for file in paths.aside),
        *(f"error paths of {test} are not known: {_SEES}" for test in paths.blind),
    ]


def near(one: Unreached) -> str:
    """What came nearest to it."""
    if one.nearest:
        return "; ".join(map(_near, one.nearest))
    if one.entered:
        return "no fault struck in a call from there"
    return "no run came to the code before it"


def _near(nearest: Nearest) -> str:
    said = f"{nearest.place} was struck by {_listed(nearest.struck)}"
    return f"{said}, never by {_listed(nearest.never)}" if nearest.never else said


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _WORDS
    shown = [*words[:_WORDS], *([f"{more:,} more"] if more > 0 else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
