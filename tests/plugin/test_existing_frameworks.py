"""Tests that exist, of agents whose tools frameworks and MCP servers have in their hands."""

import pytest

pytest.importorskip("agents")
pytest.importorskip("langchain_core.tools")
pytest.importorskip("mcp.server.mcpserver")
pytest.importorskip("openai")

from .conftest import Project

pytestmark = pytest.mark.slow  # they import frameworks

LANGCHAIN = """
import pytest
from langchain_core.tools import tool

PAID = []


@pytest.fixture(autouse=True)
def clean():
    PAID.clear()


@tool
def charge_card(order_id: str) -> str:
    "Charge a card."
    PAID.append(order_id)
    return f"ch_{len(PAID)}"


@tool
def get_order(order_id: str) -> str:
    "Look an order up."
    return order_id


def twice(order):
    for _ in range(2):
        try:
            return charge_card.invoke({"order_id": order})
        except TimeoutError:
            continue
    return "failed"
"""
SERVED = """
import asyncio

import mcp
import pytest
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations


def server(paid, idempotent=None):
    found = MCPServer("till")

    @found.tool(annotations=ToolAnnotations(idempotentHint=idempotent))
    def charge_card(order_id: str) -> dict:
        paid.append(order_id)
        return {"charge_id": f"ch_{len(paid)}"}

    @found.tool()
    def get_order(order_id: str) -> str:
        return f"order {order_id}"

    return found


async def checkout(order, client, looks):
    for _ in range(3):
        try:
            await client.call_tool("charge_card", {"order_id": order})
            return "charged"
        except mcp.MCPError:
            if looks:
                await client.call_tool("get_order", {"order_id": order})
    return "failed"


async def run(paid, looks=False, idempotent=None):
    async with mcp.Client(server(paid, idempotent), read_timeout_seconds=30) as client:
        return await checkout("A17", client, looks)


@pytest.fixture
def paid():
    return []

"""


def campaign(project: Project, text: str, *lines: str) -> pytest.RunResult:
    project.file("test_it.py", text)
    told = "".join(f"    {line}\n" for line in lines)
    project.file("pytest.ini", f"[pytest]\nagentfuzz_tools =\n{told}")
    return project.campaign("--agentfuzz-existing", "test_it.py", "-rs")


def notes(done: pytest.RunResult) -> str:
    """The notes as one text, however they are folded."""
    return " ".join(" ".join(done.outlines).split())


def test_a_client_that_asks_again(project):
    """Found under guesses alone: the server had done it, and its answer was lost."""
    body = "def test_it(paid):\n    assert asyncio.run(run(paid)) == 'charged'\n"
    done = campaign(project, SERVED + body)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["AF105 charge_card ran 2x, fault-free 1x"])
    told = notes(done)
    assert "charge_card: effect charge_card (the verb 'charge' in its name; network: a tool" in told
    assert told.count("note: tool charge_card") == 1  # the server's own side is left out


@pytest.mark.parametrize("words", ["looks=True", "idempotent=True"])
def test_one_that_looks_or_that_a_server_lets(project, words):
    """What lies between is not known, and a repeat that the server allows does no harm."""
    body = f"def test_it(paid):\n    assert asyncio.run(run(paid, {words})) == 'charged'\n"
    done = campaign(project, SERVED + body)
    done.assert_outcomes(passed=1)
    assert ("not judged (idempotentHint" in notes(done)) == ("idempotent" in words)


def test_confirmed_it_is_judged_by_its_scope(project):
    """Then a look between excuses nothing."""
    body = "def test_it(paid):\n    assert asyncio.run(run(paid, looks=True)) == 'charged'\n"
    done = campaign(project, SERVED + body, "charge_card: effect=charge scope=order_id")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["AF105 charge_card ran *x, fault-free 1x"])


IN_MEMORY = """
def test_it(paid):
    async def main():
        async with mcp.Client(server(paid)) as client:
            await client.call_tool("get_order", {"order_id": "A17"})

    asyncio.run(main())
"""
OVER_STDIO = """
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

# By hand: one that a library makes takes a second to start, in each run.
SERVER = '''
import json, sys
TOOL = {"name": "get_order", "inputSchema": {"type": "object"}}
SAYS = {
    "tools/list": {"tools": [TOOL]},
    "tools/call": {"content": [{"type": "text", "text": "A17"}]},
}
for line in sys.stdin:
    asked = json.loads(line)
    if "id" in asked:
        said = SAYS.get(asked["method"]) or {
            "protocolVersion": asked["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "till", "version": "1"},
        }
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": said}), flush=True)
'''


async def test_it():
    till = StdioServerParameters(command=sys.executable, args=["-c", SERVER])
    async with stdio_client(till) as (reads, writes), ClientSession(reads, writes) as session:
        await session.initialize()
        await session.call_tool("get_order", {"order_id": "A17"})
"""


def test_a_session_in_memory_needs_no_deadline(project):
    """Nothing lies between it and its server in which an answer could be lost."""
    done = campaign(project, SERVED + IN_MEMORY)
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["*1 campaign*0 findings*"])


def test_a_session_with_another_process_does(project):
    done = campaign(project, OVER_STDIO)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["AF203 waits for what cannot come"])


def test_an_error_of_the_server_is_no_effect(project):
    """A double that refuses what it has done already."""
    body = """
def test_it(paid):
    async def main():
        found = MCPServer("till")

        @found.tool()
        def charge_card(order_id: str) -> str:
            if order_id in paid:
                raise ValueError("charged already")
            paid.append(order_id)
            return "ok"

        async with mcp.Client(found, read_timeout_seconds=30) as client:
            return await checkout("A17", client, False)

    assert asyncio.run(main()) == "charged"
"""
    campaign(project, SERVED + body).assert_outcomes(passed=1)


def test_a_framework_has_them(project):
    """A function of this process raises, having done nothing: then a retry is right."""
    body = "\n\ndef test_it():\n    assert twice('A17').startswith('ch_')\n"
    done = campaign(project, LANGCHAIN + body)
    done.assert_outcomes(passed=1)
    assert "charge_card: effect charge_card (the verb 'charge' in its name; local" in notes(done)


def test_one_of_them_is_confirmed(project):
    """It asks a service: then the retry is wrong."""
    body = "\n\ndef test_it():\n    assert twice('A17').startswith('ch_')\n"
    line = "charge_card: effect=charge scope=order_id transport=at_most_once"
    done = campaign(project, LANGCHAIN + body, line)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["AF105 charge_card ran 2x, fault-free 1x"])


def test_a_framework_and_the_mark_name_the_same(project):
    body = """

@pytest.mark.agentfuzz(tools=["test_it:charge_card"])
def test_it():
    assert twice("A17").startswith("ch_")
"""
    text = LANGCHAIN.replace("@tool\ndef charge_card", "def charge_card", 1)
    text += "\n\nplain, charge_card = charge_card, tool(charge_card)\n"
    done = campaign(project, text + body.replace("charge_card", "plain"))
    done.assert_outcomes(passed=1)
    assert notes(done).count("note: tool charge_card") == 1


def test_tools_that_are_made_in_each_run(project):
    """Of one name, too, and handed over twice."""
    body = """

def test_it():
    def charge_card(order_id: str) -> str:
        "Another one."
        PAID.append(order_id)
        return "ch"

    mine = tool(charge_card)
    assert tool(charge_card)
    assert get_order.invoke({"order_id": "A17"}) == "A17"
    assert mine.invoke({"order_id": "A17"}) == "ch"
    assert twice("B1").startswith("ch_")
"""
    done = campaign(project, LANGCHAIN + body)
    done.assert_outcomes(passed=1)
    assert "tool charge_card: effect" in notes(done)
    assert "tool test_it.charge_card: effect" in notes(done)


def test_a_factory_of_agents(project):
    """Two agents, each with functions of its own that one `def` has made."""
    body = """

def made(cents):
    def pay_out(order_id: str) -> int:
        "Pay."
        return cents

    return tool(pay_out)


def test_it():
    agents = [made(1), made(2)]
    assert [one.invoke({"order_id": "A17"}) for one in agents] == [1, 2]
"""
    campaign(project, LANGCHAIN + body).assert_outcomes(passed=1)


def test_a_tool_that_calls_another(project):
    body = """

@tool
def book_table(order_id: str) -> str:
    "Book, and pay."
    return twice(order_id)


def test_it():
    assert book_table.invoke({"order_id": "A17"}).startswith("ch_")
    assert PAID == ["A17"]
"""
    done = campaign(project, LANGCHAIN + body)
    done.assert_outcomes(passed=1)
    assert "tool book_table: effect" in notes(done)
    assert "tool charge_card: effect" in notes(done)


def test_two_frameworks(project):
    body = """
from agents import function_tool


def send_mail(to: str) -> str:
    "Send a mail."
    return "sent"


sends = function_tool(send_mail)


def test_it():
    assert twice("A17").startswith("ch_")
    assert send_mail("ann") == "sent"
"""
    done = campaign(project, LANGCHAIN + body)
    done.assert_outcomes(passed=1)
    assert "tool send_mail: effect" in notes(done)
    assert "tool charge_card: effect" in notes(done)


def test_a_script_reaches_every_client(project):
    """No model of its own is asked: the words of the script come out of the client."""
    project.file(
        "app.py",
        """
import openai

PAID = []


def charge_card(order_id: str) -> str:
    PAID.append(order_id)
    return "ch_1"


def ask():
    client = openai.OpenAI(api_key="placeholder")
    answer = client.chat.completions.create(
        model="any",
        messages=[{"role": "user", "content": "Charge A17."}],
        tools=[{"type": "function", "function": {"name": "charge_card"}}],
    )
    return answer.choices[0].message
""",
    )
    project.file(
        "test_it.py",
        """
import json

import pytest

import app


@pytest.mark.agentfuzz(
    tools=["app:charge_card"],
    script=[("charge_card", {"order_id": "A17"}), "Charged."],
)
def test_it():
    said = app.ask()
    call = said.tool_calls[0].function
    assert call.name == "charge_card"
    app.charge_card(**json.loads(call.arguments))
""",
    )
    project.campaign().assert_outcomes(passed=1)
