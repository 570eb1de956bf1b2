"""Executors: a campaign has the same result wherever its runs are made.

Law: processes that die, spin or cannot give a run cost the plan that they died of and nothing else.
"""

import errno
import os
import signal
import sys
import threading
from hashlib import sha256

import pytest

from agentfuzz import Completion, at_most_once, scenario
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.report.formats import json as json_format
from agentfuzz.runtime.clock import Real
from agentfuzz.search import runner
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.executors import bridge, child, processes
from agentfuzz.search.executors.child import forking
from agentfuzz.search.executors.choice import AUTO, DEAR, safe, wanted
from agentfuzz.search.executors.executor import Died, Inline
from agentfuzz.search.executors.processes import Processes
from agentfuzz.search.outcome import Outcome
from agentfuzz.search.phases import foresight
from agentfuzz.search.space import Space
from tests.extent import some

from .campaign_bytes import MODES, shipping
from .support import shown

DONE, BLOCKED = Completion.success(handle="h"), Completion.blocked()
FAULTS = (TimeoutError, ConnectionError)


@scenario(at_most_once("pay"), task="Pay twice.")
def paying(world):
    @world.tool(effect="pay", scope=("n",))
    def pay(n: int) -> dict:
        return {"receipt": n}


@pytest.fixture(autouse=True)
def _forks(monkeypatch):
    """Beside the threads of whoever runs these tests."""
    monkeypatch.setattr(runner, "safe", lambda: True)


def careless(world):
    """Calls again after a timeout."""
    for n in (1, 2):
        for _ in range(2):
            try:
                world.tools.pay(n=n)
                break
            except TimeoutError:
                continue
            except Exception:
                return BLOCKED
    return DONE


def searched(story, agent, workers, *, run_timeout=10.0, **budget):
    """A campaign's result, and its report as bytes."""
    given = {"max_seconds": 600.0, "deep_runs": 20, **budget}
    with Simulation(run_timeout) as simulation:
        campaign = Campaign(
            story, agent, simulation, nodeid="t::t", budget=Budget(workers=workers, **given)
        )
        campaign.search()
        result = campaign.result()
    text = json_format.text(json_format.run([result]))
    text += "".join(json_format.text(json_format.finding(cx)) for cx in result.findings)
    return result, sha256(text.encode()).hexdigest()


def test_the_same_bytes_by_several_processes():
    """With findings, pruning, pairs and random plans."""
    alone, bytes_alone = searched(paying, careless, 1)
    together, bytes_together = searched(paying, careless, 3)
    assert shown(together) == shown(alone) != []
    assert together.runs == alone.runs
    assert bytes_together == bytes_alone


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_the_same_bytes_whatever_the_agent(mode):
    """Sync, async and on threads; cut short by the budget, too."""
    for runs in some([150, 500], 1):
        wanted = searched(shipping, MODES[mode], 1, max_runs=runs)[1]
        assert searched(shipping, MODES[mode], 2, max_runs=runs)[1] == wanted


def test_a_plan_under_which_a_process_dies():
    """It is told as AF902, tried twice, and costs nothing else."""
    home, lives = os.getpid(), os.pipe()

    def dies(world):
        try:
            world.tools.pay(n=1)
        except ConnectionError:
            if os.getpid() != home:
                os.write(lives[1], b".")
                os._exit(7)
        except TimeoutError:
            world.tools.pay(n=1)
        return DONE

    space = ("once/error", "once/timeout")
    with Simulation() as simulation:
        campaign = Campaign(
            paying,
            dies,
            simulation,
            space=Space(only=space),
            budget=Budget(workers=2, deep_runs=0, depth=1, max_seconds=600.0),
        )
        campaign.search()
        result = campaign.result()
    assert "AF101 pay: pay#1:once/timeout" in shown(result)
    deaths = [cx for cx in result.findings if cx.code == "AF902"]
    assert [str(death.plan) for death in deaths] == ["pay#1:once/error"]
    assert all(one.violation.sentence.endswith("ended with exit code 7.") for one in deaths)
    assert os.read(lives[0], 9) == b".."
    for end in lives:
        os.close(end)


def test_a_process_that_is_killed_from_outside_costs_nothing(monkeypatch):
    """Its plans are run by another one."""
    with Simulation() as simulation:
        campaign = Campaign(paying, careless, simulation, budget=Budget(workers=2, deep_runs=20))
        pids, fork = [], forking(campaign.runner.lent, campaign.runner.adopted)

        def forked(others):
            made = fork(others)
            if len(pids) < 2:
                made.answers.poll(None)  # it is ready
                os.kill(made.pid, signal.SIGKILL)
            pids.append(made.pid)
            return made

        monkeypatch.setattr(child, "forking", lambda *given: forked)
        campaign.search()
        result = campaign.result()
    assert len(pids) == 4
    assert shown(result) == shown(searched(paying, careless, 1)[0])
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_run_that_spins_in_a_process():
    """The watchdog of the child cuts it off; the finding is confirmed here."""

    def spins(world):
        try:
            world.tools.pay(n=1)
        except TimeoutError:
            while True:
                pass
        except Exception:
            return BLOCKED
        return DONE

    with Simulation(0.2) as simulation:
        campaign = Campaign(
            paying,
            spins,
            simulation,
            space=Space(only=("once/timeout",)),
            budget=Budget(workers=2, deep_runs=0, depth=1),
        )
        campaign.search()
        assert shown(campaign.result()) == ["AF202 run: pay#1:once/timeout"]


def test_what_a_child_raises_is_raised_here():
    """Such a run is made where it is asked for; a plan that nobody expects as well."""

    def run(plan, taped):
        raise OSError("no run")

    processes = Processes(1, forking(run, lambda: None))
    plan = FaultPlan.parse("pay#1:twice")
    processes.expect([plan])
    assert processes.take(plan) is None
    assert processes.take(plan) is None
    processes.close()


def named(plan, taped):
    return f"{plan}{' taped' * taped}"


def test_what_is_expected_later_comes_first():
    """Parents, and then what each of them leads to; asked for in that order, all are there."""
    plans = [FaultPlan.parse(f"pay#{n}:twice") for n in range(1, 60)]
    processes = Processes(2, forking(named, lambda: None))
    processes.expect(plans[:30])
    assert processes.take(plans[0]) == str(plans[0])
    processes.expect(plans[30:])
    assert [processes.take(plan) for plan in plans[30:]] == [str(plan) for plan in plans[30:]]
    assert processes.take(plans[29]) == str(plans[29])
    last = FaultPlan.parse("pay#60:twice")
    processes.expect_last([last], taped=True)
    processes.hear()
    assert processes.take(last) == f"{last} taped"
    processes.close()
    assert processes.take(plans[1]) is None


def test_a_process_that_dies_twice_of_one_plan():
    """Of three plans the second is fatal."""

    def run(plan, taped):
        if plan == plans[1]:
            os.kill(os.getpid(), signal.SIGSEGV)
        return str(plan)

    plans = [FaultPlan.parse(f"pay#{n}:twice") for n in range(1, 4)]
    processes = Processes(1, forking(run, lambda: None))
    processes.expect(plans)
    assert processes.take(plans[0]) == str(plans[0])
    with pytest.raises(Died, match="pay#2:twice: SIGSEGV"):
        processes.take(plans[1])
    assert processes.take(plans[2]) == str(plans[2])
    processes.close()


def test_a_process_that_is_killed_with_nothing_to_do_dies_of_no_plan(tmp_path):
    """The plan that it is sent then has two lives still."""
    died = tmp_path / "died"

    def run(plan, taped):
        if plan == plans[1] and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return str(plan)

    plans = [FaultPlan.parse(f"pay#{n}:twice") for n in range(1, 3)]
    processes = Processes(1, forking(run, lambda: None))
    processes.expect(plans[:1])
    assert processes.take(plans[0]) == str(plans[0])
    [idle] = processes._children
    os.kill(idle.pid, signal.SIGKILL)
    os.waitid(os.P_PID, idle.pid, os.WEXITED | os.WNOWAIT)
    processes.expect(plans[1:])
    assert processes.take(plans[1]) == str(plans[1])
    assert died.exists()
    processes.close()


def test_an_interrupted_end_leaves_no_process_behind(monkeypatch):
    """Ctrl-C when the first of them is about to be ended; they are in the midst of a run."""

    def interrupted(pid, sign):
        monkeypatch.undo()
        raise KeyboardInterrupt

    def run(plan, taped):
        signal.pause()

    processes = Processes(3, forking(run, lambda: None))
    processes.expect([FaultPlan.parse(f"pay#{n}:twice") for n in range(1, 7)])
    pids = [child.pid for child in processes._children]
    monkeypatch.setattr(os, "killpg", interrupted)
    with pytest.raises(KeyboardInterrupt):
        processes.close()
    assert len(pids) == 3
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    processes.close()


def test_what_is_urgent_waits_for_few_long_runs():
    """Of plans that take long a process has one waiting, and no more."""

    def run(plan, taped):
        return Outcome(History([], {}), [], (), 2 * processes.LONG)

    plans = [FaultPlan.parse(f"pay#{n}:twice") for n in range(1, 60)]
    several = Processes(1, forking(run, lambda: None))
    several.expect(plans)
    for plan in plans[: 3 * processes.CHUNK]:
        assert several.take(plan).seconds > processes.LONG
    assert len(several._children[0].busy) <= 2
    several.close()


def test_what_is_expected_twice_is_run_once():
    """Two rows of a covering array may come to one plan."""
    one, other = FaultPlan.parse("pay#1:twice"), FaultPlan.parse("pay#2:twice")
    several = Processes(1, forking(named, lambda: None))
    several.expect([one, other, one])
    assert [several.take(plan) for plan in (one, other)] == [str(one), str(other)]
    several.expect([other])
    assert several.take(other) == str(other)
    assert not several._done
    several.close()


def test_a_process_dies_of_what_is_asked_for_now(monkeypatch):
    """Its plan is sent to another one also where as many runs are made ahead as there may be."""

    def run(plan, taped):
        return os._exit(7) if plan == plans[-1] else str(plan)

    plans = [FaultPlan.parse(f"pay#{n}:twice") for n in range(1, 9)]
    monkeypatch.setattr(processes, "AHEAD", 4)
    several = Processes(1, forking(run, lambda: None))
    several.expect(plans[:5])
    assert several.look(plans[4]) == str(plans[4])
    several.expect_last(plans[5:])
    with pytest.raises(Died, match="pay#8:twice: exit code 7"):
        several.take(plans[-1])
    assert [several.take(plan) for plan in plans[:7]] == [str(plan) for plan in plans[:7]]
    several.close()


def test_none_of_several_processes_begins():
    """They are gone before anybody looks: it is said, and all is run where it is asked for."""

    def start(others):
        made = forking(named, lambda: os._exit(3))(others)
        os.waitid(os.P_PID, made.pid, os.WEXITED | os.WNOWAIT)
        return made

    plans = [FaultPlan.parse(f"pay#{n}:twice") for n in range(1, 40)]
    several = Processes(3, start)
    several.expect(plans)
    assert several.take(plans[0]) is None
    assert several.trouble == "another did not begin (exit code 3)"


def test_one_says_why_it_does_not_begin():
    """There is no thread for its watchdog, perhaps."""

    def adopt():
        raise RuntimeError("can't start new thread")

    plan = FaultPlan.parse("pay#1:twice")
    several = Processes(2, forking(named, adopt))
    several.expect([plan])
    assert several.take(plan) is None
    assert several.trouble == "another did not begin (RuntimeError: can't start new thread)"


def test_what_a_process_has_run_is_saved_before_it_seems_gone(monkeypatch):
    """Who began it ends it as soon as its side of the pipe is closed."""
    (plans, to), (answers, back) = os.pipe(), os.pipe()
    os.close(to)
    saved = []
    monkeypatch.setattr(runner.measured, "save", lambda: saved.append(os.fstat(back)))
    with Simulation() as simulation:
        Campaign(paying, careless, simulation).runner.serve(plans, back)
    assert len(saved) == 1
    with pytest.raises(OSError):
        os.fstat(back)
    os.close(answers)


SERVES = """
import os, sys
from multiprocessing.connection import Connection
from agentfuzz.search.executors.child import serve

def run(plan, taped):
    return os._exit(7) if "pay#3" in str(plan) else str(plan)

plans, back = map(int, sys.argv[-1].split(","))
serve(Connection(plans, writable=False), Connection(back, readable=False), run)
"""


def test_a_process_that_dies_on_a_cluster_dies_of_its_own_plan(tmp_path):
    """What it has made before of the plans that it was sent together is told."""
    asked = [(FaultPlan.parse(f"pay#{n}:twice"), False) for n in range(1, 6)]
    command = [sys.executable, "-c", SERVES]
    made, how = bridge.runs(command, str(tmp_path), {}, asked)
    assert [child.loaded(one) for one in made] == ["pay#1:twice", "pay#2:twice"]
    assert how == "exit code 7"


@pytest.mark.parametrize(
    ("how", "code"), [("SIGKILL", -9), ("exit code 7", 7), ("nobody knows how", 1)]
)
def test_a_bridge_ends_as_the_process_on_its_worker_did(how, code):
    pid = os.fork()
    if not pid:
        bridge.end("")
        bridge.end(how)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == code


def test_a_thread_on_its_way_out_is_waited_for(monkeypatch):
    """The system counts one of a pool that was shut down a moment longer than Python does."""
    monkeypatch.undo()
    tasks = [[1, 2], [1, 2], [1]]
    monkeypatch.setattr(threading, "enumerate", lambda: [threading.main_thread()])
    monkeypatch.setattr(os, "listdir", lambda path: tasks.pop(0))
    assert safe()
    assert tasks == []


def test_threads_forbid_a_fork(monkeypatch):
    """A child would wait for locks that nobody in it gives back: said, and run here. Threads that
    Python does not know are counted by the system."""
    monkeypatch.undo()
    known, unknown = [threading.main_thread()], []
    monkeypatch.setattr(threading, "enumerate", lambda: known)
    monkeypatch.setattr(os, "listdir", lambda path: [*known, *unknown])
    assert safe()
    unknown.append("one of C code")
    assert not safe()
    unknown.clear()
    known.append(threading.Thread(name="pool"))
    assert not safe()
    monkeypatch.undo()
    monkeypatch.setattr(runner, "safe", lambda: False)
    result, _ = searched(paying, careless, 2)
    assert "its runs were made in one process: threads run here already" in result.notes
    assert shown(result) == shown(searched(paying, careless, 1)[0])


def test_when_processes_are_worth_it(monkeypatch):
    """Asked for by number always; by `auto` for dear runs, and not beside other workers."""
    assert wanted(3, 0.0) == 3
    assert wanted(AUTO, DEAR / 2) == 1
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    assert wanted(AUTO, 2 * DEAR) == len(os.sched_getaffinity(0))
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    assert wanted(AUTO, 2 * DEAR) == 1


def test_inline_makes_nothing_ahead():
    inline = Inline()
    inline.expect([FaultPlan()])
    assert inline.take(FaultPlan()) is None
    inline.close()


def test_a_run_is_looked_at_before_it_is_asked_for():
    """It is waited for, and is there when it is asked for; of what nobody makes, or what no child
    can run, there is nothing to see."""

    def run(plan, taped):
        if str(plan) == "pay#2:twice":
            raise OSError("no run")
        return str(plan)

    plans = [FaultPlan.parse(f"pay#{n}:twice") for n in range(1, 40)]
    processes = Processes(2, forking(run, lambda: None))
    processes.expect(plans[:30])
    assert [processes.look(plan) for plan in plans[:3]] == [str(plans[0]), None, str(plans[2])]
    assert processes.look(plans[29]) == processes.take(plans[29]) == str(plans[29])
    assert processes.look(plans[29]) is None
    assert processes.look(plans[39 - 1]) is None
    assert processes.look(plans[2], wait=False) == str(plans[2])
    assert processes.look(plans[39 - 1], wait=False) is None
    assert [processes.take(plan) for plan in plans[:2]] == [str(plans[0]), None]
    processes.close()
    assert Inline().look(plans[0]) is None


def test_a_run_that_is_not_made_yet_is_not_waited_for(tmp_path):
    """It stays where it is expected."""
    go = tmp_path / "go"

    def run(plan, taped):
        while not go.exists():
            Real.sleep(0.001)
        return str(plan)

    plan = FaultPlan.parse("pay#1:twice")
    processes = Processes(1, forking(run, lambda: None))
    processes.expect([plan])
    assert processes.look(plan, wait=False) is None
    go.touch()
    assert processes.look(plan) == processes.look(plan, wait=False) == str(plan)
    assert processes.take(plan) == str(plan)
    processes.close()


def noting(expect, campaign, told):
    """Plans are expected, and it is told in which phase of the campaign."""

    def expected(self, plans):
        plans = [*plans]
        told.append((campaign._levels.phase, [str(plan) for plan in plans]))
        expect(self, plans)

    return expected


def test_what_lasts_is_made_ahead():
    """Two processes make it: each longer fault as soon as it is known that there is one."""
    told = []
    with Simulation() as simulation:
        campaign = Campaign(
            paying,
            careless,
            simulation,
            budget=Budget(workers=2, deep_runs=0, depth=1, max_seconds=600.0),
        )
        with pytest.MonkeyPatch.context() as patch:
            for name in ("expect", "expect_last"):
                patch.setattr(Processes, name, noting(getattr(Processes, name), campaign, told))
            campaign.search()
    lasting = [*map(str, campaign._levels.lasting)]
    ahead = [(phase, plan) for phase, plans in told for plan in plans if plan in lasting]
    assert sorted(plan for _, plan in ahead) == sorted(lasting)
    # The first ones beside the last runs of the level that they come of.
    begun = [plan for phase, plan in ahead if phase == "depth 1"]
    assert begun == [plan for _, plan in ahead[: len(begun)]]
    assert {"*#1+:error", "pay#1-2:lost/timeout"} <= {*begun}


def five(world):
    """Pays five times, whatever comes of it."""
    for n in range(5):
        try:
            world.tools.pay(n=n)
        except Exception:
            continue
    return DONE


def events(agent, **budget):
    """What two processes were told, and asked for, in order and with the phase; and the levels."""
    told = []
    with Simulation() as simulation, pytest.MonkeyPatch.context() as patch:
        given = {"workers": 2, "deep_runs": 0, "max_seconds": 600.0, **budget}
        campaign = Campaign(paying, agent, simulation, budget=Budget(**given))
        for name in ("expect", "expect_last", "expect_again"):
            patch.setattr(Processes, name, noting(getattr(Processes, name), campaign, told))
        take = Processes.take

        def taken(self, plan):
            told.append((campaign._levels.phase, str(plan)))
            return take(self, plan)

        patch.setattr(Processes, "take", taken)
        campaign.search()
    return told, [level.name for level in campaign._levels.told]


def test_the_rows_of_a_covering_array_are_made_ahead():
    """Each while others before it are asked for; none is waited for as soon as it is expected."""
    told, levels = events(five, max_runs=900)
    assert "plans of a covering array of pairs" in levels
    expected, asked, ahead = set(), set(), []
    for phase, what in told:
        if phase == "covering array" and isinstance(what, list):
            expected.update(what)
        elif phase == "covering array":
            assert what in expected
            asked.add(what)  # two rows may come to one plan
            ahead.append(len(expected) - len(asked))
    assert len(asked) > 100
    assert min(ahead) > foresight.ROWS / 2


def test_what_a_level_begins_with_is_made_beside_what_comes_before_it():
    """The first parents of pairs are run again while the last bursts and outages are asked for."""
    told, levels = events(careless, max_runs=900)
    assert {"plans with two faults", "bursts and outages"} <= {*levels}
    asked = [what for phase, what in told if phase == "depth 2" and isinstance(what, str)]
    parents = [plan for plan in dict.fromkeys(asked) if " + " not in plan]
    begun = [what for phase, what in told if phase != "depth 2" and isinstance(what, list)]
    assert parents[:10] in [plans[:10] for plans in begun]
    assert len(parents) > 10


@pytest.mark.parametrize("room", [0, 1, 3])
def test_the_system_has_no_room_for_another_process(room):
    """At first, or when one has died: it is said, those that have begun end, and all is run where
    it is asked for."""

    def run(plan, taped):
        return os._exit(7) if "pay#5" in str(plan) else str(plan)

    fork, begun = forking(run, lambda: None), []

    def start(others):
        if len(begun) == room:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        begun.append(fork(others))
        return begun[-1]

    plans = [FaultPlan.parse(f"pay#{n}:twice") for n in range(1, 40)]
    several = Processes(3, start)
    several.expect(plans)
    assert several.take(plans[4]) is None
    assert several.trouble.startswith("another could not be begun (Resource temporarily unavail")
    for one in begun:
        with pytest.raises(ProcessLookupError):
            os.kill(one.pid, 0)


def test_a_process_that_is_stopped_is_replaced(tmp_path):
    """Somebody has stopped it: its plans are run by another."""
    there = tmp_path / "there"

    def run(plan, taped):
        if not there.exists():
            there.touch()
            os.kill(os.getpid(), signal.SIGSTOP)
        return str(plan)

    plans = [FaultPlan.parse(f"pay#{n}:twice") for n in range(1, 20)]
    several = Processes(1, forking(run, lambda: None))
    several.expect(plans)
    assert [several.take(plan) for plan in plans] == [str(plan) for plan in plans]
    several.close()


def test_a_terminal_stops_no_process():
    """A run that sets the terminal is made in a process that is none of its foreground."""

    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")

    def run(plan, taped):
        termios.tcsetattr(0, termios.TCSANOW, termios.tcgetattr(0))
        return f"made {plan}"

    pid, terminal = pty.fork()
    if not pid:
        try:
            several = Processes(1, forking(run, lambda: None))
            several.expect([PLAN := FaultPlan.parse("pay#1:twice")])
            os.write(1, f"{several.take(PLAN)}\n".encode())
        except BaseException as error:
            os.write(1, f"{error!r}\n".encode())
        finally:
            os._exit(0)
    try:
        assert os.read(terminal, 100).decode().strip() == "made pay#1:twice"
    finally:
        os.waitpid(pid, 0)
        os.close(terminal)


def test_a_process_that_comes_out_otherwise_makes_no_runs():
    """It was begun anew, and is asked for the run without faults first."""
    asked = []

    def otherwise(found):
        asked.append(found)
        return "" if found == "alike" else f"it says {found}"

    plans = [FaultPlan.parse(f"pay#{n}:twice") for n in range(1, 40)]
    for name in ("alike", "another"):
        run = forking(lambda plan, _, name=name: str(plan) if plan else name, lambda: None)
        several = Processes(2, run, otherwise=otherwise)
        several.expect([FaultPlan(), *plans])
        made = [several.take(plan) for plan in plans]
        assert made == [str(plan) if name == "alike" else None for plan in plans]
        assert several.take(FaultPlan()) == ("alike" if name == "alike" else None)
        assert several.trouble == ("" if name == "alike" else "it says another")
        several.close()
    assert asked[-1] == "another"
    assert set(asked[:-1]) == {"alike"}
