"""A run that crosses nothing is interrupted, whatever it does with the interruption."""

import time

import pytest

from agentfuzz import run, scenario
from agentfuzz._run import Simulation


@scenario()
def anywhere(world):
    @world.tool
    def look(): ...


def spins(world):
    while True:
        pass


async def spins_asynchronously(world):
    spins(world)


@pytest.mark.parametrize("agent", [spins, spins_asynchronously])
def test_a_loop_that_spins_is_cut_off(agent):
    """Its place is named, and the next run of the simulation is as any other."""
    with Simulation(run_timeout=0.1) as simulation:
        ended = run(anywhere, agent, simulation=simulation).history.ended
        after = run(anywhere, lambda world: "fine", simulation=simulation).history.ended
    assert (ended.how, ended.error) == ("cut_off", "spinning")
    assert "(test_watchdog.py:" in ended.detail
    assert (after.how, after.value) == ("returned", "fine")


def test_a_loop_that_only_sleeps_is_cut_off():
    """Virtual years pass and nothing is asked of the world."""

    def sleeps(world):
        while True:
            time.sleep(3600)

    with Simulation(run_timeout=0.1) as simulation:
        ended = run(anywhere, sleeps, simulation=simulation).history.ended
    assert (ended.how, ended.error) == ("cut_off", "spinning")
