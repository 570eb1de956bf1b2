"""What MCP is to agentfuzz: its SDK, and a plain loop over a client of it.

Law: client, server and protocol are the SDK's. Read by the contract, and by agents under test as
`adapters.mcp`.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Setup, met, signature
from agentfuzz.adapters.contract.adapter import Entrypoint
from agentfuzz.adapters.mcp import sdk
from agentfuzz.adapters.mcp.lines import InProcess, Line
from agentfuzz.world.world import World

TURNS = 12
PATIENCE = 90.0  # of a client whose server is far away, in virtual seconds


class MCP(Adapter):
    """The MCP SDK, client and server."""

    name = "mcp"
    package = "mcp"
    needs = ">=1.10"
    quiet = {"OTEL_SDK_DISABLED": "true"}
    limits = {"turns": Limit("turns", TURNS)}
    meets = met(**{"in_process:cancelled": "ended"})

    @property
    def entrypoints(self) -> Mapping[str, Entrypoint]:
        """`memory`: a session over streams; a tool fails in its server. `remote`: the same, and
        replies get lost between the two. `in_process`: the client of version 2 on the server."""
        ways: dict[str, Entrypoint] = {
            "memory": partial(self._loop, Line),
            "remote": partial(self._loop, Line, patience=PATIENCE, loses=True),
        }
        return {**ways, "in_process": partial(self._loop, InProcess)} if sdk.IS_NEW else ways

    def tool(self, bridge: Bridge) -> Any:
        """A tool of the SDK's server, whose schema is made from a function's parameters."""

        async def call(**given: Any) -> str:
            return await bridge.acall(bridge.sent(given))

        made: Any = call
        made.__name__ = bridge.name
        made.__signature__ = signature(bridge).replace(return_annotation=str)
        return sdk.Tool.from_function(call, description=bridge.description)

    def model(self, world: World, *, agent: str | None = None) -> Any:
        """The world's model. Raises ScenarioError without a script."""
        return world.model

    def ended(self, result: Any) -> Ended | None:
        """As the loop says."""
        return result if isinstance(result, Ended) else None

    def soft(self, error: Exception) -> BaseException:
        """What a server makes a result of."""
        return sdk.ToolError(str(error))

    async def _loop(self, line: type[Line], setup: Setup, **words: Any) -> Ended:
        options = {**words, **setup.options}
        turns = options.pop("turns", TURNS)
        messages: list[dict[str, Any]] = [{"role": "user", "content": setup.world.task}]
        async with line(self.offered(setup), **options) as server:
            names = await server.names()
            for _ in range(turns):
                turn = await setup.world.model.aio(messages, names)
                calls = list({call["id"]: call for call in turn["tool_calls"]}.values())
                messages.append({**turn, "tool_calls": calls})
                if turn["stop"] == "length":
                    return Ended(turn["content"], "length")
                if not calls:
                    return Ended(turn["content"], "completed" if turn["content"] else "error")
                said = await server.calls(calls)
                for call, text in zip(calls, said, strict=True):
                    shown = {"role": "tool", "tool_call_id": call["id"], "content": text}
                    messages.append(shown)
        return Ended(why="limit")
