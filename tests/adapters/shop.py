"""Scenarios for the adapters: one order, two orders at once, and a model that says anything."""

from collections.abc import Sequence
from typing import Any

from agentfuzz import Completion, World, exactly_once, run, scenario, structured_termination
from agentfuzz.core.events import Called, Committed
from agentfuzz.core.history import History
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.search.campaign import Budget, Campaign

LAWS = (exactly_once("charge"), structured_termination())
A17 = ("charge_card", {"order_id": "A17", "amount": 42})
B18 = ("charge_card", {"order_id": "B18", "amount": 7})
TASK = "Charge order A17, 42.00 EUR."


def _card(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, amount: int) -> dict[str, object]:
        """Charge the card of an order."""
        return {"charge_id": f"ch_{order_id}", "amount": amount}


@scenario(*LAWS, task=TASK, script=[A17, Completion.success(handle="ch_A17")])
def charge_order(world: World) -> None:
    _card(world)


@scenario(*LAWS, task=TASK, script=[[A17, B18], Completion.success(handle="ch_A17")])
def charge_two(world: World) -> None:
    _card(world)


@scenario(*LAWS, task=TASK, script=[A17, "Charged."])
def charge_and_tell(world: World) -> None:
    _card(world)


def with_budget(crossings: int) -> Scenario:
    """One order in a world that allows so many crossings: turn, call, turn, ..."""

    @scenario(*LAWS, task=TASK, script=[A17, Completion.success()], max_crossings=crossings)
    def short(world: World) -> None:
        _card(world)

    return short


@scenario(*LAWS, task=TASK, script=[A17, Completion.success(handle="ch_A17")])
def charge_slowly(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",))
    async def charge_card(order_id: str, amount: int) -> str:
        return f"ch_{order_id}"


def by_intent(tool: str, arguments: Any, call_id: str) -> str:
    """The key that a good loop mints: the same for every attempt at one order."""
    return f"{tool}:{arguments['order_id']}"


class Says:
    """A model that says what the test tells it to, and keeps what it was shown."""

    def __init__(self, *turns: str | Sequence[tuple[str, str, Any]]) -> None:
        self.turns = list(turns)
        self.shown: list[list[dict[str, Any]]] = []

    def __call__(self, messages: list[dict[str, Any]], tools: Any = None) -> dict[str, Any]:
        self.shown.append(messages)
        turn = self.turns.pop(0)
        text, calls = (turn, []) if isinstance(turn, str) else (None, turn)
        made = [{"id": i, "name": name, "arguments": args} for i, name, args in calls]
        stop = "tool_calls" if made else "end"
        return {"role": "assistant", "content": text, "tool_calls": made, "stop": stop}

    async def aio(self, messages: list[dict[str, Any]], tools: Any = None) -> dict[str, Any]:
        return self(messages, tools)


def saying(model: Says, agent: Agent) -> Agent:
    """The agent in the same world, with that model."""

    def run(world: World) -> Any:
        world.gateway.model = model
        return agent(world)

    return run


def attempts(history: History) -> list[tuple[str | None, object]]:
    """The calls that were made: the model's id, and the order."""
    return [(call.asked, call.args["order_id"]) for call in history.of(Called)]


def charged(history: History) -> list[object]:
    """The orders that were charged, in order."""
    return [commit.args["order_id"] for commit in history.of(Committed)]


def again(scenario: Scenario, agent: Agent, plan: str, times: int) -> list[History]:
    """The same plan, several times in one simulation."""
    with Simulation() as simulation:
        return [run(scenario, agent, plan, simulation=simulation).history for _ in range(times)]


def findings(scenario: Scenario, agent: Agent) -> dict[str, str]:
    """What all plans with one fault find: each code by its smallest plan."""
    with Simulation() as simulation:
        campaign = Campaign(scenario, agent, simulation, budget=Budget(depth=1, deep_runs=0))
        campaign.search()
        result = campaign.result()
    return {found.code: str(found.plan) for found in reversed(result.findings)}
