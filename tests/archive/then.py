"""Where the files lie that released versions wrote, and what their plans say today."""

from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).parent / "fixtures"
V1 = FIXTURES / "0.1.0"
PLANS = {
    "test_tools.py::test_one_fault": "charge_card#1:once/timeout",
    "test_tools.py::test_two_faults": "charge_card#1:once/timeout + look_up#1:once/timeout",
    "test_tools.py::test_an_odd_name": r'"\"best\""#1:once/timeout',
    "test_tools.py::test_a_tool_that_is_called_turn": "tool:turn#1:once/timeout",
    "test_models.py::test_does_as_it_is_told": "model#1:repeat",
    "test_lives.py::test_at_a_call": "process:charge_card#1:crash/after",
    "test_lives.py::test_at_a_save": "store:cursor#1:crash",
    "test_lives.py::test_at_a_turn": "turn#1:crash",
    "test_lives.py::test_at_the_end": "end#1:duplicate_trigger",
    "test_lives.py::test_in_doubt": 'store:"in doubt"#1:crash + charge_card#1:once/timeout',
    "test_people.py::test_check_then_act": "schedule:charge_card#1:preempted",
    "test_people.py::test_every_click": "approval:charge_card#1:double_click",
}


def files(pattern: str) -> list[Any]:
    """Every fixture of a kind, of every version, for a test of each."""
    found = sorted(FIXTURES.glob(f"*/{pattern}"))
    assert found, pattern
    return [pytest.param(path, id=path.relative_to(FIXTURES).as_posix()) for path in found]
