"""Bursts and outages are one fault: bugs that need several troubles in a row have a plan of one.

Law: what lasts strikes as long as the run comes to it, is minimal, and is told once; a loop that
gives up honestly, however late, is not accused.
"""

import contextlib
import time

import pytest

from agentfuzz import Completion, FaultPlan, Unauthorized, UnknownTool, at_most_once, run, scenario
from agentfuzz.archive.saved import Saved
from agentfuzz.archive.transport import from_json, to_json
from agentfuzz.core.errors import PlanError
from agentfuzz.core.events import Refused, Struck
from agentfuzz.core.faults import TABLES
from agentfuzz.report.formats import json
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.found.enough import enough
from agentfuzz.search.found.shrink import shrink
from agentfuzz.search.runner import Runner
from agentfuzz.search.space import Space, longer, plan_of, size, strikes
from agentfuzz.telling import story
from agentfuzz.world.injector import FromPlan

from .support import hunt, shown

DONE, BLOCKED = Completion.success(handle="h"), Completion.blocked()
FAULTS = (TimeoutError, ConnectionError, Unauthorized, UnknownTool)


@scenario(at_most_once("pay"), task="Pay.")
def paying(world):
    @world.tool(effect="pay", scope=("n",), dedup="key")
    def pay(n: int, idempotency_key: str) -> dict:
        return {"receipt": n}


@scenario(at_most_once("pay"), task="Look, then pay.")
def looking(world):
    @world.tool
    def look(n: int) -> dict:
        return {"n": n}

    @world.tool(effect="pay", scope=("n",), dedup="key")
    def pay(n: int, idempotency_key: str) -> dict:
        return {"receipt": n}


def tries(world, times, key="k"):
    """So many tries under one key; whether one was answered."""
    for _ in range(times):
        try:
            world.tools.pay(n=1, idempotency_key=key)
            return True
        except FAULTS:
            pass
    return False


def patient(times):
    """Gives up after so many tries, and says so."""
    return lambda world: DONE if tries(world, times) else BLOCKED


def forever(world):
    """Never gives up, whatever the error."""
    while True:
        try:
            world.tools.pay(n=1, idempotency_key="k")
            return DONE
        except Exception:
            continue


def mints_another(times):
    """After so many tries in vain it takes another key."""

    def agent(world):
        done = tries(world, times) or tries(world, 1, key="another")
        return DONE if done else BLOCKED

    return agent


def sdk(world):
    """A client whose two retries swallow what a single fault does; above it a loop that begins
    anew."""
    return DONE if tries(world, 3) or tries(world, 3, key="again") else BLOCKED


def test_a_loop_that_retries_for_ever_is_found_by_one_fault(simulation):
    """AF201 by an outage; no shorter trouble shows it."""
    found = shown(hunt(paying, forever, simulation, depth=1, deep_runs=0))
    assert [line for line in found if line.startswith("AF201")] == [
        "AF201 run: pay#1+:once/timeout"
    ]


@pytest.mark.parametrize(
    ("agent", "plan"),
    [
        (mints_another(1), "pay#1:once/timeout"),
        (mints_another(2), "pay#1-2:once/timeout"),
        (mints_another(3), "pay#1-3:once/timeout"),
        (sdk, "pay#1-3:once/timeout"),
    ],
    ids=["one", "two", "three", "sdk"],
)
def test_troubles_in_a_row_are_one_fault(agent, plan, simulation):
    """Charged twice because of so many timeouts in a row, not one less."""
    result = hunt(paying, agent, simulation, depth=1, deep_runs=0)
    (found,) = [one for one in result.findings if one.code == "AF101"]
    assert str(found.plan) == plan
    assert found.smaller is not None
    assert found.smaller.whole
    assert found.violation.says == f"success after {len(found.history.calls)} calls"
    assert "bursts and outages" in result.covered()


def test_a_long_burst_blames_no_budget(simulation):
    """Four in a row are found by shrinking an outage: not all that is shorter was run, and the
    budget had no part in that."""
    result = hunt(paying, mints_another(4), simulation, depth=1, deep_runs=0)
    (found,) = [one for one in result.findings if one.code == "AF101"]
    assert str(found.plan) == "pay#1-4:once/timeout"
    assert result.stopped == "exhausted"
    assert story.tell(found).shrink == f"nothing smaller was found ({found.shrink_runs} runs)"


@pytest.mark.parametrize("times", [1, 2, 3, 5, 8])
def test_who_gives_up_honestly_is_not_accused(times, simulation):
    """However often it tries, under however long an outage."""
    result = hunt(
        paying,
        patient(times),
        simulation,
        space=Space(exclude=("ambiguous", "wrong", "truncated", "malformed")),
    )
    assert not result.findings
    lasting = [level for level in result.levels if level.name == "bursts and outages"]
    assert lasting
    assert lasting[0].done == lasting[0].total


@pytest.mark.parametrize("space", [{"only": ("once/timeout",)}, {"only": ("error",)}], ids=str)
def test_who_gives_up_after_the_run_is_cut_off_is_not_accused(space, simulation):
    """An hour of polling is more than 200 crossings, and has an end: it is said what to declare."""
    result = hunt(paying, patient(300), simulation, depth=1, deep_runs=0, space=Space(**space))
    assert not result.findings
    said = "the run ends by itself after 300 tool calls"
    assert any(said in note and "max_crossings=2000" in note for note in result.notes)
    assert len(set(result.notes)) == len(result.notes)


def until(seconds, pause):
    """Gives up when so many seconds have gone by, and pauses between two tries."""

    def agent(world):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if tries(world, 1):
                return DONE
            time.sleep(pause)
        return BLOCKED

    return agent


def test_whose_pause_grows_without_an_end_never_ends(simulation):
    """It ends by itself, when no number is as large as what it would wait for."""

    def agent(world):
        pause = 1
        while not tries(world, 1):
            time.sleep(pause)
            pause *= 2
        return DONE

    space = Space(only=("once/timeout",))
    result = hunt(paying, agent, simulation, depth=1, deep_runs=0, space=space)
    assert "AF201 run: pay#1+:once/timeout" in shown(result)


@pytest.mark.parametrize("space", [{"only": ("once/timeout",)}, {"only": ("error",)}], ids=str)
@pytest.mark.parametrize("pause", [1, 0], ids=["by the second", "without a pause"])
def test_who_gives_up_after_a_deadline_is_not_accused(space, pause, simulation):
    """A day of polling is more crossings than any run is given: days go by at once."""
    agent = until(86_400.0, pause)
    result = hunt(paying, agent, simulation, depth=1, deep_runs=0, space=Space(**space))
    assert not result.findings
    said = "the run ends by itself once days have gone by, and not within 2,000 crossings"
    assert any(said in note for note in result.notes)


@pytest.mark.parametrize(
    ("agent", "note"),
    [(forever, "still there"), (patient(300), "fixed"), (until(86_400.0, 1), "fixed")],
    ids=["for ever", "late", "deadline"],
)
def test_a_saved_loop_without_an_end_is_told_from_one_that_gives_up(agent, note, simulation):
    plan = FaultPlan.parse("pay#1+:once/timeout")
    saved = Saved("AF-0001", "", "AF201", "run", "", plan, "")
    campaign = Campaign(paying, agent, simulation, budget=Budget(max_seconds=600.0))
    campaign.plain([saved])
    result = campaign.result()
    assert f"replayed saved finding AF-0001: {note}" in result.notes
    assert campaign.fixed == ([saved] if note == "fixed" else [])
    assert shown(result) == (["AF201 run: pay#1+:once/timeout"] if note == "still there" else [])


def test_who_ends_by_a_full_stack_never_gives_up(simulation):
    """A recursion without an end is no patience."""

    def agent(world):
        return DONE if tries(world, 1) else agent(world)

    space = Space(only=("once/timeout",))
    found = shown(hunt(paying, agent, simulation, depth=1, deep_runs=0, space=space))
    assert found == ["AF201 run: pay#1+:once/timeout"]


def test_everything_down_shrinks_to_the_one_thing_that_matters(simulation):
    """It is told as the tool's own outage, and not beside it."""

    def agent(world):
        world.tools.look(n=1)
        return forever(world)

    result = hunt(looking, agent, simulation, depth=1, deep_runs=0)
    plans = [str(one.plan) for one in result.findings if one.code == "AF201"]
    assert plans == ["pay#1+:once/timeout"]


def test_everything_down_is_found_where_no_tool_alone_shows_it(simulation):
    """A loop that turns to its other tool, and back, as long as one of them answers."""

    def agent(world):
        while True:
            try:
                world.tools.pay(n=1, idempotency_key="k")
                return DONE
            except FAULTS:
                try:
                    world.tools.look(n=1)
                    return BLOCKED
                except FAULTS:
                    continue

    result = hunt(looking, agent, simulation, depth=1, deep_runs=0)
    (found,) = [one for one in result.findings if one.code == "AF201"]
    assert str(found.plan) == "*#1+:error"
    assert found.enough == "look#1+:lost/error + pay#1+:lost/error"


@scenario(at_most_once(), task="Look here, or there.")
def three(world):
    for name in ("here", "there", "log"):
        world.tool(name=name)(lambda n: {"n": n})


@pytest.mark.parametrize("depth", [1, 2])
def test_what_of_everything_has_to_be_down(depth, simulation):
    """Is told beside the plan with one fault: what the run crossed besides is not among it."""

    def agent(world):
        while True:
            for name in ("log", "here", "there"):
                with contextlib.suppress(*FAULTS):
                    world.tools[name](n=1)
                    if name != "log":
                        return BLOCKED

    result = hunt(three, agent, simulation, depth=depth, deep_runs=0)
    (found,) = result.findings
    assert str(found.plan) == "*#1+:error"
    few = "here#1+:lost/error + there#1+:lost/error"
    assert found.enough == few
    told = f"It takes no more than here and there being down: {few} (checked)."
    assert told in story.tell(found).controls
    assert json.counterexample(json.read(json.text(json.finding(found)))).enough == few
    assert from_json(to_json(result)).findings[0].enough == few


def test_without_time_nothing_is_told_of_what_has_to_be_down(monkeypatch, simulation):
    """Not a part of it either: then there might be less."""
    tried = []

    def breaks(self, plan, signature):
        tried.append(plan)
        return object()

    runner = Campaign(paying, forever, simulation, nodeid="t::t").runner
    plan = FaultPlan.parse("*#1+:error")
    history, _ = runner.execute(plan)
    monkeypatch.setattr(Runner, "breaks", breaks)
    for late in (0, 1):
        tried.clear()
        assert enough(runner, plan, history, ("AF201", "run"), lambda n=late: len(tried) >= n) == ""
        assert len(tried) == late
    assert enough(runner, plan, history, ("AF201", "run"), bool) == "pay#1+:lost/error"


def test_of_one_thing_that_is_down_nothing_more_is_told(simulation):
    """The plan says it."""
    result = hunt(paying, forever, simulation, depth=1, deep_runs=0)
    assert {one.enough for one in result.findings} == {""}


def test_others_that_last_as_long_are_told_in_short(simulation):
    """What else showed the same, without the place that they have in common."""
    space = Space(only=("once/timeout", "once/error"))
    result = hunt(paying, mints_another(3), simulation, depth=1, deep_runs=0, space=space)
    (found,) = result.findings
    assert found.alike == ("pay#1-3:once/error",)
    assert "Seen as well, not replayed: once/error." in story.tell(found).controls


def test_rights_that_have_expired_do_not_come_back(simulation):
    """From that call on every one is refused, and nothing is done."""

    def agent(world):
        return DONE if tries(world, 4) else BLOCKED

    done = run(paying, agent, "pay#1+:lost/unauthorized")
    assert [event.slot.nth for event in done.history.of(Struck)] == [1, 2, 3, 4]
    assert done.history.ledger == []
    assert done.history.claim == "blocked"
    told = hunt(
        paying,
        forever,
        simulation,
        depth=1,
        space=Space(only=("unauthorized",)),
        deep_runs=0,
    )
    assert shown(told) == ["AF201 run: pay#1+:lost/unauthorized"]


def test_a_tool_that_was_taken_away_does_not_come_back(simulation):
    """From that call on there is none; only where a scenario asks for it."""

    def agent(world):
        return DONE if tries(world, 3) else BLOCKED

    gone = run(paying, agent, "pay#2+:lost/gone + pay#1:lost/timeout")
    assert [event.slot.nth for event in gone.history.of(Struck)] == [1, 2, 3]
    assert [event.kind for event in gone.history.of(Refused)] == ["unknown_tool"] * 2
    assert gone.history.ledger == []
    space = Space(only=("gone",), faults=("lost/gone",))
    told = hunt(paying, forever, simulation, depth=1, space=space, deep_runs=0)
    assert shown(told) == ["AF201 run: pay#1+:lost/gone"]
    assert not any("gone" in fault.axes for fault in Space().all_at("write"))


def test_what_struck_is_the_plan():
    """However often it struck; a fault beside it is one of its own."""
    text = "look#1:once/error + pay#2+:once/timeout"

    def agent(world):
        for number in range(4):
            with contextlib.suppress(*FAULTS):
                world.tools.look(n=number)
            with contextlib.suppress(*FAULTS):
                world.tools.pay(n=number, idempotency_key=str(number))
        return BLOCKED

    history = run(looking, agent, text).history
    assert len(history.of(Struck)) == 4
    assert [str(event.slot) for event in strikes(history)] == ["look#1", "pay#2"]
    assert str(plan_of(history)) == text


def test_the_order_of_plans():
    """Once, in a row, for good, everything for good; more faults are more than any."""
    texts = [
        "pay#2:once/error",
        "pay#1-2:once/timeout",
        "pay#1-3:once/timeout",
        "pay#1+:once/timeout",
        "*#1+:error",
        "pay#1:twice + pay#2:twice",
    ]
    plans = [FaultPlan.parse(text) for text in texts]
    assert sorted(set(plans), key=size) == plans


def test_an_outage_shrinks_to_a_burst_and_a_burst_to_a_single_fault():
    """As far as it goes on to fail, and no further."""

    def least(needed):
        def fails(plan):
            told = FromPlan(plan)
            made = [told.at(one, 0, "write") for one in slots]
            return sum(fault is not None for fault in made) >= needed

        return fails

    slots = [
        slot._replace(nth=n) for n in range(1, 6) for slot in FaultPlan.parse("pay#1:twice").by_slot
    ]
    outage = FaultPlan.parse("pay#1+:once/timeout")
    known = dict.fromkeys(slots, TABLES["tool"].default())
    assert str(shrink(outage, least(5), known)[0]) == "pay#1-5:once/timeout"
    assert str(shrink(outage, lambda plan: plan == outage, known)[0]) == "pay#1+:once/timeout"
    singles = FaultPlan.parse(" + ".join(f"pay#{n}:once/timeout" for n in range(1, 6)))
    assert str(shrink(singles, least(4), known)[0]) == "pay#1-4:once/timeout"
    assert str(shrink(outage, least(3), known)[0]) == "pay#1-3:once/timeout"
    assert str(shrink(outage, least(1), known)[0]) == "pay#1:once/timeout"
    assert str(shrink(FaultPlan.parse("*#2+:error"), least(1), known)[0]) == "pay#1:once/timeout"


@pytest.mark.parametrize(
    ("plan", "joined"),
    [
        ("pay#1-2:once/timeout + pay#3-4:once/timeout", "pay#1-4:once/timeout"),
        ("pay#1:once/timeout + pay#2-3:once/timeout", "pay#1-3:once/timeout"),
        ("pay#1-2:once/timeout + pay#3:once/timeout", "pay#1-3:once/timeout"),
        ("pay#1-2:once/timeout + pay#3+:once/timeout", "pay#1+:once/timeout"),
        ("pay#1-2:once/timeout + pay#4:once/timeout", ""),
        ("pay#1-2:once/timeout + pay#3:once/error", ""),
        ("pay#1+:once/timeout", ""),
    ],
)
def test_bursts_one_after_the_other_are_one(plan, joined):
    """As single faults are; neither a gap nor another fault is bridged."""
    made = FaultPlan.parse(plan)
    small, _ = shrink(made, lambda one: str(one) == joined, {})
    assert str(small) == (joined or plan)


@pytest.mark.parametrize(
    "plan",
    [
        "pay#1-3:once/timeout + pay#4:once/error",
        "pay#1-3:once/timeout + pay#4-5:once/error",
        "pay#1-3:once/timeout + *#9+:error",
    ],
)
def test_no_fault_shrinks_into_one_that_lasts(plan):
    """Whatever is found can be read: two faults are never at the same crossing."""

    def fails(one):
        return len(one) == 2 and any(fault.until > 0 for _, fault in one)

    (slot,) = FaultPlan.parse("pay#1:twice").by_slot
    known = {slot._replace(nth=n): TABLES["tool"].default() for n in range(1, 9)}
    small, _ = shrink(FaultPlan.parse(plan), fails, known)
    assert FaultPlan.parse(str(small)) == small


def test_a_burst_of_four_in_a_loop_that_an_outage_does_not_harm(simulation):
    """It gives up after six tries, and loses its mind after four: one fault, found from two."""

    def agent(world):
        missed = 0
        while missed < 6:
            try:
                world.tools.look(n=1)
                break
            except FAULTS:
                missed += 1
        else:
            return BLOCKED
        if missed >= 4:
            tries(world, 1, key="another")
        return DONE if tries(world, 1) else BLOCKED

    space = Space(only=("once/timeout",))
    result = hunt(looking, agent, simulation, space=space)
    plans = [str(one.plan) for one in result.findings if one.code == "AF101"]
    assert plans == ["look#1-4:once/timeout"]


def test_nothing_longer_where_the_run_does_not_come_there():
    """Nor of a fault that cannot last."""
    single = FaultPlan.parse("pay#1:once/timeout")
    told = FromPlan(single)
    (slot,) = single.by_slot
    told.at(slot, 0, "write")
    assert longer(single, told.crossings) is None
    told.at(slot._replace(nth=2), 1, "write")
    assert str(longer(single, told.crossings)) == "pay#1-2:once/timeout"
    assert longer(FaultPlan.parse("pay#1:twice"), told.crossings) is None
    assert longer(FaultPlan.parse("pay#1:late/timeout"), told.crossings) is None


def test_what_is_excluded_does_not_strike_in_an_outage(simulation):
    """Everything is down only where the very error of it may strike by itself; and no fault that
    was excluded stands in a finding."""
    for words in ({"exclude": ("lost",)}, {"exclude": ("lost/error",)}, {"only": ("once/error",)}):
        space = Space(**words)
        result = hunt(looking, forever, simulation, depth=1, deep_runs=0, space=space)
        assert result.findings
        assert not any("lost/error" in kind for kind in result.kinds)
        plans = [str(one.plan) for one in result.findings]
        assert not any("*" in plan or "lost/error" in plan for plan in plans)


def test_everything_down_has_struck():
    """As a regression test asks: the plan is no evidence only where nothing was crossed."""
    done = run(looking, patient(2), "*#1-3:error")
    assert done.check() is None
    with pytest.raises(PlanError, match=r"nothing happened at \*#9"):
        run(looking, patient(2), "*#9+:error").check()


def test_an_outage_hides_nothing(simulation):
    """One cause is a vague reply, the other everything being down: both are told."""

    def agent(world):
        while True:
            try:
                reply = world.tools.look(n=1)
            except FAULTS:
                if tries(world, 1):
                    return BLOCKED
                continue
            while reply != {"n": 1}:
                world.tools.look(n=2)
            return DONE

    space = Space(only=("error", "ambiguous"))
    result = hunt(looking, agent, simulation, depth=1, deep_runs=0, space=space)
    plans = [str(one.plan) for one in result.findings if one.code == "AF201"]
    assert plans == ["look#1:once/ambiguous", "*#1+:error"]


def test_crossings_are_counted_whatever_strikes_there():
    """`*#3+` begins at the third crossing, also where another fault struck at those before."""
    seen = []
    for first in ("pay#1:once/timeout", "pay#1-2:once/timeout"):

        def agent(world):
            for number in range(3):
                with contextlib.suppress(*FAULTS):
                    world.tools.pay(n=number, idempotency_key=str(number))
                with contextlib.suppress(*FAULTS):
                    world.tools.look(n=number)
            return BLOCKED

        history = run(looking, agent, f"{first} + *#4+:error").history
        down = [str(e.slot) for e in history.of(Struck) if e.fault.of == "*#4+:error"]
        seen.append(down)
    assert seen[0] == seen[1] == ["look#2", "pay#3", "look#3"]


def test_entrypoints_are_compared_under_what_lasts(simulation):
    """Three tries by one, two by the other: the same under any single fault."""
    result = hunt(paying, patient(3), simulation, depth=1, deep_runs=0, same_as=patient(2))
    assert "AF305 ending: pay#1-2:once/timeout" in shown(result)


def test_a_longer_run_is_not_the_slowest_one(simulation):
    """What it took says nothing of whether there is time for the next run."""
    runner = Campaign(paying, forever, simulation, nodeid="t::t", budget=Budget()).runner
    runner.begin()
    runner.slowest = 0.0
    runner.patient(FaultPlan.parse("pay#1+:once/timeout"), 10)
    assert (runner.runs, runner.slowest) == (2, 0.0)
