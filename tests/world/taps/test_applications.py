"""Applications on real frameworks, their tools tapped: each sees its own errors and contexts."""

import asyncio

import pytest

pytest.importorskip("agents")
pytest.importorskip("langchain")

from agents import Agent, RunContextWrapper, Runner
from langchain.agents import create_agent

from agentfuzz import Completion, adapters, exactly_once, run, scenario, taps
from agentfuzz.core.events import Called, ModelInput

SCRIPT = [("find", {"order": "A17"}), ("charge", {"order": "A17", "cents": 42}), "Charged A17."]
PAID: list[tuple[object, ...]] = []


def tapped(tools):
    @scenario(exactly_once("charge"), task="Charge A17.", script=SCRIPT)
    def shop(world):
        PAID.clear()
        tools.tap(world, charge={"effect": "charge", "scope": ("order",), "transport": "network"})

    return shop


def shown(found):
    return [
        one.text
        for event in found.history.events
        if type(event) is ModelInput
        for one in event.messages
    ]


def names(found):
    return [event.slot.name for event in found.history.events if type(event) is Called]


@pytest.fixture(scope="module")
def agents_shop():
    with taps("openai_agents") as tools:
        import agents

        @agents.function_tool
        def find(order: str) -> str:
            """Find an order."""
            return f"order {order}"

        @agents.function_tool
        async def charge(ctx: RunContextWrapper[str], order: str, cents: int) -> str:
            """Charge an order."""
            await asyncio.sleep(0)
            PAID.append((ctx.context, order, cents))
            return "charged"

    agent = Agent(name="shop", tools=[find, charge])
    return tools, agent


def played_by_agents(shop, world):
    model = adapters.openai_agents.model(world)
    found = Runner.run_sync(shop.clone(model=model), world.task, context="a customer")
    return Completion.success(detail=str(found.final_output))


def test_the_openai_agents_sdk(agents_shop):
    tools, shop = agents_shop
    found = run(tapped(tools), lambda world: played_by_agents(shop, world))
    found.check()
    assert names(found) == ["find", "charge"]
    assert PAID == [("a customer", "A17", 42)]


def test_an_error_reaches_its_own_handler(agents_shop):
    """The SDK tells the model what a tool raised; the loop goes on, and charges again."""
    tools, shop = agents_shop
    found = run(tapped(tools), lambda world: played_by_agents(shop, world), "charge#1:once/timeout")
    assert any("An error occurred while running the tool" in text for text in shown(found))
    assert names(found) == ["find", "charge", "charge"]
    assert next(one.code for one in found.violations) == "AF101"


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_langgraph(way):
    with taps("langchain") as tools:
        import langchain_core.tools

        @langchain_core.tools.tool
        def find(order: str) -> str:
            """Find an order."""
            return f"order {order}"

        @langchain_core.tools.tool
        def charge(order: str, cents: int) -> str:
            """Charge an order."""
            PAID.append((order, cents))
            return "charged"

    def agent(world):
        graph = create_agent(adapters.langgraph.model(world), [find, charge])
        asked = {"messages": [("user", world.task)]}
        said = asyncio.run(graph.ainvoke(asked)) if way == "ainvoke" else graph.invoke(asked)
        return Completion.success(detail=said["messages"][-1].text)

    found = run(tapped(tools), agent)
    found.check()
    assert names(found) == ["find", "charge"]
    assert PAID == [("A17", 42)]
