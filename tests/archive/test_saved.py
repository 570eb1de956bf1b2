"""Saved counterexamples are the first thing that a campaign runs, and it says what became of
them."""

from collections.abc import Callable
from typing import Any

import pytest

from agentfuzz import Completion, World
from agentfuzz.archive.saved import Saved, save
from agentfuzz.core.events import Struck
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign
from search.test_deep import BLOCKED, DONE, acting, careful

Agent = Callable[[World], Any]


def victim(world: World) -> Completion:
    """Claims success after a timeout at the second act."""
    done = BLOCKED
    for what in ("a", "b"):
        try:
            world.tools.act(what=what)
        except TimeoutError:
            done = DONE if what == "b" else BLOCKED
        except Exception:
            pass
    return done


def kept(plan: str, id: str = "AF-000001") -> Saved:
    return Saved(id, "acting", "AF301", "claim", "claims success", FaultPlan.parse(plan), "")


def watched(agent: Agent, saved: list[Saved], **budget: Any) -> tuple[Campaign, list[str]]:
    """A whole campaign, and the plans that struck, in the order of its runs."""
    order: list[str] = []
    with Simulation() as simulation:
        campaign = Campaign(
            acting, agent, simulation, budget=Budget(**{"max_seconds": 600.0, **budget})
        )
        execute = simulation.execute

        def noting(*args: Any, **kwargs: Any) -> Any:
            history = execute(*args, **kwargs)
            order.append(" + ".join(f"{s.slot}:{s.fault}" for s in history.of(Struck)))
            return history

        simulation.execute = noting  # type: ignore[method-assign]
        campaign.search(saved)
    return campaign, order


def test_saved_plans_come_right_after_the_fault_free_runs_in_their_order() -> None:
    plans = ["act#2:lost/timeout", "act#1:twice + act#2:once/error"]
    saved = [kept(plan, f"AF-{n}") for n, plan in enumerate(plans)]
    _, order = watched(careful, saved, max_runs=6)
    assert order[:4] == ["", "", *plans]
    assert order[5].startswith("act#1:once/timeout"), "then the first level, from its parent"


def test_a_bug_that_is_still_there_is_said_and_found_again() -> None:
    campaign, _ = watched(victim, [kept("act#2:lost/timeout")])
    assert campaign.notes == ["replayed saved finding AF-000001: still there"]
    assert campaign.fixed == []


def test_a_saved_finding_survives_a_budget_for_nothing_else() -> None:
    with Simulation() as simulation:
        campaign = Campaign(acting, victim, simulation, budget=Budget(max_runs=3))
        campaign.search([kept("act#2:lost/timeout")])
        (found,) = campaign.result().findings
    assert found.code == "AF301"
    assert found.phase == "saved"
    assert str(found.plan) == "act#2:lost/timeout"


def test_a_bug_that_is_gone_is_said_to_be_fixed() -> None:
    one = kept("act#2:lost/timeout")
    campaign, _ = watched(careful, [one])
    assert campaign.notes == ["replayed saved finding AF-000001: fixed"]
    assert campaign.fixed == [one]


@pytest.mark.parametrize("plan", ["act#3:lost/timeout", "act#1:once/timeout + act#9:twice"])
def test_a_plan_that_is_not_reached_no_longer_applies(plan: str) -> None:
    campaign, _ = watched(careful, [kept(plan)])
    assert campaign.notes == [f"saved AF-000001 no longer applies: {plan} is not reached"]
    assert campaign.fixed == [], "nobody knows whether it is fixed"


def test_a_plan_of_a_tool_that_is_gone_no_longer_applies() -> None:
    campaign, _ = watched(careful, [kept("ship#1:lost/timeout")])
    (note,) = campaign.notes
    assert note.startswith("saved AF-000001 no longer applies: ")
    assert "'ship'" in note
    assert campaign.fixed == []


def test_two_saved_plans_of_one_bug_are_both_answered() -> None:
    """The second is not silent because the first has shown the bug already."""
    saved = [kept("act#2:lost/timeout", "AF-1"), kept("act#2:once/timeout", "AF-2")]
    campaign, _ = watched(victim, saved)
    assert campaign.notes == [
        "replayed saved finding AF-1: still there",
        "replayed saved finding AF-2: still there",
    ]


def test_one_fixed_plan_is_not_held_up_by_another_that_still_fails() -> None:
    gone = kept("act#1:once/error", "AF-2")
    campaign, _ = watched(victim, [kept("act#2:lost/timeout", "AF-1"), gone])
    assert campaign.notes[1] == "replayed saved finding AF-2: fixed"
    assert campaign.fixed == [gone]


def test_what_is_saved_is_what_is_replayed(tmp_path: Any) -> None:
    from agentfuzz.archive.saved import load_all

    with Simulation() as simulation:
        campaign = Campaign(acting, victim, simulation, budget=Budget(max_seconds=600.0))
        campaign.search()
        (found,) = campaign.result().findings
    save(tmp_path, found)
    (loaded,), notes = load_all(tmp_path)
    assert notes == []
    assert loaded.plan == found.plan
    again, order = watched(victim, [loaded], max_runs=3)
    assert order[2] == str(found.plan)
    assert again.notes == [f"replayed saved finding {found.id}: still there"]


def test_what_does_not_fit_into_the_time_is_counted() -> None:
    """A plain test replays what was written last first, at least one, and says what it left."""
    saved = [kept("act#2:lost/timeout", f"AF-{n:06}") for n in range(3000)]
    with Simulation() as simulation:
        campaign = Campaign(acting, victim, simulation)
        campaign.plain(saved, seconds=0.0)
    assert campaign.notes == [
        "replayed saved finding AF-000000: still there",
        "2,999 of 3,000 saved findings were not replayed within 0 s, the oldest ones; "
        "pytest --agentfuzz replays them all",
    ]
