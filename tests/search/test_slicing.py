"""Slices: a finding among many agents is cut down to those that make it, and told and replayed so.

Law: fewest agents with which the same law breaks under the same faults, and not without them; who
is left out does nothing; an agent that does not build its team from `world.agents` stays whole.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import strategies as st

from agentfuzz import (
    Completion,
    World,
    at_most_once,
    joins_all,
    run,
    scenario,
)
from agentfuzz.archive.saved import Saved
from agentfuzz.core.codec import digest
from agentfuzz.core.findings import CampaignResult, Counterexample
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.report.formats import html, markdown
from agentfuzz.report.formats import json as json_format
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.found import slicing
from agentfuzz.search.found.slicing import ddmin
from agentfuzz.search.space import Space
from agentfuzz.telling import block
from agentfuzz.telling.causes import Cause

NAMES = [f"a{n}" for n in range(14)]
BUG = "handoff:a11#1:twice + handoff:a4#1:once/poisoned"


def searched(
    story: Scenario,
    agent: Any,
    saved: Sequence[Saved] = (),
    only: tuple[str, ...] = (),
    **more: Any,
) -> CampaignResult:
    """A campaign to depth two."""
    budget = Budget(
        **{"max_runs": 50_000, "max_seconds": 600.0, "depth": 2, "deep_runs": 0, **more}
    )
    with Simulation() as simulation:
        campaign = Campaign(story, agent, simulation, space=Space(only=only), budget=budget)
        campaign.search(saved)
        return campaign.result()


def told(story: Scenario, agent: Any, plan: str) -> CampaignResult:
    """What comes of one plan, as a regression test asks for it."""
    with Simulation() as simulation:
        campaign = Campaign(story, agent, simulation)
        campaign.regress(FaultPlan.parse(plan), "")
        return campaign.result()


def only_finding(result: CampaignResult) -> Counterexample:
    (found,) = [one for one in result.findings if one.code == "AF101"]
    return found


# Two faults at two agents ----------------------------------------------------------------------


@scenario(at_most_once("charge"), task="Pass it on.", max_crossings=10_000)
def line(world: World) -> None:
    @world.tool(effect="charge", scope=("order",))
    def charge(order: str) -> str:
        return "ok"


def passing(
    team: Callable[[World], Sequence[str]], spoilt: str = "a4", doubled: str = "a11"
) -> Any:
    """From hand to hand; whoever is `spoilt` does not check the note, and `doubled` charges for
    each arrival of a task whose note is wrong."""

    def agent(world: World) -> Completion:
        names, wrong = team(world), False
        for n, name in enumerate(names):
            with world.acting(name):
                arrived = list(world.inbox_of(name)) if n else []
                if n and not arrived:
                    return Completion.blocked(reason="lost")
                for handed in arrived[:1]:
                    handed.accept()
                    said = handed.payload if isinstance(handed.payload, dict) else {}
                    wrong = wrong or (name == spoilt and said.get("note", "fine") != "fine")
                if name == doubled and wrong and len(arrived) > 1:
                    for _ in arrived:
                        world.tools.charge(order="A17")
                if n + 1 < len(names):
                    world.handoff(names[n + 1], {"task": "t", "note": "fine"})
        return Completion.success(handle="t")

    return agent


def built(world: World) -> Sequence[str]:
    return world.agents(*NAMES)


def whole(world: World) -> Sequence[str]:
    world.agents(*NAMES)
    return NAMES


def test_a_bug_of_two_faults_is_sliced_to_three_agents() -> None:
    """Two of fourteen, and whoever hands over to the first of them."""
    found = only_finding(searched(line, passing(built), only=("twice", "once/poisoned")))
    assert str(found.plan) == f'{BUG} + given:agents=["a0","a4","a11"]'
    assert found.agents == 14
    assert not any(control.broken for control in found.controls)
    assert found.history.agents == tuple(NAMES)


def test_one_fault_is_sliced_as_well() -> None:
    """What the systematic phase finds is minimal in its faults, and not in its agents."""

    def agent(world: World) -> Completion:
        names = world.agents(*NAMES)
        for name in names:
            with world.acting(name):
                if name == "a0" and "a2" in names:
                    world.handoff("a2", {"task": "t"})
                for handed in world.inbox_of(name):
                    handed.accept()
                    world.tools.charge(order="A17")
        return Completion.success(handle="t")

    found = only_finding(searched(line, agent, depth=1))
    assert str(found.plan) == 'handoff:a2#1:twice + given:agents=["a0","a2"]'


def test_a_bug_without_a_fault_is_sliced() -> None:
    """Two of them charge for the same order."""

    def agent(world: World) -> Completion:
        for name in world.agents(*NAMES):
            with world.acting(name):
                if name in ("a3", "a9"):
                    world.tools.charge(order="A17")
        return Completion.success(handle="t")

    found = only_finding(told(line, agent, ""))
    assert str(found.plan) == 'given:agents=["a3","a9"]'
    story = block.block(Cause((found,)))
    assert "no fault needed: it happens in the plain run\n" in story
    assert "agents   2 of 14 agents: a3, a9" in story


def test_who_ignores_the_slice_stays_whole() -> None:
    """It acts with all of them whatever `world.agents` returns: nothing is told of a slice."""
    found = only_finding(told(line, passing(whole), BUG))
    assert str(found.plan) == BUG
    assert found.agents == 0
    assert "agents   " not in block.block(Cause((found,)))


def test_who_cannot_be_left_out_stays() -> None:
    """One that the team always has is in the slice, and the others are cut all the same."""

    def hub(world: World) -> Sequence[str]:
        return ["a0", *(name for name in world.agents(*NAMES) if name not in ("a0", "a1")), "a1"]

    found = only_finding(told(line, passing(hub), BUG))
    assert found.plan.agents == ("a0", "a1", "a4", "a11")


def test_faults_at_all_agents_are_sliced_with_them() -> None:
    """Each of the thirty hands the same task on, so that a loss shows only where every later one is
    lost as well, and no fault can be left out alone; in a slice of two agents one is enough."""

    def agent(world: World) -> Completion:
        names = world.agents(*(f"a{n}" for n in range(30)))
        for name, following in zip(names, [*names[1:], None], strict=True):
            with world.acting(name):
                for handed in world.inbox_of(name):
                    handed.accept()
                if following:
                    world.handoff(following, {"task": "t"})
        return Completion.success(handle="t")

    result = searched(line, agent, max_runs=400, deep_runs=100)
    found = sorted(str(one.plan) for one in result.findings if one.code == "AF607")
    assert found == sorted(  # a loss that nobody sees, and what comes twice: two bugs
        f'handoff:a{n}#1:{fault} + given:agents=["a{n - 1}","a{n}"]'
        for n in range(1, 30)
        for fault in ("lost", "twice")
    )
    assert result.runs < 3_000


def voting(least: int, broken: str = "") -> Any:
    """A chair asks each of nineteen, who take one ballot each; with fewer than `least` of them it
    charges twice. Whoever is `broken` charges twice for a ballot that comes twice."""

    def agent(world: World) -> Completion:
        chair, *voters = world.agents(*(f"a{n}" for n in range(20)))
        votes = 0
        for name in voters:
            with world.acting(chair):
                receipt = world.handoff(name, {"task": name, "note": "fine"})
            with world.acting(name):
                for handed in world.inbox_of(name):
                    if handed.payload != {"task": name, "note": "fine"}:
                        handed.reject("unreadable")
                    elif receipt.status == "sent":
                        handed.accept()
                        votes += 1
                    else:
                        handed.reject("known")
                        if name == broken:
                            world.tools.charge(order="A17")
                            world.tools.charge(order="A17")
        with world.acting(chair):
            for _ in range(2 if votes < least else 0):
                world.tools.charge(order="A17")
        return Completion.blocked(reason="other")

    return agent


@pytest.mark.parametrize("least", [0, 5, 10, 18])
def test_a_slice_is_not_broken_by_what_does_nothing_to_all(least: int) -> None:
    """In a slice that has just as many as are needed, a loss charges twice as well; among all of
    them only the ballot that comes twice does, and that is told."""
    result = searched(line, voting(least, broken="a9"), depth=1)
    found = only_finding(result)
    assert found.plan.among(()) == FaultPlan.parse("handoff:a9#1:twice")
    assert {"a0", "a9"} <= set(found.plan.agents)
    assert len(found.plan.agents) in (max(2, least + 1), 20, 0)


@pytest.mark.parametrize("least", [5, 18])
def test_a_quorum_that_is_there_is_no_finding(least: int) -> None:
    """Nobody's ballot alone decides, nor do two: nothing is told, of no slice either."""
    assert [one.code for one in searched(line, voting(least), depth=1).findings] == []


def test_many_faults_are_not_all_left_out() -> None:
    """A team that breaks the law by itself where its first agent is left out: no such slice shows
    what the faults did to the whole one."""

    def agent(world: World) -> Completion:
        names = world.agents(*(f"a{n}" for n in range(30)))
        for name, following in zip(names, [*names[1:], None], strict=True):
            with world.acting(name):
                for handed in world.inbox_of(name):
                    handed.accept()
                if following:
                    world.handoff(following, {"task": following})
        if names[0] != "a0":
            world.handoff(names[0], {"task": "other"})
        return Completion.success(handle="t")

    plan = " + ".join(f"handoff:a{n}#1:lost" for n in range(24, 30))
    found = [one.plan for one in told(line, agent, plan).findings if one.code == "AF607"]
    assert found
    for one in found:
        assert len(one) > 0
        assert "a0" in one.agents or not one.agents


def test_few_agents_are_told_as_they_are() -> None:
    """Up to four nothing is cut."""
    names = ("a0", "a4", "a11", "a12")
    found = only_finding(told(line, passing(lambda world: world.agents(*names)), BUG))
    assert str(found.plan) == BUG


def test_an_honest_team_breaks_nothing() -> None:
    """No slice without a finding."""
    honest = searched(line, passing(built, spoilt=""), depth=1, only=("twice", "lost"))
    assert honest.findings == ()


# A star: slots of the hub are numbered anew ----------------------------------------------------


def test_the_slot_of_a_hub_is_the_one_of_the_slice() -> None:
    """The thirteenth to the hub is its first when twelve are left out; so is a call of a tool."""

    def agent(world: World) -> Completion:
        hub, *workers = world.agents(*NAMES)
        for worker in workers:
            with world.acting(worker):
                world.handoff(hub, {"task": worker, "note": "done"})
        with world.acting(hub):
            for handed in list(world.inbox_of(hub)):
                handed.accept()
                if handed.sender == "a13":
                    world.tools.charge(order="A17")
        return Completion.success(handle="t")

    found = only_finding(told(line, agent, "handoff:a0#13:twice"))
    assert str(found.plan) == 'handoff:a0#1:twice + given:agents=["a0","a13"]'


def test_an_outage_is_as_long_as_in_the_slice() -> None:
    """Of five that are lost the two of those who are left are lost."""

    def agent(world: World) -> Completion:
        hub, *workers = world.agents(*NAMES)
        for worker in workers:
            with world.acting(worker):
                world.handoff(hub, {"task": worker, "note": "done"})
        with world.acting(hub):
            came = {handed.sender for handed in world.inbox_of(hub)}
            missing = {"a10", "a12"} & set(workers) - came
            for _ in missing:
                world.tools.charge(order="A17")
        return Completion.success(handle="t")

    found = only_finding(told(line, agent, "handoff:a0#9-13:lost"))
    assert str(found.plan) == 'handoff:a0#1-2:lost + given:agents=["a0","a10","a12"]'


def test_a_law_that_needs_more_than_the_slice_keeps_them() -> None:
    """A slice that breaks the law without the fault is none: the fault is the cause."""

    def agent(world: World) -> Completion:
        names = world.agents(*NAMES)
        twice = len(names) < 8
        with world.acting(names[0]):
            world.handoff("a2", {"task": "t"})
        with world.acting("a2"):
            arrived = list(world.inbox_of("a2"))
        for _ in range(2 if twice or len(arrived) > 1 else 1):
            world.tools.charge(order="A17")
        return Completion.success(handle="t")

    found = only_finding(told(line, agent, "handoff:a2#1:twice"))
    assert len(found.plan.agents) == 8
    assert not found.controls[0].broken


def test_a_team_that_cannot_be_built_is_no_slice() -> None:
    """A scenario that raises for a few agents, and an agent that fails without its partner."""

    def agent(world: World) -> Completion:
        names = world.agents(*NAMES)
        assert len(names) > 1
        partner = names[names.index("a7")]
        with world.acting(partner):
            world.handoff("a2", {"task": "t"})
        with world.acting("a2"):
            for handed in list(world.inbox_of("a2")):
                handed.accept()
                world.tools.charge(order="A17")
        return Completion.success(handle="t")

    found = only_finding(told(line, agent, "handoff:a2#1:twice"))
    assert found.plan.agents == ("a2", "a7")


# The subject of a law may be an agent ----------------------------------------------------------


def test_a_law_about_children() -> None:
    """A child that nobody joins: its parent and itself are enough."""

    @scenario(joins_all(), task="Look.")
    def looking(world: World) -> None:
        @world.tool
        def look(at: str) -> str:
            return at

    def agent(world: World) -> Completion:
        lead, *scouts = world.agents(*NAMES)
        with world.acting(lead):
            children = [world.spawn(one, world.tools.look, at="x") for one in scouts]
            for child in children:
                if child.name != "a9":
                    child.result()
        return Completion.success(handle="t")

    found = told(looking, agent, "").findings
    assert [one.plan.agents for one in found] == [("a0", "a9")]


# Replayed, saved, exported, told ---------------------------------------------------------------

SLICE = f'{BUG} + given:agents=["a0","a4","a11"]'


def test_a_slice_is_replayed_from_its_text() -> None:
    """The plan alone brings it back, to the same history."""
    found = only_finding(told(line, passing(built), BUG))
    assert FaultPlan.parse(str(found.plan)) == found.plan
    again = run(line, passing(built), str(found.plan))
    assert digest(again.history) == digest(found.history)
    assert [one.code for one in again.violations] == ["AF101"]
    assert "agents   3 of 14 agents: a0, a4, a11" in str(again)
    again = told(line, passing(built), str(found.plan))
    assert [one.id for one in again.findings] == [found.id]


def test_a_saved_slice_is_still_there() -> None:
    """The next campaign replays it, and tells the same finding under the same id."""
    found = only_finding(told(line, passing(built), BUG))
    saved = Saved(
        found.id, "line", found.code, "charge", found.title, found.plan, digest(found.history)
    )
    result = searched(line, passing(built), [saved], ("twice", "once/poisoned"))
    assert f"replayed saved finding {found.id}: still there" in result.notes
    assert [one.id for one in result.findings] == [found.id]


def test_every_format_says_who() -> None:
    """The terminal, Markdown and HTML in a line, JSON as data that reads back."""
    found = only_finding(told(line, passing(built), BUG))
    line_of_it = "3 of 14 agents: a0, a4, a11"
    assert line_of_it in block.block(Cause((found,)))
    assert line_of_it in markdown.finding(found)
    assert line_of_it in html.finding(found)
    data = json_format.finding(found)
    assert data["plan"]["given"] == {"agents": ["a0", "a4", "a11"]}
    assert data["shrink"]["agents_before"] == 14
    assert json_format.counterexample(data).agents == 14


def test_inputs_and_slices_are_shrunk_apart() -> None:
    """A scenario with inputs of its own keeps those, and shows none of the slice."""
    seen = []

    @scenario(at_most_once("charge"), given={"times": st.integers(1, 3)}, task="Pass.")
    def varied(world: World) -> None:
        line.build(world)

    def agent(world: World) -> Completion:
        seen.append(dict(world.data))
        for name in world.agents(*NAMES):
            with world.acting(name):
                if name == "a5":
                    for _ in range(world.data["times"]):
                        world.tools.charge(order="A17")
        return Completion.success(handle="t")

    found = only_finding(searched(varied, agent, depth=1, deep_runs=50))
    assert str(found.plan) == 'given:agents=["a5"] + given:times=2'
    assert {tuple(one) for one in seen} == {("times",)}
    assert "times = 2" in block.block(Cause((found,)))
    again = told(varied, agent, str(found.plan))
    assert [one.id for one in again.findings] == [found.id]


def test_a_campaign_out_of_time_slices_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one out of runs keeps the smallest slice that it has."""
    monkeypatch.setattr(slicing, "MAX_RUNS", 0)
    assert str(only_finding(told(line, passing(built), BUG)).plan) == BUG
    monkeypatch.setattr(slicing, "MAX_RUNS", 500)
    with Simulation() as simulation:
        campaign = Campaign(line, passing(built), simulation)
        campaign.regress(FaultPlan.parse(BUG), "")
        (found,) = campaign._kept.found["AF101", "charge"].values()
        kept, runs = slicing.sliced(campaign.runner, found, lambda: True)
    assert (str(kept.plan), runs) == (BUG, 0)


@pytest.mark.parametrize("late", [False, True])
def test_many_faults_that_are_told_for_want_of_time_are_named(late: bool) -> None:
    """A plan of many faults that was not shrunk says why; one that was needs no word."""
    plan = " + ".join([BUG, *(f"handoff:a{n}#1:once/poisoned" for n in (2, 6, 8, 12))])
    with Simulation() as simulation:
        campaign = Campaign(line, passing(built), simulation)
        campaign.regress(FaultPlan.parse(plan), "AF101")
        found, notes = campaign._kept.confirmed({}, lambda plan: None, lambda: late)
    assert [len(one.plan) for one in found] == [6 if late else 2]
    said = "max_time was up before it was shrunk and controlled as far as it goes"
    assert notes == ([f"AF101 charge, {found[0].plan}: {said}"] if late else [])


# Delta debugging -------------------------------------------------------------------------------


@pytest.mark.parametrize("needed", [{"a3"}, {"a0", "a13"}, {"a1", "a2", "a7", "a12"}, set(NAMES)])
def test_ddmin_keeps_what_is_needed(needed: set[str]) -> None:
    """The smallest set, whatever its places are, in few tries."""
    tried = []

    def fails(names: Sequence[str]) -> bool:
        tried.append(names)
        return needed <= set(names)

    assert set(ddmin(NAMES, fails)) == needed
    assert len(tried) < 130


def test_ddmin_among_a_thousand() -> None:
    """Three of a thousand take some two hundred tries."""
    names, tried = [f"a{n}" for n in range(1_000)], []

    def fails(some: Sequence[str]) -> bool:
        tried.append(some)
        return {"a17", "a500", "a999"} <= set(some)

    assert ddmin(names, fails) == ["a17", "a500", "a999"]
    assert len(tried) < 250
