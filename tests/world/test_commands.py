"""Ctrl-C while a command runs: an agent that goes on has ended it, or is told of."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from agentfuzz import Completion, fuzz, run, scenario
from agentfuzz.core.events import Replied, Struck, Unheard
from search.support import hunt, smallest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX")
WORK = [sys.executable, "-c", ""]
PLAN = "command:python#1:ctrl_c"
TOLD = Completion.blocked(reason="outcome_unknown")


@scenario(task="Work.", faults=("ctrl_c",))
def office(world):
    @world.tool
    def look(name: str) -> str:
        return name


def begun(**words):
    return subprocess.Popen(WORK, **{"start_new_session": True, **words})


def forgets(world):
    """Victim: it goes on, and so does its command."""
    try:
        begun().wait()
    except KeyboardInterrupt:
        return TOLD
    return Completion.success()


def retries(world):
    """Victim: another one of the same is begun beside it."""
    for _ in range(2):
        try:
            begun(stdout=subprocess.PIPE).communicate(timeout=30)
        except KeyboardInterrupt:
            continue
        return Completion.success()
    return TOLD


def fails_later(world):
    """Victim: what it raises has nothing to do with it."""
    forgets(world)
    raise IndexError("no more turns")


def leaves_a_block(world):
    """Victim: Python does not wait for it where the key has interrupted the block."""
    try:
        with begun() as process:
            process.wait()
    except KeyboardInterrupt:
        return TOLD
    return Completion.success()


@pytest.mark.parametrize("agent", [forgets, retries, leaves_a_block])
def test_victims(agent):
    """AF908, and without the key nothing."""
    found = run(office, agent, PLAN)
    assert [one.code for one in found.violations] == ["AF908"]
    assert [one.slot.name for one in found.history.of(Struck)] == ["python"]
    assert "python goes on, and nobody waits for it" in str(found.history)
    assert run(office, agent).violations == ()


def test_the_key_is_told_where_it_was_pressed(simulation):
    """Before all that the agent did since, and at the line that waited."""

    def agent(world):
        said = forgets(world)
        world.tools.look(name="A17")
        return said

    told = str(run(office, agent, PLAN).history)
    assert re.search(r"! 0.0s  Ctrl-C while python runs\n.*look#1.*python goes on", told, re.DOTALL)
    [cx] = hunt(office, forgets, simulation).findings
    assert cx.location.endswith(" forgets")
    assert any(line.startswith(">") and "begun().wait()" in line for line in cx.source)


def test_an_agent_that_fails_later_has_gone_on():
    """Whatever it fails of."""
    found = run(office, fails_later, PLAN)
    assert "AF908" in [one.code for one in found.violations]


def ends_it(world):
    process = begun()
    try:
        process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return TOLD
    return Completion.success()


def leaves_it_to_python(world):
    try:
        subprocess.run(WORK, start_new_session=True)
    except KeyboardInterrupt:
        return TOLD
    return Completion.success()


def shares_its_group(world):
    begun(start_new_session=False).wait()
    return Completion.success()


def waits_once_more(world):
    process = begun()
    try:
        process.wait()
    except KeyboardInterrupt:
        process.wait()
    return Completion.success()


def stops(world):
    """It knows nothing of the key: a program that ends may clean up as it exits."""
    begun().wait()
    return Completion.success()


def stops_in_words_of_its_own(world):
    try:
        begun().wait()
    except KeyboardInterrupt:
        raise RuntimeError("aborted") from None
    return Completion.success()


def exits(world):
    """As a program does that the key has ended."""
    try:
        begun().wait()
    except KeyboardInterrupt:
        sys.exit(130)
    return Completion.success()


def exits_later(world):
    """The same, once it has put everything away."""
    code = 0
    try:
        begun().wait()
    except KeyboardInterrupt:
        code = 130
    if code:
        sys.exit(code)
    return Completion.success()


def is_its_own_cause(world):
    """A slip that many a program has: `raise error from error`."""
    try:
        begun().wait()
    except KeyboardInterrupt:
        error = RuntimeError("aborted")
        raise error from error
    return Completion.success()


def has_another_cause(world):
    try:
        begun().wait()
    except KeyboardInterrupt:
        raise RuntimeError("aborted") from ValueError("no answer")
    return Completion.success()


HONEST = [
    *(ends_it, leaves_it_to_python, waits_once_more, shares_its_group, stops),
    *(stops_in_words_of_its_own, exits, exits_later, is_its_own_cause, has_another_cause),
]


@pytest.mark.parametrize("agent", HONEST)
def test_survivors(agent):
    """Neither accused nor left as one that died."""
    found = run(office, agent, PLAN)
    assert found.violations == ()
    assert found.history.of(Unheard) == []


def test_a_tool_that_is_interrupted_has_done_its_work():
    """The command goes on: what it does is in the ledger, and the agent cannot know it."""

    @scenario(task="Push.", faults=("ctrl_c",))
    def branch(world):
        @world.tool(effect="push", scope=())
        def push() -> str:
            subprocess.run(WORK, start_new_session=True)
            return "pushed"

    def twice(world):
        for _ in range(2):
            try:
                return Completion.success(handle=world.tools.push())
            except KeyboardInterrupt:
                continue
        return TOLD

    found = run(branch, twice, PLAN)
    assert "AF101" in [one.code for one in found.violations]
    assert [one.outcome for one in found.history.of(Replied)] == ["unknown", "applied"]


@pytest.mark.parametrize(
    ("agent", "error"),
    [(stops, "KeyboardInterrupt"), (exits, "SystemExit"), (exits_later, "SystemExit")],
)
def test_a_run_that_the_key_ends_is_cancelled(agent, error):
    """KeyboardInterrupt is how it is said, or the end of the program."""
    ended = run(office, agent, PLAN).history.ended
    assert (ended.how, ended.error) == ("cancelled", error)


def test_a_program_that_exits_by_itself_still_dies():
    """No key was pressed."""
    found = run(office, lambda world: begun().wait() or sys.exit(1))
    assert [one.code for one in found.violations] == ["AF901"]


def test_an_agent_whose_process_dies_could_not_end_it():
    """It was about to."""

    @scenario(task="Work.", faults=("ctrl_c",), resume=True)
    def desk(world):
        @world.tool
        def tell(text: str) -> str:
            return text

    def agent(world):
        process = begun()
        try:
            process.wait()
        except KeyboardInterrupt:
            world.tools.tell(text="interrupted")
            process.kill()
            process.wait()
        return Completion.success()

    found = run(desk, agent, f"{PLAN} + process:tell#1:crash")
    assert found.history.endings == ["crashed", "returned"]
    assert (found.violations, found.history.of(Unheard)) == ((), [])


def test_a_campaign_ends_when_every_plan_was_run(simulation):
    """One command can be interrupted once; of two that go on, each, and both."""

    def twice(world):
        return (ends_it(world), ends_it(world))[1]

    found = hunt(office, ends_it, simulation, deep_runs=200)
    assert [level.name for level in found.levels] == ["plans with one fault"]
    assert found.stopped == "exhausted"
    found = hunt(office, twice, simulation, deep_runs=200)
    assert [(level.name, level.done) for level in found.levels] == [
        ("plans with one fault", 2),
        ("plans with two faults", 1),
    ]

    def thrice(world):
        return (ends_it(world), twice(world))[1]

    found = hunt(office, thrice, simulation, deep_runs=200, max_runs=400)
    assert found.levels[-1].name == "random plans and values"  # of eight plans
    assert found.levels[-1].done < 150
    assert found.stopped == "exhausted"


def test_commands_are_free():
    """They are no crossings of its budget."""

    def agent(world):
        for _ in range(4):
            begun().wait()
        return Completion.success()

    @scenario(task="Work.", faults=("ctrl_c",), max_crossings=3)
    def small(world):
        """No tools."""

    assert run(small, agent).history.ended.how == "returned"


def test_a_story_that_does_not_ask_for_it(simulation):
    """Nothing is noted, and no fault is tried; `@fuzz(faults=...)` asks as well."""
    calm = replace(office, faults=())
    given = fuzz(calm, faults=("ctrl_c",))(lambda world: forgets(world)).agentfuzz

    def agent(world):
        world.tools.look(name="A17")
        return forgets(world)

    assert smallest(hunt(calm, agent, simulation)) == []
    for story in (office, given.scenario):
        assert smallest(hunt(story, agent, simulation)) == [f"AF908 python: {PLAN}"]
    assert [one.code for one in run(calm, agent, PLAN).violations] == ["AF908"]
