"""The contract and its kit, on a plain loop: what is wrong with an adapter is seen."""

from collections.abc import Mapping
from typing import Any

import pytest

from agentfuzz import AgentfuzzError, World, run
from agentfuzz.adapters import testing
from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Setup, agent, found
from agentfuzz.core.events import Called, ModelTurn

TURNS = 12


class Plain(Adapter):
    """The ten-line loop, which tells nobody the ids of its calls."""

    name = "plain"
    package = "pytest-agentfuzz"
    limits: Mapping[str, Limit] = {"turns": Limit("turns", TURNS)}
    meets: Mapping[str, str] = {
        **dict.fromkeys(("raised", "soft", "invalid", "unknown"), "told"),
        "cancelled": "ended",
    }

    @property
    def entrypoints(self) -> Mapping[str, Any]:
        return {"sync": self.sync}

    def tool(self, bridge: Bridge) -> Any:
        return bridge

    def model(self, world: World, *, agent: str | None = None) -> Any:
        return world.model

    def ended(self, result: Any) -> Ended | None:
        if isinstance(result, BaseException):
            return None
        return result if isinstance(result, Ended) else Ended(result)

    def sync(self, setup: Setup) -> Any:
        ask, tools = self.model(setup.world), {one.name: one for one in self.offered(setup)}
        messages: list[Any] = [{"role": "user", "content": setup.world.task}]
        for _ in range(setup.options.get("turns", TURNS)):
            turn = ask(messages, list(tools))
            messages.append(turn)
            if not turn["tool_calls"]:
                return turn["content"]
            for call in turn["tool_calls"]:
                text = self.called(tools, call)
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
        return Ended(why="limit")

    def called(self, tools: Mapping[str, Bridge], call: Mapping[str, Any]) -> str:
        try:
            return tools[call["name"]].call(call["arguments"])
        except Exception as error:
            return f"Error: {error}"


class Loud(Plain):
    def ended(self, result: Any) -> Ended | None:
        print("ended")
        return super().ended(result)


class Twice(Plain):
    def called(self, tools: Mapping[str, Bridge], call: Mapping[str, Any]) -> str:
        super().called(tools, call)
        return super().called(tools, call)


class Strict(Plain):
    def called(self, tools: Mapping[str, Bridge], call: Mapping[str, Any]) -> str:
        return tools[call["name"]].call(call["arguments"])


class Counts(Plain):
    runs = 0

    def sync(self, setup: Setup) -> Any:
        Counts.runs += 1
        result = super().sync(setup)
        return result if isinstance(result, Ended) else f"{result} {Counts.runs}"


class Endless(Plain):
    def sync(self, setup: Setup) -> Any:
        return super().sync(Setup(setup.world))


class Nameless(Plain):
    name = "no name"


class Forgets(Plain):
    sessions = True

    def session(self, world: World) -> Any:
        return []


def failing(adapter: Adapter) -> set[str]:
    """The checks of the kit that an adapter does not pass."""
    found = set()
    for check in testing.checks(adapter):
        try:
            check()
        except AssertionError:
            found.add(str(check))
    return found


@pytest.mark.parametrize(
    ("adapter", "broken"),
    [
        (Plain(), set()),
        (Loud(), {"quiet"}),
        (Nameless(), {"names"}),
        (Counts(), {"sync-again"}),
        (Endless(), {"limit-turns", "sync-meets-cancelled"}),
        (Forgets(), {"sync-session"}),
    ],
    ids=lambda one: type(one).__name__,
)
def test_the_kit_sees_what_is_wrong(adapter, broken):
    """Exactly the check that speaks of it fails."""
    assert failing(adapter) == broken


def test_a_loop_that_calls_twice_fails_many_checks():
    assert {"sync-completes", "sync-ids"} <= failing(Twice())


def test_a_loop_that_lets_failures_out_meets_them_otherwise():
    assert {"sync-meets-raised", "sync-meets-invalid"} <= failing(Strict())


def test_the_id_of_a_call_is_inferred():
    """Of siblings each has its own, whatever order they are made in."""
    siblings = testing.situation(Plain(), "siblings")

    class Backwards(Plain):
        def sync(self, setup: Setup) -> Any:
            world, tools = setup.world, {one.name: one for one in self.offered(setup)}
            messages: list[Any] = [{"role": "user", "content": world.task}]
            while (turn := world.model(messages, list(tools)))["tool_calls"]:
                messages.append(turn)
                for call in reversed(turn["tool_calls"]):
                    text = self.called(tools, call)
                    messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
            return turn["content"]

    history = run(siblings.scenario, agent(Backwards())).history
    given = {(c[0], c[1]) for turn in history.of(ModelTurn) for c in turn.calls}
    assert {(call.asked, call.slot.name) for call in history.of(Called)} == given


@pytest.mark.parametrize(("tries", "how"), [(1, "raised"), (2, "returned")])
def test_a_caller_may_call_again_what_has_raised(tries, how):
    """The world goes on, and the setup says that it is the second attempt."""
    alone = testing.situation(Plain(), "alone")
    loop = agent(Strict(), tries=tries)
    assert run(alone.scenario, loop, "ship#1:once/error").history.ended.how == how


def test_what_an_adapter_does_not_have_is_refused():
    """By name, with what there is."""
    with pytest.raises(AgentfuzzError, match="has no session="):
        agent(Plain(), session=True)
    with pytest.raises(AgentfuzzError, match="has no entrypoint 'snyc'; it has sync"):
        agent(Plain(), "snyc")
    with pytest.raises(AgentfuzzError, match="there is no adapter 'lang_graph'"):
        found("lang_graph")
