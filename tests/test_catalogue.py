"""The catalogue, row by row: a provocation, a law, a story, a victim and a survivor for each.

What shows a row is in `scenarios/rows.json`, written by `make catalogue` from campaigns; here each
of its plans is played again. That the survivors of a story keep all of its laws under every plan
with two faults, bursts among them, is in `tests/scenarios/test_scenarios.py`.
"""

import contextlib
import json
from functools import cache

import catalogue
import loops
import paper
import pytest

import agentfuzz
from agentfuzz import FaultPlan
from agentfuzz.adapters.contract import names
from agentfuzz.core.codes import CODES
from agentfuzz.engine.simulation import Simulation
from agentfuzz.invariants import LAWS
from agentfuzz.scenarios import charge_order
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.space import Space

ROWS = [row for row, _, _ in paper.named_rows()]
PROOFS = json.loads(catalogue.PROOFS.read_text(encoding="utf-8"))
STORIES = paper.bundled()


@cache
def broken(story, agent, plan):
    """The codes and subjects that an agent of a story breaks under a plan."""
    module = STORIES[story]
    run = agentfuzz.run(catalogue.scenario_of(module), getattr(module, agent), plan)
    return {(violation.code, violation.subject) for violation in run.violations}


def test_the_rows_are_those_of_the_catalogue():
    """45 from the essays and the rest from beyond, none without something that shows it."""
    assert len(ROWS) == len(set(ROWS)) == 95
    assert sum(row.startswith("F") for row in ROWS) == 45
    assert {*PROOFS, *catalogue.REPEATED} == set(ROWS)


@pytest.mark.parametrize("row", PROOFS)
def test_row(row):
    """Its story names it; a victim is caught by a law of the row under the plan that is told,
    which has the fault that the row is about; and each of its faults is needed."""
    proof = PROOFS[row]
    module, plan = STORIES[proof["story"]], FaultPlan.parse(proof["plan"])
    laws = paper.rows()[row]
    assert row in paper.told_rows(module)
    assert proof["code"] in {code for law in laws for code in LAWS[law].codes}
    victim = next(each for each in module.VICTIMS if each.__name__ == proof["victim"])
    assert proof["code"] in module.VICTIMS[victim]
    assert catalogue.PROVOKED.get(row, "") in proof["plan"]
    assert len(plan) <= catalogue.depth(module)
    found = {
        told for told in broken(proof["story"], proof["victim"], plan) if told[0] == proof["code"]
    }
    assert found
    for slot, _ in plan:
        assert not found <= broken(proof["story"], proof["victim"], plan.without(slot))


def survives(row):
    """How many survivors of a row's story met its plan, none of them breaking a law."""
    proof, met = PROOFS[row], 0
    for survivor in STORIES[proof["story"]].SURVIVORS:
        with contextlib.suppress(agentfuzz.PlanError):  # it makes no such call
            found = broken(proof["story"], survivor.__name__, FaultPlan.parse(proof["plan"]))
            assert not found, (row, survivor.__name__)
            met += 1
    return met


def test_the_survivors_of_the_rows():
    """Where the plan can strike them at all, which is nearly everywhere, they break no law."""
    met = [row for row in PROOFS if survives(row)]
    assert len(met) >= 80


def test_what_differs_from_run_to_run():
    """F64: what is right in most runs is found by many, and by the plans of those that failed."""
    told = agentfuzz.repeat(
        charge_order.charge_order, charge_order.key_per_attempt, seed=1, rate=0.6
    )
    kept = agentfuzz.repeat(
        charge_order.charge_order, charge_order.key_per_intent, seed=1, rate=0.6
    )
    assert 0 < told.passed < told.of
    assert (kept.passed, kept.status) == (kept.of, "HELD")


def refuses(world):
    """Refuses every task."""
    return agentfuzz.Completion.failed(reason="rejected")


def succeeds(world):
    """Says success, whatever the task."""
    return agentfuzz.Completion.success(handle="done")


def is_blocked(world):
    """Says that it cannot, whatever the task."""
    return agentfuzz.Completion.blocked()


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("agent", [refuses, succeeds, is_blocked])
def test_no_story_is_passed_by_doing_nothing(story, agent):
    """Whoever does nothing is reported: for its claim, or for a campaign that tested nothing."""
    scenario = catalogue.scenario_of(STORIES[story])
    with Simulation() as simulation:
        space, budget = Space(faults=scenario.faults), Budget(max_runs=200, deep_runs=0)
        search = Campaign(scenario, agent, simulation, space=space, budget=budget)
        search.search()
        result = search.result()
    assert result.findings or any(text.startswith(("AF801", "AF804")) for text in result.untested)


CAME = {"charge_order": {"AF101": "model#2:repeat"}, "approve_payment": None, "close_case": {}}


def test_a_loop_that_is_here_is_tried_and_another_one_is_as_it_was_kept(tmp_path, monkeypatch):
    """A framework that is not installed has the release and the cells of when it was tried."""
    monkeypatch.setattr(loops, "names", lambda: ["elsewhere", "never_tried"])
    monkeypatch.setattr(loops, "RUNS", 30)
    kept = tmp_path / "catalogue.json"
    was = loops.Column("elsewhere", "elsewhere 1.2", 60, CAME)
    loops.keep(loops.Column("other", "other 1", 60, {}), kept)
    loops.keep(loops.Column("elsewhere", "elsewhere 1.1", 60, {}), kept)
    loops.keep(was, kept)
    naive, reference, other = loops.columns(["charge_order", "approve_payment"], kept)
    assert (naive.name, reference.name, other) == ("naive", "reference", was)
    assert (naive.release, naive.runs) == ("", 30)
    assert naive.stories["charge_order"]["AF101"] == "charge_card#1:once/timeout"
    assert naive.stories["approve_payment"] is None
    assert "AF101" not in reference.stories["charge_order"]


def test_a_framework_that_is_installed_asks_a_person_where_the_story_is_about_that(monkeypatch):
    """It is set up to ask: where nothing goes wrong, nothing is done without an approval."""
    monkeypatch.setattr(loops, "FRAMEWORK_RUNS", 3)
    broken = loops.fares("approve_payment", "langgraph")
    assert broken is not None
    assert "no faults" not in broken.values()


def test_every_row_of_the_table_is_shown():
    """By a victim of a story or, of one row, by a test; each loop has a cell in each."""
    columns = [loops.Column("elsewhere", "elsewhere 1.2", 60, CAME)]
    lines = catalogue.table(PROOFS, columns)
    assert [line[0] for line in lines] == ROWS
    assert "nothing" not in {line[2] for line in lines}
    cells = {line[0]: line[-1] for line in lines}
    assert cells["F02"] == "AF101 model#2:repeat"
    assert {cells[row] for row in PROOFS if PROOFS[row]["story"] == "close_case"} == {"held"}
    assert {cells[row] for row in PROOFS if PROOFS[row]["story"] == "approve_payment"} <= {"-"}
    assert {cells[row] for row in PROOFS if PROOFS[row]["story"] not in CAME} == {"?"}


def test_the_table_is_short_in_a_terminal_and_whole_in_the_files(tmp_path, monkeypatch):
    """A code for each cell, and a number for each loop; the plans are in the files."""
    monkeypatch.setattr(catalogue, "OUT", tmp_path)
    columns = [
        loops.Column("naive", "", 300, {"charge_order": {}}),
        loops.Column("elsewhere", "<b> 1.2", 60, CAME),
        loops.Column("agno", "agno 3", 60, CAME),
    ]
    lines = catalogue.table(PROOFS, columns)
    told = catalogue.short(lines, columns)
    assert "1 naive, 2 elsewhere (<b> 1.2), 3 agno 3" in told
    assert "AF101" in told
    assert "model#2:repeat" not in told
    catalogue.write(lines, columns)
    for name, head in (
        ("catalogue.md", "| elsewhere (<b> 1.2)"),
        ("catalogue.html", "elsewhere (&lt;b&gt; 1.2)"),
    ):
        text = (tmp_path / name).read_text("utf-8")
        assert head in text
        assert "AF101 model#2:repeat" in text
        assert "naive: 300; elsewhere, agno: 60" in text


def test_what_is_kept_of_the_frameworks_is_of_adapters_and_laws_that_there_are():
    """Each has a release, and its cells are codes with plans that can be read."""
    kept = json.loads(loops.KEPT.read_text("utf-8"))
    assert set(kept) <= set(names())
    for one in kept.values():
        assert one["release"]
        for broken in filter(None, one["stories"].values()):
            assert set(broken) <= set(CODES)
            for plan in broken.values():
                FaultPlan.parse(plan)
