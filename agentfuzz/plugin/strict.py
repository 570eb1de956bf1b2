"""Strict: what a campaign left open fails its test, where it would otherwise be a line in the end.

Law: only what the user asked for counts: the plans with one fault, the laws declared, the tools of
the world; each is one line, with what would relax it. Called by the session, for campaigns.
"""

from collections.abc import Mapping, Sequence

from agentfuzz.core import escaping
from agentfuzz.core.findings import CampaignResult
from agentfuzz.plugin.findings import Failed
from agentfuzz.search.phases.inputs import A_FEW

ONE, LASTING = "plans with one fault", "bursts and outages"
RELAX = "to let this pass: --no-agentfuzz-strict, or agentfuzz_strict = false in the ini file"


def left_open(
    result: CampaignResult, declared: Sequence[str], bounds: Mapping[str, str]
) -> list[str]:
    """What a strict campaign should have tested and did not, each with what would change it;
    `declared` are the names of the laws that the user gave, `bounds` says where what ended the
    campaign was set."""
    return [*_plans(result, bounds), *_laws(result, declared), *_tools(result)]


def failure(lines: Sequence[str]) -> Failed:
    """How it is shown."""
    first = lines[0].partition(" were" if lines[0].startswith(ONE) else ";")[0]
    more = f" (+{len(lines) - 1} more)" if len(lines) > 1 else ""
    shown = [f"  {escaping.terminal(line)}" for line in lines]
    text = "\n".join(["strict: not everything was tested", *shown, f"  {RELAX}"])
    return Failed(escaping.terminal(f"{first}{more} (strict)"), text)


def _plans(result: CampaignResult, bounds: Mapping[str, str]) -> list[str]:
    walked = [level for level in result.levels if level.name.startswith((ONE, LASTING))]
    if not walked and result.stopped == "exhausted":
        return [f"{ONE} were not run: raise --agentfuzz-depth to 1 or more"]
    option = bounds.get(result.stopped, "the budget")
    if not walked:
        return [f"{ONE} were not run: stopped by {result.stopped}; raise {option}"]
    found = []
    for level in walked:
        if level.total is not None and level.done + level.skipped < level.total:
            so_far = f"{level.done + level.skipped:,} of {level.total:,}"
        elif level.name == A_FEW and level.total is None:
            so_far = f"{level.done:,} ({level.limits})"
        else:
            continue
        found.append(
            f"{level.name}: {so_far} were run, stopped by {result.stopped}; raise {option}"
        )
    return found


def _laws(result: CampaignResult, declared: Sequence[str]) -> list[str]:
    return [
        f"{text}; give it what it speaks of, or take it out of @scenario(...)"
        for text in result.untested
        if any(text.startswith(f"AF802 {name} was") for name in declared)
    ]


def _tools(result: CampaignResult) -> list[str]:
    return [
        f"{text}; let the task need it, or take it out of the scenario"
        for text in result.untested
        if text.startswith("AF804")
    ]
