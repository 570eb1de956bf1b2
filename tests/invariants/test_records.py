"""What a law tells of itself, in its own file, for every list of laws and codes."""

import inspect
import re
from pathlib import Path

import pytest

import agentfuzz
from agentfuzz import invariants
from agentfuzz.core.codes import CODES, page
from agentfuzz.engine.scenario import ALWAYS
from agentfuzz.invariants import LAWS, Invariant

HOME = Path(invariants.__file__).parent
FAMILIES = {
    "effects": "AF1",
    "termination": "AF2",
    "claims": "AF3",
    "protocol": "AF4",
    "handoffs": "AF6",
    "agents": "AF7",
}
REPORTS = re.compile(r'"(AF\d{3})"')


def test_every_law_has_a_record():
    """What users import are the laws, the noun, and the way to write one's own."""
    assert list(LAWS) == sorted(LAWS)
    assert {*LAWS, "Invariant", "invariant"} == set(invariants.__all__)
    for name, record in LAWS.items():
        assert getattr(invariants, name).record is getattr(agentfuzz, name).record is record


@pytest.mark.parametrize("record", LAWS.values(), ids=list(LAWS))
def test_the_record_of_a_law(record):
    """It is told where the law lives, and its codes are of its family."""
    assert (HOME / record.family / f"{record.name}.py").is_file()
    own = "AF9" if record.name in ("survives", "assertions_hold") else FAMILIES[record.family]
    assert record.codes
    for code, title in record.codes.items():
        assert code.startswith(own)
        assert CODES[code] == title
        assert page(code).startswith(f"# {code} {title}\n")


@pytest.mark.parametrize("record", LAWS.values(), ids=list(LAWS))
def test_a_law_reports_no_code_that_it_does_not_declare(record):
    """Every code in the code of a law's file is in its record."""
    source = (HOME / record.family / f"{record.name}.py").read_text(encoding="utf-8")
    assert set(REPORTS.findall(source)) == set(record.codes)


@pytest.mark.parametrize("record", LAWS.values(), ids=list(LAWS))
def test_a_law_opens_with_what_holds(record):
    """One sentence in plain words; the catalogue's id stands in the record."""
    assert re.fullmatch(r"[A-Z].{20,100}\.", record.holds)
    assert not re.match(r"[A-Z]\d+\b", record.holds)
    assert inspect.getdoc(getattr(invariants, record.name)).split()[:3] == record.holds.split()[:3]


@pytest.mark.parametrize("name", LAWS)
def test_help_shows_the_parameters_and_what_comes_of_them(name):
    """`help(exactly_once)` ends in `-> Invariant`, not in the check that is built inside."""
    law = getattr(invariants, name)
    assert inspect.signature(law).return_annotation is Invariant
    assert law.__annotations__["return"] is Invariant
    assert "args" not in inspect.signature(law).parameters


def test_the_parameters_of_a_law():
    """They are those of the function that was decorated."""
    assert list(inspect.signature(invariants.exactly_once).parameters) == ["effect", "intents"]


def test_what_is_part_of_every_scenario():
    """The records say what the scenarios do."""
    assert {law.name for law in ALWAYS} == {law.name for law in LAWS.values() if law.always}


def test_no_law_imports_another_one():
    """What two laws ask is a query."""
    for path in HOME.glob("*/*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for line in lines:
            if line.startswith("from agentfuzz.invariants"):
                assert re.match(r"from agentfuzz\.invariants\.(law|queries)\b", line), path
