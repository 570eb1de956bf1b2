"""One run: every ending is captured, every claim is written down once, every plan is checked."""

import asyncio
import threading
from typing import Any

import pytest

import agentfuzz
from agentfuzz import (
    Completion,
    InvariantViolated,
    PlanError,
    ScenarioError,
    exactly_once,
    scenario,
    structured_termination,
)
from agentfuzz.core.events import Called, Committed
from agentfuzz.core.plan import FaultPlan
from world.stories import told


def shop(world):
    @world.tool(effect="payment", scope=("order_id",))
    def pay(order_id: str):
        return {"receipt": "r1"}


SHOP = scenario(
    exactly_once("payment"), structured_termination(), task="Pay A17.", max_crossings=6
)(shop)
PAID = Completion.success(handle="r1")


def returns(value: Any):
    return lambda world: value


def raises(error):
    def agent(world):
        raise error

    return agent


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class Wrapped(dict):
    pass


def endless(world):
    while True:
        world.tools.pay(order_id="A17")


def asynchronous(agent):
    async def wrapped(world):
        return agent(world)

    return wrapped


def tripping(world):
    """Takes whatever went wrong for a mistake of its own."""
    try:
        endless(world)
    except BaseException as error:
        raise ValueError("the tool is broken") from error


# endings

RETURNED = {
    "none": (None, None),
    "text": ("All done!", "All done!"),
    "data": ({"receipt": ("r1",)}, {"receipt": ["r1"]}),
    "completion": (
        PAID,
        {"status": "success", "reason": "completed", "handle": "r1", "detail": ""},
    ),
    "unserialisable": (len, "<built-in function len>"),
    "huge": ("x" * 10**6, "x" * 4096 + f"<{10**6 - 4096} more characters>"),
    "nan": (float("nan"), "<nan>"),
}


@pytest.mark.parametrize("kind", [lambda a: a, asynchronous], ids=["sync", "async"])
@pytest.mark.parametrize(("value", "shown"), RETURNED.values(), ids=RETURNED)
def test_returned(play, kind, value, shown):
    """Whatever it is, as a bounded JSON tree."""
    ended = play(SHOP, kind(returns(value))).history.ended
    assert (ended.how, ended.error, ended.detail) == ("returned", "", "")
    assert ended.value == shown


@pytest.mark.parametrize(
    ("error", "how", "detail"),
    [
        (ValueError("no"), "raised", "no"),
        (Mute(), "raised", "Mute()"),
        (ExceptionGroup("two", [ValueError()]), "raised", "two (1 sub-exception)"),
        (TimeoutError(), "raised", ""),
        (SystemExit(3), "died", "3"),
        (KeyboardInterrupt(), "died", ""),
        (GeneratorExit(), "died", ""),
        (asyncio.CancelledError(), "died", ""),
        (BaseExceptionGroup("two", [SystemExit()]), "died", "two (1 sub-exception)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_raised_and_died(play, error, how, detail):
    """An Exception is a way to end, anything else is a death; both have a name."""
    agents = [raises(error)]
    if not isinstance(error, GeneratorExit):  # which is a coroutine's own way to be closed
        agents.append(asynchronous(agents[0]))
    for agent in agents:
        ended = play(SHOP, agent).history.ended
        assert (ended.how, ended.error, ended.detail) == (how, type(error).__name__, detail)
        assert ended.value is None


@pytest.mark.parametrize("kind", [lambda a: a, asynchronous], ids=["sync", "async"])
@pytest.mark.parametrize("agent", [endless, tripping])
def test_cut_off_by_the_budget(play, kind, agent):
    """Whatever the agent makes of it."""
    ended = play(SHOP, kind(agent)).history.ended
    assert (ended.how, ended.error) == ("cut_off", "budget")
    assert ended.detail == "more than 6 crossings"


def test_after_any_ending_the_next_run_is_clean(play):
    """The same history as in a simulation of its own."""

    async def agent(world):
        await asyncio.sleep(1)
        return [await world.tools.aio.pay(order_id="A17"), PAID.status]

    alone = told(agentfuzz.run(SHOP, agent).history)
    for before in (endless, asynchronous(endless), raises(SystemExit()), raises(Mute())):
        play(SHOP, before)
        assert told(play(SHOP, agent).history) == alone


# plans and verdicts


def retries(world):
    for _ in range(3):
        try:
            return Completion.success(handle=world.tools.pay(order_id="A17")["receipt"])
        except TimeoutError:
            continue
    return Completion.blocked()


def test_a_run_has_history_plan_and_verdicts(play):
    """The plan as it was parsed; a verdict of every law, also those that always hold."""
    result = play(SHOP, retries, " pay#1 : once/timeout ".replace(" : ", ":"))
    assert result.plan == FaultPlan.parse("pay#1:once/timeout")
    laws = {verdict.law: verdict.status for verdict in result.verdicts}
    assert laws["exactly_once('payment')"] == "VIOLATED"
    assert laws["structured_termination"] == laws["survives"] == laws["bounded"] == "HELD"
    assert [violation.code for violation in result.violations] == ["AF101"]
    assert len(result.history.of(Committed)) == 2


def test_check_raises_the_first_violation(play):
    """Of any code, or of the codes asked for; each code and subject is a type of its own."""
    result = play(SHOP, retries, "pay#1:once/timeout")
    for codes in ((), ("AF101",), ("AF204", "AF101")):
        with pytest.raises(InvariantViolated, match="AF101 pay ran 2x") as caught:
            result.check(*codes)
        assert (caught.value.code, caught.value.subject) == ("AF101", "payment")
    result.check("AF204")
    play(SHOP, retries).check()


def test_check_refuses_a_plan_that_was_not_reached(play):
    """A run without its faults is no evidence; the error says what was crossed instead."""
    result = play(SHOP, retries, "pay#1:once/error + pay#7:twice")
    with pytest.raises(PlanError, match=r"nothing happened at pay#7.*This run crossed: pay#1"):
        result.check()


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("pya#1:twice", r"names the tool 'pya'; this world has pay.*Did you mean 'pay'\?"),
        ("pay#1:twise", "Did you mean 'twice'"),
        ("pay", "cannot read 'pay'"),
    ],
)
def test_a_plan_of_another_world(play, plan, message):
    """Said before the run is judged."""
    with pytest.raises(PlanError, match=message):
        play(SHOP, retries, plan)


def test_the_tools_of_a_world_are_told_as_a_plan_writes_them(play):
    """On one line, whatever they are called."""

    @scenario()
    def odd(world):
        world.tool(name="a\nb")(lambda: 1)
        world.tool(name="*")(lambda: 1)

    with pytest.raises(PlanError, match=r'this world has "a\\u\{a\}b", "\*"\.'):
        play(odd, lambda world: None, "c#1:twice")


def test_sync_and_async_agents_have_the_same_history(play):
    """The door makes no difference."""

    async def same(world):
        for _ in range(3):
            try:
                reply = await world.tools.aio.pay(order_id="A17")
            except TimeoutError:
                continue
            return Completion.success(handle=reply["receipt"])
        return Completion.blocked()

    for plan in ("", "pay#1:once/timeout", "pay#1:twice", "pay#1:late/timeout + pay#2:once/error"):
        assert told(play(SHOP, same, plan).history) == told(play(SHOP, retries, plan).history)


def test_the_fault_free_run_is_the_oracle(play):
    """Laws that compare get the run of the same agent without faults."""
    plain = scenario()(shop)
    verdicts = play(plain, retries, "pay#1:twice").verdicts
    assert [v.code for one in verdicts for v in one.violations] == ["AF102", "AF105"]
    assert play(plain, retries).violations == ()


def test_run_without_a_simulation_makes_its_own():
    """Nothing of it is left: the clock is real again."""
    result = agentfuzz.run(SHOP, retries, plan="pay#1:once/timeout")
    assert [call.t for call in result.history.of(Called)] == [0.0, 30.0]
    assert threading.current_thread() is threading.main_thread()


def test_a_scenario_decorator_is_checked():
    """What is no law, no function or no budget is refused with the cure."""
    with pytest.raises(ScenarioError, match=r"@scenario\(bounded\) is no invariant; call it"):
        scenario(agentfuzz.bounded)
    with pytest.raises(ScenarioError, match="give at least 1"):
        scenario(max_crossings=0)
    with pytest.raises(ScenarioError, match="decorates a function"):
        scenario()("shop")


def test_each_run_has_a_fresh_world(play):
    """The scenario's function is called for every run, and its state begins empty."""

    def agent(world):
        world.state["n"] = world.state.get("n", 0) + 1
        return [world.state["n"], world.task]

    for _ in range(2):
        assert play(SHOP, agent).history.ended.value == [1, "Pay A17."]
