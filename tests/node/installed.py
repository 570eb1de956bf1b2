"""A folder of JavaScript with its packages: a copy of it, installed once for each checkout.

Law: what is installed is what the lock says, and whoever comes second waits for the first. Called
by fixtures and by the benchmark.
"""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
PATIENCE = 300  # seconds
LEFT = ("node_modules", "__pycache__")  # what is no part of a copy


class NotInstalled(Exception):
    """Node, npm or a registry is missing, and which."""


def installed_for(config: pytest.Config, source: Path) -> Path:
    """The copy of a folder in pytest's cache; skips the test where there can be none."""
    assert config.cache is not None, "pytest's own cache plugin is on"
    try:
        return installed(source, config.cache.mkdir(f"agentfuzz-npm-{source.name}"))
    except NotInstalled as missing:
        pytest.skip(str(missing))


def installed(source: Path, place: Path) -> Path:
    """A copy of a folder at a place, beside the packages of its lock. Raises NotInstalled."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NotInstalled(f"{program} is not installed")
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(source, place)
        shutil.copytree(source, place, ignore=shutil.ignore_patterns(*LEFT), dirs_exist_ok=True)
    return place


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
        raise NotInstalled(f"npm found no registry within {PATIENCE} seconds") from None
    if made.returncode:
        raise NotInstalled(f"npm could not install {source.name}: {made.stderr.strip()[-300:]}")
    done.write_text(lock, "utf-8")
