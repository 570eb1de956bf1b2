"""The SDK's runners: over a sync and an async client, plain and streamed.

Law: runner and thread are the SDK's, with its defaults. Called by the anthropic_runner adapter.
"""

import inspect
from typing import Any

from anthropic.lib.tools import BetaStreamingToolRunner
from anthropic.resources.beta.messages import Messages

from agentfuzz.adapters.contract import CLIENT, Adapter, Setup, kept, taken
from agentfuzz.core.completion import Completion

WORDS = inspect.signature(Messages.tool_runner).parameters  # what this release knows
_CLASSES = set[type]()  # of replies: the SDK builds one again, slowly, once nobody has any of it


def plain(adapter: Adapter, setup: Setup) -> Any:
    """`until_done`."""
    runner, thread = _runner(adapter, setup)
    return _kept(setup, thread, runner.until_done())


async def plain_async(adapter: Adapter, setup: Setup) -> Any:
    """The same of an async client."""
    runner, thread = _runner(adapter, setup)
    return _kept(setup, thread, await runner.until_done())


def streamed(adapter: Adapter, setup: Setup, **more: Any) -> Any:
    """Every event of every reply."""
    runner, thread = _runner(adapter, setup, stream=True, **more)
    for reply in runner:
        for _ in reply:
            pass
    return _kept(setup, thread, runner.until_done())


async def streamed_async(adapter: Adapter, setup: Setup) -> Any:
    """The same of an async client."""
    runner, thread = _runner(adapter, setup, stream=True)
    async for reply in runner:
        async for _ in reply:
            pass
    return _kept(setup, thread, await runner.until_done())


def _runner(adapter: Adapter, setup: Setup, **more: Any) -> tuple[Any, Any]:
    """The runner of a setup, and the thread whose messages its session keeps."""
    options: dict[str, Any] = {**setup.options, **more}
    client = adapter.model(setup.world, **taken(options, CLIENT))
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
        kept(setup, "thread", thread.messages)
    return message
