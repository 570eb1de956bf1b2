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

adapter     AnthropicRunner: its entrypoints, its limits, its endings, its tools
loops       runners and threads
"""

from agentfuzz.adapters.anthropic_runner.adapter import AnthropicRunner

ADAPTER = AnthropicRunner()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
_ASYNC = AnthropicRunner(asynchronous=True)
async_model, async_tools = _ASYNC.model, _ASYNC.tools
