"""AF904 as a finding: what a campaign runs again, and what it makes of two histories.

Law: state that a module keeps between runs is found where single faults are walked, within small
budgets, and costs no other finding; a deterministic agent pays a few runs in a hundred and is
never accused.
"""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from agentfuzz import Completion, World, at_most_once, replay_transparency, scenario
from agentfuzz.archive.saved import Saved
from agentfuzz.core.events import Struck
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.phases.again import Again
from agentfuzz.search.space import Space, plan_of

from .support import hunt, shown
from .test_deep import acting, careful

DONE, BLOCKED = Completion.success(handle="h"), Completion.blocked()
FAULTS = (TimeoutError, ConnectionError)


@scenario(at_most_once(), replay_transparency(), task="Pay.")
def paying(world: World) -> None:
    @world.tool(effect="pay", scope=("n",), dedup="key")
    def pay(n: int, idempotency_key: str | None = None) -> dict:
        return {"receipt": n}

    @world.tool
    def look(n: int) -> dict:
        return {"paid": n}


def pays(world: World) -> None:
    world.tools.pay(n=1, idempotency_key="k")


def remembers_doubt() -> Callable[[World], Completion]:
    """After a timeout it believes, in every later run, that the money went out."""
    paid: set[int] = set()

    def agent(world: World) -> Completion:
        if 1 not in paid:
            try:
                pays(world)
            except TimeoutError:
                paid.add(1)
                return BLOCKED
            except Exception:
                return BLOCKED
        return DONE

    return agent


def counts_timeouts() -> Callable[[World], Completion]:
    """A retry budget that no run gives back; it matters after a timeout alone."""
    left = 3

    def agent(world: World) -> Completion:
        nonlocal left
        for _ in range(2):
            try:
                pays(world)
                return DONE
            except TimeoutError:
                left -= 1
                if left < 0:
                    break
            except Exception:
                break
        return BLOCKED

    return agent


def caches_refusals() -> Callable[[World], Completion]:
    """What a look-up once answered wrongly is never asked again."""
    cache: dict[int, Any] = {}

    def agent(world: World) -> Completion:
        try:
            if 1 not in cache:
                found = world.tools.look(n=1)
                if found != {"paid": 1}:
                    cache[1] = found
            pays(world)
        except Exception:
            return BLOCKED
        return DONE

    return agent


def counts_calls() -> Callable[[World], Completion]:
    """Every seventh run it looks first."""
    calls = itertools.count(1)

    def agent(world: World) -> Completion:
        try:
            if next(calls) % 7 == 0:
                world.tools.look(n=1)
            pays(world)
        except Exception:
            return BLOCKED
        return DONE

    return agent


def opens_a_breaker() -> Callable[[World], Completion]:
    """After three connections that broke, all told, it calls nothing any more."""
    broken = 0

    def agent(world: World) -> Completion:
        nonlocal broken
        try:
            if broken < 3:
                pays(world)
        except ConnectionError:
            broken += 1
            return BLOCKED
        except Exception:
            return BLOCKED
        return DONE

    return agent


MEMORIES = (remembers_doubt, counts_timeouts, caches_refusals, counts_calls, opens_a_breaker)


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("max_runs", [100, 10_000])
def test_what_a_module_remembers_is_found_at_depth_one(memory, max_runs, simulation):
    """In a hundred runs, and in a whole level: one AF904, which names where they part."""
    result = hunt(paying, memory(), simulation, depth=1, deep_runs=0, max_runs=max_runs)
    twice = [found for found in result.findings if found.code == "AF904"]
    assert len([found for found in twice if found.violation.subject == "run"]) == 1
    assert all(found.title.startswith("two histories: ") for found in twice)
    assert all(" replays" in found.violation.sentence for found in twice)
    assert result.runs < max_runs + 60


def test_a_campaign_goes_on_after_it(simulation):
    """A double charge is found, confirmed and shown beside it: the plan that did not come back
    is set apart, with how often it was seen."""
    runs = 0

    @scenario(at_most_once("pay"), task="t")
    def plain(world):
        @world.tool(effect="pay", scope=("n",))
        def pay(n: int) -> str:
            return "paid"

    def mostly_good(world):
        nonlocal runs
        runs += 1
        for _ in range(2):
            try:
                got = world.tools.pay(n=1)
            except FAULTS:
                continue
            if "Task complete" in got and runs % 2:
                world.tools.pay(n=1)
            return DONE
        return BLOCKED

    result = hunt(plain, mostly_good, simulation)
    assert shown(result)[:2] == ["AF101 pay: pay#1:once/timeout", "AF102 pay: pay#1:twice"]
    twice = [found for found in result.findings if found.code == "AF904"]
    assert twice
    assert all("hostile" in str(found.plan) for found in twice)
    assert result.findings[-1].code == "AF904", "set apart"
    assert all(found.law == twice[0].law for found in twice)


def test_a_finding_that_does_not_come_back_is_set_apart(simulation):
    """Broken under one plan, once in the whole campaign."""
    met = []

    def once(world):
        try:
            world.tools.pay(n=1)
        except TimeoutError:
            if not met:
                met.append(1)
                world.tools.pay(n=1)
        except Exception:
            pass
        return BLOCKED

    @scenario(at_most_once("pay"), task="t")
    def plain(world):
        @world.tool(effect="pay", scope=("n",), dedup="key")
        def pay(n: int) -> str:
            return "paid"

    (found,) = [
        one
        for one in hunt(plain, once, simulation, depth=1, deep_runs=0).findings
        if one.violation.subject == "AF101 pay"
    ]
    assert (found.code, str(found.plan)) == ("AF904", "pay#1:once/timeout")
    assert found.title == "two histories: event 5, Called pay#2"
    assert "did not come back on replay" in found.violation.sentence
    assert "It was seen in 0 of 4 replays." in found.violation.sentence
    assert (found.violation.says, found.violation.world) == ("first Called pay#2", "again Done")


def test_what_is_told_of_a_shrunk_plan_is_of_a_run_under_it(simulation):
    """Five timeouts charge twice, four did so once: the plan of four was reached by shrinking, and
    did not come back. Neither the history nor the words are those of the outage before."""
    met = []

    def forgetful(world):
        timeouts = 0
        for _ in range(6):
            try:
                world.tools.pay(n=1, idempotency_key="k")
                break
            except TimeoutError:
                timeouts += 1
            except Exception:
                return BLOCKED
        if timeouts > 4 or (timeouts == 4 and not met):
            for more in range(timeouts - 3):
                world.tools.pay(n=1, idempotency_key=f"another {more}")
            met.extend([1] * (timeouts == 4))
        return BLOCKED

    @scenario(at_most_once("pay"), task="t")
    def keyed(world):
        @world.tool(effect="pay", scope=("n",), dedup="key")
        def pay(n: int, idempotency_key: str) -> str:
            return "paid"

    result = hunt(keyed, forgetful, simulation, space=Space(only=("once/timeout",)), depth=1)
    (found,) = [one for one in result.findings if one.code == "AF904"]
    assert str(found.plan) == "pay#1-4:once/timeout"
    assert plan_of(found.history) == found.plan
    assert "AF101 pay ran 2x, expected 1 under the plan" in found.violation.sentence


def test_the_run_without_faults_stands_beside_it(simulation):
    """Where two runs under a plan differ, the report compares with what is done without faults."""
    calls = itertools.count()

    def moody(world):
        try:
            pays(world)
        except TimeoutError:
            if next(calls) % 2:
                world.tools.look(n=1)
        except Exception:
            return BLOCKED
        return DONE

    found, *_ = hunt(paying, moody, simulation, depth=1, deep_runs=0).findings
    assert found.code == "AF904"
    assert found.history.of(Struck)
    assert not found.baseline.of(Struck)
    assert [str(commit.intent) for commit in found.baseline.ledger] == ["pay(n=1)"]


def test_runs_that_differ_from_the_start_cost_no_campaign(simulation):
    """Told first; what is found beside it says in how many replays; nothing is said by comparing
    with a run without faults, no plan is called equivalent, and no level complete."""
    ids = itertools.count()

    def agent(world):
        key = f"k{next(ids)}"
        for _ in range(2):
            try:
                world.tools.pay(n=1, idempotency_key=f"{key} {next(ids)}")
                return DONE
            except TimeoutError:
                continue
            except Exception:
                break
        return BLOCKED

    result = hunt(paying, agent, simulation, deep_runs=0)
    assert [(one.code, str(one.plan)) for one in result.findings[:2]] == [
        ("AF904", "no faults"),
        ("AF101", "pay#1:once/timeout"),
    ]
    assert result.findings[1].violation.sentence.endswith(" It was seen in 4 of 4 replays.")
    assert not {"AF105", "AF113"} & {one.code for one in result.findings}
    assert all(level.total is None for level in result.levels if level.name.startswith("plans"))
    assert "all " not in result.covered()


def test_a_deterministic_agent_pays_little_and_is_not_accused():
    """At most five runs in a hundred, in all."""

    with Simulation() as simulation:
        campaign = Campaign(acting, careful, simulation, budget=Budget(10_000, 600.0))
        campaign.search()
        result = campaign.result()
    assert result.findings == ()
    judged = sum(level.done for level in result.levels)
    again = campaign._again._turn + len(result.levels)  # and the one without faults, each time
    assert 0 < again <= 0.05 * judged


def test_of_each_value_the_first_run_is_kept():
    """What is made again: the run without faults, and each plan that brought a new value."""
    once, again_once = "pay#1:once/timeout", "pay#2:once/timeout"
    texts = (once, again_once, "pay#1:twice/timeout", "pay#3:twice/timeout")
    plans = [FaultPlan.parse(text) for text in texts]
    ran, history = [], History([])

    class Same:
        watch = None

        def execute(self, plan):
            ran.append(plan)
            return history, []

    again = Again(Same())
    again.plain(history)
    for plan in plans:
        again.single(plan, history)
    again.some(6)
    assert ran == [FaultPlan(), plans[0], plans[2]] * 2


def test_a_saved_one_is_replayed(simulation):
    """Still there while two runs differ; fixed when none does."""
    calls = itertools.count()

    def moody(world):
        try:
            pays(world)
        except TimeoutError:
            if next(calls) % 2:
                world.tools.look(n=1)
        except Exception:
            pass
        return BLOCKED

    plan = FaultPlan.parse("pay#1:once/timeout")
    saved = Saved("AF-0001", "", "AF904", "run", "", plan, "")
    for agent, note in ((moody, "still there"), (careful_payer, "fixed")):
        campaign = Campaign(paying, agent, simulation, budget=Budget(max_seconds=600.0))
        campaign.plain([saved])
        result = campaign.result()
        assert result.notes == (f"replayed saved finding AF-0001: {note}",)
        codes = [found.code for found in result.findings]
        assert codes == (["AF904"] if note == "still there" else [])
        assert campaign.fixed == ([] if note == "still there" else [saved])


def careful_payer(world):
    try:
        pays(world)
    except Exception:
        return BLOCKED
    return DONE


def spins_at(counts):
    """Charges again after a timeout; of the runs with one, those with these numbers never end."""
    met = 0

    def agent(world):
        nonlocal met
        try:
            world.tools.pay(n=1)
        except TimeoutError:
            met += 1
            while met in counts:
                pass
            world.tools.pay(n=1)
        return Completion.blocked()

    return agent


@pytest.mark.slow
@pytest.mark.parametrize(
    ("counts", "codes", "said"),
    [((2, 4), ["AF101"], ()), ((1,), [], ("AF202",))],
    ids=["a replay", "the first run"],
)
def test_a_run_that_was_cut_off_once_is_no_second_history(counts, codes, said):
    """As a busy machine does it: a replay is made again, and what came of such a run alone is a
    line that names the cure, and no finding."""

    @scenario(at_most_once("pay"), task="t")
    def plain(world):
        @world.tool(effect="pay", scope=("n",))
        def pay(n: int) -> str:
            return "ok"

    space = Space(only=("once/timeout",))
    with Simulation(2.0) as simulation:
        result = hunt(plain, spins_at(counts), simulation, space=space, depth=1, deep_runs=0)
    assert [one.code for one in result.findings] == codes
    notes = [note for note in result.notes if "did not come back" in note]
    assert [code for code in said if not any(code in note for note in notes)] == []
    assert all("--agentfuzz-run-timeout" in note for note in notes)
    assert len(notes) >= len(said)
