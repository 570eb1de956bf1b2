"""What can do nothing to a payload is not run for it, and nothing is said to be missing.

Law: of a handoff those faults are tried that would change what arrives, in every wording; the count
of plans is the one of those that exist.
"""

from typing import Any

from agentfuzz import Completion, FaultPlan, Payload, World, exactly_once, scenario
from agentfuzz.core.findings import CampaignResult
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.phases.systematic import Level
from agentfuzz.search.space import Space


@scenario(exactly_once("ship"), task="Ship A17.")
def desk(world: World) -> None:
    world.agents("triage", "billing")

    @world.tool(effect="ship", scope=("order",), dedup="scope")
    def ship(order: str) -> str:
        return "ok"


def handing(payload: Any) -> Any:
    def agent(world: World) -> Completion:
        with world.acting("triage"):
            world.handoff("billing", payload)
        with world.acting("billing"):
            for handed in world.inbox_of("billing"):
                handed.accept()
        for _ in range(3):
            try:
                if world.tools.ship(order="A17") == "ok":
                    return Completion.success(handle="A17")
            except Exception:
                continue
        return Completion.blocked(reason="outcome_unknown")

    return agent


def searched(agent: Any) -> CampaignResult:
    budget = Budget(max_runs=5_000, max_seconds=600.0, depth=1, deep_runs=0)
    with Simulation() as simulation:
        campaign = Campaign(desk, agent, simulation, budget=budget)
        campaign.search()
        return campaign.result()


def tried(agent: Any) -> list[str]:
    """The plans at the handoff."""
    with Simulation() as simulation:
        campaign = Campaign(desk, agent, simulation)
        crossings = campaign.runner.begin()
        walk = Level({FaultPlan(): 1}, Space(), wordings=True)
        plans = walk.plans(lambda plan: (campaign.runner.first, crossings))
        return sorted(str(one) for one in plans if str(one).startswith("handoff"))


def test_a_bare_payload_cannot_be_trimmed() -> None:
    """Only its delivery and its type can go wrong."""
    faults = {plan.removeprefix("handoff:billing#1:") for plan in tried(handing({"task": "t"}))}
    assert faults == {
        "late", "lost", "misrouted", "once/invalid", "once/invalid=1", "once/invalid=2",
        "reordered", "twice",
    }  # fmt: skip


def test_a_full_payload_is_spoilt_in_every_way() -> None:
    """What it carries and has done may be left out, buried and wrong."""
    full = Payload(task="t", carry={"cents": 5, "order": "A17"}, effects=("e_1",))
    faults = {plan.removeprefix("handoff:billing#1:") for plan in tried(handing(full))}
    assert {"once/trimmed", "once/trimmed=2", "once/buried", "once/poisoned=1"} <= faults
    assert not {"once/trimmed=1", "once/poisoned=2"} & faults  # it has no claims, and two facts


def test_every_plan_that_is_counted_exists() -> None:
    """No run is in vain, and no kind is said never to have struck."""
    result = searched(handing({"task": "t"}))
    (level,) = [one for one in result.levels if one.name == "plans with one fault"]
    assert level.done == level.total
    assert not any("handoff" in kind or "trimmed" in kind for kind in result.untested)
    assert "once/trimmed" not in result.kinds
