"""Every law has its test at its place, and all that a law has to be shown with is in it.

tests/invariants/<family>/test_<law>.py
    test_held, test_broken, test_not_exercised    on histories told by hand
    test_victim, test_survivor                    in campaigns: the smallest plan, and none
"""

import ast
import re
from pathlib import Path

import pytest

from agentfuzz import invariants

HERE = Path(__file__).parent
LAWS = sorted(invariants.LAWS)
FAMILIES = ("effects", "termination", "claims", "protocol", "handoffs", "agents")
SHOWN = ("test_held", "test_broken", "test_not_exercised", "test_victim", "test_survivor")
FILES = {path.stem.removeprefix("test_"): path for path in HERE.glob("*/test_*.py")}


def test_every_law_has_one_test_and_every_test_a_law():
    """No law without a test, no test in a family that is none of a law's, no law twice."""
    assert sorted(FILES) == LAWS
    assert len(list(HERE.glob("*/test_*.py"))) == len(LAWS)
    assert {path.parent.name for path in FILES.values()} <= set(FAMILIES)


@pytest.mark.parametrize("law", LAWS)
def test_the_test_of_a_law(law):
    """It lies in the family of its law, makes that law, asserts each of the five, and shows every
    code that the law can report."""
    text = FILES[law].read_text(encoding="utf-8")
    tree = ast.parse(text)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert [name for name in SHOWN if name not in functions] == []
    for name in SHOWN:
        assert any(isinstance(node, ast.Assert) for node in ast.walk(functions[name])), name
        assert ast.get_docstring(functions[name]), name
    made = {getattr(node.func, "id", "") for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert law in made
    family = FILES[law].parent.name
    assert invariants.LAWS[law].family == family
    assert getattr(invariants, law).__module__ == f"agentfuzz.invariants.{family}.{law}"
    assert set(invariants.LAWS[law].codes) <= set(re.findall(r"AF\d{3}", text))
