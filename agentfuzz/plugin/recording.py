"""The recording of a cassette: `--agentfuzz-record PATH` runs its tests once with their real model.

Law: a test whose scenario names another cassette is skipped, and a session that recorded nothing
says which there are. Called by the session.
"""

import os
from pathlib import Path

import pytest

from agentfuzz.core.errors import near_miss
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent


class Recording:
    """What is recorded in one session, if something is `wanted`."""

    def __init__(self, config: pytest.Config) -> None:
        self.wanted: str | None = config.getoption("--agentfuzz-record")
        self._here = config.invocation_params.dir
        self._named: set[str] = set()  # what scenarios name, where another one is wanted
        self._done = False

    def run(self, scenario: Scenario, agent: Agent) -> str:
        """Run a test once in real time with its real model, and write its cassette: a line that
        says so."""
        from agentfuzz.model.cassettes import record_run

        path, wanted = scenario.cassette, self.wanted or ""
        if path is None or path != Path(os.path.abspath(self._here / wanted)):
            if path is not None:
                self._named.add(os.path.relpath(path, self._here))
            named = "no cassette" if path is None else f"the cassette {path.name}"
            pytest.skip(f"not recorded: its scenario names {named}, not {wanted}")
        self._done = True
        turns = record_run(scenario, agent, path)
        return f"agentfuzz: recorded {turns} turns of a model in {wanted}"

    def missed(self) -> str:
        """A line that says that nothing was recorded, or an empty text."""
        if not self.wanted or self._done:
            return ""
        named = sorted(self._named)
        return (
            f"agentfuzz: nothing was recorded: no scenario of these tests names {self.wanted} "
            f"(cassette=, a path beside the scenario's file); they name: "
            f"{', '.join(named) or 'none'}.{near_miss(self.wanted, named)}"
        )
