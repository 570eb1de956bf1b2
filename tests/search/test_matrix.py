"""The matrix of a campaign: what came of each fault kind at each slot, and nothing else."""

import contextlib
import json
from collections import Counter

import pytest

from agentfuzz import Completion, at_most_once, scenario, truthful
from agentfuzz.archive.transport import from_json, to_json
from agentfuzz.core.codec import dump
from agentfuzz.report.formats.json import run as as_json
from agentfuzz.search.executors.executor import Died
from agentfuzz.search.runner import Runner
from agentfuzz.search.space import Space

from .support import hunt, shown
from .test_spoilt import handing, searched

DONE, BLOCKED = Completion.success(handle="h"), Completion.blocked(reason="outcome_unknown")


@scenario(at_most_once(), truthful(), task="Pay A17.")
def shop(world):
    @world.tool
    def weather() -> str:
        return "fine"

    @world.tool(effect="payment", scope=("order",))
    def pay(order: str) -> dict:
        return {"receipt": f"r-{order}"}


def hasty(world):
    """Does not care for the weather, and pays again after a timeout."""
    with contextlib.suppress(Exception):
        world.tools.weather()
    for _ in range(2):
        try:
            return Completion.success(handle=world.tools.pay(order="A17")["receipt"])
        except TimeoutError:
            continue
        except Exception:
            break
    return BLOCKED


def told(result, slot):
    """The outcome of each kind at a slot."""
    (row,) = [row for row in result.matrix.rows if str(row.slot) == slot]
    return {kind: cell.outcome for one, kind, cell in result.matrix.cells() if one is row}


@pytest.fixture
def found(simulation):
    return hunt(shop, hasty, simulation, space=Space(only=WORDS), depth=1, deep_runs=0)


WORDS = ("timeout", "once/error", "twice")


def test_what_came_of_each(found):
    """Broken by the law that it broke; held; nothing came of it; at a retry nothing alone."""
    assert told(found, "weather#1") == {"once/timeout": "same", "once/error": "same"}
    at_pay = told(found, "pay#1")
    assert at_pay["once/timeout"] == at_pay["twice"] == "broken"
    assert at_pay["lost/timeout"] == at_pay["once/error"] == "held"
    (row,) = [row for row in found.matrix.rows if str(row.slot) == "pay#1"]
    assert "AF101" in row.cells["once/timeout"].codes
    assert row.cells["twice"].codes == {"AF102": 1}


def test_a_slot_that_a_fault_opens(simulation, found):
    """Alone nothing strikes at the retry: within depth one nothing was tried there but what lasts,
    within two what was tried came beside another fault."""
    at_retry = told(found, "pay#2")
    assert at_retry["once/timeout"] == "beside"
    assert at_retry["once/error"] == at_retry["twice"] == "untried"
    two = hunt(shop, hasty, simulation, space=Space(only=WORDS), depth=2, deep_runs=0)
    assert "untried" not in told(two, "pay#2").values()
    assert {cell.alone for row, _, cell in two.matrix.cells() if str(row.slot) == "pay#2"} == {0}


def test_the_kinds_are_its_sums(simulation):
    """Every strike of every run is in one cell."""
    result = hunt(shop, hasty, simulation, deep_runs=30)
    sums = Counter[str]()
    for _, kind, cell in result.matrix.cells():
        sums[kind] += cell.alone + cell.beside
    assert {kind: n for kind, n in result.kinds.items() if n} == {
        k: n for k, n in sums.items() if n
    }


def test_every_finding_is_in_it(simulation):
    """Each fault of each finding has its code there."""
    result = hunt(shop, hasty, simulation, deep_runs=30)
    codes = {
        (row.slot, kind): {*cell.codes, *cell.together} for row, kind, cell in result.matrix.cells()
    }
    assert result.findings
    for cx in result.findings:
        for slot, fault in cx.plan:
            assert cx.code in codes[slot, fault.kind], cx.plan


def test_two_faults_that_break_together(simulation):
    """Neither does alone; what else struck beside one that does is not blamed."""

    def twice_unlucky(world):
        errors = 0
        for _ in range(3):
            try:
                world.tools.weather()
            except Exception:
                errors += 1
        with contextlib.suppress(Exception):
            world.tools.pay(order="A17")
            return DONE
        return DONE if errors else BLOCKED

    space = Space(only=("once/error", "lost/timeout"))
    result = hunt(shop, twice_unlucky, simulation, space=space, depth=2, deep_runs=0)
    assert shown(result) == ["AF301 claim: pay#1:lost/timeout + weather#1:once/error"]
    assert told(result, "weather#1") == {"once/error": "together"}
    assert told(result, "pay#1")["lost/timeout"] == "together"
    alone = {kind: cell.codes for _, kind, cell in result.matrix.cells() if cell.alone}
    assert not any(alone.values())

    def hopeless(world):
        with contextlib.suppress(Exception):
            world.tools.weather()
        with contextlib.suppress(Exception):
            world.tools.pay(order="A17")
        return DONE

    result = hunt(shop, hopeless, simulation, space=space, depth=2, deep_runs=0)
    assert told(result, "weather#1") == {"once/error": "same"}
    assert told(result, "pay#1")["lost/timeout"] == "broken"


def test_what_can_do_nothing():
    """A payload in which nothing can be left out is not trimmed: that is no untried fault."""

    result = searched(handing({"task": "t"}))
    there = told(result, "handoff:billing#1")
    assert there["once/trimmed"] == "idle"
    assert there["once/invalid"] not in ("idle", "untried")


def test_a_budget_that_ended(simulation):
    """What was not run is not tried; nothing else is."""
    result = hunt(shop, hasty, simulation, max_runs=8, deep_runs=0)
    outcomes = Counter(cell.outcome for _, _, cell in result.matrix.cells())
    assert outcomes["untried"] > 20
    assert sum(outcomes.values()) - outcomes["untried"] <= 8


def test_a_plan_of_which_the_process_died(simulation, monkeypatch):
    """It broke, whatever was counted."""
    planned = Runner.planned

    def dies(self, plan):
        if str(plan) == "pay#1:once/error":
            raise Died(plan, "exit code 11")
        return planned(self, plan)

    monkeypatch.setattr(Runner, "planned", dies)
    result = hunt(shop, hasty, simulation, space=Space(only=WORDS), depth=1, deep_runs=0)
    (row,) = [row for row in result.matrix.rows if str(row.slot) == "pay#1"]
    assert row.cells["once/error"].codes == {"AF902": 1}


def test_it_comes_back_from_a_worker(found):
    """To the last count, and is told to machines by its outcomes."""
    assert from_json(json.loads(dump(to_json(found)))).matrix == found.matrix
    told = as_json([found])["campaigns"][0]["matrix"]
    slots = {one["slot"]: one["cells"] for one in told["slots"]}
    assert slots["pay#1"]["twice"] == {"outcome": "broken", "alone": 1, "codes": {"AF102": 1}}
    assert "once/timeout" in told["kinds"]["write"]
