"""The chatbot of the MCP SDK and the SQLite server that its configuration names, over stdio."""

import asyncio
import json
import sqlite3
import sys

from mcp_simple_chatbot.main import run

from agentfuzz import adapters, fuzz, scenario, wire

ORDER = {"query": "INSERT INTO orders VALUES ('A17')"}
SERVER = ["-c", "import mcp_server_sqlite; mcp_server_sqlite.main()", "--db-path", "test.db"]
CONFIG = {"mcpServers": {"sqlite": {"command": sys.executable, "args": SERVER}}}
WRITE = {"effect": "order", "scope": ("query",), "transport": "at_most_once"}


@scenario(task="order a17", script=[json.dumps({"tool": "write_query", "arguments": ORDER})])
def order(world):
    adapters.mcp.tap(world, write_query=WRITE)


@fuzz(order, each_run=("tmp_path", "monkeypatch"), only=("timeout", "cut"), max_runs=8)
def test_mcp_chatbot(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sqlite3.connect("test.db").execute("CREATE TABLE orders(id)").connection.close()
    (tmp_path / "servers_config.json").write_text(json.dumps(CONFIG))
    monkeypatch.setenv("LLM_API_KEY", "none")
    said = iter((world.task, "quit"))
    monkeypatch.setattr("builtins.input", lambda prompt: next(said))
    with wire.everywhere(world):
        asyncio.run(run())
