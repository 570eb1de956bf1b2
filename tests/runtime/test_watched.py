"""What counts against a run's time, and what else of the user's code is watched."""

import asyncio
import contextlib
import signal
import sys

import pytest

from agentfuzz import (
    Completion,
    at_most_once,
    ends_within,
    invariant,
    run,
    scenario,
    structured_termination,
)
from agentfuzz.core.errors import CutOff, ScenarioError
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.judging import asked, watched
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.watchdog import FIRST, TICKS, Watchdog
from agentfuzz.world.injector import FromPlan


@scenario(max_crossings=50)
def anywhere(world):
    @world.tool
    def look(): ...


def tick():
    """The timer's signal, without its time."""
    signal.getsignal(signal.SIGALRM)(signal.SIGALRM, sys._getframe(1))


def ticks(count):
    for _ in range(count):
        tick()


@pytest.fixture
def warm(monkeypatch):
    """A run of this process has ended."""
    monkeypatch.setattr(Watchdog, "_warm", True)


def ended(agent, story=anywhere, **named):
    """How a run ends whose timer never comes by itself."""
    with Simulation(run_timeout=1000.0) as simulation:
        return run(story, agent, simulation=simulation, **named).history.ended


@pytest.mark.usefixtures("warm")
def test_each_crossing_begins_the_time_anew():
    """A framework that is slow between two calls is none that spins."""

    def slow(world):
        for _ in range(20):
            ticks(TICKS)
            world.tools.look()
        return "fine"

    def spins(world):
        world.tools.look()
        ticks(TICKS + 1)

    assert ended(slow).value == "fine"
    assert ended(spins).error == "spinning"


@pytest.mark.usefixtures("warm")
def test_a_loop_that_crosses_for_ever_is_ended_by_its_budget():
    """Whatever it swallows: refused crossings are none."""

    def loops(world):
        while True:
            tick()
            world.tools.look()

    def swallows(world):
        while True:
            try:
                tick()
                world.tools.look()
            except CutOff:
                pass

    assert ended(loops).error == "budget"
    with Simulation(run_timeout=0.1) as simulation:
        found = run(anywhere, swallows, simulation=simulation).history.ended
    assert (found.how, found.error) in {("cut_off", "budget"), ("cut_off", "spinning")}


@pytest.mark.usefixtures("warm")
def test_a_run_that_was_cut_off_has_had_its_time():
    """An agent that swallows it and crosses again is interrupted at the next ticks."""
    crossed = []

    def swallows(world):
        for number in range(3):
            with contextlib.suppress(CutOff):
                ticks(TICKS + 1 if number == 0 else 1)
            world.tools.look()
            crossed.append(number)

    assert ended(swallows).error == "spinning"
    assert 2 not in crossed


def test_the_first_run_of_a_process_has_longer(monkeypatch):
    """What a framework builds when it is used for the first time is no spinning."""
    monkeypatch.setattr(Watchdog, "_warm", False)
    with Simulation(run_timeout=1000.0) as simulation:
        first = run(anywhere, lambda world: ticks(TICKS * FIRST), simulation=simulation)
        again = run(anywhere, lambda world: ticks(TICKS + 1), simulation=simulation)
    assert (first.history.ended.how, again.history.ended.error) == ("returned", "spinning")


@pytest.mark.usefixtures("warm")
def test_an_import_takes_none_of_the_time(tmp_path, monkeypatch):
    """However long it takes to be read, compiled and carried out."""
    monkeypatch.syspath_prepend(str(tmp_path))
    text = "import signal, sys\ntick = signal.getsignal(signal.SIGALRM)\n"
    text += "for _ in range(50): tick(signal.SIGALRM, sys._getframe())\n"
    (tmp_path / "slow_to_import.py").write_text(text)

    def imports(world):
        import slow_to_import

        return slow_to_import.__name__

    try:
        assert ended(imports).value == "slow_to_import"
    finally:
        sys.modules.pop("slow_to_import", None)


@pytest.mark.usefixtures("warm")
def test_whoever_looks_in_a_debugger_takes_his_time():
    """An agent that stands at a breakpoint is not interrupted."""
    code = compile("ticks(50)", "/lib/bdb.py", "exec")

    def debugged(world):
        exec(code, {"ticks": ticks})
        return "fine"

    assert ended(debugged).value == "fine"


@pytest.mark.usefixtures("warm")
@pytest.mark.parametrize("blocked", [{signal.SIGALRM}, set(range(1, 32))], ids=["alarm", "all"])
def test_a_signal_that_does_not_arrive(blocked):
    """An agent that has blocked the timer's signal is interrupted by the thread; the next run has
    its timer, and its mask, as ever."""

    def blocks(world):
        signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
        while True:
            pass

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with Simulation(run_timeout=0.1) as simulation:
        found = [run(anywhere, blocks, simulation=simulation).history.ended for _ in range(2)]
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    assert [(one.how, one.error) for one in found] == [("cut_off", "spinning")] * 2


@pytest.mark.usefixtures("warm")
def test_an_interruption_that_comes_when_the_run_ends():
    """One that is on its way then, and arrives at the first step of the ending, ends that run and
    no other."""

    class Late(Watchdog):
        late = True

        def end(self):
            if self.late and self.run == 2:  # the first is the scenario
                self.late = False
                raise CutOff("spinning", "late")
            super().end()

    with Simulation(run_timeout=1000.0) as simulation:
        own = simulation.watchdog
        late = Late(1000.0)
        vars(late).update(vars(own))
        simulation.watchdog = late
        first = simulation.execute(anywhere, lambda world: "fine", under())
        again = simulation.execute(anywhere, lambda world: "fine", under())
        simulation.watchdog = own
    assert (first.ended.how, first.ended.error) == ("cut_off", "spinning")
    assert again.ended.value == "fine"
    assert not late.active


def under(plan=""):
    """An injector of a plan."""
    return FromPlan(FaultPlan.parse(plan))


# What else runs the user's code ----------------------------------------------------------------


def spin(*_):
    while True:
        pass


def leave(*_):
    raise SystemExit(3)


def press(*_):
    raise KeyboardInterrupt


def hostile(how):
    return type("Hostile", (Exception,), {"__str__": how, "__repr__": how})


def cut(agent, story=anywhere):
    with Simulation(run_timeout=0.1) as simulation:
        found = run(story, agent, simulation=simulation).history.ended
        after = run(anywhere, lambda world: "fine", simulation=simulation).history.ended
    assert after.value == "fine"
    return found


@pytest.mark.usefixtures("warm")
def test_an_exception_whose_text_never_ends():
    """The text of what an agent raises is asked for under the watchdog, too."""

    def raises(world):
        raise hostile(spin)

    found = cut(raises)
    assert (found.how, found.error) == ("cut_off", "spinning")
    assert found.detail.startswith("spin (test_watched.py:")


@pytest.mark.parametrize("how", [leave, press])
def test_an_exception_whose_text_exits(how):
    """It is an exception without a text."""

    def raises(world):
        raise hostile(how)

    assert ended(raises).error == "Hostile"


@pytest.mark.usefixtures("warm")
def test_what_is_left_of_a_run_is_watched():
    """A task that spins when it is cancelled, after an agent that has raised."""

    async def left(world):
        async def stays():
            try:
                await asyncio.sleep(1000)
            finally:
                spin()

        task = asyncio.ensure_future(stays())
        await asyncio.sleep(0)
        assert not task.done()
        raise ValueError

    assert cut(left).error == "ValueError"


@pytest.mark.usefixtures("warm")
def test_a_late_body_that_never_ends_is_watched():
    """What arrives after the agent has raised is the user's code, too."""

    @scenario()
    def late(world):
        @world.tool(effect="pay", scope=())
        def pay():
            spin()

    def raises(world):
        try:
            world.tools.pay()
        except TimeoutError:
            raise ValueError from None

    with Simulation(run_timeout=0.1) as simulation:
        history = simulation.execute(late, raises, under("pay#1:late/timeout"))
        after = run(anywhere, lambda world: "fine", simulation=simulation).history.ended
    assert after.value == "fine"
    assert history.ended.error == "ValueError"


@pytest.mark.usefixtures("warm")
@pytest.mark.parametrize(
    ("how", "said"),
    [(spin, "never ends: it was cut off in "),
     (leave, "raised SystemExit"), (press, "raised KeyboardInterrupt")],
)  # fmt: skip
@pytest.mark.parametrize("where", ["scenario", "law", "outcome"])
def test_a_scenario_or_a_law_that_does_not_end_as_it_should(where, how, said):
    """It is an error that names it; an agent's verdict is not touched, and pytest goes on."""

    @scenario(invariant(how) if where == "law" else invariant(lambda history: None),
              outcome=how if where == "outcome" else None)  # fmt: skip
    def mine(world):
        if where == "scenario":
            how()

    with Simulation(run_timeout=0.1) as simulation:
        if where == "outcome" and how is spin:
            found = simulation.execute(mine, lambda world: "fine", under()).ended
            assert (found.error, found.detail[:6]) == ("spinning", "spin (")
        else:
            name = {"scenario": "the scenario mine", "law": f"the law {how.__name__}"}
            with pytest.raises(ScenarioError) as caught:
                run(mine, lambda world: "fine", simulation=simulation)
            if where == "outcome":
                assert "outcome= of scenario 'mine' failed" in str(caught.value)
                assert how in (leave, press)
            else:
                assert f"{name[where]} {said}" in str(caught.value)
        after = run(anywhere, lambda world: "fine", simulation=simulation).history.ended
    assert after.value == "fine"


def test_a_law_of_agentfuzz_s_own_is_asked_directly():
    """Only what runs code of the user's costs anything."""
    for law in (
        at_most_once(),
        at_most_once("pay"),
        ends_within(turns=5),
        structured_termination(),
    ):
        assert watched(law) is law, law
    assert watched(invariant(lambda history: None)).check.func is asked


def test_a_real_ctrl_c_stays_one():
    """In a law as anywhere: pytest is stopped by it."""

    @invariant
    def pressed(history):
        signal.raise_signal(signal.SIGINT)

    @scenario(pressed)
    def mine(world): ...

    with pytest.raises(KeyboardInterrupt), Simulation() as simulation:
        run(mine, lambda world: Completion.success(), simulation=simulation)
