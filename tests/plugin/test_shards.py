"""--agentfuzz-shard, and python -m agentfuzz merge: a campaign on several machines."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Project
from .sources import FIXED, ORDINARY, SHOP

PLUGIN = ("-p", "agentfuzz.plugin")
XDIST = ("-p", "xdist.plugin", "-n", "2")
REPORTS = "reports/agentfuzz"


def reported(project: Project) -> dict[str, str]:
    """The files of the last report."""
    return {path.name: path.read_text() for path in (project.path / REPORTS).glob("*.json")}


def forget(project: Project) -> None:
    """What was found before is not replayed."""
    shutil.rmtree(project.path / ".agentfuzz", ignore_errors=True)


def clean(project: Project) -> None:
    """As on a machine of its own."""
    forget(project)
    shutil.rmtree(project.path / REPORTS, ignore_errors=True)


def sharded(project: Project, of: int, *words: str) -> list[str]:
    """Run every shard; what each has printed. Their files are in `parts`."""
    told = []
    for n in range(1, of + 1):
        clean(project)
        result = project.run("--agentfuzz", f"--agentfuzz-shard={n}/{of}", *words)
        told.append(result.stdout.str())
        shutil.copytree(project.path / REPORTS, project.path / f"parts/{n}")
    clean(project)
    return told


def merge(
    project: Project, *words: str, folder: str = "parts", **env: str
) -> "subprocess.CompletedProcess[str]":
    """python -m agentfuzz merge."""
    return project.spawn(
        folder, "--", *PLUGIN, *words, command=[sys.executable, "-m", "agentfuzz", "merge"], **env
    )


@pytest.fixture
def shops(project: Project) -> Project:
    """A test that finds something, one that does not, and tests that are no campaigns."""
    project.shop("test_a.py")
    project.file("test_b.py", FIXED)
    project.file("test_c.py", ORDINARY)
    return project


def test_shards_merged_are_one_session(shops: Project) -> None:
    """The same files, byte for byte, of each finding and of the session; what is no campaign is
    not run again; and pytest's exit code."""
    assert shops.run("--agentfuzz").ret == 1
    wanted = reported(shops)
    told = sharded(shops, 3)
    for n, text in enumerate(told, 1):
        assert f"note: shard {n}/3 of this campaign" in text
        assert f"(shard {n}/3" in " ".join(text.split())
        assert "AF101 charge_card ran 2x, expected 1" in text
    done = merge(shops)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed, 4 deselected" in done.stdout
    assert "shard" not in done.stdout[done.stdout.index("= agentfuzz =") :]
    assert reported(shops) == wanted
    assert json.loads(wanted["report.json"])["campaigns"][1]["findings"] == []


@pytest.mark.slow
def test_with_workers_of_xdist(shops: Project) -> None:
    """In the shards and in the merge."""
    shops.run("--agentfuzz")
    wanted = reported(shops)
    for n in (1, 2):
        clean(shops)
        done = shops.spawn("--agentfuzz", f"--agentfuzz-shard={n}/2", *XDIST)
        assert f"(shard {n}/2" in " ".join(done.stdout.split()), done.stdout + done.stderr
        shutil.copytree(shops.path / REPORTS, shops.path / f"parts/{n}")
    clean(shops)
    done = merge(shops, *XDIST)
    assert done.returncode == 1, done.stdout + done.stderr
    assert reported(shops) == wanted
    assert "1 failed, 1 passed" in done.stdout


def test_a_strict_shard_is_asked_for_its_own_part(project: Project) -> None:
    """A law that only another shard may exercise fails nothing here, and fails the merge."""
    project.file("test_rare.py", RARE)
    alone = project.run("--agentfuzz", "--agentfuzz-strict")
    alone.stdout.fnmatch_lines(["  AF802 same_key_on_retry was never exercised; *"])
    told = sharded(project, 2, "--agentfuzz-strict")
    assert all("1 passed" in text for text in told)
    done = merge(project, "--agentfuzz-strict")
    assert done.returncode == 1, done.stdout
    assert "AF802 same_key_on_retry was never exercised" in done.stdout


RARE = """
from agentfuzz import Completion, fuzz, same_key_on_retry, scenario


@scenario(same_key_on_retry(), task="Tell Ann and Bob.")
def mailing(world):
    @world.tool(effect="mail", scope=("to",), dedup="scope")
    def send(to: str) -> str:
        return "sent"


@fuzz(mailing, only=("once/timeout",))
def test_rare(world):
    for to in ("ann", "bob"):
        try:
            world.tools.send(to=to)
        except TimeoutError:
            return Completion.blocked()
    return Completion.success(handle="both")
"""


# What is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["0/2", "3/2", "2", "a/b", "1/1001", "-1/2", "1/2/3"])
def test_a_part_that_is_none(project: Project, wrong: str) -> None:
    """An error before anything runs."""
    project.shop()
    done = project.run("--agentfuzz", f"--agentfuzz-shard={wrong}")
    assert done.ret == 4
    done.stderr.fnmatch_lines([f"ERROR: --agentfuzz-shard {wrong}: must be K/N, as 2/8, *"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "is of campaigns: add --agentfuzz"),
        (("--agentfuzz", "--agentfuzz-depth=1"), "set it to 2 or more"),
        (("--agentfuzz", "--agentfuzz-record=a.yaml"), "exclude each other"),
    ],
)
def test_a_shard_of_nothing(project: Project, words: tuple[str, ...], said: str) -> None:
    """Options that leave a shard nothing to do are errors."""
    project.shop()
    done = project.run("--agentfuzz-shard=1/2", *words)
    assert done.ret == 4
    assert said in done.stderr.str()


def test_a_merge_of_nothing(project: Project) -> None:
    """One line, exit code 2, and no pytest."""
    done = merge(project, folder=".")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        r"agentfuzz merge: \.: there is no file of a shard in it\. .*\n", done.stderr
    )
    done = merge(project, folder="nowhere")
    assert (done.returncode, done.stderr) == (
        2,
        "agentfuzz merge: nowhere: there is no such folder.\n",
    )
    command = [sys.executable, "-m", "agentfuzz", "merge"]
    done = project.spawn(command=command)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m agentfuzz merge DIR...")
    done = project.spawn(command=[*command, ".", "--agentfuzz-depth=3"])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[1] == "--agentfuzz-depth=3 is for pytest: write it behind --"


def test_a_merge_that_lacks_a_shard(shops: Project) -> None:
    """Before anything runs."""
    sharded(shops, 3)
    shutil.rmtree(shops.path / "parts/2")
    done = merge(shops)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the shard 2/3 is missing" in done.stderr


def test_a_merge_of_a_broken_file(shops: Project) -> None:
    """It is named."""
    sharded(shops, 2)
    broken = next((shops.path / "parts/1").rglob("*.runs"))
    broken.write_bytes(broken.read_bytes()[:-20])
    done = merge(shops)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{broken}: " in done.stderr
    assert "run that shard again" in done.stderr


def test_a_merge_of_another_state_of_the_code(shops: Project) -> None:
    """The test says so, and nothing of the shards is used."""
    sharded(shops, 2)
    shops.file("test_a.py", SHOP.replace("cents=4200", "cents=4300"))
    done = merge(shops)
    assert done.returncode == 1
    assert "another state of the code" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_a_merge_without_a_test_of_the_shards(shops: Project) -> None:
    """A test that is gone was of another commit."""
    sharded(shops, 2)
    (shops.path / "test_b.py").unlink()
    done = merge(shops)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "is of test_b.py::test_billing, which is not among the tests here" in done.stderr


def test_a_merge_with_other_options(shops: Project) -> None:
    """They have to be those of the shards."""
    sharded(shops, 2)
    done = merge(shops, "--agentfuzz-depth=3")
    assert done.returncode == 1
    assert "was made with depth 2, and this is 3" in " ".join(done.stdout.split())


def test_a_skipped_test_is_skipped_again(project: Project) -> None:
    """It has no file in any shard, and needs none."""
    skips = SHOP.replace(
        "    return billing", '    import pytest\n    pytest.skip("no")\n    return b'
    )
    project.file("test_skips.py", skips)
    project.file("test_b.py", FIXED)
    sharded(project, 2)
    done = merge(project)
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 skipped" in done.stdout
    assert not list(Path(project.path).rglob(".*.tmp"))
