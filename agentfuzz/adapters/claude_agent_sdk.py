"""The Claude Agent SDK: a world's tools as its own, its model by address.

Law: the loop is that of the command-line program that the SDK starts, and lives in real time: a run
takes seconds. It is served the world's model on loopback, and calls back for the world's tools.
Called by agents under test:

    async def loop(world):
        with adapters.claude_agent_sdk.model(world) as urls:
            options = ClaudeAgentOptions(
                mcp_servers={"shop": create_sdk_mcp_server("shop", tools=tools(world))},
                allowed_tools=["mcp__shop__charge_card"],
                env=adapters.claude_agent_sdk.environment(urls),
            )
            async for message in query(prompt=world.task, options=options):
                ...
        return adapters.claude_agent_sdk.outcome(message) or message.result
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from claude_agent_sdk import ClaudeAgentOptions, create_sdk_mcp_server, query
from claude_agent_sdk import tool as sdk_tool

from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Setup
from agentfuzz.adapters.contract.adapter import Why
from agentfuzz.wire import Urls
from agentfuzz.world.world import World

_SERVER = "world"
_WHY: Mapping[str, Why] = {"error_max_turns": "limit", "error_during_execution": "error"}


class ClaudeAgentSDK(Adapter):
    """The SDK's `query`, without the program's own tools and settings. Its options are those of
    ClaudeAgentOptions."""

    name = "claude_agent_sdk"
    package = "claude-agent-sdk"
    needs = ">=0.2.189"
    quiet = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}
    quiet |= {"DISABLE_ERROR_REPORTING": "1", "DISABLE_TELEMETRY": "1"}
    limits = {"max_turns": Limit("turns")}
    meets = dict.fromkeys(("raised", "soft", "cancelled", "invalid", "unknown"), "told")

    @property
    def entrypoints(self) -> Mapping[str, Callable[[Setup], Any]]:
        """The one way in that needs no conversation."""
        return {"query": self._query}

    def tool(self, bridge: Bridge) -> Any:
        """A tool of the SDK's in-process server. A reply that is lost takes virtual time, which an
        async call would have to wait for in real time, like the program: so the call is sync."""

        async def call(arguments: dict[str, Any]) -> dict[str, Any]:
            made = await bridge.acall(arguments) if bridge.is_async else bridge.call(arguments)
            return {"content": [{"type": "text", "text": made}]}

        return sdk_tool(bridge.name, bridge.description, bridge.schema)(call)

    def model(self, world: World, *, agent: str | None = None) -> Any:
        """The block in which the world's model is served; its value goes to `environment`. Raises
        ScenarioError without a script."""
        _ = world.model
        return world.serve()

    def environment(self, urls: Urls) -> dict[str, str]:
        """What the program needs to be told: where the model is, and no account of anybody's."""
        return {
            **self.quiet,
            "ANTHROPIC_API_KEY": "agentfuzz",
            "ANTHROPIC_AUTH_TOKEN": "",
            "ANTHROPIC_BASE_URL": urls.anthropic,
            "CLAUDE_AGENT_SDK_MCP_NO_PREFIX": "1",  # tools keep the names that they have here
            "CLAUDE_CODE_OAUTH_TOKEN": "",
            "CLAUDE_CONFIG_DIR": str(_home()),
        }

    def ended(self, result: Any) -> Ended | None:
        """A run ends with a result, whose subtype says why."""
        if isinstance(result, BaseException):
            return None
        why = _WHY.get(result.subtype, "completed")
        if why == "completed" and result.stop_reason == "max_tokens":
            why = "length"
        return Ended(result.result, "error" if why == "completed" and result.is_error else why)

    async def _query(self, setup: Setup) -> Any:
        world = setup.world
        server = create_sdk_mcp_server(_SERVER, tools=self.offered(setup))
        with self.model(world) as urls:
            options = ClaudeAgentOptions(
                **{
                    "tools": [],
                    "setting_sources": [],
                    "mcp_servers": {_SERVER: server},
                    "allowed_tools": [f"mcp__{_SERVER}__{name}" for name in world.tools],
                    "cwd": _home(),
                    "env": self.environment(urls),
                    **setup.options,
                }
            )
            said = [message async for message in query(prompt=world.task, options=options)]
        return said[-1]


def _home() -> Path:
    """A folder where nobody has any settings."""
    home = Path(tempfile.gettempdir(), "agentfuzz-claude")
    home.mkdir(exist_ok=True)
    return home


ADAPTER = ClaudeAgentSDK()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
environment = ADAPTER.environment
