"""What outlives the process of a child: stores and files. What dies with it: all else."""

import os
import sqlite3
import uuid
from pathlib import Path
from typing import Any

import pytest

from agentfuzz import Completion, World, in_child
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.space import Space
from engine.children import Agent, card_twice, history
from tests.extent import upto

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def file_store(place: Path, *, first: bool) -> Agent:
    """A loop with a file of its own. Written before the charge, it survives; after it, not: then
    the crash between the two repeats the charge."""

    def agent(world: World) -> Completion:
        path = place / "state.txt"
        if world.leg == 1:
            path.unlink(missing_ok=True)
        if path.exists():
            return Completion.blocked(reason="outcome_unknown") if first else Completion.success()
        if first:
            with world.saving("file"):
                path.write_text("charging")
        world.tools.charge(order_id="A17")
        if not first:
            with world.saving("file"):
                path.write_text("charged")
        return Completion.success(handle="A17")

    return agent


def sqlite_store(place: Path, *, first: bool) -> Agent:
    """The same with SQLite: what was not committed is not there after the crash."""

    def agent(world: World) -> Completion:
        path = place / "state.db"
        if world.leg == 1:
            path.unlink(missing_ok=True)
        connection = sqlite3.connect(path)
        connection.execute("create table if not exists charged (order_id text primary key)")
        if connection.execute("select * from charged").fetchall():
            return Completion.blocked(reason="outcome_unknown") if first else Completion.success()
        if first:
            connection.execute("insert into charged values ('A17')")
            with world.saving("db"):
                connection.commit()
        world.tools.charge(order_id="A17")
        if not first:
            connection.execute("insert into charged values ('A17')")
            with world.saving("db"):
                connection.commit()
        connection.close()
        return Completion.success(handle="A17")

    return agent


def crashes(agent: Agent, story: Any, simulation: Simulation) -> list[str]:
    """What every plan with one crash finds, and in `make test-all` every pair of them."""
    space = Space(faults=story.faults, only=("crash",))
    budget = Budget(depth=upto(1, 2), deep_runs=0, max_seconds=600.0)
    campaign = Campaign(story, agent, simulation, space=space, budget=budget)
    campaign.search()
    return [f"{one.code} {one.plan}" for one in campaign.result().findings]


@pytest.mark.parametrize("wrap", [in_child, lambda agent: agent], ids=["SIGKILL", "in process"])
@pytest.mark.parametrize(("store", "saves"), [(file_store, "file"), (sqlite_store, "db")])
def test_a_store_of_its_own_survives_the_crash(
    tmp_path: Path, simulation: Simulation, store: Any, saves: str, wrap: Any
) -> None:
    victim, survivor = store(tmp_path, first=False), store(tmp_path, first=True)
    found = crashes(wrap(victim), card_twice, simulation)
    assert found == [f"AF101 store:{saves}#1:crash"]
    assert crashes(wrap(survivor), card_twice, simulation) == []


def test_memory_dies_with_the_process(simulation: Simulation) -> None:
    memory: list[int] = []

    def agent(world: World) -> list[int]:
        memory.append(world.leg)
        world.tools.charge(order_id="A17")
        return memory

    plan = "process:charge#1:crash"
    assert history(simulation, in_child(agent), plan, card_twice).ended.value == [2]
    assert memory == []


def test_an_open_transaction_is_rolled_back(tmp_path: Path, simulation: Simulation) -> None:
    """The dead process had the database locked; the next one gets it."""

    def agent(world: World) -> int:
        connection = sqlite3.connect(tmp_path / "open.db", timeout=0)
        connection.execute("create table if not exists seen (leg int)")
        connection.commit()
        connection.execute("insert into seen values (?)", (world.leg,))
        world.tools.charge(order_id="A17")
        connection.commit()
        return int(connection.execute("select sum(leg) from seen").fetchone()[0])

    found = history(simulation, in_child(agent), "process:charge#1:crash", card_twice)
    assert found.ended.value == 2


def test_a_new_process_draws_other_numbers(simulation: Simulation) -> None:
    def agent(world: World) -> str:
        world.store[f"leg {world.leg}"] = uuid.uuid4().hex
        world.tools.charge(order_id="A17")
        return " ".join(world.store[key] for key in world.store)

    child = in_child(agent)
    one, other = (history(simulation, child, "process:charge#1:crash", card_twice) for _ in "ab")
    first, second = one.ended.value.split()
    assert first != second
    assert one.events == other.events
