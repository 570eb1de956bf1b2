"""The process that runs the clients in JavaScript, and what one of them met in a run.

Law: one process for all runs; each gets a line with the addresses of its own world, and answers
with a line. Called by the matrix and by the benchmark.
"""

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from agentfuzz import Completion, History, World
from agentfuzz.core.events import Called, ModelTurn

FOREVER = 1_000_000  # milliseconds of a client's patience: longer than any test
HOLD = 600.0  # seconds that a reply is held which never comes: no test waits for it


class Mode(NamedTuple):
    """A way to ask the model: a package, what of it, and whether replies are streamed."""

    client: str
    api: str
    stream: bool

    def __str__(self) -> str:
        return f"{self.client}-{self.api}{'-streamed' if self.stream else ''}"


class Worker:
    """The process, started by `node worker.mjs`."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            ["node", "worker.mjs"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None, "it is a pipe"
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()

    def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        """Have it do a job, and say what came of it."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None, "it is a pipe"
        assert stdout is not None, "it is a pipe"
        print(json.dumps(job), file=stdin, flush=True)
        line = stdout.readline()
        assert line, "the worker is gone"
        found: dict[str, Any] = json.loads(line)
        return found

    def agent(self, world: World, mode: Mode, patience: int = FOREVER) -> Completion:
        """The agent of a mode. It claims success when its client has come to an end."""
        with world.serve(hold=HOLD) as urls:
            addresses = {"openai": urls.openai, "anthropic": urls.anthropic, "mcp": urls.mcp}
            given = {**mode._asdict(), **addresses, "task": world.task, "patience": patience}
            answer = self.ask(given)
        if "said" in answer:
            return Completion.success(detail=json.dumps(answer["said"]))
        return Completion.failed(detail=answer["raised"])


def met(history: History) -> str:
    """What a client met and made of it: `2 turns, 1 calls, says "..."`, or what it has raised."""
    assert history.ended is not None, "it has run"
    turns, calls = (len(list(history.of(kind))) for kind in (ModelTurn, Called))
    detail = history.ended.value["detail"]
    says = "says" if history.claim == "success" else "raises"
    return f"{turns} turns, {calls} calls, {says} {detail}"
