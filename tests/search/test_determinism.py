"""The same seed gives the same campaign: here, again, and in a process of another hash seed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentfuzz.archive.transport import from_json, to_json
from agentfuzz.core.codec import dump
from agentfuzz.engine.simulation import Simulation

from .loops import LOOPS, orders
from .programs import program
from .support import hunt
from .test_systematic import SPACE

TESTS = Path(__file__).resolve().parents[1]


def results() -> str:
    """Some campaigns as text: with findings and without, all phases, two seeds."""
    told = []
    with Simulation() as simulation:
        for number in (1, 8):
            scenario, agent = program(number)
            result = hunt(scenario, agent, simulation, space=SPACE, depth=1, seed=number)
            told.append(to_json(result))
        for seed in (0, 1):
            for name in ("correct", "b1"):
                result = hunt(orders("visible"), LOOPS["visible"][name], simulation, seed=seed)
                told.append(to_json(result))
    for one in told:
        del one["seconds"]
    return dump(told)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_result() -> None:
    assert results() == results()


def test_a_result_comes_back_from_its_json_as_it_was() -> None:
    scenario, agent = program(1)
    with Simulation() as simulation:
        result = hunt(scenario, agent, simulation, space=SPACE, depth=1)
    assert result.findings
    assert to_json(from_json(json.loads(dump(to_json(result))))) == to_json(result)


@pytest.mark.slow
def test_another_hash_seed_gives_the_same_result() -> None:
    told = set()
    for seed in ("1", "2"):
        code = "from search.test_determinism import results; print(results())"
        told.add(
            subprocess.run(
                [sys.executable, "-c", code],
                env={
                    **os.environ,
                    "PYTHONHASHSEED": seed,
                    "PYTHONIOENCODING": "utf-8",
                    "PYTHONPATH": str(TESTS),
                },
                check=True,
                capture_output=True,
                text=True,
                encoding="utf-8",
            ).stdout
        )
    assert told == {results() + "\n"}
