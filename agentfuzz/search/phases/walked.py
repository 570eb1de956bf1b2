"""What a campaign proves by not finding a plan's bug again.

Law: only where all plans with as many faults were walked is a bug gone that one of them showed; a
budget that ended before proves nothing, and neither does an agent that fails without any fault.
Called by a session's baseline.
"""

import re
from collections.abc import Sequence

from agentfuzz.core.findings import CampaignResult, Level
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.phases.levels import LASTING

_BY_ITSELF = ("exhausted", "max_runs", "max_time")
_EACH = re.compile(r"plans with \w+ faults?")


def walked(result: CampaignResult, plan: FaultPlan, depth: int) -> bool:
    """Whether a campaign of this depth came to a plan like this one."""
    if result.stopped not in _BY_ITSELF or len(plan) > depth:
        return False
    if any(text.startswith("AF801") for text in result.untested):
        return False  # nothing was tested
    if not len(plan):
        return True  # the run without faults comes first
    if not result.levels:  # a regression test: one plan
        return result.stopped == "exhausted" and not result.findings
    levels = [one for one in result.levels if _EACH.fullmatch(one.name)][: len(plan)]
    enough = bool(levels) and (len(levels) == len(plan) or result.stopped == "exhausted")
    if plan.lasting:
        lasting = [one for one in result.levels if one.name == LASTING]
        enough, levels = enough and bool(lasting), levels + lasting
    return enough and _whole(levels)


def _whole(levels: Sequence[Level]) -> bool:
    return all(one.total is not None and one.done + one.skipped >= one.total for one in levels)
