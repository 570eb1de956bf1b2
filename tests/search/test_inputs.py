"""Bugs that show with some inputs alone: found, shrunk in faults and inputs, replayed as text."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from agentfuzz import (
    Completion,
    History,
    World,
    invariant,
    one_intent_per_key,
    run,
    scenario,
)
from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.search import runner as runners
from agentfuzz.search.budget import Budget, Meter
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.phases.inputs import A_FEW, MANY

Loop = Callable[[World], Any]


def searched(story: Scenario, agent: Agent, **budget: Any) -> CampaignResult:
    """A whole campaign to depth one, and the random phases."""
    with Simulation() as simulation:
        campaign = Campaign(
            story, agent, simulation, budget=Budget(**{"depth": 1, "deep_runs": 300, **budget})
        )
        campaign.search()
        return campaign.result()


def persistently(call: Callable[[], Any], receipt: str) -> bool:
    """Try a call until its receipt is there, three times at most."""
    for _ in range(3):
        try:
            if call() == receipt:
                return True
        except Exception:
            continue
    return False


# A key joined without a separator ------------------------------------------------------------

DIGITS = st.text("123", min_size=1, max_size=2)


@scenario(
    one_intent_per_key(),
    given={"orders": st.lists(st.tuples(DIGITS, DIGITS), min_size=1, max_size=3, unique=True)},
)
def orders(world: World) -> None:
    @world.tool(effect="charge", scope=("customer", "order"), dedup="key")
    def charge(customer: str, order: str, idempotency_key: str) -> str:
        return "charged"


def keyed(write: Callable[[str, str], str]) -> Loop:
    def agent(world: World) -> Completion:
        for customer, order in world.data["orders"]:
            key = write(customer, order)
            if not persistently(
                lambda c=customer, o=order, k=key: world.tools.charge(
                    customer=c, order=o, idempotency_key=k
                ),
                "charged",
            ):
                return Completion.failed()
        return Completion.success(handle="all")

    return agent


# A scope that two customers share ------------------------------------------------------------


@scenario(
    given={
        "customers": st.lists(
            st.tuples(st.sampled_from(["ada", "bob"]), st.integers(1, 3)),
            min_size=1, max_size=3, unique=True,
        )
    }
)  # fmt: skip
def invoices(world: World) -> None:
    world.state["sent"] = {}

    @world.tool(effect="invoice", scope=("customer", "number"), dedup="scope")
    def invoice(customer: str, number: int) -> str:
        return f"{customer} {number}"


def remembering(what: Callable[[str, int], Any]) -> Loop:
    """Remembers what was sent, so that nothing is sent twice: by the right identity, or not."""

    def agent(world: World) -> Completion:
        sent = set()
        for customer, number in world.data["customers"]:
            if what(customer, number) in sent:
                continue
            try:
                receipt = world.tools.invoice(customer=customer, number=number)
            except Exception:
                return Completion.failed()
            if receipt != f"{customer} {number}":
                return Completion.failed()
            sent.add(what(customer, number))
        return Completion.success(handle="all")

    return agent


@invariant
def every_invoice_is_sent(history: History) -> str | None:
    """Success says that there is an invoice for each that was wanted."""
    if history.claim != "success":
        return None
    sent = {tuple(value for _, value in one.scope) for one in history.intents}
    lacking = [one for one in history.data["customers"] if tuple(one) not in sent]
    return f"no invoice for {lacking}" if lacking else ""


invoices = dataclasses.replace(invoices, invariants=(*invoices.invariants, every_invoice_is_sent))


# A limit met exactly -------------------------------------------------------------------------


@scenario(given={"amount": st.integers(80, 120)})
def refunds(world: World) -> None:
    @world.tool(effect="approval", scope=(), dedup="scope")
    def ask(amount: int) -> str:
        return "asked"

    @world.tool(effect="refund", scope=(), dedup="scope")
    def refund(amount: int) -> str:
        return "refunded"


@invariant
def from_a_hundred_on_a_person_is_asked(history: History) -> str | None:
    """100 is too much as well."""
    amount = history.data["amount"]
    names = [one.effect for one in history.intents]
    if "refund" not in names:
        return None
    return (
        f"{amount} was refunded, nobody asked" if amount >= 100 and "approval" not in names else ""
    )


refunds = dataclasses.replace(
    refunds, invariants=(*refunds.invariants, from_a_hundred_on_a_person_is_asked)
)


def asking(above: int) -> Loop:
    def agent(world: World) -> Completion:
        amount = world.data["amount"]
        try:
            if amount > above and world.tools.ask(amount=amount) != "asked":
                return Completion.failed()
            if world.tools.refund(amount=amount) != "refunded":
                return Completion.failed()
        except Exception:
            return Completion.failed()
        return Completion.success(handle="refund")

    return agent


# An amount that formatting rounds ------------------------------------------------------------


@scenario(given={"cents": st.integers(1, 10_000_000)})
def payments(world: World) -> None:
    @world.tool(effect="payment", scope=(), dedup="scope")
    def pay(amount: str) -> str:
        return "paid"


@invariant
def the_amount_is_paid(history: History) -> str | None:
    """To the cent."""
    paid = [round(float(one.args["amount"]) * 100) for one in history.ledger]
    if not paid:
        return None
    cents = history.data["cents"]
    return f"{paid[0]} cents were paid of {cents}" if paid[0] != cents else ""


payments = dataclasses.replace(payments, invariants=(*payments.invariants, the_amount_is_paid))


def paying(write: Callable[[int], str]) -> Loop:
    def agent(world: World) -> Completion:
        try:
            paid = world.tools.pay(amount=write(world.data["cents"]))
        except Exception:
            return Completion.failed()
        return Completion.success(handle="p") if paid == "paid" else Completion.failed()

    return agent


# A name in which Unicode folding collides ----------------------------------------------------

NAMES = st.lists(st.sampled_from(["strasse", "Straße", "anna", "ANNA", "\u017fam", "sam"]),
                 min_size=1, max_size=2, unique=True)  # fmt: skip


@scenario(one_intent_per_key(), given={"names": NAMES})
def accounts(world: World) -> None:
    @world.tool(effect="account", scope=("name",), dedup="key")
    def open_account(name: str, idempotency_key: str) -> str:
        return name


def opening(key: Callable[[str], str]) -> Loop:
    def agent(world: World) -> Completion:
        for name in world.data["names"]:
            if not persistently(
                lambda n=name: world.tools.open_account(name=n, idempotency_key=key(n)),
                name,
            ):
                return Completion.failed()
        return Completion.success(handle="all")

    return agent


VICTIMS = {
    "a key joined without a separator": (orders, keyed(lambda c, o: c + o), "AF107"),
    "a scope that two customers share": (invoices, remembering(lambda c, n: n), "AF500"),
    "a limit met exactly": (refunds, asking(above=100), "AF500"),
    "an amount that formatting rounds": (payments, paying(lambda c: f"{c / 100:.6g}"), "AF500"),
    "a name in which folding collides": (accounts, opening(str.casefold), "AF107"),
}
SURVIVORS = {
    "a key with a separator": (orders, keyed(lambda c, o: f"{c}/{o}")),
    "a scope of its own for each": (invoices, remembering(lambda c, n: (c, n))),
    "a limit that counts": (refunds, asking(above=99)),
    "an amount to the cent": (payments, paying(lambda c: f"{c // 100}.{c % 100:02}")),
    "a name as it is": (accounts, opening(str)),
}


@pytest.mark.parametrize("name", VICTIMS)
def test_found_with_some_inputs(name: str) -> None:
    """No fault is needed, and the simplest inputs do not show it; what shows it is kept as plain
    values, and a plan without Hypothesis replays it."""
    story, agent, code = VICTIMS[name]
    assert not [v for v in run(story, agent).violations if v.code == code]
    result = searched(story, agent)
    found = [one for one in result.findings if one.code == code]
    assert found, result
    plan = found[0].plan
    assert plan.given
    assert not len(plan)
    plain = dataclasses.replace(story, given=dict.fromkeys(story.given))  # nothing to draw from
    again = run(plain, agent, str(plan))
    assert [v.code for v in again.violations if v.code == code] == [code]


@pytest.mark.parametrize("name", SURVIVORS)
def test_nothing_is_said_of_a_loop_that_is_right(name: str) -> None:
    """The same stories, the same inputs."""
    story, agent = SURVIVORS[name]
    result = searched(story, agent)
    assert not result.findings, [str(one.plan) for one in result.findings]
    assert [one.name for one in result.levels][-2:] == [A_FEW, MANY]
    assert not result.notes


def test_inputs_are_shrunk() -> None:
    """The least amount that a limit met exactly lets through."""
    result = searched(*VICTIMS["a limit met exactly"][:2])
    (found,) = [one for one in result.findings if one.code == "AF500"]
    assert str(found.plan) == "given:amount=100"
    assert found.shrink_runs


def test_inputs_and_faults_shrink_together() -> None:
    """Only a lost reply of an order with two items shows it."""

    @scenario(given={"items": st.lists(st.integers(1, 5), min_size=1, max_size=4)})
    def basket(world: World) -> None:
        @world.tool(effect="item", scope=("number", "kind"))
        def ship(number: int, kind: int) -> str:
            return "shipped"

    def agent(world: World) -> Completion:
        items = world.data["items"]
        for number, kind in enumerate(items):
            for _ in range(2 if len(items) > 1 else 1):
                try:
                    if world.tools.ship(number=number, kind=kind) != "shipped":
                        return Completion.failed()
                    break
                except Exception:
                    if len(items) == 1:
                        return Completion.failed()
            else:
                return Completion.failed()
        return Completion.success(handle="all")

    result = searched(basket, agent)
    plans = [str(one.plan) for one in result.findings if one.code == "AF101"]
    assert plans == ["ship#1:once/timeout + given:items=[1,1]"]


@pytest.mark.parametrize("name", [*VICTIMS][:2])
def test_several_processes_make_the_same_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What laws compare other inputs with is the run that was made ahead, and not one more; and a
    law that reads the inputs finds them there."""
    monkeypatch.setattr(runners, "safe", lambda: True)  # beside the threads of who runs this
    story, agent, _ = VICTIMS[name]
    alone = searched(story, agent)
    shared = searched(story, agent, workers=2)
    assert (shared.runs, shared.levels) == (alone.runs, alone.levels)
    assert [one.plan for one in shared.findings] == [one.plan for one in alone.findings]
    assert not shared.notes


def test_the_fault_beside_random_inputs_is_the_simplest() -> None:
    """It was drawn, as the inputs were, and so is shrunk like a random plan."""

    @scenario(given={"x": st.dictionaries(st.text(max_size=3), st.integers(), max_size=3)})
    def full(world: World) -> None:
        @world.tool(effect="charge", scope=("order",), dedup="key")
        def charge(order: str, idempotency_key: str) -> str:
            return "charged"

    def agent(world: World) -> Completion:
        for attempt in range(2):
            try:
                key = f"k{attempt if len(world.data['x']) > 1 else ''}"
                if world.tools.charge(order="A", idempotency_key=key) == "charged":
                    return Completion.success(handle="x")
                break
            except Exception:
                continue
        return Completion.blocked(reason="outcome_unknown")

    (found,) = searched(full, agent).findings
    assert found.phase == MANY, "or this shows nothing"
    assert str(found.plan) == 'charge#1:once/timeout + given:x={"":0,"0":0}'


def test_the_same_campaign_twice() -> None:
    """Byte for byte: plans, inputs and counts."""
    story, agent, _ = VICTIMS["a key joined without a separator"]
    first, second = (searched(story, agent) for _ in range(2))
    assert [one.id for one in first.findings] == [one.id for one in second.findings]
    assert (first.levels, first.runs) == (second.levels, second.runs)


def test_a_finding_of_the_simplest_inputs_says_them() -> None:
    """So that it means the same when the strategies have changed."""

    @scenario(given={"order": st.sampled_from(["A", "B"])})
    def once(world: World) -> None:
        @world.tool(effect="charge", scope=("order",))
        def charge(order: str) -> str:
            return "ok"

    def agent(world: World) -> Completion:
        for _ in range(2):
            try:
                world.tools.charge(order=world.data["order"])
                return Completion.success(handle="x")
            except Exception:
                continue
        return Completion.failed()

    result = searched(once, agent)
    plans = [one.plan for one in result.findings if one.code == "AF101"]
    assert plans == [FaultPlan.parse('charge#1:once/timeout + given:order="A"')]


def test_a_budget_ends_it() -> None:
    """It says how far it came."""
    result = searched(orders, keyed(lambda c, o: f"{c}/{o}"), max_runs=120)
    told = {one.name: one for one in result.levels}
    assert result.runs <= 120
    assert result.stopped == "max_runs"
    assert told[A_FEW].total is None  # not all inputs were begun: how many plans is not known
    assert told[A_FEW].limits == "1 of 3, when the budget ended"


def test_drawing_inputs_ends_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter may take almost nothing: no time is left, nothing more is drawn, and it is said."""
    monkeypatch.setattr(Meter, "late", property(lambda self: self.spent.runs > 1))
    result = searched(orders, keyed(lambda c, o: f"{c}/{o}"), max_runs=50)
    assert "no other inputs were tried: max_time was up while they were drawn" not in result.notes
    with Simulation() as simulation:
        campaign = Campaign(orders, keyed(lambda c, o: f"{c}/{o}"), simulation, budget=Budget())
        campaign.plain()
        assert campaign._inputs.others == []
        said = ["no other inputs were tried: max_time was up while they were drawn"]
        assert campaign._inputs.notes == said


# What users draw -----------------------------------------------------------------------------


def test_the_simplest_inputs_call_nothing() -> None:
    """An empty list: the others are run all the same."""

    @scenario(one_intent_per_key(), given={"orders": st.lists(st.text("abc", min_size=1,
                                           max_size=3), unique=True, max_size=6)})  # fmt: skip
    def basket(world: World) -> None:
        @world.tool(effect="charge", scope=("order",), dedup="key")
        def charge(order: str, idempotency_key: str) -> str:
            return "charged"

    def agent(world: World) -> Completion:
        for order in world.data["orders"]:
            try:
                world.tools.charge(order=order, idempotency_key=order[0])
            except Exception:
                return Completion.failed()
        return Completion.success(handle="all")

    assert "AF107" in {one.code for one in searched(basket, agent).findings}


def retrying(world: World) -> Completion:
    """A new key each time: charges twice after a lost reply."""
    for attempt in range(2):
        try:
            world.tools.charge(order="A", idempotency_key=f"k{attempt}")
            return Completion.success(handle="A")
        except Exception:
            continue
    return Completion.failed()


def stories(given: Any, build: Callable[[World], object] = lambda world: None) -> Scenario:
    @scenario(given=given)
    def shop(world: World) -> None:
        build(world)

        @world.tool(effect="charge", scope=("order",), dedup="key")
        def charge(order: str, idempotency_key: str) -> str:
            return "charged"

    return shop


@st.composite
def sometimes(draw: Any) -> int:
    value = int(draw(st.integers(0, 99)))
    if value > 50:
        raise ZeroDivisionError("of the strategy")
    return value


def test_inputs_that_cannot_be_run_cost_nothing_else() -> None:
    """What was found stays found, and it is said which inputs were wrong."""

    def fails(world: World) -> None:
        if world.data["amount"] > 50:
            raise ValueError("no such amount")

    for story, said in (
        (
            stories({"amount": st.integers(0, 99)}, fails),
            "the scenario cannot be built, or judged, with given",
        ),
        (stories({"amount": sometimes()}), "other inputs was left out: ZeroDivisionError"),
    ):
        result = searched(story, retrying)
        assert "AF101" in {one.code for one in result.findings}
        assert any(said in note for note in result.notes), result.notes


def test_inputs_that_cannot_be_run_are_counted() -> None:
    """A few are named, of the others it is said how many there are."""

    def fails(world: World) -> None:
        if world.data["amount"]:
            raise ValueError(f"no such amount: {world.data['amount']}")

    result = searched(stories({"amount": st.integers(0, 9)}, fails), retrying)
    named = [note for note in result.notes if "cannot be built, or judged, with" in note]
    assert len(named) == 3
    assert result.notes[-1] == "nor can it with 6 more of its inputs"


@st.composite
def but_a_few(draw: Any, what: Callable[[], int]) -> int:
    value = int(draw(st.integers(0, 10**6)))
    return value if value < 1000 or value > 1009 else what()


@pytest.mark.parametrize("where", ["the strategy", "its values", "the task", "the scenario"])
def test_what_shrinking_meets_costs_no_finding(where: str) -> None:
    """Inputs that only shrinking tries, and that cannot be drawn, kept or run, are left out."""

    def fails(at: str, value: int) -> int:
        if where == at and 1000 <= value <= 1009:
            raise ZeroDivisionError
        return value

    draws = {"the strategy": lambda: 1 // 0, "its values": lambda: float("inf")}
    strategy = but_a_few(draws[where]) if where in draws else st.integers(0, 10**6)

    @scenario(given={"n": strategy}, task=lambda data: str(fails("the task", data["n"])))
    def story(world: World) -> None:
        fails("the scenario", world.data["n"])

        @world.tool(effect="charge", scope=("order",), dedup="key")
        def charge(order: str, idempotency_key: str) -> str:
            return "charged"

    def agent(world: World) -> Completion:
        if world.data["n"] >= 1000:
            raise ValueError("too much")
        return retrying(world)

    plans = {one.code: str(one.plan) for one in searched(story, agent).findings}
    assert plans["AF900"] == "given:n=1010"
    assert plans["AF101"] == "charge#1:once/timeout + given:n=0"


def test_another_entrypoint_under_other_inputs() -> None:
    """AF305 where they differ with some inputs alone."""
    story = stories({"n": st.integers(0, 100)})

    def pay(world: World) -> Completion:
        world.tools.charge(order="A", idempotency_key="A")
        return Completion.success(handle="A")

    def other(world: World) -> Completion:
        return Completion.failed() if world.data["n"] > 60 else pay(world)

    def codes(second: Agent) -> set[str]:
        with Simulation() as simulation:
            campaign = Campaign(story, pay, simulation, same_as=second, budget=Budget(depth=1))
            campaign.search()
            return {one.code for one in campaign.result().findings}

    assert "AF305" in codes(other)
    assert "AF305" not in codes(pay)


def test_a_saved_finding_whose_input_is_gone(pytester: pytest.Pytester) -> None:
    """It no longer applies, and the campaign runs."""
    source = """
from hypothesis import strategies as st
from agentfuzz import Completion, fuzz, scenario

@scenario(given={"NAME": st.integers(1, 9)})
def shop(world):
    @world.tool(effect="charge", scope=("order",))
    def charge(order: str) -> str:
        return "ok"

@fuzz(shop)
def test_shop(world):
    for _ in range(2):
        try:
            world.tools.charge(order="A")
            return Completion.success(handle="x")
        except Exception:
            pass
    return Completion.failed()
"""
    options = ("--agentfuzz", "--agentfuzz-depth=1")
    pytester.makepyfile(test_it=source.replace("NAME", "amount"))
    assert pytester.runpytest_subprocess(*options).ret == 1
    pytester.makepyfile(test_it=source.replace("NAME", "cents"))
    said = " ".join(pytester.runpytest_subprocess(*options).stdout.str().split())
    assert "no longer applies: the plan gives amount" in said
    assert "no campaign was run" not in said


def test_a_saved_finding_whose_input_has_another_type(pytester: pytest.Pytester) -> None:
    """The scenario cannot be built with it: it no longer applies, and the campaign runs. A test
    that was exported says the same."""
    source = """
from hypothesis import strategies as st
from agentfuzz import Completion, fuzz, regression, scenario

@scenario(given={"order": STRATEGY})
def shop(world):
    world.state["order"] = world.data["order"] + FIRST

    @world.tool(effect="charge", scope=("order",))
    def charge(order: str) -> str:
        return "ok"

@fuzz(shop)
def test_shop(world):
    for _ in range(2):
        try:
            world.tools.charge(order="A")
            return Completion.success(handle="x")
        except Exception:
            pass
    return Completion.failed()

test_kept = regression(test_shop, plan="charge#1:once/timeout + given:order=1", code="AF101")
"""
    options = ("--agentfuzz", "--agentfuzz-depth=1", "-k", "test_shop")
    numbers = source.replace("STRATEGY", "st.integers(1, 9)").replace("FIRST", "1")
    pytester.makepyfile(test_it=numbers)
    assert pytester.runpytest_subprocess(*options).ret == 1
    pytester.makepyfile(
        test_it=numbers.replace("st.integers(1, 9)", "st.text('ab')").replace("+ 1", "+ 'x'")
    )
    said = " ".join(pytester.runpytest_subprocess(*options).stdout.str().split())
    assert "no longer applies: the scenario cannot be built, or judged, with given:order=1" in said
    assert "no campaign was run" not in said
    kept = " ".join(pytester.runpytest_subprocess("-k", "test_kept").stdout.str().split())
    assert "PlanError: the scenario cannot be built, or judged, with given:order=1: TypeE" in kept
