"""Campaigns for tests: `hunt` runs one and returns its result, `shown` puts it into one line.

Law: nothing here knows a scenario; a test says its own. Called by every test of the search.
"""

from collections.abc import Callable, Sequence
from typing import Any

from agentfuzz import Scenario, World
from agentfuzz.archive.saved import Saved
from agentfuzz.core.findings import CampaignResult
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.parts.dealing import Dealing
from agentfuzz.search.space import Space

Agent = Callable[[World], Any]


def hunt(
    scenario: Scenario,
    agent: Agent,
    simulation: Simulation,
    *,
    space: Space | None = None,
    saved: Sequence[Saved] = (),
    same_as: Agent | None = None,
    dealing: Dealing | None = None,
    **budget: Any,
) -> CampaignResult:
    """One campaign without a limit in seconds, so that a slow machine changes nothing."""
    given = Budget(**{"max_seconds": 600.0, "deep_runs": 20, **budget})
    campaign = Campaign(
        scenario,
        agent,
        simulation,
        space=space,
        budget=given,
        same_as=same_as,
        dealing=dealing,
    )
    campaign.search(saved)
    return campaign.result()


class Spread(Dealing):
    """Of the last level, if it is a long one, one plan of `one_in`, spread over all of it; every
    plan of what comes before it, and the random ones after it."""

    ALL = 100  # of a short one, and of the beginning of a long one

    def __init__(self, one_in: int) -> None:
        self._one_in = one_in

    def mine(self, number: int) -> bool:
        return number < self.ALL or number % self._one_in == 0


def shown(result: CampaignResult) -> list[str]:
    """Each finding as `AF101 charge: charge_card#1:once/timeout`."""
    return [f"{cx.code} {cx.violation.subject}: {cx.plan}" for cx in result.findings]


def smallest(result: CampaignResult) -> list[str]:
    """The same, of each law and subject the first: further causes of it are left out."""
    firsts: dict[tuple[str, str], str] = {}
    for cx, line in zip(result.findings, shown(result), strict=True):
        firsts.setdefault(cx.violation.signature, line)
    return list(firsts.values())
