"""What users write in their own loops: models by their API, tools that wait or fail, sessions."""

import inspect
import runpy
import sys
from typing import Any

import pytest

pytest.importorskip("agents")

import agents
from agents import Agent, Runner, SQLiteSession

from agentfuzz import AgentfuzzError, World, adapters, run
from agentfuzz.adapters.openai_agents import ADAPTER
from agentfuzz.adapters.testing import situation
from agentfuzz.core.events import Committed, ModelTurn, Saved

oa = adapters.openai_agents
ALONE = situation(ADAPTER, "alone").scenario


@pytest.mark.parametrize("api", ["native", "chat", "responses"])
def test_a_model_by_its_api(api: str) -> None:
    """The same loop, over whatever API."""

    async def agent(world: World) -> Any:
        made = Agent(name="a", model=oa.model(world, api=api), tools=oa.tools(world))
        return (await Runner.run(made, world.task)).final_output

    history = run(ALONE, agent).history
    assert [turn.stop for turn in history.of(ModelTurn)] == ["tool_calls", "end"]
    assert len(history.of(Committed)) == 1


@pytest.mark.parametrize("words", [{"api": "chta"}, {"max_retries": 0}])
def test_words_that_a_model_does_not_know(words: dict[str, Any]) -> None:
    """An API that there is not; words of a client, where there is none."""

    def agent(world: World) -> None:
        oa.model(world, **words)

    with pytest.raises(AgentfuzzError, match="there is native, chat, responses"):
        run(ALONE, agent)


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
@pytest.mark.parametrize("says", [None, lambda context, error: "no luck"], ids=["fatal", "told"])
def test_a_tool_that_fails(monkeypatch: pytest.MonkeyPatch, old: bool, says: Any) -> None:
    """The run ends, or the model is told so; the same in releases with a simpler decorator."""
    if old:
        monkeypatch.delattr("agents.tool.with_function_tool_failure_error_handler")

    async def agent(world: World) -> Any:
        tools = oa.tools(world, failure_error_function=says)
        made = Agent(name="a", model=oa.model(world), tools=tools)
        return (await Runner.run(made, world.task)).to_input_list()

    ended = run(ALONE, agent, "ship#1:lost/error").history.ended
    assert ended is not None
    if says is None:
        assert ended.how == "raised"
    else:
        assert "no luck" in str(ended.value)


def test_a_tool_that_fails_by_default_in_an_old_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as the SDK tells it."""
    monkeypatch.delattr("agents.tool.with_function_tool_failure_error_handler")

    async def agent(world: World) -> Any:
        made = Agent(name="a", model=oa.model(world), tools=oa.tools(world))
        return (await Runner.run(made, world.task)).to_input_list()

    ended = run(ALONE, agent, "ship#1:lost/error").history.ended
    assert "An error occurred while running the tool." in str(ended and ended.value)


def test_tools_that_wait() -> None:
    """The run is interrupted, and nothing has happened yet."""

    async def agent(world: World) -> Any:
        tools = oa.tools(world, needs_approval=("ship",))
        made = Agent(name="a", model=oa.model(world), tools=tools)
        [waiting] = (await Runner.run(made, world.task)).interruptions
        return waiting.raw_item.name

    history = run(ALONE, agent).history
    assert history.ended is not None
    assert history.ended.value == "ship"
    assert not history.of(Committed)


def test_no_approvals_in_an_old_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said what they need."""
    module = sys.modules["agentfuzz.adapters.openai_agents.tools"]
    monkeypatch.setattr(module, "APPROVES", False)

    def agent(world: World) -> None:
        oa.tools(world, needs_approval=("ship",))

    with pytest.raises(AgentfuzzError, match=r"from openai-agents 0\.8 on"):
        run(ALONE, agent)


def test_a_release_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no sessions is older than 0.2, and the error names both versions."""
    monkeypatch.delattr(agents, "SQLiteSession", raising=False)
    monkeypatch.delattr(agents, "__getattr__", raising=False)
    with pytest.raises(AgentfuzzError, match=r"needs openai-agents 0\.2 or newer, and this is"):
        runpy.run_path(inspect.getfile(type(ADAPTER)))


def test_a_session_in_a_world() -> None:
    """Its writes are saves, and all of it is the session's own."""

    async def agent(world: World) -> Any:
        kept = oa.session(world, SQLiteSession("s"))
        made = Agent(name="a", model=oa.model(world), tools=oa.tools(world))
        await Runner.run(made, world.task, session=kept)
        before = len(await kept.get_items())
        await kept.pop_item()
        after = len(await kept.get_items())
        await kept.clear_session()
        return [kept.session_id, before - after, await kept.get_items()]

    history = run(ALONE, agent).history
    assert history.ended is not None
    assert history.ended.value == ["s", 1, []]
    assert len(history.of(Saved)) >= 4
    failed = run(ALONE, agent, "store:session#1:unsaved").history.ended
    assert failed is not None
    assert failed.error == "ConnectionError"
