"""`--agentfuzz-loop`: one loop in every bundled story, as a table; or in one of them again.

Law: it runs no tests; the settings of campaigns count (their runs, their time, the session's time,
a run's patience, workers, the folder of reports), and the depth if it is given on the command line.
Called by `actions`.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from agentfuzz.conformance import formats
from agentfuzz.conformance.formats import terminal
from agentfuzz.conformance.loop import Loop
from agentfuzz.conformance.loop import loop as named
from agentfuzz.conformance.stories import modules, ready, story
from agentfuzz.conformance.table import AGAIN, OPTION, Row, Table, headline
from agentfuzz.conformance.trial import trials
from agentfuzz.core import escaping
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.core.lanes import shows_ascii_only
from agentfuzz.core.verdict import VIOLATED
from agentfuzz.engine.simulation import Simulation
from agentfuzz.engine.single import require_struck, run
from agentfuzz.plugin import capture
from agentfuzz.plugin.settings import memo, refuse_unknown_keys, setting, strict_on, workers
from agentfuzz.runtime.clock import FOREVER
from agentfuzz.search.budget import Budget


def main(config: pytest.Config) -> int:
    """Try the loop. Returns the exit code. Raises AgentfuzzError where there is nothing to try."""
    refuse_unknown_keys(config)
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        raise AgentfuzzError(
            f"{OPTION} runs the bundled stories, and no tests: leave out "
            f"{escaping.visible(' '.join(config.args))}, or call pytest twice."
        )
    if config.getoption("--agentfuzz-export") is not None:
        raise AgentfuzzError(f"{OPTION} and --agentfuzz-export exclude each other.")
    loop = named(config.getoption(OPTION), config.invocation_params.dir)
    again = config.getoption(AGAIN)
    return _table(config, loop) if again is None else _again(config, loop, again)


def _table(config: pytest.Config, loop: Loop) -> int:
    given = config.getoption("--agentfuzz-depth")
    budget = Budget(
        max_runs=setting(config, "max-runs"),
        max_seconds=setting(config, "max-time"),
        depth=1 if given is None else setting(config, "depth"),
        deep_runs=0,
        workers=workers(config),
        memo=memo(config),
    )
    rows: list[Row] = []
    interrupted = False
    with capture.terminal(config) as screen, capture.muted(config):
        names = list(modules())
        tried = trials(
            loop,
            map(story, _shown(config, names, screen)),
            lambda one: _simulation(config, screen, f"{loop.name} in {one.name}"),
            budget=budget,
            seconds=setting(config, "session-time") or FOREVER,
            root=config.rootpath,
        )
        try:
            rows.extend(tried)
        except KeyboardInterrupt:
            interrupted = True
    table = Table(loop.name, tuple(rows), budget.depth, interrupted)
    return _told(config, table)


def _told(config: pytest.Config, table: Table) -> int:
    """Print the table, write it, and say how it came out."""
    width = shutil.get_terminal_size().columns
    lines = terminal.told(table, width=width, ascii_only=shows_ascii_only())
    lines += terminal.replay(table)
    quiet = config.get_verbosity() < 0
    if quiet:
        lines = [f"{escaping.terminal(table.loop)}: {headline(table)}"]
    status = _status(table, strict=strict_on(config))
    directory = config.rootpath / setting(config, "report-dir")
    shown = os.path.relpath(directory, config.invocation_params.dir).replace(os.sep, "/")
    try:
        page, *_ = formats.write(directory, table)
        lines += [] if quiet else [f"report: {shown}/{page.name}"]
    except OSError as error:
        lines.append(f"agentfuzz: report not written ({error.strerror or error}): {shown}")
        status = status or pytest.ExitCode.USAGE_ERROR
    print("\n".join(lines))
    return int(status)


def _status(table: Table, *, strict: bool) -> int:
    """1 where a law was broken or nothing was tested; if `strict`, also where plans were left."""
    if table.interrupted:
        return pytest.ExitCode.INTERRUPTED
    left = strict and any(row.cut_short or (row.why and row.untried) for row in table.rows)
    failed = table.count(VIOLATED) or not table.tried or left
    return pytest.ExitCode.TESTS_FAILED if failed else pytest.ExitCode.OK


def _again(config: pytest.Config, loop: Loop, token: str) -> int:
    """One plan of one story again, told as a story."""
    name, _, plan = token.partition(":")
    one = story(name)
    with (
        capture.terminal(config) as screen,
        _simulation(config, screen, f"{loop.name} in {name}") as simulation,
    ):
        made = ready(one, loop, simulation)
        if made.why:
            raise AgentfuzzError(f"{name} says nothing about {loop.name}: {made.why}.")
        found = run(made.scenario, made.agent, plan, simulation=simulation)
        require_struck(found.plan, found.history)
    width = shutil.get_terminal_size().columns
    print(found.story(ascii_only=shows_ascii_only(), width=width))
    return int(pytest.ExitCode.TESTS_FAILED if found.violations else pytest.ExitCode.OK)


@contextmanager
def _simulation(config: pytest.Config, screen: int, where: str) -> Iterator[Simulation]:
    """A simulation whose runs cannot stop the session: one that nothing interrupts ends it."""

    def stuck(stacks: str) -> None:
        text = f"\nAF902 {where}: a run does not react, and nothing interrupts it.\n\n{stacks}\n"
        with suppress(OSError):
            os.write(screen, escaping.terminal(text, multiline=True).encode("utf-8", "replace"))
        os._exit(1)

    with Simulation(setting(config, "run-timeout")) as simulation:
        simulation.watchdog.ends_process(stuck, screen)
        yield simulation


def _shown(config: pytest.Config, names: list[str], screen: int) -> Iterator[str]:
    """The names of stories, each on a line of the terminal while it is tried."""
    shows = os.isatty(screen) and sys.stdout.isatty() and config.get_verbosity() >= 0
    for number, name in enumerate(names, 1):
        if shows:
            with suppress(OSError):
                os.write(screen, f"\r\x1b[K{number}/{len(names)} {name}".encode())
        yield name
    if shows:
        with suppress(OSError):
            os.write(screen, b"\r\x1b[K")
