"""What is told in one file and read in another is written anew with every change.

Law: `make generate` would change nothing; and it would notice if it did.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NEEDED = ("agentfuzz", "docs", "scenarios", "tests", "tools", "pyproject.toml")


def check(root: Path) -> list[str]:
    """What `tools/generate.py --check` says in a checkout."""
    done = subprocess.run(
        [sys.executable, "tools/generate.py", "--check"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == len(lines), done.stderr
    return lines


def test_nothing_is_stale():
    """Registries, code titles, tables, public names and documents are those of the records."""
    assert check(ROOT) == []


@pytest.mark.slow
def test_what_is_stale_is_said(tmp_path):
    """Another title of a code, another phrase of a fault: the first list that tells it is stale
    (what is made of that list follows when it is written)."""
    for name in NEEDED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    for source in ROOT.glob("*.md"):
        shutil.copy(source, tmp_path)
    law = tmp_path / "agentfuzz/invariants/effects/no_blind_repeat.py"
    law.write_text(law.read_text().replace("Blind repeat", "Blinder repeat"))
    fault = tmp_path / "agentfuzz/model/model_faults/fan_out.py"
    fault.write_text(fault.read_text().replace("50 times at once", "fifty times"))
    assert check(tmp_path) == [
        "stale: agentfuzz/core/code_table.py",
        "stale: docs/faults.md",
    ]
