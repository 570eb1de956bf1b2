"""`python -m agentfuzz mcp`: a world as a process of its own, spoken to over stdio."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")

import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

from agentfuzz.cli.mcp import main
from agentfuzz.core.codec import history_from_json
from agentfuzz.core.events import Delivered, Refused
from agentfuzz.core.history import History

A17 = {"order_id": "A17", "amount": 42}
SHOP = """
from agentfuzz import scenario

print("a scenario may print: nothing but protocol reaches stdout")

@scenario(task="Charge order A17, 42.00 EUR.", max_crossings=10)
def shop(world):
    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str, amount: int) -> dict:
        print("so may a tool")
        if amount < 0:
            raise ValueError("the amount is negative")
        return {"charge_id": "ch_1", "amount": amount}

    @world.tool
    async def lookup(order_id: str) -> str:
        return "paid"

@scenario()
def broken(world):
    world.state["nothing"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "shop.py").write_text(SHOP, "utf-8")
    (tmp_path / "typo.py").write_text("import nothing_of_this_name\n", "utf-8")
    yield tmp_path
    sys.modules.pop("shop", None)


def under(folder: Path, plan: str, calls: Callable[[Any], Awaitable[Any]]) -> tuple[Any, History]:
    """What the calls return, and the history that the process leaves behind."""
    arguments = ["-m", "agentfuzz", "mcp", "shop:shop", "--history", "history.json"]
    if plan:
        arguments += ["--plan", plan]
    process = StdioServerParameters(command=sys.executable, args=arguments, cwd=folder)

    async def talk() -> Any:
        async with Client(process, read_timeout_seconds=20) as client:
            return await calls(client)

    found = asyncio.run(talk())
    text = (folder / "history.json").read_text("utf-8")
    return found, history_from_json(json.loads(text))


@pytest.mark.slow
def test_everything_that_is_no_loss(folder: Path) -> None:
    """Listing, calls, refusals and protocol errors are what they are in memory."""

    async def calls(client: Any) -> list[Any]:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == ["charge_card", "lookup"]
        found = []
        for arguments in (A17, {**A17, "amount": -1}, {"order_id": "A17"}):
            result = await client.call_tool("charge_card", arguments)
            found.append((result.is_error, result.content[0].text))
        with pytest.raises(MCPError) as caught:
            await client.call_tool("charge", A17)
        return [*found, caught.value.code]

    found, history = under(folder, "", calls)
    assert found == [
        (False, '{"charge_id": "ch_1", "amount": 42}'),
        (True, "the amount is negative"),
        (True, "charge_card: amount: Field required"),
        types.INVALID_PARAMS,
    ]
    kinds = [refused.kind for refused in history.of(Refused)]
    assert kinds == ["tool_raised", "invalid_arguments", "unknown_tool"]
    assert history.ended is not None
    assert history.ended.how == "returned"


@pytest.mark.slow
def test_losses_and_a_repeat(folder: Path) -> None:
    """Three responses are lost, the fourth request is doubled, and the last one arrives late."""

    async def calls(client: Any) -> list[int]:
        codes = []
        for _ in range(4):
            try:
                await client.call_tool("charge_card", A17, read_timeout_seconds=1)
            except MCPError as error:
                codes.append(error.code)
        await client.call_tool("lookup", {"order_id": "A17"})
        return codes

    plan = (
        "charge_card#1:once/timeout + charge_card#2:once/error + charge_card#3:late/timeout"
        " + charge_card#4:twice"
    )
    codes, history = under(folder, plan, calls)
    assert codes == [types.REQUEST_TIMEOUT, types.CONNECTION_CLOSED, types.REQUEST_TIMEOUT]
    ledger = [effect.call for effect in history.ledger]
    assert ledger == ["call_1", "call_2", "call_4", "call_4", "call_3"]
    arrivals = [arrival.nth for arrival in history.of(Delivered) if arrival.call == "call_4"]
    assert arrivals == [1, 2]


@pytest.mark.slow
def test_the_budget_ends_the_process_and_the_history_says_so(folder: Path) -> None:
    """A client that never stops finds the server gone."""

    async def calls(client: Any) -> int:
        for _ in range(10):
            await client.call_tool("lookup", {"order_id": "A17"})
        with pytest.raises(MCPError) as caught:
            await client.call_tool("lookup", {"order_id": "A17"})
        return int(caught.value.code)

    code, history = under(folder, "", calls)
    assert code == types.CONNECTION_CLOSED
    assert history.ended is not None
    assert (history.ended.how, history.ended.error) == ("cut_off", "budget")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals as on POSIX")
def test_a_terminated_process_leaves_its_history(folder: Path) -> None:
    """SIGTERM is an ending, too."""

    async def calls(client: Any) -> None:
        await client.call_tool("charge_card", A17)
        listing = Path("/proc") if Path("/proc").is_dir() else None
        if listing is None:
            pytest.skip("no /proc to find the process in")
        for entry in listing.iterdir():
            if entry.name.isdigit() and is_ours(entry, folder):
                os.kill(int(entry.name), signal.SIGTERM)
        with pytest.raises(MCPError):
            await client.call_tool("charge_card", A17)

    _, history = under(folder, "", calls)
    assert len(history.ledger) == 1
    assert history.ended is not None
    assert (history.ended.how, history.ended.detail) == ("cut_off", "SIGTERM")


def is_ours(entry: Path, folder: Path) -> bool:
    """Whether a process is the server that this test has started."""
    try:
        mine = b"agentfuzz\0mcp" in (entry / "cmdline").read_bytes()
        return mine and (entry / "cwd").resolve() == folder.resolve()
    except OSError:
        return False


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "the following arguments are required: module:scenario"),
        (["shop"], "cannot read 'shop': say module:scenario, as in shop:charge_order."),
        (["nowhere:shop"], "cannot import the module 'nowhere': ModuleNotFoundError"),
        (["typo:shop"], "No module named 'nothing_of_this_name'"),
        (["shop:ship"], "has no 'ship'; its scenarios: broken, shop. Did you mean 'shop'?"),
        (["shop:scenario"], "has a function, no scenario, as 'scenario'"),
        (["shop:broken"], "the scenario 'broken' fails: KeyError: 'nothing'"),
        (["shop:shop", "--plan", "charge_card"], "cannot read 'charge_card' in the plan."),
        (["shop:shop", "--plan", "pay#1:twice"], "names the tool 'pay'; this world has"),
        (["shop:shop", "--history", "no/such/folder"], "No such file or directory"),
        (["shop:shop", "--hist", "x"], "unrecognized arguments: --hist"),
    ],
)
def test_a_broken_argument_is_one_line(
    folder: Path,
    arguments: list[str],
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is wrong and where, exit code 2, nothing on stdout, no traceback."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    printed = capsys.readouterr()
    said = [one for one in printed.err.splitlines() if not one.startswith("a scenario may")]
    assert (ended.value.code, printed.out, len(said)) == (2, "", 1)
    assert said[0].startswith("agentfuzz mcp: ")
    assert line in said[0]


@pytest.mark.slow
def test_a_broken_argument_ends_the_process(folder: Path) -> None:
    """The same as a process: one line and exit code 2."""
    command = [sys.executable, "-m", "agentfuzz", "mcp", "shop"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("agentfuzz mcp: cannot read 'shop'")
    assert ended.stderr.count("\n") == 1
