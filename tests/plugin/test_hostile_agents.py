"""Bad input: whatever an agent or a tool does, its run has an ending and a verdict, and the next
test runs as if nothing had been."""

import sys
import time

import pytest

from .conftest import Project
from .sources import SCENARIO, body

CALL = "reply = world.tools.charge_card(order_id='A17', cents=1, idempotency_key='k')"
SAFE = (
    "for _ in range(3):",
    "    try:",
    f"        {CALL}",
    "        return Completion.success(handle='ch_1')",
    "    except TimeoutError:",
    "        pass",
    "return Completion.blocked(reason='outcome_unknown')",
)
RUNS = ("--agentfuzz-max-runs=20",)
OPTIONS = ("--agentfuzz-run-timeout=0.4", *RUNS)  # for agents that may never end
ENDLESSLY = ("--agentfuzz-run-timeout=0.2", "--agentfuzz-max-runs=4")  # for those that never do


def verdict(project: Project, lines: str, *args: str) -> "pytest.RunResult":
    """The campaign of an agent with this body; the ordinary test beside it must pass."""
    project.agent(lines)
    result = project.campaign(*OPTIONS, *args)
    passed = result.parseoutcomes().get("passed", 0)
    assert passed >= 1, result.stdout.str()
    assert "INTERNALERROR" not in result.stdout.str()
    return result


def only(project: Project, result: "pytest.RunResult", code: str) -> None:
    """The one test that failed, and its verdict."""
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines([f"FAILED test_agent.py::test_agent - {code}*"])


RAISES = [
    "SystemExit(0)",
    "SystemExit('bye')",
    "GeneratorExit()",
    "KeyboardInterrupt()",
    "asyncio.CancelledError()",
    "type('Own', (BaseException,), {})('own')",
]


@pytest.mark.parametrize("error", RAISES)
@pytest.mark.parametrize("when", ["always", "after a fault"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_agent_may_raise_anything(project: Project, error: str, when: str, kind: str) -> None:
    """A BaseException of the agent's is a finding of its run (AF901), with and without a fault;
    it stops neither the campaign nor the session."""
    lines = ("import asyncio", f"raise {error}")
    if when != "always":
        lines = ("import asyncio", "try:", f"    {CALL}", "except TimeoutError:",
                 f"    raise {error}", "return Completion.success(handle='ch_1')")  # fmt: skip
    path = project.agent(body(*lines))
    if kind == "async":
        path.write_text(path.read_text().replace("def test_agent", "async def test_agent"))
    result = project.campaign()
    only(project, result, "AF90")
    result.stdout.fnmatch_lines([f"*{error.partition('(')[0].rpartition('.')[2]}*"]) if (
        "Own" not in error
    ) else result.stdout.fnmatch_lines(["*Own*"])


@pytest.mark.parametrize("error", [*RAISES, "RecursionError()", "StopIteration()"])
def test_a_tool_may_raise_anything(project: Project, error: str) -> None:
    """What a tool's body raises is that tool's failure, for the agent to handle."""
    scenario = "import asyncio\n" + SCENARIO.replace(
        'return {"charge_id": "ch_1", "cents": cents}', f"raise {error}"
    )
    lines = ("try:", f"    {CALL}", "except BaseException as error:",
             "    return Completion.failed(reason='tool_error')")  # fmt: skip
    project.agent(body(*lines), scenario=scenario)
    result = project.campaign()
    assert result.parseoutcomes().get("passed", 0) >= 1, result.stdout.str()
    assert "INTERNALERROR" not in result.stdout.str()


ENDLESS = {
    "AF201 calls for ever": ("while True:", "    try:", f"        {CALL}",
                             "    except TimeoutError:", "        pass"),
    "AF20x swallows the budget": ("while True:", "    try:", f"        {CALL}",
                                  "    except BaseException:", "        pass"),
    "AF202 spins": ("while True:", "    pass"),
    "AF202 spins and swallows Exception": ("while True:", "    try:", "        len('x')",
                                           "    except Exception:", "        pass"),
    "AF202 spins and swallows everything": ("while True:", "    try:", "        while True:",
                                            "            pass", "    except BaseException:",
                                            "        pass"),
    "AF202 swallows in a helper": ("import contextlib", "while True:",
                                   "    with contextlib.suppress(BaseException):",
                                   "        while True:", "            len('x')"),
    "AF202 swallows twice": ("while True:", "    try:", "        try:", "            try:",
                             "                while True: len('x')",
                             "            finally:", "                done = 1",
                             "        except BaseException:", "            try:",
                             "                raise ValueError",
                             "            except BaseException: pass",
                             "    except BaseException: continue"),
    "AF202 swallows the swallowing": ("def quiet():", "    try:", "        while True:",
                                      "            pass", "    except BaseException:",
                                      "        return None", "while True:", "    try:",
                                      "        quiet()", "    except BaseException:",
                                      "        quiet()"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_agent_that_never_ends_is_cut_off(project: Project, name: str, kind: str) -> None:
    """By its budget when it calls, by the watchdog when it does not, whatever it swallows."""
    path = project.agent(body(*ENDLESS[name]))
    if kind == "async":
        path.write_text(path.read_text().replace("def test_agent", "async def test_agent"))
    started = time.monotonic()
    seldom = ("--agentfuzz-run-timeout=0.1",) if name.startswith("AF202") else ()  # it never ends
    result = project.campaign(*ENDLESSLY, *seldom)
    only(project, result, name[:5].rstrip("x"))
    assert time.monotonic() - started < 120
    assert sys.exception() is None  # the interpreter's stack of handled exceptions is whole


def test_a_cut_off_that_reaches_nobody_is_no_news(project: Project) -> None:
    """An interruption that strikes in a destructor is lost there; the one after it strikes."""
    scenario = SCENARIO + (
        "class Thing:\n    def __del__(self):\n        for n in range(50_000): abs(n)\n"
    )
    project.agent(
        body("while True:", "    Thing()", "    for n in range(50_000): abs(n)"), scenario=scenario
    )
    result = project.campaign("--agentfuzz-run-timeout=0.1", "--agentfuzz-max-runs=4")
    only(project, result, "AF202")
    assert "nraisable" not in result.stdout.str()


STEPS = tuple(f"    x{n} = [n for n in range(99)]" for n in range(30))
LOOPS = {
    "sync": ("while True:", *STEPS, "    sorted(x0, key=lambda n: -n)"),
    "async": ("import asyncio", "while True:", *STEPS, "    await asyncio.sleep(0)"),
    "tasks": ("import asyncio", "async def spin():", "    while True:",
              "        await asyncio.sleep(0)", "await asyncio.gather(*[spin(), spin()])"),
    "nested": ("import asyncio", "async def spin():", "    while True:",
               "        await asyncio.sleep(0)", "asyncio.run(spin())"),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOOPS)
def test_where_a_loop_spins_is_the_same_in_every_run(project: Project, kind: str) -> None:
    """A long loop is interrupted anywhere in it; its history names the function, and is equal."""
    path = project.agent(body(*LOOPS[kind]))
    if kind in ("async", "tasks"):
        path.write_text(path.read_text().replace("def test_agent", "async def test_agent"))
    result = project.campaign("--agentfuzz-run-timeout=0.1", "--agentfuzz-max-runs=4")
    only(project, result, "AF202")
    assert "test_agent (test_agent.py:" in " ".join(result.stdout.str().split())


DEADLOCKS = {
    "future": ("await asyncio.get_running_loop().create_future()",),
    "lock": ("lock = asyncio.Lock()", "await lock.acquire()", "await lock.acquire()"),
    "event": ("await asyncio.Event().wait()",),
    "gather": ("await asyncio.gather(*(asyncio.Event().wait() for _ in range(3)))",),
    "queue": ("await asyncio.Queue().get()",),
}


@pytest.mark.parametrize("name", DEADLOCKS)
def test_an_async_deadlock_is_a_verdict(project: Project, name: str) -> None:
    """A loop in which nothing can happen any more is cut off at once (AF203)."""
    path = project.agent(body("import asyncio", *DEADLOCKS[name]))
    path.write_text(path.read_text().replace("def test_agent", "async def test_agent"))
    only(project, project.campaign(), "AF203")


VALUES = {
    "lock": "__import__('threading').Lock()",
    "generator": "(n for n in range(3))",
    "recursive": "(lambda x: x.append(x) or x)([])",
    "deep": "__import__('functools').reduce(lambda a, _: [a], range(20_000), 1)",
    "huge text": "'x' * 100_000_000",
    "huge list": "list(range(1_000_000))",
    "nan": "float('nan')",
    "surrogate": "'\\ud800\\x00'",
    "two keys": "{1: 'a', '1': 'b', None: float('inf'), b'x': {1, 2}}",
    "bad repr": "type('B', (), {'__repr__': lambda self: 1 / 0})()",
    "bad eq": "type('B', (), {'__eq__': lambda s, o: 1 / 0, '__hash__': lambda s: 1 / 0})()",
    "looping repr": "type('B', (), {'__repr__': spin})()",
    "exit in repr": "type('B', (), {'__repr__': lambda self: exit(3)})()",
    "exception": "ValueError('returned, not raised')",
    "world": "world",
}
SPIN = "def spin(self):\n    while True:\n        pass\n"


@pytest.mark.parametrize(
    "name",
    VALUES,
)
def test_an_agent_may_return_anything(project: Project, name: str) -> None:
    """The value is no completion (AF204), whatever it is; one whose `repr` never ends is cut off
    (AF202)."""
    project.agent(body(CALL, f"return {VALUES[name]}"), scenario=SCENARIO + SPIN)
    path = project.path / "test_agent.py"
    path.write_text(path.read_text().replace('("once/timeout",)', '("once/wrong",)'))
    result = project.campaign(*(ENDLESSLY if name == "looping repr" else RUNS))
    only(project, result, "AF202" if name == "looping repr" else "AF204")


@pytest.mark.parametrize("name", [name for name in VALUES if name != "world"])
def test_a_tool_may_reply_anything(project: Project, name: str) -> None:
    """A reply that is no JSON changes no verdict: this agent does everything right."""
    scenario = SCENARIO.replace('{"charge_id": "ch_1", "cents": cents}', VALUES[name])
    project.agent(body(*SAFE), scenario=scenario + SPIN)
    result = project.campaign(*(ENDLESSLY if name == "looping repr" else RUNS))
    if name == "looping repr":
        only(project, result, "AF")
    else:
        result.assert_outcomes(passed=2)


CHANGES = (
    "import os, random, signal, sys, io, logging",
    "assert os.getcwd() == CWD and 'LEAK' not in os.environ",
    "assert signal.getsignal(signal.SIGTERM) is TERM and sys.getrecursionlimit() != 5000",
    "SEEN.add(random.random())",
    "os.mkdir('inner') if not os.path.isdir('inner') else None",
    "os.chdir('inner')",
    "os.environ['LEAK'] = '1'",
    "os.environ.pop('HOME', None)",
    "random.seed(5)",
    "sys.stdout = io.StringIO()",
    "sys.stderr = sys.stdin = None",
    "sys.setrecursionlimit(5000)",
    "signal.signal(signal.SIGTERM, lambda *a: None)",
    "signal.signal(signal.SIGINT, signal.SIG_IGN)",
    "signal.signal(signal.SIGALRM, signal.SIG_IGN)",
)
STATE = """
import os, random, signal, sys
CWD, TERM, LIMIT = os.getcwd(), signal.getsignal(signal.SIGTERM), sys.getrecursionlimit()
INT, ALARM = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)
HOME = "HOME" in os.environ
random.seed(77)
EXPECTED = random.Random(77).random()
SEEN = set()

def test_zz_nothing_leaked():
    assert os.getcwd() == CWD and "LEAK" not in os.environ and ("HOME" in os.environ) == HOME
    assert signal.getsignal(signal.SIGTERM) is TERM and sys.getrecursionlimit() == LIMIT
    assert signal.getsignal(signal.SIGINT) is INT and signal.getsignal(signal.SIGALRM) is ALARM
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert random.random() == EXPECTED and len(SEEN) == 1
    assert sys.stdin is not None and sys.stderr is not None
    print("still here")
"""


@pytest.mark.parametrize("mode", [(), ("--agentfuzz", "--agentfuzz-depth=1")], ids=["plain", "on"])
def test_what_a_run_changes_is_put_back(project: Project, mode: tuple[str, ...]) -> None:
    """Working directory, environment, randomness, streams, signal handlers and the recursion
    limit are the same for every run, and for the tests after it."""
    project.agent(body(*CHANGES, *SAFE), scenario=SCENARIO)
    path = project.path / "test_agent.py"
    path.write_text(path.read_text() + STATE)
    result = project.run("-rP", *mode)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["still here"])


@pytest.mark.slow
def test_an_agent_may_stop_the_alarm(project: Project) -> None:
    """A run that takes the interval timer away leaves the next one its watchdog."""
    lines = (
        "import signal",
        "RUNS.append(1)",
        "if len(RUNS) == 1:",
        "    signal.alarm(100)",
        "    signal.alarm(0)",
        "try:",
        f"    {CALL}",
        "except TimeoutError:",
        "    while True: pass",
        "return Completion.success(handle='ch_1')",
    )
    project.agent(body(*lines), scenario=SCENARIO + "RUNS = []\n")
    only(project, project.campaign(*OPTIONS), "AF202")


PRINTS = {
    "10 MB": "print('x' * 10_000_000)",
    "escapes": "print('\\x1b]0;title\\x07\\x1b[2J\\r::error::owned')",
    "commands": "print('::error file=a::owned'); print('##[error]owned'); print(' ::warning::x')",
    "binary": "import os; os.write(1, b'\\xff\\xfe\\x00')",
    "logging": "import logging; logging.getLogger().error('::error::owned')",
    "closed": "import sys; sys.stdout.close()",
}


@pytest.mark.parametrize("name", PRINTS)
def test_what_an_agent_prints_stays_out_of_a_campaign(project: Project, name: str) -> None:
    """Thousands of runs print nothing; the block of a finding shows none of it raw."""
    result = verdict(project, body(PRINTS[name], CALL, "raise SystemExit(1)"))
    only(project, result, "AF901")
    text = result.stdout.str()
    assert len(text) < 20_000
    assert "\x1b]" not in text
    assert "\x1b[2J" not in text
    for line in text.splitlines():
        assert not line.strip().startswith("::"), line
        assert "##[" not in line
