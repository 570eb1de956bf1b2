"""Every history and every crossing of the scenarios' campaigns is what it was.

Law: what makes a run cheaper, or moves code about, changes no history, no crossing and no coverage:
digests of all of them lie in `same_histories.json`. A change that is meant to change what happens
writes it anew, with AGENTFUZZ_GOLDEN=write, and its commit says why.
"""

import importlib
import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from agentfuzz import Scenario
from agentfuzz.core.codec import digest
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.world import local
from agentfuzz.world.calls import Calls
from agentfuzz.world.lane import Lane
from tests.extent import some

GOLDEN = Path(__file__).with_name("same_histories.json")
STORIES = (
    *("charge_order", "resume_after_crash", "retry_storm", "saga", "two_agents_one_seat"),
    *("approve_payment", "cancel_campaign", "resolve_ticket", "webhook_twice"),
)
pytestmark = pytest.mark.slow


class Watched(Campaign):
    """A campaign that keeps a digest of all that it has run."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.seen = sha256()

    def _folded(self, outcome: Any, phase: str, plan: Any = None) -> None:
        super()._folded(outcome, phase, plan)
        crossings = [(str(c.slot), c.seq, c.group) for c in outcome.crossings]
        self.seen.update(digest(outcome.history).encode())
        self.seen.update(repr(crossings).encode())


def campaigns(name: str) -> Iterator[tuple[str, Scenario, Any]]:
    """The agents of a bundled scenario, those that break and those that hold."""
    module = importlib.import_module(f"agentfuzz.scenarios.{name}")
    story = next(value for value in vars(module).values() if isinstance(value, Scenario))
    for agent in (*module.VICTIMS, *module.SURVIVORS):
        yield f"{name}.{agent.__name__}", story, agent


@pytest.mark.parametrize("way", [Lane, Calls])
@pytest.mark.parametrize("name", some(STORIES, 4))
def test_the_histories_of_a_scenario(name, way, monkeypatch):
    """As many runs, the same coverage, the same findings, the same bytes; whether a plain call
    goes by the lane or the general way."""
    monkeypatch.setattr(local, "Lane", way)
    budget = Budget(max_runs=400, max_seconds=600.0, deep_runs=20)
    found = {}
    with Simulation() as simulation:
        for title, story, agent in campaigns(name):
            campaign = Watched(story, agent, simulation, budget=budget)
            campaign.search()
            result = campaign.result()
            found[title] = {
                "runs": result.runs,
                "covered": result.covered(),
                "findings": [finding.id for finding in result.findings],
                "histories": campaign.seen.hexdigest()[:16],
            }
    known = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if os.environ.get("AGENTFUZZ_GOLDEN") == "write":
        text = json.dumps({**known, **found}, indent=1, sort_keys=True) + "\n"
        GOLDEN.write_text(text, encoding="utf-8")
        known = {**known, **found}
    assert found == {title: one for title, one in known.items() if title.startswith(f"{name}.")}
