"""What Anthropic's tool runner is to agentfuzz.

Law: the loop is the SDK's runner, and so are its retries. Read by the contract, and by agents under
test as `adapters.anthropic_runner`.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from anthropic import beta_async_tool, beta_tool
from anthropic.lib.tools import ToolError

from agentfuzz.adapters.anthropic_runner import loops
from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Setup, met
from agentfuzz.adapters.contract.adapter import Why
from agentfuzz.core.errors import InvalidArguments
from agentfuzz.wire import anthropic_client, async_anthropic_client
from agentfuzz.world.world import World

_WHY: Mapping[str, Why] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "error",
    "tool_use": "limit",  # max_iterations: the runner stops, and its last reply asks for tools
}


class AnthropicRunner(Adapter):
    """The SDK's tool runner: `sync` and `async`, plain and streamed; `eager` runs a tool while the
    reply still streams. Its options are those of the runner and of the client."""

    name = "anthropic_runner"
    package = "anthropic"
    needs = ">=0.84"
    limits = {"max_iterations": Limit("turns")}
    meets = met(cancelled="ended")
    sessions = "thread" in loops.WORDS  # a thread of messages
    typed = "output_format" in loops.WORDS

    def __init__(self, *, asynchronous: bool = False) -> None:
        self._is_async = asynchronous

    @property
    def entrypoints(self) -> Mapping[str, Callable[[Setup], Any]]:
        """The runner of each client, plain, streamed and eager."""
        other = AnthropicRunner(asynchronous=True)
        known: dict[str, Callable[[Setup], Any]] = {
            "sync": partial(loops.plain, self),
            "async": partial(loops.plain_async, other),
            "stream": partial(loops.streamed, self),
            "stream_async": partial(loops.streamed_async, other),
        }
        if "run_tools_eagerly" in loops.WORDS:
            known["eager"] = partial(loops.streamed, self, run_tools_eagerly=True)
        return known

    def warm(self) -> None:
        """What the SDK logs of a failing tool goes nowhere, unless somebody listens."""
        logging.getLogger("anthropic").addHandler(logging.NullHandler())

    def tool(self, bridge: Bridge) -> Any:
        """A function tool of the runner of this client."""

        def call(**arguments: Any) -> str:
            return bridge.call(arguments)

        async def acall(**arguments: Any) -> str:
            return await bridge.acall(arguments)

        told: dict[str, Any] = {
            "name": bridge.name,
            "description": bridge.description,
            "input_schema": bridge.schema,
        }
        return beta_async_tool(acall, **told) if self._is_async else beta_tool(call, **told)

    def model(self, world: World, *, agent: str | None = None, **options: Any) -> Any:
        """The client of the world; `options` are its own."""
        make = async_anthropic_client if self._is_async else anthropic_client
        return make(world, **options)

    def ending(self, result: Any) -> Ended:
        """A runner ends with its last message, whose stop reason says why."""
        value = getattr(result, "parsed_output", None)
        if value is None:
            value = "".join(part.text for part in result.content if part.type == "text")
        return Ended(value, _WHY.get(result.stop_reason, "completed"))

    def soft(self, error: Exception) -> BaseException:
        """A tool says what the model shall be told."""
        return ToolError(str(error))

    def invalid(self, error: InvalidArguments) -> BaseException:
        """As the SDK's own check of the arguments fails."""
        return ValueError(str(error))

    def session(self, world: World) -> list[Any]:
        """The messages of a thread, which a later thread goes on from."""
        return []
