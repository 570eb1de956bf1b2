"""The guided phase: it is reached, keeps to its budget, varies values, and names an agent that
is not deterministic."""

import contextlib
from collections import Counter

import pytest

from agentfuzz import Completion, History, World, scenario, truthful
from agentfuzz.core.events import Struck
from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.phases.guided import Corpus
from agentfuzz.search.space import Space
from agentfuzz.world.injector import FromPlan, Injector

from .support import hunt, shown

DONE, BLOCKED = Completion.success(handle="h"), Completion.blocked()
ALONE = ("at_most_once", "replay_transparency")  # what would be judged beside the declared law


@scenario(truthful(postcondition=lambda history: False), without=ALONE)
def acting(world: World) -> None:
    @world.tool(effect="act", scope=("what",), dedup="scope")
    def act(what: str) -> dict:
        return {"ok": True}


def careful(world: World) -> Completion:
    for what in ("a", "b"):
        with contextlib.suppress(Exception):
            world.tools.act(what=what)
    return BLOCKED


def random_runs(result: CampaignResult) -> int:
    return sum(level.done for level in result.levels if level.name == "random plans and values")


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_every_campaign_ends_with_the_random_phase(depth: int) -> None:
    with Simulation() as simulation:
        result = hunt(acting, careful, simulation, depth=depth, deep_runs=15)
    assert random_runs(result) == 15
    assert result.stopped == "exhausted"


def test_it_runs_where_no_second_fault_is_possible() -> None:
    """One call: there are no pairs, and still there are values."""

    def one_call(world: World) -> Completion:
        with contextlib.suppress(Exception):
            world.tools.act(what="a")
        return BLOCKED

    with Simulation() as simulation:
        assert random_runs(hunt(acting, one_call, simulation, depth=2, deep_runs=15)) == 15


def test_a_call_that_few_runs_have_come_to_is_tried_first() -> None:
    """Where most runs ended at the first call, a fault at the second is the likelier one."""

    def gives_up(world: World) -> Completion:
        with contextlib.suppress(TimeoutError):
            for what in ("a", "b"):
                world.tools.act(what=what)
        return BLOCKED

    tried: Counter[str] = Counter()

    def run(injector: Injector) -> History:
        history = simulation.execute(acting, gives_up, injector)
        tried.update(str(event.slot) for event in history.of(Struck))
        return history

    space = Space(only=("once/timeout",))
    with Simulation() as simulation:
        clean, ended = FromPlan(FaultPlan()), FromPlan(FaultPlan.parse("act#1:once/timeout"))
        whole, short = run(clean), run(ended)
        tried.clear()
        for seed in range(40):
            corpus = Corpus(space, seed)
            corpus.learn(whole, clean.crossings)
            for _ in range(50):
                corpus.learn(short, ended.crossings)
            corpus.explore(run, runs=1, stop=bool, missed=lambda *_: None)
    assert tried.total() == 40
    assert tried["act#2"] > 2 * tried["act#1"] > 0, tried


@pytest.mark.slow
def test_a_bug_in_a_value_is_found_and_shrunk_to_the_plainest_value() -> None:
    """The fourth wording of a hostile reply, after a refusal: no plan of the levels shows it."""

    def obedient(world: World) -> Completion:
        refused = False
        try:
            world.tools.act(what="a")
        except ConnectionError:
            refused = True
        except Exception:
            return BLOCKED
        try:
            reply = world.tools.act(what="b")
        except Exception:
            return BLOCKED
        return DONE if refused and "final" in str(reply) else BLOCKED

    found = "AF301 claim: act#1:once/error + act#2:once/hostile=3"
    with Simulation() as simulation:
        for seed in range(5):
            result = hunt(acting, obedient, simulation, deep_runs=600, seed=seed)
            assert shown(result) == [found], f"seed {seed}"
            assert result.findings[0].phase == "random plans"


def test_a_bug_in_a_latency_is_found() -> None:
    """Somebody else acts on what arrived before the 40th second. The default latency is 45."""

    def impatient(world: World) -> Completion:
        try:
            world.tools.act(what="a")
        except TimeoutError:
            world.clock.advance(9.0)
            return DONE if world.state.get("arrived") else BLOCKED
        except Exception:
            pass
        return BLOCKED

    @scenario(truthful(postcondition=lambda history: False), without=ALONE)
    def noting(world: World) -> None:
        @world.tool(effect="act", scope=("what",))
        def act(what: str) -> dict:
            world.state["arrived"] = world.clock.now >= 1.0
            return {"ok": True}

    with Simulation() as simulation:
        result = hunt(noting, impatient, simulation, deep_runs=400, seed=1)
        (found,) = result.findings
        (fault,) = (fault for _, fault in found.plan)
        assert fault.axes == ("late", "timeout")
        assert fault.latency is not None
        assert fault.latency < 40


def test_an_agent_that_changes_its_mind_between_runs_is_named() -> None:
    """It behaves while it is checked, and for as long as the exhaustive phase lasts."""
    runs = 0

    def moody(world: World) -> Completion:
        nonlocal runs
        runs += 1
        if runs > 700 and runs % 3 == 0:
            return BLOCKED
        return careful(world)

    with Simulation() as simulation:
        result = hunt(acting, moody, simulation, deep_runs=400)
    assert [found.code for found in result.findings] == ["AF904"]
    assert result.findings[0].title.startswith("two histories: event ")
