"""--agentfuzz-executor: a campaign whose runs are made by a real Dask cluster of two workers."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Project

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

CLUSTER = """
import os, sys
from distributed import Client, LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        client = Client(cluster)
        print(cluster.scheduler_address, *client.run(os.getpid).values(), flush=True)
        sys.stdin.read()
"""


Cluster = tuple[str, list[int]]  # the address of a scheduler, and the processes of its workers


def a_cluster(folder: Path) -> Iterator[Cluster]:
    """Two workers, for as long as it is held."""
    script = folder / "cluster.py"
    script.write_text(CLUSTER)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        cwd=script.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    address, *pids = process.stdout.readline().split()
    yield address.replace("tcp://", "dask://"), [int(pid) for pid in pids]
    process.communicate()


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    yield from a_cluster(tmp_path_factory.mktemp("cluster"))


def reported(project: Project, *words: str) -> str:
    """The report of a campaign, as it is written."""
    shutil.rmtree(project.path / ".agentfuzz", ignore_errors=True)
    done = project.spawn("--agentfuzz", "--agentfuzz-report=json", *words)
    assert "1 failed" in done.stdout, done.stdout
    assert "made in one process" not in done.stdout
    return (project.path / "reports/agentfuzz/report.json").read_text()


def test_a_cluster_finds_the_same(project: Project, cluster: Cluster) -> None:
    """The same bytes as one process, and again when a worker was killed before."""
    address, pids = cluster
    project.shop()
    alone = reported(project)
    assert json.loads(alone)
    assert reported(project, f"--agentfuzz-executor={address}") == alone
    subprocess.run(["kill", f"-{int(signal.SIGKILL)}", str(pids[0])], check=True)
    assert reported(project, f"--agentfuzz-executor={address}") == alone


def test_a_cluster_that_is_not_there(project: Project) -> None:
    """Said once; the campaign is made here."""
    project.shop()
    begun = time.monotonic()
    done = project.spawn("--agentfuzz", "--agentfuzz-executor=dask://127.0.0.1:9")
    assert "its runs were made in one process: another did not begin (exit code 1)" in done.stdout
    assert "is a scheduler at tcp://127.0.0.1:9," in " ".join(done.stdout.split())
    assert "1 failed" in done.stdout
    assert time.monotonic() - begun < 100


@pytest.mark.parametrize("wrong", ["dask://", "dask://host", "ray://host:1", "host:1"])
def test_an_address_that_is_none(project: Project, wrong: str) -> None:
    """An error before anything runs."""
    project.shop()
    done = project.run("--agentfuzz", f"--agentfuzz-executor={wrong}")
    assert done.ret == 4
    done.stderr.fnmatch_lines(
        [f"ERROR: --agentfuzz-executor * = {wrong}: must be dask://host:port"]
    )
