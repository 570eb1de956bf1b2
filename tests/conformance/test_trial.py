"""A loop in a story: which verdicts come of it, and which stories say nothing."""

from contextlib import contextmanager

import pytest

from agentfuzz import run
from agentfuzz.conformance.loop import Loop, answer, of
from agentfuzz.conformance.stories import modules, ready, scripted, story
from agentfuzz.conformance.table import Table, headline
from agentfuzz.conformance.trial import trial, trials
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.core.events import Called
from agentfuzz.core.verdict import HELD, NOT_EXERCISED, VIOLATED
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.world.injector import FromPlan
from reference_world import agent, proof
from tests.docs.pages import ROOT

from . import loops

BUDGET = Budget(max_seconds=300.0, depth=1, deep_runs=0)  # its time is never what ends it
CHARGED = "exactly_once('charge', intents=[{'order_id': 'A17'}])"


def tried(made, name="charge_order", simulation=None, budget=BUDGET):
    """The row of a loop in a story."""
    loop = made if isinstance(made, Loop) else of("tests:loop", made)
    if simulation is not None:
        return trial(loop, story(name), simulation, budget=budget)
    with Simulation() as own:
        return trial(loop, story(name), own, budget=budget)


def cells(row):
    """The cells of a row by law."""
    return {cell.law: cell for cell in row.cells}


@pytest.fixture(scope="module")
def classic():
    """The ten-line loop in the story of the charge."""
    return tried(loops.classic)


def test_the_classic_loop_charges_twice(classic):
    """Three verdicts: a broken law with its smallest plan, one that held, one that never came
    into play; and how many runs it took."""
    found = cells(classic)
    broken = found[CHARGED]
    assert (broken.status, broken.code, broken.plan) == (
        VIOLATED,
        "AF101",
        "charge_card#1:once/timeout",
    )
    assert found["survives"].status == HELD
    assert found["valid_histories"].status == NOT_EXERCISED
    assert classic.runs > 100
    assert broken.runs.violated > 1
    assert broken.runs.held > 1
    assert "plans with one fault" in classic.covered
    assert not classic.untried
    assert not classic.cut_short


def test_every_cell_plays_again(classic, simulation):
    """The plan of a broken law breaks it, and its code is among those that break."""
    made = ready(story("charge_order"), of("x:y", loops.classic), simulation)
    broken = classic.of(VIOLATED)
    assert broken
    for cell in broken:
        found = run(made.scenario, loops_agent(loops.classic), cell.plan, simulation=simulation)
        verdict = next(one for one in found.verdicts if one.law == cell.law)
        assert verdict.status == VIOLATED
        assert cell.code in {one.code for one in verdict.violations}


def loops_agent(made):
    return of("x:y", made).agent


def test_sync_and_async_come_to_the_same(classic):
    """The async loop has the same verdicts, by the same plans, but for what strikes tasks alone."""
    later = cells(tried(loops.awaited))
    for law, cell in cells(classic).items():
        assert later[law].status == cell.status, law


def test_equal_loops_give_equal_rows(classic):
    assert tried(loops.classic) == classic


def test_a_text_after_the_done_tool_is_no_second_ending(classic):
    """In this story the model ends by the done tool, and the loop goes on to its text."""
    with Simulation() as simulation:
        made = ready(story("charge_order"), of("x:y", loops.classic), simulation)
        found = run(made.scenario, loops_agent(loops.classic), simulation=simulation)
    assert not found.violations


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tools", "needs"),
    [
        ("charge_order", {"charge_card": proof("charge_id", "ch_{order_id}")}, "A17"),
        ("resolve_ticket", {"send_answer": proof("message_id", "msg_{ticket_id}")}, "T-9"),
    ],
)
def test_the_reference_loop_holds_where_it_claims_so(name, tools, needs):
    """Told what its tools are, it breaks no law under any plan with one fault, and those that it is
    written for came into play."""
    found = tried(of("reference:run", agent(tools, [(tool, needs) for tool in tools])), name)
    assert [cell.law for cell in found.of(VIOLATED)] == []
    assert {"truthful", "at_most_once", "structured_termination"} <= {
        cell.law for cell in found.of(HELD)
    }
    assert not found.cut_short


@pytest.mark.parametrize("name", ["charge_order", "file_ticket", "refund_order", "saga"])
def test_an_honest_loop_is_not_blamed(name):
    """The survivor of a story, tried as a loop of a world, breaks nothing there; what its own
    script would have the model do is its own affair."""
    module = modules()[name]
    found = tried(Loop("survivor", module.SURVIVORS[0], alone=False), name)
    assert found.why == ""
    assert [cell.law for cell in found.of(VIOLATED)] == []
    assert found.of(HELD)


def test_a_loop_that_raises(simulation):
    """It does nothing: the story says nothing, and names what was raised."""
    found = tried(loops.raises, simulation=simulation)
    assert "with this loop are none, raised: ValueError: no <b>way</b>" in found.why
    assert found.cells == ()


def test_a_loop_that_does_nothing(simulation):
    found = tried(loops.nothing, simulation=simulation)
    assert found.why == (
        "without faults its effects are to be charge_card, and with this loop are none"
    )


def test_a_loop_that_never_ends(simulation):
    """Its work is done, so the story counts; that it goes on is a broken law, without a fault."""
    found = cells(tried(loops.never_ends, simulation=simulation, budget=few(12)))
    assert (found["bounded"].status, found["bounded"].plan) == (VIOLATED, "no faults")


def few(runs):
    return Budget(max_runs=runs, max_seconds=300.0, depth=1, deep_runs=0)


def test_a_loop_that_spins_is_not_tried_for_ever():
    """Cut off in two stories, it is not tried in the others."""

    @contextmanager
    def simulate(one):
        with Simulation(0.2) as entered:
            yield entered

    spins = of("tests:spins", loops.spins)
    names = ("charge_order", "file_ticket", "refund_order", "saga")
    rows = list(trials(spins, map(story, names), simulate))
    assert ["cut off (spinning)" in row.why for row in rows] == [True, True, False, False]
    assert rows[2].why == "not tried: it spins without faults in the stories before"
    assert rows[3].untried


def test_no_time_left():
    """What the session's time does not reach is named."""
    none = of("tests:classic", loops.classic)
    rows = list(trials(none, [story("saga")], lambda one: Simulation(), seconds=0.0))
    assert [row.why for row in rows] == ["not tried: the time was up"]
    assert headline(Table("x:y", tuple(rows))).startswith("nothing was tested: none of 1 stories")


def test_what_a_budget_leaves_is_said(simulation):
    """Of plans with one fault so many were not run, and why."""
    found = tried(loops.classic, simulation=simulation, budget=few(40))
    assert found.cut_short
    assert any("plans with one fault: stopped by max_runs" in text for text in found.untried)


def test_a_loop_that_remembers(simulation):
    """What is kept between runs is a finding of its own, and shown as a row of the table."""
    loops.RUNS.clear()
    found = cells(tried(loops.remembers, simulation=simulation, budget=few(60)))
    cell = found["the same plan gives the same history"]
    assert (cell.status, cell.code) == (VIOLATED, "AF904")


@pytest.mark.parametrize(
    ("made", "status", "said"),
    [
        (loops.classic, HELD, "success"),
        (loops.blocked, HELD, "blocked"),
        (loops.completes, HELD, "success"),
        (loops.says_nothing, VIOLATED, ""),
        (loops.unreadable, VIOLATED, ""),
    ],
)
def test_how_it_ended_is_what_it_returned(made, status, said, simulation):
    """A text, a dict, a completion; nothing, or what is no status, is no ending."""
    prepared = ready(story("refund_order"), of("x:y", made), simulation)
    assert prepared.scenario.outcome is answer
    found = run(prepared.scenario, loops_agent(made), simulation=simulation)
    (ended,) = [each for each in found.verdicts if each.law == "structured_termination"]
    assert ended.status == status
    assert (found.history.claim or "") == said


@pytest.mark.parametrize("name", ["approve_payment", "sign_document", "unattended_approval"])
def test_no_loop_is_blamed_for_an_approval_that_it_cannot_ask_for(name, simulation):
    """A task, tools and a model are no way to a person; a loop of a world has one, and so has a
    framework that pauses."""
    found = tried(loops.classic, name, simulation)
    assert found.why == "its agent asks a person for an approval; this loop cannot"
    asks = Loop("survivor", modules()[name].SURVIVORS[0], alone=False)
    assert ready(story(name), asks, simulation).why == ""


def test_a_tool_that_is_async_is_for_loops_that_are(simulation):
    """A sync loop cannot await it, nor can a sync function of a world; the async one does its work
    there."""
    found = tried(loops.classic, "half_open_stream", simulation)
    assert found.why == "its tool follow_build is async, and this loop is not"
    of_a_world = tried(loops.of_a_world, "half_open_stream", simulation)
    assert of_a_world.why == found.why
    later = of("tests:awaited", loops.awaited)
    assert ready(story("half_open_stream"), later, simulation).why == ""


def test_a_story_without_a_script_gets_the_calls_of_its_survivor(simulation):
    """In order, without keys, and closed by a text; one with a script keeps its own."""
    own = story("charge_order")
    meant = simulation.execute(own.scenario, own.survivor, FromPlan())
    assert scripted(own.scenario, meant) is own.scenario
    one = story("half_a_checkpoint")
    meant = simulation.execute(one.scenario, one.survivor, FromPlan())
    made = scripted(one.scenario, meant)
    calls = [call for step in made.script.steps for call in step]
    assert [call.tool for call in calls] == [one.slot.name for one in meant.of(Called)]
    assert calls
    assert all("idempotency_key" not in call.arguments for call in calls)
    assert made.resume is False


def test_an_unknown_story():
    with pytest.raises(AgentfuzzError, match="Did you mean 'charge_order'"):
        story("charge_oder")


def test_every_bundled_story_is_there():
    """Those of the checkout, each with a survivor."""
    names = {path.stem for path in (ROOT / "scenarios").glob("*.py")}
    assert set(modules()) == names
    assert len(names) >= 39
    assert all(callable(story(name).survivor) for name in names)
