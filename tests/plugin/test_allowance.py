"""--agentfuzz-session-time: what is left of the session's time is shared by what is to come."""

import pytest

from agentfuzz.plugin.allowance import Allowance
from agentfuzz.runtime.clock import Real

from .conftest import Project
from .sources import FIXED


class _Item:
    def __init__(self, fuzzed: bool) -> None:
        self.keywords = {"agentfuzz": 1} if fuzzed else {}


class _Config:
    inipath = None

    def __init__(self, **given: float) -> None:
        self._given = given

    def getoption(self, name: str) -> float | None:
        return self._given.get(name.removeprefix("--agentfuzz-").replace("-", "_"))

    def getini(self, name: str) -> None:
        return None


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)
    time = [100.0]
    monkeypatch.setattr(Real, "monotonic", staticmethod(lambda: time[0]))
    return time


def session(*fuzzed: bool) -> list[_Item]:
    items = [_Item(one) for one in fuzzed]
    for item in items:
        item.session = type("S", (), {"items": items})
    return items


def test_the_rest_is_shared_by_what_is_to_come(now: list[float]) -> None:
    """Twelve seconds for three campaigns; the first takes one, the second six."""
    first, _, second, third = session(True, False, True, True)
    allowance = Allowance(_Config(session_time=12.0))
    assert allowance.of(first) == 4.0
    now[0] += 1.0
    assert allowance.of(second) == 5.5
    now[0] += 6.0
    assert allowance.of(third) == 5.0
    now[0] += 6.0
    assert allowance.of(third) == 0.0


def test_no_campaign_gets_more_than_one_may_have(now: list[float]) -> None:
    """--agentfuzz-max-time holds as ever, and alone where the session has no limit."""
    first, second = session(True, True)
    assert Allowance(_Config(session_time=100.0, max_time=7.0)).of(first) == 7.0
    assert Allowance(_Config(max_time=7.0)).of(second) == 7.0


def test_what_bounds_a_campaign(now: list[float]) -> None:
    """Is named by who tells that it ended too early."""
    first, second = session(True, True)
    allowance = Allowance(_Config(session_time=100.0, max_time=7.0))
    assert (allowance.of(first), allowance.bound) == (7.0, "--agentfuzz-max-time")
    now[0] += 95.0
    assert (allowance.of(second), allowance.bound) == (5.0, "--agentfuzz-session-time")


def test_workers_share_the_campaigns(now: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers take half of them each, and no campaign more than what is left."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    first, *_, last = session(True, True, True, True)
    allowance = Allowance(_Config(session_time=12.0))
    assert allowance.of(first) == 6.0
    now[0] += 2.0
    assert allowance.of(last) == 10.0


def test_a_session_says_that_its_time_was_up(project: Project) -> None:
    """A campaign whose share is nothing runs as little as with any other budget that is used up."""
    project.file("test_shop.py", FIXED)
    result = project.run("--agentfuzz", "--agentfuzz-session-time=1e-9")
    result.stdout.fnmatch_lines(
        [
            "AF801 nothing was tested: the budget (max_time)*",
            "Raise --agentfuzz-session-time.",
            "*Stopped by max_time*",
        ]
    )
    wrong = project.run("--agentfuzz", "--agentfuzz-session-time=-1")
    assert wrong.ret == 4
    wrong.stderr.fnmatch_lines(["*--agentfuzz-session-time = -1.0: must be a number of seconds*"])
