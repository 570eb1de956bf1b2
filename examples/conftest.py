"""The process that an example's agent lives in, for all the runs of its campaign."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentfuzz import Completion, World


class Worker:
    """A process that takes a line of JSON for each run, and says with another one how it ended."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, world: World) -> Completion:
        """Have the agent do the task of a world."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None, "it is a pipe"
        assert stdout is not None, "it is a pipe"
        with world.serve() as urls:
            given = {"OPENAI_BASE_URL": urls.openai, "MCP_URL": urls.mcp, "TASK": world.task}
            print(json.dumps(given), file=stdin, flush=True)
            said = []
            while not (line := stdout.readline()).startswith("ended"):
                if not line:
                    return Completion.failed(detail="the worker is gone")
                said.append(line.strip())
        if failed := line.removeprefix("ended").strip():
            return Completion.failed(detail=failed)
        return Completion.success(detail=" ".join(said).strip())


@pytest.fixture(scope="module")
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    """The process of the test module's COMMAND, in its folder."""
    with subprocess.Popen(
        request.module.COMMAND,
        cwd=Path(request.module.__file__).parent,
        env={**os.environ, "OPENAI_API_KEY": "none"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield Worker(process)
        assert process.stdin is not None, "it is a pipe"
        process.stdin.close()  # its loop is over
