"""Where a tool runs (`transport=`): what a function of the own process does under faults."""

import asyncio
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from agentfuzz import Completion, scenario
from agentfuzz.core.errors import PlanError, ScenarioError
from agentfuzz.core.events import Committed, Delivered, Ended, Replied

from .stories import bare_world, told


@scenario(task="Write it down.")
def notes(world):
    @world.tool(effect="note", scope=("line",), transport="local")
    def write_down(line: str) -> dict:
        return {"line": line}


@scenario(task="Write it down.")
def async_notes(world):
    @world.tool(effect="note", scope=("line",), transport="local")
    async def write_down(line: str) -> dict:
        return {"line": line}


def once(world):
    try:
        return world.tools.write_down(line="a")
    except Exception as error:
        return repr(error)


async def within_five(world):
    try:
        async with asyncio.timeout(5):
            return await world.tools.aio.write_down(line="a")
    except TimeoutError:
        return "gave up"


def in_a_pool(world):
    with ThreadPoolExecutor() as pool:
        work = pool.submit(world.tools.write_down, line="a")
        done, _ = wait([work], timeout=5)
        return "returned" if done else "gave up"


def said(played):
    return played.history.of(Ended)[0].value


# what it does


def test_it_raises_and_has_done_nothing(play):
    """The error is the function's own, nothing arrived, and the reply says failed."""
    played = play(notes, once, "local:write_down#1:raises")
    assert said(played) == "RuntimeError('write_down failed: an error inside of it')"
    assert not played.history.of(Delivered)
    [reply] = played.history.of(Replied)
    assert (reply.outcome, reply.raised) == ("failed", "RuntimeError")


def test_it_raises_when_it_has_done_its_work(play):
    """Only where a plan says so: the note is there, and its caller cannot know."""
    played = play(notes, once, "local:write_down#1:raises/after")
    assert len(played.history.ledger) == 1
    assert [reply.outcome for reply in played.history.of(Replied)] == ["unknown"]


@pytest.mark.parametrize(("moment", "at"), [("hangs", 30.0), ("hangs/after", 0.0)])
def test_a_hang_has_an_end(play, moment, at):
    """Who sets no deadline gets the reply 30 s later, and is not accused of waiting."""
    played = play(notes, once, f"local:write_down#1:{moment}")
    assert said(played) == {"line": "a"}
    assert [(c.t, played.history.ended.t) for c in played.history.ledger] == [(at, 30.0)]
    assert not played.violations


@pytest.mark.parametrize("story", [notes, async_notes])
@pytest.mark.parametrize(("moment", "effects"), [("hangs", 0), ("hangs/after", 1)])
def test_an_own_deadline_ends_the_hang(play, story, moment, effects):
    """What was not done when its caller gave up is not done; what was, was."""
    played = play(story, within_five, f"local:write_down#1:{moment}")
    assert said(played) == "gave up"
    assert len(played.history.ledger) == effects
    assert [(r.t, r.outcome) for r in played.history.of(Replied)] == [(5.0, "unknown")]


def test_a_thread_goes_on_after_its_caller_gave_up(play):
    """Nobody can stop a thread: the note is written when the hang is over."""
    played = play(notes, in_a_pool, "local:write_down#1:hangs")
    assert said(played) == "gave up"
    assert told(played.history, Committed)
    assert played.history.ledger[0].t == 30.0


@pytest.mark.parametrize(("failure", "text"), [(OSError, "OSError"), ("text", "Error: ")])
def test_its_error_is_the_scenarios(play, failure, text):
    """`raise_as(raises=...)` says what it raises; the network's words say nothing of it."""

    @scenario(task="")
    def story(world):
        world.raise_as(raises=failure, error=KeyError)
        notes.build(world)

    assert str(said(play(story, once, "local:write_down#1:raises"))).startswith(text)


def test_a_hang_without_end_is_asked_for(play):
    """`raise_as(timeout="hang")`: the wait without a deadline is the loop's fault then."""

    @scenario(task="")
    def story(world):
        world.raise_as(timeout="hang")
        notes.build(world)

    for agent, hung in ((once, True), (within_five, False)):
        played = play(story, agent, "local:write_down#1:hangs")
        assert ("AF203" in [violation.code for violation in played.violations]) == hung


def test_a_report_says_what_it_did(play):
    """No words of a network: the call came to nothing, or took long."""
    story = play(notes, once, "local:write_down#1:raises").story(ascii_only=True)
    assert "call 1 of write_down: raises before it has done anything" in story
    assert "RuntimeError <------  raises" in story
    assert "lost" not in story
    story = play(async_notes, within_five, "local:write_down#1:hangs/after").story(ascii_only=True)
    assert "call 1 of write_down: hangs for 30 s after it has done its work" in story
    assert "CancelledError <------  hangs" in story


# what cannot be


def test_a_plan_of_the_other_kind_says_so(play):
    """What a network does is planned for a local tool, or the other way round: no evidence."""
    with pytest.raises(PlanError, match=r'write_down is transport="local".*local:write_down#1'):
        play(notes, once, "write_down#1:twice").check()

    @scenario(task="")
    def remote(world):
        @world.tool(effect="note", scope=("line",))
        def write_down(line: str) -> dict:
            return {"line": line}

    with pytest.raises(PlanError, match=r'Only what is transport="local" raises or hangs'):
        play(remote, once, "local:write_down#1:raises").check()
    with pytest.raises(PlanError, match="Did you mean 'write_down'"):
        play(notes, once, "local:write_dwn#1:raises")


def test_a_transport_that_does_not_exist():
    """Refused at the declaration, with the near one."""
    with pytest.raises(ScenarioError, match=r"none of network, at_most_once, local.*'local'"):
        bare_world().tool(transport="locally")(lambda: 0)


def test_a_tool_may_be_called_like_the_boundary(play):
    """`local` is a name like any other, and a plan tells the two apart."""

    @scenario(task="")
    def story(world):
        @world.tool(effect="note", scope=(), transport="local")
        def local() -> str:
            return "ok"

    def agent(world):
        try:
            return world.tools.local()
        except RuntimeError:
            return Completion.failed(reason="tool_failed")

    played = play(story, agent, "local:local#1:raises")
    assert not played.history.ledger
    assert str(played.plan) == "local:local#1:raises"
