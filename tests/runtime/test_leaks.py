"""What escapes control is noted with its line, once; what agentfuzz opens itself is none."""

import _thread
import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from agentfuzz import Completion, World, in_child, scenario
from agentfuzz.archive.transport import from_json, to_json
from agentfuzz.core.findings import CampaignResult
from agentfuzz.engine.simulation import Simulation
from agentfuzz.report.formats import json as json_format
from agentfuzz.report.formats import markdown, terminal
from agentfuzz.runtime import leaks
from agentfuzz.runtime.clock import Real
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.world.injector import FromPlan

ROOT = Path(__file__).parent
DONE = Completion.success()


@scenario(task="Nothing.")
def shop(world: World) -> None:
    @world.tool(effect="note", scope=("text",))
    def note(text: str) -> str:
        return "noted"


def doing(what: Callable[[], object]) -> Callable[[World], Completion]:
    def agent(world: World) -> Completion:
        world.tools.note(text="so")
        what()
        return DONE

    return agent


@pytest.fixture(autouse=True)
def _fresh() -> None:
    leaks.taken()


def noted(simulation: Simulation, what: Callable[[], object]) -> list[str]:
    """The escapes of one run, with the lines of this file after `what` begins."""
    simulation.execute(shop, doing(what), FromPlan())
    first = getattr(what, "__code__", noted.__code__).co_firstlineno
    found = []
    for one in leaks.taken():
        where = "nowhere"
        if one.where is not None:
            path, _, rest = one.where.rpartition(":")
            assert path == __file__
            where = f"line {int(rest.split()[0]) - first}"
        found.append(f"{one.kind} {one.detail} {where}".replace("  ", " "))
    return found


def connects() -> None:
    with socket.socket() as one, suppress(OSError):
        one.setblocking(False)
        one.connect(("127.0.0.1", 9))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))


def resolves() -> None:
    with suppress(OSError):
        socket.getaddrinfo("127.0.0.1", 80)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, suppress(OSError):
        one.sendto(b"", ("127.0.0.1", 9))


def asks_a_library() -> None:
    with suppress(OSError):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://127.0.0.1:9/")


def starts_programs() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)
    os.system("true")


def forks() -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)


def starts_a_thread() -> None:
    _thread.start_new_thread(int, ())


def reads_the_clock() -> None:
    time.clock_gettime(time.CLOCK_MONOTONIC)
    time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def repeats() -> None:
    for _ in range(3):
        time.clock_gettime(time.CLOCK_REALTIME)


POSIX = pytest.mark.skipif(os.name != "posix", reason="as POSIX does it")


@POSIX
@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (connects, ["socket.connect 127.0.0.1:9 line 3", "socket.bind 127.0.0.1:0 line 5"]),
        (resolves, ["socket.getaddrinfo 127.0.0.1:80 line 2", "socket.sendto 127.0.0.1:9 line 4"]),
        (asks_a_library, ["socket.getaddrinfo 127.0.0.1:9 line 2",
                          "socket.connect 127.0.0.1:9 line 2"]),
        (starts_programs, [f"subprocess.Popen {os.path.basename(sys.executable)} line 1",
                           "os.system true line 2"]),
        (forks, ["os.fork line 1"]),
        (starts_a_thread, ["thread int line 1"]),
        (reads_the_clock, ["time.clock_gettime line 1", "time.clock_gettime line 2"]),
        (repeats, ["time.clock_gettime line 2"]),
    ],
)  # fmt: skip
def test_each_kind(simulation: Simulation, what: Any, expected: list[str]) -> None:
    assert noted(simulation, what) == expected


@pytest.mark.skipif(sys.version_info < (3, 13), reason="no audit event for time.sleep")
def test_a_sleep_that_was_kept(simulation: Simulation) -> None:
    assert noted(simulation, lambda: Real.sleep(0)) == ["time.sleep 0 s, really line 0"]


@pytest.mark.skipif(not hasattr(os, "getrandom"), reason="Linux only")
def test_real_entropy(simulation: Simulation) -> None:
    assert noted(simulation, lambda: os.getrandom(1)) == ["os.getrandom line 0"]


def test_what_is_controlled_is_no_escape(simulation: Simulation, tmp_path: Path) -> None:
    def controlled() -> None:
        time.sleep(5)
        assert len({time.time(), time.monotonic(), random.random(), uuid.uuid4()}) == 4
        (tmp_path / "file").write_text("text")
        with ThreadPoolExecutor() as pool:
            assert pool.submit(int, "1").result() == 1

    assert noted(simulation, controlled) == []


def test_an_async_run_is_no_escape(simulation: Simulation) -> None:
    async def agent(world: World) -> Completion:
        return DONE

    simulation.execute(shop, agent, FromPlan())
    assert leaks.taken() == []


def test_nothing_is_noted_outside_of_a_run(simulation: Simulation) -> None:
    connects()
    starts_a_thread()
    reads_the_clock()
    assert leaks.taken() == []


def test_the_seams_are_put_back() -> None:
    before = time.clock_gettime, time.clock_gettime_ns
    with Simulation():
        assert time.clock_gettime is not before[0]
    assert (time.clock_gettime, time.clock_gettime_ns) == before


def test_a_served_world_and_its_partners_are_no_escape(simulation: Simulation) -> None:
    def agent(world: World) -> Completion:
        with world.serve() as urls:
            port = int(urls.anthropic.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as one:
                one.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert one.recv(12) == b"HTTP/1.1 404"
        return DONE

    @scenario(task="Nothing.", script=["Done."])
    def served(world: World) -> None: ...

    simulation.execute(served, agent, FromPlan())
    assert leaks.taken() == []


@POSIX
def test_a_child_is_no_escape_and_its_own_are_told(simulation: Simulation) -> None:
    simulation.execute(shop, in_child(doing(lambda: None)), FromPlan())
    assert leaks.taken() == []
    simulation.execute(shop, in_child(doing(starts_a_thread)), FromPlan())
    line = starts_a_thread.__code__.co_firstlineno + 1
    assert leaks.taken() == [leaks.Escape("thread", "int", f"{__file__}:{line} starts_a_thread")]


def test_a_note_of_somebody_else(simulation: Simulation) -> None:
    def told() -> None:
        leaks.note("thread", "work that could not be ordered")
        leaks.note("thread", "the same line's second")

    assert noted(simulation, told) == [
        "thread work that could not be ordered line 1",
        "thread the same line's second line 2",
    ]
    leaks.note("thread", "outside of a run")
    assert leaks.taken() == []


def test_what_is_exempt(simulation: Simulation) -> None:
    def exempt() -> None:
        with leaks.exempt(), leaks.exempt():
            time.clock_gettime(time.CLOCK_REALTIME)

    assert noted(simulation, exempt) == []
    assert noted(simulation, repeats) != []


# Campaigns and reports --------------------------------------------------------------------


def campaign(simulation: Simulation, agent: Callable[[World], Any]) -> CampaignResult:
    budget = Budget(depth=1, deep_runs=0, max_seconds=600.0)
    found = Campaign(shop, agent, simulation, nodeid="test_it.py::test_it", budget=budget,
                     root=ROOT)  # fmt: skip
    found.search()
    return found.result()


def test_a_campaign_names_it_in_every_report(simulation: Simulation) -> None:
    line = starts_a_thread.__code__.co_firstlineno + 1
    text = f"AF905 escapes control: thread int at test_leaks.py:{line}"
    result = campaign(simulation, doing(starts_a_thread))
    assert result.escapes == (text,)
    assert f"warning: {text}" in terminal.summary([result], report=None)
    assert json_format.run([result])["campaigns"][0]["escapes"] == [text]
    assert "## Escapes control\n\n- AF905 escapes control: thread int at test" in markdown.index(
        [result]
    )
    assert from_json(to_json(result)).escapes == (text,)
    assert campaign(simulation, doing(lambda: None)).escapes == ()


def test_an_escape_is_named_where_two_runs_differ(simulation: Simulation) -> None:
    def agent(world: World) -> Completion:
        world.tools.note(text=f"{time.clock_gettime_ns(time.CLOCK_MONOTONIC)}")
        return DONE

    line = agent.__code__.co_firstlineno + 1
    found = campaign(simulation, agent).findings[0]
    assert (found.code, found.title) == ("AF904", "two histories: event 0, Called note#1")
    told = found.violation.sentence
    assert told.startswith("Two runs without faults differ. The first difference is event 0")
    assert told.endswith(f"What escaped control: time.clock_gettime at test_leaks.py:{line}.")


def test_without_an_escape_nothing_is_said(simulation: Simulation) -> None:
    seen: list[int] = []

    def agent(world: World) -> Completion:
        seen.append(len(seen))
        world.tools.note(text=str(len(seen)))
        return DONE

    found = campaign(simulation, agent).findings[0]
    assert found.code == "AF904"
    assert "What escaped control" not in found.violation.sentence
