"""`dedup="probe"`: a body is called twice on its own state before the campaign, and believed."""

import sqlite3

import pytest

from agentfuzz import Completion, run, scenario
from agentfuzz.core.errors import ScenarioError
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign

from .stories import bare_world

CHARGED: dict[str, int] = {}


class Bank:
    rows: list[str] = []

    def __init__(self) -> None:
        self.balance = 0


def by_scope(world):
    charged = {}

    def charge(order_id: str, cents: int) -> dict:
        if order_id in charged:
            return {"charge_id": charged[order_id], "again": True}
        charged[order_id] = f"ch_{len(charged) + 1}"
        return {"charge_id": charged[order_id]}

    return charge


def by_key(world):
    world.state["charged"] = {}

    def charge(order_id: str, cents: int, idempotency_key: str | None = None) -> dict:
        charged = world.state["charged"]
        key = idempotency_key or f"none-{len(charged)}"
        charged.setdefault(key, f"ch_{len(charged) + 1}")
        return {"charge_id": charged[key]}

    return charge


def by_scope_whatever_the_key(world):
    bank = Bank()

    def charge(order_id: str, cents: int, idempotency_key: str | None = None) -> dict:
        if not getattr(bank, order_id, False):
            setattr(bank, order_id, True)
            bank.balance += cents
        return {"charge_id": "ch_1"}

    return charge


def not_at_all(world):
    bank = Bank()

    def charge(order_id: str, cents: int) -> dict:
        bank.balance += cents
        return {"charge_id": "ch_1"}

    return charge


def in_its_class(world):
    Bank.rows.clear()

    def charge(order_id: str, cents: int) -> dict:
        if order_id not in Bank.rows:
            Bank.rows.append(order_id)
        return {"charge_id": "ch_1"}

    return charge


def in_its_module(world):
    CHARGED.clear()

    def charge(order_id: str, cents: int) -> dict:
        CHARGED.setdefault(order_id, cents)
        return {"charge_id": "ch_1"}

    return charge


def in_a_circle(world):
    bank = Bank()
    branch = {"of": bank, "orders": []}
    bank.branch = branch

    def charge(order_id: str, cents: int) -> dict:
        if order_id not in bank.branch["orders"]:
            bank.branch["orders"].append(order_id)
        return {"charge_id": "ch_1"}

    return charge


def refuses(world):
    charged = set()

    def charge(order_id: str, cents: int) -> dict:
        if order_id in charged:
            raise ValueError("there is one")
        charged.add(order_id)
        return {"charge_id": "ch_1"}

    return charge


def awaited(world):
    charged = by_scope(world)

    async def charge(order_id: str, cents: int) -> dict:
        return charged(order_id, cents)

    return charge


def a_stand_in(world):
    def charge(order_id: str, cents: int) -> dict:
        return {"charge_id": "ch_1"}

    return charge


def broken(world):
    def charge(order_id: str, cents: int) -> dict:
        raise KeyError("no such order")

    return charge


def story(make, **how):
    @scenario(task="Charge A17.")
    def shop(world):
        world.tool(effect="charge", scope=("order_id",), dedup="probe", **how)(make(world))

    return shop


def agent_with(**more):
    async def agent(world):
        try:
            words = {"order_id": "A17", "cents": 4200, **more}
            receipt = await world.tools.aio.charge(**words)
            return Completion.success(handle=receipt["charge_id"])
        except Exception:
            return Completion.blocked(reason="outcome_unknown")

    return agent


AGENT = agent_with()
KEYED = agent_with(idempotency_key="charge-A17")


@pytest.mark.parametrize(
    ("make", "agent", "dedup"),
    [
        (by_scope, AGENT, "scope"),
        (by_key, KEYED, "key"),
        (by_key, AGENT, "key"),
        (by_scope_whatever_the_key, KEYED, "scope"),
        (by_scope_whatever_the_key, AGENT, "scope"),
        (not_at_all, AGENT, "none"),
        (in_its_class, AGENT, "scope"),
        (in_its_module, AGENT, "scope"),
        (in_a_circle, AGENT, "scope"),
        (refuses, AGENT, "none"),
        (awaited, AGENT, "scope"),
        (a_stand_in, AGENT, "none"),
        (broken, AGENT, "none"),
    ],
)
def test_what_is_found_is_what_holds(simulation, make, agent, dedup):
    """In every run the tool is declared as its body was found to be; the run in which that was
    found out leaves no effect in any ledger, and no state in any world."""
    played = run(story(make), agent, simulation=simulation)
    assert played.history.tools["charge"].dedup == dedup
    assert len(played.history.ledger) == (make is not broken)
    twice = run(story(make), agent, "charge#1:twice", simulation=simulation)
    once = dedup == "scope" or make is refuses or agent is KEYED
    assert len(twice.history.ledger) == (0 if make is broken else 1 if once else 2)


def test_a_key_too_long_for_the_body(simulation):
    """It is the agent's own key that has to be recognised, not any other."""

    def keeps_eight_characters(world):
        kept = []

        def charge(order_id: str, cents: int, idempotency_key: str | None = None) -> dict:
            if idempotency_key not in kept:
                kept.append((idempotency_key or "")[:8])
            return {"charge_id": "ch_1"}

        return charge

    for key, dedup in (("A17", "key"), ("charge-A17", "none")):
        agent = agent_with(idempotency_key=key)
        played = run(story(keeps_eight_characters), agent, "charge#1:twice", simulation=simulation)
        assert played.history.tools["charge"].dedup == dedup
        assert len(played.history.ledger) == (1 if dedup == "key" else 2)


def told(shop, agent):
    with Simulation() as simulation:
        campaign = Campaign(shop, agent, simulation, budget=Budget(depth=1, deep_runs=0))
        campaign.search()
        return campaign.result()


def test_the_summary_says_what_was_found():
    """Beside the clean run; nothing is noted."""
    result = told(story(by_scope), AGENT)
    assert result.clean.endswith(
        "; charge: dedup probed: scope (a second call leaves its state alone)"
    )
    assert result.notes == ()
    assert result.findings == ()
    again = told(story(by_scope), AGENT)
    assert (again.runs, again.clean) == (result.runs, result.clean)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (a_stand_in, "its first call changes no state that can be seen"),
        (broken, "its body raised KeyError: 'no such order'"),
    ],
)
def test_what_cannot_be_probed_is_said(make, why):
    """A stand-in looks as if it recognised everything: it is believed nothing."""
    result = told(story(make), AGENT)
    assert result.notes == (
        f"charge: dedup cannot be probed: {why}. Give state=lambda: ..., or say dedup=.",
    )
    assert ("AF102" in [cx.code for cx in result.findings]) == (make is a_stand_in)


def test_a_tool_that_is_never_called():
    """There are no arguments to call it with."""
    result = told(story(by_scope), lambda world: Completion.success())
    assert "the run without faults never calls it" in result.notes[0]


def test_the_state_may_lie_elsewhere(simulation):
    """In a database, of which the body closes over no more than a connection."""

    def shop(statement, **how):
        @scenario(task="Charge A17.")
        def shop(world):
            db = sqlite3.connect(":memory:")
            db.execute("create table charges (order_id text, cents int)")
            if "ignore" in statement:
                db.execute("create unique index once on charges (order_id)")
            rows = (lambda: db.execute("select * from charges").fetchall()) if how else None

            @world.tool(effect="charge", scope=("order_id",), dedup="probe", state=rows)
            def charge(order_id: str, cents: int) -> dict:
                db.execute(statement, (order_id, cents))
                return {"charge_id": "ch_1"}

        return shop

    ignoring = "insert or ignore into charges values (?, ?)"
    adding = "insert into charges values (?, ?)"
    for statement, how, dedup in (
        (ignoring, {"state": True}, "scope"),
        (adding, {"state": True}, "none"),
        (ignoring, {}, "none"),
    ):
        played = run(shop(statement, **how), AGENT, simulation=simulation)
        assert played.history.tools["charge"].dedup == dedup


def test_a_scenario_is_asked_once(simulation):
    """One run more in a simulation, whatever number of runs follows."""
    runs = []

    def counted(world):
        runs.append(world)
        return AGENT(world)

    shop = story(by_scope)
    for _ in range(3):
        run(shop, counted, simulation=simulation)
    assert len(runs) == 4


def test_a_state_that_fails_is_the_scenarios_mistake(simulation):
    """Named, with what it is for."""
    with pytest.raises(
        ScenarioError, match=r"state= of the tool 'charge' raised ZeroDivisionError"
    ):
        run(story(not_at_all, state=lambda: 1 / 0), AGENT, simulation=simulation)
    played = run(story(not_at_all), AGENT, simulation=simulation)
    assert len(played.history.ledger) == 1


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({}, "has no effect to repeat"),
        ({"effect": "charge", "observe": lambda world: []}, "sees by itself"),
    ],
)
def test_what_has_nothing_to_probe(how, why):
    """Refused at the declaration."""
    with pytest.raises(ScenarioError, match=why):
        bare_world().tool(dedup="probe", **how)(lambda: 0)
