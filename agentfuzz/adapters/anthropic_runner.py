"""Anthropic's tool runner: a world's tools and model as the SDK's own.

Law: the loop is the SDK's runner, and so are its retries; the client is the world's, over its wire.
Called by agents under test:

    runner = adapters.anthropic_runner.model(world).beta.messages.tool_runner(
        model="claude-sonnet-4-6",
        max_tokens=1000,
        messages=[{"role": "user", "content": world.task}],
        tools=adapters.anthropic_runner.tools(world),
    )
    return adapters.anthropic_runner.outcome(runner.until_done())

The async runner has `async_model` and `async_tools`. The SDK does not tell a tool the id of its
call: it is that of the oldest call that the model asked for and that nobody has made.
"""

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any

from anthropic import beta_async_tool, beta_tool
from anthropic.lib.tools import BetaStreamingToolRunner, ToolError
from anthropic.resources.beta.messages import Messages

from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Setup
from agentfuzz.adapters.contract.adapter import Why
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import InvalidArguments
from agentfuzz.wire import anthropic_client, async_anthropic_client
from agentfuzz.world.world import World

_CLIENT = ("max_retries", "timeout")  # the words of the client
_WHY: Mapping[str, Why] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "error",
    "tool_use": "limit",  # max_iterations: the runner stops, and its last reply asks for tools
}


_WORDS = inspect.signature(Messages.tool_runner).parameters  # what this release knows
_CLASSES = set[type]()  # of replies: the SDK builds one again, slowly, once nobody has any of it


class AnthropicRunner(Adapter):
    """The SDK's tool runner: `sync` and `async`, plain and streamed; `eager` runs a tool while the
    reply still streams. Its options are those of the runner and of the client."""

    name = "anthropic_runner"
    package = "anthropic"
    needs = ">=0.84"
    limits = {"max_iterations": Limit("turns")}
    meets = {
        "raised": "told",
        "soft": "told",
        "cancelled": "ended",
        "invalid": "told",
        "unknown": "told",
    }
    sessions = "thread" in _WORDS  # a thread of messages
    typed = "output_format" in _WORDS

    def __init__(self, *, asynchronous: bool = False) -> None:
        self._asynchronous = asynchronous

    @property
    def entrypoints(self) -> Mapping[str, Callable[[Setup], Any]]:
        """The runner of each client, plain, streamed and eager."""
        known: dict[str, Callable[[Setup], Any]] = {
            "sync": _plain,
            "async": _plain_async,
            "stream": _streamed,
            "stream_async": _streamed_async,
        }
        return {**known, "eager": _eager} if "run_tools_eagerly" in _WORDS else known

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
        if self._asynchronous:
            return beta_async_tool(acall, **told)
        return beta_tool(call, **told)

    def model(self, world: World, *, agent: str | None = None, **options: Any) -> Any:
        """The client of the world; `options` are its own."""
        make = async_anthropic_client if self._asynchronous else anthropic_client
        return make(world, **options)

    def ended(self, result: Any) -> Ended | None:
        """A runner ends with its last message, whose stop reason says why."""
        if isinstance(result, BaseException):
            return None
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


_ASYNC = AnthropicRunner(asynchronous=True)


def _runner(adapter: AnthropicRunner, setup: Setup, **more: Any) -> tuple[Any, Any]:
    """The runner of a setup, and the thread whose messages its session keeps."""
    options = {**setup.options, **more}
    client = adapter.model(setup.world, **{n: options.pop(n) for n in _CLIENT if n in options})
    words: dict[str, Any] = {
        "model": "claude-sonnet-4-6",
        "max_tokens": 1000,
        "messages": [*(setup.session or ()), {"role": "user", "content": setup.world.task}],
        "tools": adapter.offered(setup),
    }
    if setup.typed:
        words["output_format"] = Completion
    if setup.session is None:
        return client.beta.messages.tool_runner(**words, **options), None
    thread = client.beta.messages.thread(**words)
    if options.pop("run_tools_eagerly", False):
        del options["stream"]
        return BetaStreamingToolRunner(
            thread=thread, options={}, run_tools_eagerly=True, **options
        ), thread
    return thread.tool_runner(**options), thread


def _kept(setup: Setup, thread: Any, message: Any) -> Any:
    """The last message of a run, whose thread is in the session."""
    _CLASSES.update(map(type, (message, *message.content)))
    if thread is not None:
        with setup.world.saving("thread"):
            setup.session[:] = thread.messages
    return message


def _plain(setup: Setup) -> Any:
    runner, thread = _runner(ADAPTER, setup)
    return _kept(setup, thread, runner.until_done())


async def _plain_async(setup: Setup) -> Any:
    runner, thread = _runner(_ASYNC, setup)
    return _kept(setup, thread, await runner.until_done())


def _streamed(setup: Setup, **more: Any) -> Any:
    runner, thread = _runner(ADAPTER, setup, stream=True, **more)
    for reply in runner:
        for _ in reply:
            pass
    return _kept(setup, thread, runner.until_done())


def _eager(setup: Setup) -> Any:
    return _streamed(setup, run_tools_eagerly=True)


async def _streamed_async(setup: Setup) -> Any:
    runner, thread = _runner(_ASYNC, setup, stream=True)
    async for reply in runner:
        async for _ in reply:
            pass
    return _kept(setup, thread, await runner.until_done())


ADAPTER = AnthropicRunner()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
async_model, async_tools = _ASYNC.model, _ASYNC.tools
