"""The blocks of a session: each cause once, as wide as the terminal, and in its colours."""

import re
import shutil

import pytest

from .conftest import Project
from .sources import BASE, SHOP

TWO = (
    SHOP
    + """

@fuzz(charge_order, only=("once/timeout", "twice"))
def test_refunds(world):
    return billing_agent(world.tools)
"""
)
ESC = re.compile(r"\x1b\[([0-9;]*)m")


def test_a_cause_is_told_once_and_the_other_test_says_where(project: Project) -> None:
    """Both tests fail, with one block; the other has its own replay line, which works."""
    project.shop()
    project.file("test_shop.py", TWO)
    result = project.campaign()
    result.assert_outcomes(failed=2)
    text = result.stdout.str()
    assert text.count("effect 2 = same intent") == 1
    assert "The same cause as in test_shop.py::test_billing, told there." in text
    short = text[text.index("The same cause as in") :]
    (own,) = re.findall(r"replay   pytest (--agentfuzz-replay) (AF-\w+)", short)[:1]
    again = project.run(*own)
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["*test_refunds*", "*effect 2 = same intent*"])


def test_what_is_told_is_shown(project: Project) -> None:
    """A test that is expected to fail shows nothing, and tells for no other."""
    expected = SHOP.replace("@fuzz(", "@pytest.mark.xfail\n@fuzz(", 1)
    project.file("test_shop.py", f"import pytest\n{TWO.replace(SHOP, expected)}")
    result = project.campaign()
    result.assert_outcomes(failed=1, xfailed=1)
    text = result.stdout.str()
    assert "told there" not in text
    assert text.count("effect 2 = same intent") == 1


@pytest.mark.parametrize(
    ("formats", "suffix"),
    [("auto", ".html"), ("markdown", ".md"), ("json", ""), ("no-html", ".md")],
)
def test_a_page_is_named_if_one_is_written(project: Project, formats: str, suffix: str) -> None:
    """That which people open first; none where only machines read."""
    project.file("test_shop.py", TWO)
    text = project.campaign(f"--agentfuzz-report={formats}").stdout.str()
    pages = re.findall(r"  (?:more|    )     (reports/\S+)", text)
    assert len(pages) == 2 * bool(suffix)
    for page in pages:
        assert page.endswith(suffix)
        assert (project.path / page).exists(), page
    assert "more     pytest --agentfuzz-explain AF101" in text or suffix


def test_no_page_is_named_that_could_not_be_written(project: Project) -> None:
    """A file is where the folder should be."""
    project.shop()
    project.file("reports", "")
    text = project.campaign().stdout.str()
    assert "report not written" in text
    assert "more     pytest --agentfuzz-explain AF101" in text
    assert "reports/agentfuzz/AF" not in text


def test_it_leads_to_the_page_that_was_written(project: Project) -> None:
    """Wherever reports are written, and whoever tells it."""
    expected = SHOP.replace("@fuzz(", "@pytest.mark.xfail\n@fuzz(", 1)
    third = TWO.replace("test_refunds", "test_third").removeprefix(SHOP)
    project.file("test_shop.py", f"import pytest\n{TWO.replace(SHOP, expected)}{third}")
    text = project.campaign("--agentfuzz-report-dir=out").stdout.str()
    pages = re.findall(r"more     (\S+\.html)", text)
    assert len(pages) >= 2
    for page in pages:
        assert page.startswith("out/")
        assert (project.path / page).exists(), page


def test_workers_of_xdist_tell_it_the_same(project: Project) -> None:
    """Which of them found it does not matter."""
    pytest.importorskip("xdist")
    project.file("test_shop.py", TWO)
    words = ("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-max-runs=80")
    one = project.spawn(*words).stdout
    two = project.spawn("-p", "xdist.plugin", "-n", "2", *words).stdout
    for text in (one, two):
        assert text.count("effect 2 = same intent") == 1
    blocks = [text[text.index("AF101") : text.index("short test summary")] for text in (one, two)]
    for told in ("replay   pytest", "places   test_shop.py::test_refunds"):
        assert [told in block for block in blocks] == [True, True]


@pytest.mark.parametrize("columns", [60, 80, 130, 400])
def test_it_is_as_wide_as_the_terminal(project: Project, columns: int) -> None:
    """And no wider than a line that one can read."""
    project.shop()
    words = ("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-max-runs=80")
    lines = project.spawn(*words, COLUMNS=str(columns)).stdout.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("AF101"))
    last = next(n for n, line in enumerate(lines) if line.startswith("report: "))
    mine = [line for line in lines[first:last] if not line.startswith(("=", "_"))]
    assert max(map(len, mine)) <= min(columns, 160)
    wide = max(
        len(line)
        for line in mine
        if "took effect" in line or "covered" in line or "Without" in line
    )
    assert wide > min(columns, 80) * 0.5


def test_colours_only_where_pytest_has_them(project: Project) -> None:
    """The code, the fault and the arrow that was lost; without them the text is the same."""
    project.shop()
    words = ("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-max-runs=80")
    plain = project.spawn(*words, "--color=no").stdout
    shutil.rmtree(project.path / ".agentfuzz")
    colour = project.spawn(*words, "--color=yes").stdout
    assert "\x1b" not in plain
    for shown in ("AF101", "x---", "  !"):
        assert re.search(rf"\x1b\[[0-9;]*m{re.escape(shown)}\x1b\[0m", colour), shown
    bare = ESC.sub("", colour)
    cut = [text[text.index("AF101") : text.index("replay   pytest")] for text in (plain, bare)]
    assert cut[0] == cut[1]


def test_what_an_agent_says_brings_no_colour(project: Project) -> None:
    """An escape of the agent's stays one that is shown."""
    project.file(
        "test_shop.py",
        BASE + "\n@fuzz(charge_order)\ndef test_x(world):\n    return '\\x1b[31mdone\\x1b[0m'\n",
    )
    out = project.spawn("--agentfuzz", "--agentfuzz-max-runs=20", "--color=no").stdout
    assert "\x1b" not in out
    assert r"\x1b[31mdone" in out


def test_quiet_is_one_headline_and_it_is_whole(project: Project) -> None:
    """However narrow the terminal is."""
    project.shop()
    out = project.spawn(
        "-q", "--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-max-runs=80", COLUMNS="40"
    ).stdout
    section = out[out.rindex(" agentfuzz =") :].splitlines()[1:]
    told = " ".join(section[: next(n for n, line in enumerate(section) if line.startswith("="))])
    assert re.match(r"1 campaign, \d+ runs, \d+ faults struck, [\d.]+ s: .*Seed 0\.$", told), told


def test_the_source_stands_at_the_place(project: Project) -> None:
    """Five lines, the one that called again marked."""
    project.shop()
    text = project.campaign().stdout.str()
    found = re.search(r"code     test_shop\.py:(\d+) billing_agent\n((?: {11}.*\n){5})", text)
    assert found, text
    lines = found[2].splitlines()
    assert lines[2].strip().startswith(f"> {found[1]}")
    assert "tools.charge_card(" in lines[2]


def test_the_second_session_writes_what_the_first_wrote(project: Project) -> None:
    """What is saved is met by the search again: the files of a cause are the same bytes."""
    project.shop()
    folder, told = project.path / "reports/agentfuzz", []
    for _ in range(2):
        project.campaign().assert_outcomes(failed=1)
        told.append({path.name: path.read_bytes() for path in folder.glob("AF-*")})
        shutil.rmtree(folder)
    assert told[0] == told[1]
    assert any(b"here is no smaller plan" in page for page in told[1].values())
