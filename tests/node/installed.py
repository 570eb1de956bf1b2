"""A folder of JavaScript with its packages: a copy of it, installed once for each checkout.

Law: what is installed is what the lock says, and whoever comes second waits for the first. Called
by fixtures; skips with the reason where node, npm or a registry is missing.
"""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
PATIENCE = 300  # seconds


def installed(source: Path, config: pytest.Config) -> Path:
    """The copy of a folder, beside the packages of its lock."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    assert config.cache is not None, "pytest's own cache plugin is on"
    place = config.cache.mkdir(f"agentfuzz-npm-{source.name}")
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(source, place)
        shutil.copytree(source, place, ignore=shutil.ignore_patterns(*LEFT), dirs_exist_ok=True)
    return place


LEFT = ("node_modules", "__pycache__")


def _install(source: Path, place: Path) -> None:
    done, lock = place / ".installed", (source / "package-lock.json").read_text("utf-8")
    if done.exists() and done.read_text("utf-8") == lock:
        return
    done.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, place / name)
    try:
        made = subprocess.run(INSTALL, cwd=place, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm found no registry within {PATIENCE} seconds")
    if made.returncode:
        pytest.skip(f"npm could not install what {source.name} needs: {made.stderr.strip()[-300:]}")
    done.write_text(lock, "utf-8")
