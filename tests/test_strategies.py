"""Fault plans in anybody's own Hypothesis tests: valid, small when shrunk, stateful too."""

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import agentfuzz
from agentfuzz import Completion, FaultPlan, at_most_once, scenario
from agentfuzz.core.faults import TABLES
from agentfuzz.engine.simulation import Simulation
from agentfuzz.strategies import closings, fault_plans

TOOL = TABLES["tool"]

QUICK = settings(
    max_examples=100,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


@scenario(at_most_once(), script=[("find", {}), "Done."])
def shop(world):
    @world.tool
    def find(): ...

    @world.tool(effect="payment", scope=("order_id",))
    def pay(order_id: str = "A17"):
        return {"receipt": "r1"}


def retries(world):
    for _ in range(3):
        try:
            world.tools.find()
            world.tools.pay()
        except (TimeoutError, ConnectionError):
            continue
        return Completion.success(handle="r1")
    return Completion.blocked()


@given(plan=fault_plans(shop))
@QUICK
def test_every_drawn_plan_is_a_plan(plan):
    """It comes back from its text, has at most three faults, and names what the world has."""
    assert FaultPlan.parse(str(plan)) == plan
    assert len(plan) <= 3
    for slot, fault in plan:
        assert (slot.boundary, slot.name) in {("tool", "find"), ("tool", "pay"), ("model", "")}
        assert 1 <= slot.nth <= 4
        if slot.boundary == "tool":
            assert fault.axes not in TOOL.off
            assert slot.name == "pay" or fault.axes[0] == "once"


@given(plan=fault_plans(shop, max_faults=1, max_nth=2))
@QUICK
def test_the_limits_of_a_plan(plan):
    """`max_faults` and `max_nth` are kept."""
    assert len(plan) <= 1
    assert all(slot.nth <= 2 for slot, _ in plan)


def test_a_scenario_with_nothing_to_break():
    """No tools, no model: the empty plan is all there is."""

    @scenario()
    def empty(world): ...

    assert find(fault_plans(empty), lambda plan: True, settings=QUICK) == FaultPlan()


@pytest.mark.parametrize(
    ("wanted", "smallest"),
    [
        (lambda plan: True, "no faults"),
        (lambda plan: len(plan) == 1, "find#1:once/timeout"),
        (lambda plan: any(slot.name == "pay" for slot, _ in plan), "pay#1:once/timeout"),
        (
            lambda plan: any(fault.axes == ("twice", "timeout") for _, fault in plan),
            "pay#1:twice/timeout",
        ),
    ],
)
def test_a_plan_shrinks_to_the_smallest(wanted, smallest):
    """Fewest faults, simplest kind, first call."""
    assert str(find(fault_plans(shop), wanted, settings=QUICK)) == smallest


def test_a_property_of_ones_own_shrinks_to_the_minimal_plan(simulation):
    """A failing property ends at the one fault that matters."""

    def charges_twice(plan):
        run = agentfuzz.run(shop, retries, plan, simulation=simulation)
        return len(run.history.ledger) > 1

    found = find(fault_plans(shop), charges_twice, settings=QUICK)
    assert str(found) == "pay#1:once/timeout"


@given(found=closings(done=True, languages=["en"]))
@QUICK
def test_closings(found):
    """Texts of the corpus, of the kind that was asked for."""
    assert (found.done, found.language) == (True, "en")
    assert found.text


@scenario(at_most_once())
def till(world):
    @world.tool(effect="payment", scope=("order_id",), dedup=world.state.get("dedup", "none"))
    def pay(order_id: str = "A17"):
        return {"receipt": "r1"}


@scenario(at_most_once())
def careful_till(world):
    world.state["dedup"] = "scope"
    till.build(world)


class Till(RuleBasedStateMachine):
    """A till that charges orders through an agent: whatever strikes, no order pays twice."""

    story = till
    simulation: Simulation

    def __init__(self):
        super().__init__()
        self.counts = []

    @rule(data=st.data())
    def charge(self, data):
        plan = data.draw(fault_plans(self.story, max_faults=1))
        run = agentfuzz.run(self.story, pays, plan, simulation=self.simulation)
        self.counts.append(len(run.history.ledger))

    @rule(text=closings())
    def close(self, text):
        self.counts.clear()

    @invariant()
    def at_most_once_each(self):
        assert all(count <= 1 for count in self.counts)


class CarefulTill(Till):
    story = careful_till


def pays(world):
    for _ in range(3):
        try:
            world.tools.pay()
        except (TimeoutError, ConnectionError):
            continue
        return Completion.success(handle="r1")
    return Completion.blocked()


MACHINE = settings(QUICK, max_examples=10, stateful_step_count=10)


def test_a_state_machine_finds_the_bug(simulation):
    """`agentfuzz.run` inside of a rule: the loop that retries blindly is caught."""
    Till.simulation = simulation
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Till, settings=MACHINE)


def test_a_state_machine_holds(simulation):
    """The same loop, before a backend that recognises a scope."""
    CarefulTill.simulation = simulation
    run_state_machine_as_test(CarefulTill, settings=MACHINE)
