"""`python -m agentfuzz mcp`: one world of a scenario as a process that speaks over its stdio.

Law: the process serves one client in real time and ends with it; what happened is written to a
file then, and only protocol goes to stdout. Called by MCP clients that start their servers:

    python -m agentfuzz mcp module:scenario [--plan PLAN] [--history FILE]

A broken argument is one line on stderr and exit code 2.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from agentfuzz.core.codec import dump, history_to_json, message
from agentfuzz.core.errors import AgentfuzzError, CutOff, near_miss
from agentfuzz.core.events import Ended
from agentfuzz.core.history import History
from agentfuzz.core.migrations import typed
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.single import check_plan
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.injector import FromPlan
from agentfuzz.world.world import World, inside


class _OneLine(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {' '.join(message.split())}\n")


def main(arguments: Sequence[str]) -> int:
    """Serve until the client leaves. Returns the exit code."""
    parser = _OneLine(prog="agentfuzz mcp", allow_abbrev=False)
    parser.add_argument("scenario", metavar="module:scenario")
    parser.add_argument("--plan", default="", help="the faults, as in charge_card#1:once/timeout")
    parser.add_argument("--history", type=Path, help="the file to write the history to, as JSON")
    given = parser.parse_args(arguments)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            world = _world(_scenario(given.scenario), typed(given.plan))
        if given.history is not None:
            given.history.touch()
    except (AgentfuzzError, OSError) as error:
        parser.error(message(error))
    ended = ("returned", "", "")
    try:
        asyncio.run(_serve(world, given.history))
    except KeyboardInterrupt:
        ended = ("cut_off", "interrupted", "SIGINT")
    write(world, given.history, *ended)
    return 0


def _scenario(name: str) -> Scenario:
    """The scenario that `module:scenario` names. Raises AgentfuzzError."""
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise AgentfuzzError(f"cannot read {name!r}: say module:scenario, as in shop:charge_order.")
    sys.path.insert(0, os.getcwd())
    try:
        found = import_module(module)
    except Exception as error:
        raise AgentfuzzError(
            f"cannot import the module {module!r}: {type(error).__name__}: {message(error)}"
        ) from error
    scenario = getattr(found, attribute, None)
    if isinstance(scenario, Scenario):
        return scenario
    known = sorted(key for key, value in vars(found).items() if isinstance(value, Scenario))
    what = "has no" if scenario is None else f"has a {type(scenario).__name__}, no scenario, as"
    raise AgentfuzzError(
        f"the module {module!r} {what} {attribute!r}; its scenarios: {', '.join(known) or 'none'}."
        f"{near_miss(attribute, known)}"
    )


def _world(scenario: Scenario, plan: FaultPlan) -> World:
    """A fresh world under a plan. Raises AgentfuzzError, also for what the scenario raises."""
    try:
        world = scenario.of(plan.given).world(FromPlan(plan), Clock())
    except AgentfuzzError:
        raise
    except Exception as error:
        raise AgentfuzzError(
            f"the scenario {scenario.name!r} fails: {type(error).__name__}: {message(error)}"
        ) from error
    check_plan(plan, list(world.gateway.specs))
    return world


async def _serve(world: World, history: Path | None) -> None:
    from mcp.server.stdio import stdio_server

    from agentfuzz.wire.mcp import server

    def terminated() -> None:  # the reader may be stuck in a read: there is no other way out
        write(world, history, "cut_off", "interrupted", "SIGTERM")
        os._exit(128 + signal.SIGTERM)

    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated)
    made: Any = server(world)
    async with stdio_server() as (reader, writer):
        try:
            await made.run(reader, writer, made.create_initialization_options())
        except BaseExceptionGroup as group:
            if cut := _cut_off(group):
                write(world, history, "cut_off", cut.why, cut.detail)
                os._exit(0)  # for the same reason
            raise
    world.clock.flush()
    await asyncio.gather(*inside(world).calls.late, return_exceptions=True)


def _cut_off(group: BaseExceptionGroup[BaseException]) -> CutOff | None:
    found = group.subgroup(CutOff)
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]  # type: ignore[assignment]
    return found


def write(world: World, history: Path | None, how: str, error: str, detail: str) -> None:
    """Write the history, whose last event says how it ended."""
    if history is not None:
        gateway = inside(world)
        ended = Ended(len(gateway.log), gateway.clock.now, how, None, error, detail)
        whole = History([*gateway.log, ended], gateway.facts)
        history.write_text(dump(history_to_json(whole), indent=1) + "\n", "utf-8")
