"""The npm packages of the agents and clients in this folder, installed once per checkout."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = ("agent.mjs", "mcp_agent.mjs", "package.json", "package-lock.json")
PACKAGES = ("openai", "@modelcontextprotocol/sdk", "@modelcontextprotocol/conformance")


@pytest.fixture(scope="session")
def folder(request: pytest.FixtureRequest) -> Path:
    """The agents with their packages installed, once per checkout (and worker of xdist)."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    cache = request.config.cache
    assert cache is not None, "pytest's own cache plugin is on"
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    place = cache.mkdir(f"agentfuzz-node-agent-{worker}")
    lock = place / "package-lock.json"
    fresh = lock.exists() and lock.read_bytes() == (HERE / lock.name).read_bytes()
    for name in FILES:
        shutil.copy(HERE / name, place / name)
    there = all((place / "node_modules" / name / "package.json").exists() for name in PACKAGES)
    if not (fresh and there):
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            pytest.skip("npm found no registry within two minutes")
        if done.returncode != 0:
            lock.unlink()
            pytest.skip(f"npm could not install the packages: {done.stderr.strip()[-300:]}")
    return place
