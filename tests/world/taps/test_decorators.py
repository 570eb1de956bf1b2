"""What an application hands to its framework is noted, and can be tapped."""

import json
import sys
import types

import pytest

import agentfuzz
from agentfuzz import Completion, ScenarioError, run, scenario, taps
from agentfuzz.core.events import Called
from agentfuzz.world.taps.decorators import FRAMEWORKS
from agentfuzz.world.taps.looking import in_hands

APPLICATIONS = {
    "openai_agents": """
from agents import RunContextWrapper, function_tool
from agents.tool import function_tool as another

@function_tool
def find(order: str) -> str:
    "Find it."
    return order

@function_tool(name_override="pay")
async def charge(ctx: RunContextWrapper[int], order: str) -> str:
    "Charge it."
    return order

@another
def ship(order: str) -> str:
    "Ship it."
    return order
""",
    "langchain": """
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.tools import StructuredTool, tool

class Model(GenericFakeChatModel):
    def bind_tools(self, *args, **options):
        return self

@tool
def find(order: str) -> str:
    "Find it."
    return order

async def charge(order: str) -> str:
    "Charge it."
    return order

def ship(order: str) -> str:
    "Ship it."
    return order

create_agent(Model(messages=iter([])), [StructuredTool.from_function(coroutine=charge), ship])
""",
    "mcp": """
from mcp.server.mcpserver import MCPServer

server = MCPServer("shop")

@server.tool()
def find(order: str) -> str:
    return order

@server.tool()
async def charge(order: str) -> str:
    return order

def ship(order: str) -> str:
    return order

server.add_tool(ship)
""",
    "anthropic": """
from anthropic import beta_async_tool, beta_tool

@beta_tool
def find(order: str) -> str:
    return order

@beta_async_tool
async def charge(order: str) -> str:
    return order

@beta_tool(name="send")
def ship(order: str) -> str:
    return order
""",
}
NEEDS = {"openai_agents": "agents", "langchain": "langchain", "mcp": "mcp_types"}


@pytest.fixture
def application(request):
    """A module as a user would import it."""

    def imported(text, **names):
        module = types.ModuleType("shop_of_the_test")
        module.__dict__.update(names)
        sys.modules[module.__name__] = module
        request.addfinalizer(lambda: sys.modules.pop(module.__name__, None))
        exec(text, module.__dict__)
        return module

    return imported


@pytest.mark.parametrize("framework", APPLICATIONS)
def test_the_tools_of_an_application(framework, application):
    pytest.importorskip(NEEDS.get(framework, framework))
    with taps(framework) as tools:
        shop = application(APPLICATIONS[framework])
    assert sorted(tools) == ["charge", "find", "ship"]
    assert all(one.__module__ == shop.__name__ for one in tools.values())


@pytest.mark.parametrize("framework", sorted(set(APPLICATIONS) - {"mcp"}))
def test_the_framework_is_what_it_was(framework, application):
    pytest.importorskip(NEEDS.get(framework, framework))
    __import__(FRAMEWORKS[framework][0].partition(":")[0])
    before = {
        (module, name): value
        for module, found in list(sys.modules.items())
        for name, value in list(vars(found).items())
        if callable(value)
    }
    with taps(framework):
        application(APPLICATIONS[framework])
    changed = [at for at, own in before.items() if vars(sys.modules[at[0]]).get(at[1]) is not own]
    assert changed == []


def register(function=None, *, name=""):
    """A decorator of one's own."""
    return (lambda found: found) if function is None else function


SHOP = """
@register
def find(order):
    return {"order": order}

@register(name="x")
def charge(order, *, ctx=None):
    return {"charged": order}

def not_a_tool(order):
    return {}
"""


def test_a_decorator_of_ones_own_and_what_its_tools_do(application, monkeypatch):
    frame = types.ModuleType("frame_of_the_test")
    frame.register = register
    monkeypatch.setitem(sys.modules, frame.__name__, frame)
    with taps("frame_of_the_test:register") as tools:
        shop = application(SHOP, register=frame.register)
    assert list(tools) == ["find", "charge"]
    assert tools["charge"] is shop.charge

    @scenario(agentfuzz.exactly_once("charge"))
    def story(world):
        tools.tap(world, charge={"effect": "charge", "scope": ("order",), "hide": ("ctx",)})

    def agent(world):
        shop.not_a_tool("A17")
        shop.charge(shop.find("A17")["order"], ctx=story)
        return Completion.success()

    found = run(story, agent)
    found.check()
    calls = [event for event in found.history.events if type(event) is Called]
    assert [(one.slot.name, one.args) for one in calls] == [
        ("find", {"order": "A17"}),
        ("charge", {"order": "A17"}),
    ]
    assert [one.effect for one in found.history.tools.values()] == [None, "charge"]


def test_two_functions_of_one_name_are_both_noted(application):
    with taps(f"{__name__}:register") as tools:
        application("@register\ndef find(a):\n    pass\n", register=register)
        application("@register\ndef find(b):\n    pass\n", register=register)
    assert list(tools) == ["find", "shop_of_the_test.find"]


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ((), "needs a place"),
        (("openai-agents",), "openai_agents"),
        (("nowhere:tool",), "nowhere"),
        (("json:dupms",), "dupms"),
        (("json:JSONEncoder.nothing",), "nothing"),
    ],
)
def test_a_place_that_there_is_not(places, words):
    before = json.dumps
    with pytest.raises(ScenarioError, match=words):
        with taps("json:dumps", *places) if places else taps():
            pass
    assert json.dumps is before


def test_a_tool_that_was_not_noted(application):
    with taps(f"{__name__}:register") as tools:
        application(SHOP, register=register)
    with pytest.raises(KeyError, match="no tool 'chrage' was noted; there is find, charge"):
        tools["chrage"]

    @scenario()
    def story(world):
        tools.tap(world, chrage={"effect": "charge"})

    with pytest.raises(ScenarioError, match="charge"):
        run(story, lambda world: None)


@pytest.mark.parametrize("framework", APPLICATIONS)
def test_tools_that_are_there_already_are_found(framework, application):
    """An application that was imported before anybody thought of tapping it."""
    pytest.importorskip(NEEDS.get(framework, framework))
    shop = application(APPLICATIONS[framework])
    found = [one for one in in_hands().values() if one.__globals__ is vars(shop)]
    assert sorted(one.__name__ for one in found) == ["charge", "find", "ship"]
