"""Resources and prompts as they are declared."""

from typing import Any

import pytest

from agentfuzz import ScenarioError, World, run, scenario
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.injector import FromPlan


def declared(declare: Any) -> World:
    return scenario()(declare).world(FromPlan(), Clock())


@pytest.mark.parametrize("uri", ["terms", "", 7, "://terms", "shop:"])
def test_what_is_no_uri(uri: Any) -> None:
    """It is said with one that is."""
    with pytest.raises(ScenarioError, match=r"no URI; write @world.resource\('shop://terms'\)"):
        declared(lambda world: world.resource(uri))


def test_the_parameters_are_those_of_the_template() -> None:
    """One too many, one too few."""

    def one(order_id: str) -> str:
        return order_id

    for uri in ("shop://orders", "shop://{id}", "shop://{order_id}/{line}"):
        with pytest.raises(ScenarioError, match=r"make them the same") as caught:
            declared(lambda world, uri=uri: world.resource(uri)(one))
        assert "order_id" in str(caught.value)


def test_one_uri_is_declared_once() -> None:
    """And so is a prompt; a tool may bear the name of a prompt."""

    def text() -> str:
        return "text"

    def twice(world: World) -> None:
        world.resource("shop://terms")(text)
        world.resource("shop://terms")(text)

    def prompts(world: World) -> None:
        world.prompt(text)
        world.tool(text)
        world.prompt(name="text")(text)

    for declare in (twice, prompts):
        with pytest.raises(ScenarioError, match="declared twice"):
            declared(declare)


def test_no_agent_meets_them_among_its_tools() -> None:
    """Neither by iteration, nor in words about what there is; the next leg has them, too."""

    @scenario(script=[("lookup", {}), "Done."])
    def shop(world: World) -> None:
        @world.tool
        def lookup() -> str:
            return "paid"

        @world.resource("shop://terms")
        def terms() -> str:
            return "# Terms"

        @world.prompt
        def ask() -> str:
            return "Ask."

    def agent(world: World) -> None:
        assert [*world.tools] == ["lookup"]
        assert not hasattr(world.tools, "shop://terms")
        with pytest.raises(Exception, match=r"no tool 'ask'; there is: lookup\."):
            world.call("ask", {})

    ended = run(shop, agent).history.ended
    assert ended is not None
    assert ended.how == "returned", ended.detail
