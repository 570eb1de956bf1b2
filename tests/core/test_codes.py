"""Every code has a title and a page, and every page a code."""

import re
from pathlib import Path

import pytest

import agentfuzz
from agentfuzz.core.codes import CODES, FAMILIES, listing, page
from agentfuzz.core.errors import AgentfuzzError

PACKAGE = Path(agentfuzz.__file__).parent
PAGES = PACKAGE / "core" / "pages"
CODE = re.compile(r"AF\d{3}")


def test_every_code_in_the_source_is_in_the_table():
    """Whatever a law, a report or a door can print is explained."""
    used = {
        code
        for path in PACKAGE.rglob("*.py")
        if path.name != "codes.py"
        for code in CODE.findall(path.read_text("utf-8"))
    }
    assert "AF101" in used
    assert used <= set(CODES)


def test_every_page_has_a_code():
    """One page for each code, and no page without one."""
    assert {path.stem for path in PAGES.iterdir()} == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_the_page_of_a_code(code):
    """Titled, short, with three fixes and a way to silence it; other codes in it exist."""
    text = page(code)
    lines = text.splitlines()
    assert lines[0] == f"# {code} {CODES[code]}"
    assert 12 <= len(lines) <= 34
    assert max(map(len, lines)) <= 100
    assert [line[:3] for line in lines if re.match(r"\d\. ", line)] == ["1. ", "2. ", "3. "]
    for heading in ("**Why it matters.**", "**Fixes.**", "**Silence or scope it.**"):
        assert text.count(heading) == 1
    assert set(CODE.findall(text)) <= set(CODES)


def test_the_listing():
    """Every code once, under its family."""
    assert CODE.findall(listing()) == list(CODES)
    assert listing().startswith("Effects and keys\n  AF101  The effect happened again")
    assert {code[:3] for code in CODES} == set(FAMILIES)


@pytest.mark.parametrize(("code", "nearest"), [("AF-101", "AF101"), ("af204", "AF204")])
def test_an_unknown_code(code, nearest):
    """The error names the code that was probably meant."""
    with pytest.raises(AgentfuzzError, match=f"no code '{code}'.*Did you mean '{nearest}'"):
        page(code)


def test_nonsense_is_no_near_miss():
    """Where nothing is near, nothing is suggested."""
    with pytest.raises(AgentfuzzError) as caught:
        page("../errors.py")
    assert "Did you mean" not in str(caught.value)
