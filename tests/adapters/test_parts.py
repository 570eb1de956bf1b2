"""The small parts of the contract, from which adapters are put together."""

import asyncio
from collections.abc import Mapping
from inspect import Parameter, iscoroutinefunction
from typing import Any

import pytest

from agentfuzz import World, run, scenario
from agentfuzz.adapters.contract import (
    Adapter,
    Asking,
    Bridge,
    Ended,
    Saved,
    Setup,
    kept,
    met,
    saves,
    signature,
    taken,
)
from agentfuzz.core.events import Saved as Write
from agentfuzz.core.history import History
from agentfuzz.model.script import call
from agentfuzz.providers.offer import Offer


def played(agent: Any, *script: Any) -> History:
    """A run of this agent with one tool, which has a parameter that may be left out."""

    def build(world: World) -> None:
        @world.tool
        def find(order: str, limit: int | None = None, tags: list[str] | None = None) -> str:
            """Find an order."""
            return order

    return run(scenario(script=list(script) or ["Hello."])(build), agent).history


def writes(history: History) -> list[str]:
    """What was saved, in order."""
    return [event.slot.name for event in history.of(Write)]


def test_words_go_to_whom_they_belong():
    """Those of a client are taken out of the options; the others stay."""
    options = {"max_retries": 0, "name": "a"}
    assert taken(options, ("timeout", "max_retries")) == {"max_retries": 0}
    assert options == {"name": "a"}


def test_what_frameworks_do_of_a_failure():
    """The model is told, but for what is said otherwise."""
    assert met(cancelled="ended") == {
        **dict.fromkeys(("raised", "soft", "invalid", "unknown"), "told"),
        "cancelled": "ended",
    }


class Store:
    """A store with a sync and an async write."""

    def __init__(self, world: World | None = None) -> None:
        self.world, self.said = world, list[str]()

    def add(self, text: str) -> int:
        """Write."""
        self.said.append(text)
        return len(self.said)

    async def aadd(self, text: str) -> int:
        """The same."""
        return self.add(text)

    def read(self) -> list[str]:
        """Read."""
        return self.said


class Kept(Store):
    """The same; its writes are saves."""

    add = saves("one", Store.add)
    aadd = saves("two", Store.aadd)


def in_a_world(made: Any) -> History:
    """What is saved where a store is written to and read."""

    def agent(world: World) -> str:
        store = made(world)
        assert store.add("a") == 1
        assert asyncio.run(store.aadd("b")) == 2
        assert store.read() == ["a", "b"]
        assert iscoroutinefunction(store.aadd)
        assert not iscoroutinefunction(store.add)
        return "done"

    return played(agent)


def test_the_writes_of_a_subclass_are_saves():
    """Sync and async; nobody else's are. (What an async write does by a sync one is saved, too.)"""
    assert writes(in_a_world(Kept)) == ["one", "one", "two"]


def test_the_writes_of_anybody_s_store_are_saves():
    """All else is asked of the store."""
    named = {"add": "text", "aadd": "text"}
    found = in_a_world(lambda world: Saved(world, Store(), named))
    assert writes(found) == ["text", "text"]


def test_a_session_that_is_a_list():
    """It is written at once; without one nothing is."""
    said = ["old"]

    def agent(world: World) -> str:
        kept(Setup(world), "messages", ["new"])
        kept(Setup(world, session=said), "messages", ["new"])
        return "done"

    assert writes(played(agent)) == ["messages"]
    assert said == ["new"]


def test_a_tool_as_a_function():
    """What may be left out is None by default, and is left out again; a framework may add a
    parameter, and say which types it has."""
    found: list[Any] = []
    more = Parameter("context", Parameter.KEYWORD_ONLY)

    def agent(world: World) -> str:
        bridge = Bridge(world, "find", None)
        made = signature(bridge, more, types={"string": str, "array": list})
        found.append([(one.name, one.default, one.annotation) for one in made.parameters.values()])
        found.append(bridge.sent({"order": "A17", "limit": None, "tags": ["x"]}))
        found.append(signature(bridge).parameters["tags"].annotation)
        return "done"

    played(agent)
    parameters, sent, usual = found
    assert parameters[0] == ("order", Parameter.empty, str)
    assert [name for name, default, _ in parameters if default is None] == ["limit", "tags"]
    assert parameters[-1][0] == "context"
    assert sent == {"order": "A17", "tags": ["x"]}
    assert usual is Any


def test_turns_are_numbered():
    """Each has a serial of its own, also of two models; and says what it used."""
    turns: list[Mapping[str, Any]] = []

    def agent(world: World) -> str:
        said = [{"role": "user", "content": world.task}]
        for model in (Asking(world), Asking(world)):
            turns.append(model.turn(said, Offer()))
            turns.append(asyncio.run(model.aturn(said, Offer())))
        return "done"

    played(agent, *[call("find", order=name) for name in ("A", "B", "C")], "Done.")
    assert len({turn["serial"] for turn in turns}) == len(turns) == 4
    for turn in turns:
        assert turn["usage"]["total"] == turn["usage"]["input"] + turn["usage"]["output"]


class Limits(Adapter):
    """A framework with a limit of its own."""

    name = package = "limits"
    raises = {KeyError: "limit"}

    @property
    def entrypoints(self) -> Mapping[str, Any]:
        """None."""
        return {}

    def tool(self, bridge: Bridge) -> Any:
        """The bridge."""
        return bridge

    def model(self, world: World, *, agent: str | None = None) -> Any:
        """The world's."""
        return world.model


@pytest.mark.parametrize(
    ("result", "ended"),
    [(KeyError("x"), Ended(why="limit")), (ValueError("x"), None), ("text", Ended("text"))],
    ids=["an ending", "a failure", "a result"],
)
def test_exceptions_that_are_endings(result: Any, ended: Ended | None):
    """Those that the adapter names; no others."""
    assert Limits().ended(result) == ended
