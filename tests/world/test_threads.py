"""Threads of a pool: one at a time, in an order that the plan decides, and in virtual time."""

import concurrent.futures
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from agentfuzz import Completion, exactly_once, run, scenario
from agentfuzz._run import Simulation
from agentfuzz.clock import Real
from agentfuzz.history import Called, Committed, Replied
from agentfuzz.search.campaign import Budget, Campaign

DONE = Completion.success(handle="seat_12A")


@scenario(exactly_once("booking"))
def flight(world):
    """One seat, two travellers, and a backend that trusts its caller."""
    world.state["free"] = True

    @world.tool
    def seat_is_free():
        return world.state["free"]

    @world.tool(effect="booking", scope=("seat",))
    def book_seat(seat: str, who: str):
        world.state["free"] = False
        return {"seat": seat, "who": who}


def check_then_act(world, who):
    if world.tools.seat_is_free():
        world.tools.book_seat(seat="12A", who=who)


def racy(world):
    """Two workers check, then act."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda who: check_then_act(world, who), ("Ada", "Bob")))
    return DONE


def locked(world):
    """The same under a lock."""
    lock = threading.Lock()

    def book(who):
        with lock:
            check_then_act(world, who)

    with ThreadPoolExecutor() as pool:
        list(pool.map(book, ("Ada", "Bob")))
    return DONE


def found(agent, **how):
    with Simulation() as simulation:
        budget = Budget(depth=1, deep_runs=0)
        campaign = Campaign(
            flight, agent, simulation, budget=budget, **how
        )
        campaign.search()
        return {one.code: str(one.plan) for one in campaign.result().findings}


def booked(history):
    return [commit.args["who"] for commit in history.of(Committed)]


def test_without_faults_work_is_done_where_it_is_handed_in(play):
    history = play(flight, racy).history
    assert [call.slot.name for call in history.of(Called)] == [
        "seat_is_free", "book_seat", "seat_is_free",
    ]
    assert booked(history) == ["Ada"]


def test_a_race_needs_one_fault(play):
    result = play(flight, racy, "schedule:book_seat#1:preempted")
    assert booked(result.history) == ["Bob", "Ada"]
    assert "AF101" in [violation.code for violation in result.violations]


def test_a_campaign_finds_it():
    print(found(racy))
    print(found(locked))
    begun = Real.monotonic()
    with Simulation() as s:
        r = run(flight, locked, "schedule:book_seat#1:preempted", simulation=s)
    print(r.history.ended, Real.monotonic()-begun, booked(r.history))
    assert 0
