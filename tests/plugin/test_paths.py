"""The error paths that no plan entered, in a session: told, carried, and beside coverage.py."""

import importlib.metadata
import json
import sys
from typing import Any

import pytest

from agentfuzz.report import paths

from .conftest import Project
from .test_shards import merge, sharded

pytest.importorskip("coverage")

AGENT = '''
import time

from agentfuzz import Completion


class Throttled(Exception):
    """No fault raises it."""


def charge(tools):
    """Charge, and again."""
    for attempt in range(3):
        try:
            return tools.charge_card(order_id="A17")
        except Throttled:  # <script>&
            time.sleep(1)
        except TimeoutError:
            if attempt == 2:
                raise
        except ArithmeticError:  # pragma: no cover
            raise


def agent(world):
    try:
        reply = charge(world.tools)
    except (OSError, RuntimeError):
        return Completion.blocked(reason="outcome_unknown")
    if isinstance(reply, dict) and "charge_id" in reply:
        return Completion.success(handle=str(reply["charge_id"]))
    return Completion.blocked(reason="outcome_unknown")
'''
TEST = """
from agentfuzz import at_most_once, fuzz, scenario

import shop


@scenario(at_most_once("charge"), task="Charge A17.", max_crossings=20)
def charge_order(world):
    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge_card(order_id: str) -> dict:
        try:
            return {"charge_id": "ch_1"}
        except KeyError:  # the world's own
            return {}


@fuzz(charge_order)
def test_one(world):
    assert world.task, "an assert that pytest has rewritten"
    try:
        return shop.agent(world)
    except LookupError:
        return None


@fuzz(charge_order, only=("timeout",))
def test_two(world):
    return shop.agent(world)


def test_that_is_none():
    assert charge_order
"""
MANY = """
from agentfuzz import Completion, at_most_once, fuzz, scenario

{classes}


@scenario(at_most_once("charge"), task="Charge A17.")
def charge_order(world):
    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge_card(order_id: str) -> str:
        return "ok"


@fuzz(charge_order)
def test_many(world):
    for _ in "x":
        try:
            world.tools.charge_card(order_id="A17")
{handlers}
        except Exception:
            return Completion.blocked(reason="outcome_unknown")
    return Completion.success(handle="ok")
"""
NEVER = ["shop.py:16 except Throttled:  # <script>&", "test_shop.py:22 except LookupError:"]


@pytest.fixture
def shop(project: Project) -> Project:
    project.file("shop.py", AGENT)
    project.file("test_shop.py", TEST)
    project.file("pytest.ini", "[pytest]\npythonpath = .\n")
    return project


def report(project: Project) -> Any:
    return json.loads((project.path / "reports" / "agentfuzz" / "report.json").read_text())


def told(project: Project) -> list[str]:
    return [f"{one['file']}:{one['line']} {one['source']}" for one in report(project)["unreached"]]


def test_the_summary_the_index_and_the_json_name_them(shop: Project) -> None:
    """By file and line, the source line quoted, and with what came near; the world's own and what
    coverage.py leaves out are not named."""
    result = shop.campaign("--agentfuzz-paths")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "error paths: 2 of * error paths were entered by no run",
            "not entered: shop.py:16 except Throttled:  # <script>& (except; charge_card was*",
            "not entered: test_shop.py:22 except LookupError: (except; charge_card was struck*",
        ]
    )
    assert told(shop) == NEVER
    (one, two) = report(shop)["campaigns"]
    assert one["paths"]["unreached"][0]["nearest"][0]["place"] == "charge_card"
    assert two["paths"]["unreached"][0]["nearest"][0]["struck"] == [
        *("timeout", "lost", "twice", "late")
    ]
    page = (shop.path / "reports" / "agentfuzz" / "index.html").read_text()
    assert "<code>except Throttled:  # &lt;script&gt;&amp;</code>" in page
    assert paths.TITLE in page
    markdown = (shop.path / "reports" / "agentfuzz" / "index.md").read_text()
    assert "| `shop.py:16` | except | `except Throttled:  # <script>&` | charge" in markdown


def test_without_a_word_nobody_looks(shop: Project) -> None:
    """The option is off where coverage.py does not measure."""
    result = shop.campaign()
    result.stdout.no_fnmatch_line("error paths*")
    assert "unreached" not in report(shop)
    assert all("paths" not in one for one in report(shop)["campaigns"])


def test_the_ini_key_says_the_same_and_the_option_wins(shop: Project) -> None:
    shop.file("pytest.ini", "[pytest]\npythonpath = .\nagentfuzz_paths = true\n")
    shop.campaign()
    assert told(shop) == NEVER
    shop.campaign("--no-agentfuzz-paths")
    assert "unreached" not in report(shop)


def test_where_coverage_is_not_installed_the_error_has_the_cure(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "coverage":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    result = shop.campaign("--agentfuzz-paths")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: --agentfuzz-paths*pip install 'pytest-agentfuzz?paths?'"])


LOOKS = """
from agentfuzz import Completion, fuzz, scenario


@scenario(task="Note it.")
def charge_order(world):
    world.tool(lambda text: "ok", name="note")


def work(world):
    try:
        world.tools.note(text=str(len(work.__code__.co_code)))
    except LookupError:
        return None
    except Exception:
        return Completion.blocked(reason="outcome_unknown")
    return Completion.success(handle="ok")


@fuzz(charge_order)
def test_looks(world):
    return work(world)
"""


def test_an_agent_that_sees_the_watch_is_told_in_a_line(shop: Project) -> None:
    """It is no finding, and the other tests are watched as before."""
    shop.file("test_looks.py", LOOKS)
    result = shop.campaign("--agentfuzz-paths")
    result.assert_outcomes(passed=4)
    out = " ".join(result.stdout.str().split())
    assert "AF904" not in out
    assert "its error paths were not watched: the agent comes out otherwise without faults" in out
    assert (
        "error paths of test_looks.py::test_looks are not known: its agent comes out otherwise"
    ) in out
    assert told(shop) == NEVER
    page = (shop.path / "reports" / "agentfuzz" / "index.html").read_text()
    assert "test_looks.py::test_looks are not known" in page


def test_shards_leave_what_they_reached_and_the_merge_tells_it(shop: Project) -> None:
    """A shard says nothing: what it did not enter, another may. The merge says what one session
    would have said."""
    words = ("--agentfuzz-paths", "--agentfuzz-depth=2", "--agentfuzz-max-runs=300")
    shop.run("--agentfuzz", *words)
    whole = report(shop)
    for part in sharded(shop, 2, *words):
        assert "error paths" not in part
    merged = merge(shop, *words)
    assert merged.returncode == 0, merged.stdout + merged.stderr
    assert "error paths: 2 of " in merged.stdout
    assert report(shop)["unreached"] == whole["unreached"]
    assert [one["paths"] for one in report(shop)["campaigns"]] == [
        one["paths"] for one in whole["campaigns"]
    ]


def test_a_merge_of_shards_that_nobody_watched_says_so(shop: Project) -> None:
    """And names no path as unreached: what those shards have run may have entered it."""
    sharded(shop, 2, "--agentfuzz-max-runs=60")
    merged = merge(shop, "--agentfuzz-max-runs=60", "--agentfuzz-paths")
    assert merged.returncode == 0, merged.stdout + merged.stderr
    assert "shard 1/2, shard 2/2 did not watch them" in merged.stdout
    assert "not entered" not in merged.stdout


def test_a_plain_session_and_a_replay_say_nothing(shop: Project) -> None:
    """One run is no campaign."""
    result = shop.run("--agentfuzz-paths")
    result.assert_outcomes(passed=3)
    result.stdout.no_fnmatch_line("error paths*")


def test_at_most_five_are_told_in_a_terminal(project: Project) -> None:
    """And how many more there are."""
    handlers = "\n".join(f"        except E{n}: return None" for n in range(8))
    classes = "\n".join(f"class E{n}(Exception): pass" for n in range(8))
    project.file("test_many.py", MANY.format(classes=classes, handlers=handlers))
    result = project.campaign("--agentfuzz-paths")
    lines = [line for line in result.outlines if line.startswith("not entered: ")]
    assert len(lines) == 6
    assert lines[-1] == "not entered: 3 more"
    assert len(report(project)["unreached"]) == 8


@pytest.mark.slow
def test_beside_pytest_cov_it_is_on_and_the_report_of_coverage_is_the_same(shop: Project) -> None:
    """Lines, branches and what is excluded, byte for byte."""
    pytest.importorskip("pytest_cov")
    args = ("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-max-runs=80", "-p", "pytest_cov")
    cov = ("--cov=.", "--cov-branch", "--cov-report=json")

    def covered(*more: str, **env: str) -> Any:
        found = shop.spawn(*args, *cov, *more, **env)
        assert found.returncode == 0, found.stdout + found.stderr
        data = json.loads((shop.path / "coverage.json").read_text())
        del data["meta"]["timestamp"]
        return data, found.stdout

    for core in ("ctrace", "sysmon")[: 1 + (sys.version_info >= (3, 12))]:
        without, silent = covered("--no-agentfuzz-paths", COVERAGE_CORE=core)
        assert "error paths" not in silent
        with_paths, said = covered(COVERAGE_CORE=core)
        assert "error paths: 2 of " in said
        assert told(shop) == NEVER
        assert with_paths == without
        assert with_paths["files"]["shop.py"]["executed_branches"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [("--agentfuzz-workers=2",), ("-p", "xdist", "-n2"), ("--agentfuzz-memo=on",)],
    ids=["workers", "xdist", "memo"],
)
def test_other_processes_say_the_same(shop: Project, more: tuple[str, ...]) -> None:
    """The same report; of what came near, a memo knows what real runs have met."""
    args = ("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-max-runs=80", "--agentfuzz-paths")
    assert shop.run(*args).ret == 0
    first = report(shop)
    other = shop.spawn(*args, *more)
    assert other.returncode == 0, other.stdout + other.stderr
    second = report(shop)
    for one in (first, second) if "--agentfuzz-memo=on" in more else ():
        for path in one["unreached"] + [
            path for each in one["campaigns"] for path in each["paths"]["unreached"]
        ]:
            del path["nearest"]
    assert second["unreached"] == first["unreached"]
    assert [one["paths"] for one in second["campaigns"]] == [
        one["paths"] for one in first["campaigns"]
    ]


@pytest.mark.slow
def test_processes_that_begin_anew_say_the_same(shop: Project) -> None:
    """Where threads run already, another pytest imports the test, and watches as this one does."""
    thread = (
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    shop.file("conftest.py", thread)
    args = ("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-max-runs=80", "--agentfuzz-memo=off")
    found = []
    for number in "12":
        done = shop.spawn(*args, "--agentfuzz-paths", f"--agentfuzz-workers={number}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "made in one process" not in done.stdout
        found.append([one["paths"] for one in report(shop)["campaigns"]])
    assert found[0] == found[1]
    assert found[0][0]["reached"]


def test_a_file_is_read_as_python_reads_it(shop: Project) -> None:
    """In the encoding that it declares; a form feed, as old sources have it, begins no line."""
    text = f"# -*- coding: latin-1 -*-\n# caf\xe9\n\x0c\n{AGENT}"
    (shop.path / "shop.py").write_bytes(text.encode("latin-1"))
    out = shop.campaign("--agentfuzz-paths").stdout.str()
    assert "not known" not in out
    line = text.split("\n").index("        except Throttled:  # <script>&") + 1
    assert f"not entered: shop.py:{line} except Throttled:" in out
