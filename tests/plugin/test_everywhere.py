"""One campaign of thousands of plans, wherever its runs are made: the same bytes.

Law: inline, on a pool, in shards and on a cluster, the report is one and the same, and a worker
that is killed in the middle changes nothing.
"""

import fcntl
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from agentfuzz.core.findings import CampaignResult
from agentfuzz.engine.simulation import Simulation
from agentfuzz.report.formats import json as json_format
from agentfuzz.search import runner
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from tests.extent import upto

from .conftest import Project
from .test_dask import Cluster, a_cluster

pytestmark = pytest.mark.slow

PLANS, MAILS = upto(2_048, 8_192), upto(9, 17)
MANY = f"""
from agentfuzz import Completion, exactly_once, fuzz, scenario


@scenario(exactly_once("mail"), task="Mail all.")
def mailing(world):
    @world.tool(effect="mail", scope=("to",), dedup="scope")
    def send(to: int) -> dict:
        return {{"sent": to}}


def mail_all(world):
    missed = 0
    for to in range({MAILS}):
        try:
            world.tools.send(to=to)
        except Exception:
            missed += 1
    return Completion.blocked() if missed > 1 else Completion.success(handle="all")


REPLIES = ("timeout", "error", "rate_limited", "ambiguous")


@fuzz(mailing, only=[f"{{way}}/{{reply}}" for way in ("once", "lost") for reply in REPLIES])
def test_many(world):
    return mail_all(world)
"""
BUDGET = ("--agentfuzz-max-time=600", "--agentfuzz-max-runs=20000", "--agentfuzz-report=json")


def reported(project: Project, *words: str, shards: str = "") -> str:
    """The SHA-256 of the report that a session writes."""
    shutil.rmtree(project.path / ".agentfuzz", ignore_errors=True)
    command: list[str] = []
    if shards:
        command = [
            sys.executable,
            "-m",
            "agentfuzz",
            "merge",
            shards,
            "--",
            "-p",
            "agentfuzz.plugin",
        ]
    done = project.spawn("--agentfuzz", *BUDGET, *words, command=command)
    assert "1 failed" in done.stdout, done.stdout + done.stderr
    assert "made in one process" not in done.stdout
    folders = [one.partition("report-dir=")[2] for one in words]
    folder = next(filter(None, folders), "reports/agentfuzz")
    return sha256((project.path / folder / "report.json").read_bytes()).hexdigest()


@pytest.fixture
def many(project: Project) -> Project:
    """The campaign."""
    project.file("test_many.py", MANY)
    return project


@pytest.fixture
def alone(many: Project, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its report, by one process; made once for all workers of a session."""
    place = tmp_path_factory.getbasetemp()
    place = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place
    kept = place / "everywhere.sha256"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(_alone(many))
    return kept.read_text()


def _alone(many: Project) -> str:
    digest = reported(many)
    (campaign,) = json.loads((many.path / "reports/agentfuzz/report.json").read_text())["campaigns"]
    assert campaign["stopped"] == "exhausted"
    plans = [level["done"] for level in campaign["levels"] if "fault" in level["name"]]
    assert sum(plans) >= PLANS
    return digest


def test_on_two_processes(many: Project, alone: str) -> None:
    assert reported(many, "--agentfuzz-workers=2") == alone


def test_on_two_processes_beside_a_memo(many: Project) -> None:
    """A part of it: to a plain loop a memo is dear."""
    part = "--agentfuzz-max-runs=1000"
    beside = reported(many, part, "--agentfuzz-workers=2", "--agentfuzz-memo=on")
    assert beside == reported(many, part, "--agentfuzz-memo=off")


def test_in_two_shards(many: Project, alone: str) -> None:
    for n in (1, 2):
        reported(many, f"--agentfuzz-shard={n}/2", f"--agentfuzz-report-dir=parts/{n}")
    assert reported(many, shards="parts") == alone


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Of two workers."""
    yield from a_cluster(tmp_path_factory.mktemp("cluster"))


def test_on_a_cluster(many: Project, alone: str, cluster: Cluster) -> None:
    words = ("--agentfuzz-workers=2", f"--agentfuzz-executor={cluster[0]}")
    assert reported(many, *words) == alone


def test_a_worker_that_is_killed_in_the_middle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9, when a third of the plans and two thirds of them are done: the same findings, and
    all else that is told."""
    monkeypatch.setattr(runner, "safe", lambda: True)
    (tmp_path / "many.py").write_text(MANY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "many", raising=False)
    import many

    killed: list[int] = []

    def kill(campaign: Campaign) -> None:
        if campaign.runs > PLANS * (len(killed) + 1) / 3 and len(killed) < 2:
            child = campaign.runner.executor._children[len(killed)]  # type: ignore[attr-defined]
            os.kill(child.pid, signal.SIGKILL)
            killed.append(child.pid)

    def searched(workers: int) -> CampaignResult:
        budget = Budget(max_runs=20_000, max_seconds=600.0, workers=workers)
        with Simulation() as simulation:
            campaign = Campaign(
                many.mailing,
                many.mail_all,
                simulation,
                nodeid="t::t",
                space=many.test_many.agentfuzz.space(),
                budget=budget,
                watch=kill if workers > 1 else None,
            )
            campaign.search()
            return campaign.result()

    alone, together = searched(1), searched(2)
    assert len(killed) == 2
    assert json_format.run([together]) == json_format.run([alone])
    findings = [[json_format.finding(cx) for cx in one.findings] for one in (alone, together)]
    assert findings[0] == findings[1] != []
