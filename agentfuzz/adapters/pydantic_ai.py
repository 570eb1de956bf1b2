"""Pydantic AI: a world's tools and model as Pydantic AI's own.

Law: the loop, its retries and its limits are Pydantic AI's own; the model is its own class for a
provider, over a client of the world's wire. Called by agents under test:

    agent = Agent(
        adapters.pydantic_ai.model(world),
        tools=adapters.pydantic_ai.tools(world),
    )
    return adapters.pydantic_ai.outcome(await agent.run(world.task))

`model(world, api="responses")` and `api="anthropic"` speak to the other providers; what else it is
given is the client's (`max_retries=0`). An agent that exists is put into the world as it is:
`agent.override(model=model(world), toolsets=[FunctionToolset(tools(world))], tools=[])`.
"""

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from pydantic_ai import (
    Agent,
    ModelRetry,
    RunContext,
    Tool,
    ToolOutput,
    UsageLimitExceeded,
    UsageLimits,
)
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults

from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Pause, Setup
from agentfuzz.adapters.contract.bridge import bridges
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.wire import async_anthropic_client, async_openai_client
from agentfuzz.world.world import World

APIS = ("chat", "responses", "anthropic")
_CLIENT = ("max_retries", "timeout")  # the words of a provider's client
_MODEL = ("profile", "settings")  # those of Pydantic AI's model
_USAGE = frozenset(one.name for one in fields(UsageLimits))
_AGENT = frozenset(inspect.signature(Agent.__init__).parameters)


class PydanticAI(Adapter):
    """Pydantic AI by its runs: `chat`, `responses` and `anthropic` are `Agent.run` with a provider,
    `sync` is `run_sync`, `stream...` is `run_stream`, and `events` a run with a handler of the
    stream. Its options are those of the agent, the run, its UsageLimits, the model and the client;
    `ends_with` names tools that are output functions: a call of one of them ends the run.
    """

    name = "pydantic_ai"
    package = "pydantic-ai-slim"
    needs = ">=1.0.14"
    quiet = {"PYDANTIC_AI_NO_BANNER": "1"}
    limits = {
        "request_limit": Limit("turns", 50),
        "tool_calls_limit": Limit("calls"),
        "retries": Limit("retries", 1),
    }
    meets = {
        "raised": "raised",
        "soft": "told",
        "cancelled": "ended",
        "invalid": "told",
        "unknown": "told",
    }
    sessions = True
    typed = True
    pauses_for = True

    @property
    def entrypoints(self) -> Mapping[str, Callable[[Setup], Any]]:
        """Every way into a run, and every API that a provider has."""
        return {
            "chat": self._run("chat"),
            "responses": self._run("responses"),
            "anthropic": self._run("anthropic"),
            "sync": self._sync,
            "stream": self._stream("chat"),
            "stream_responses": self._stream("responses"),
            "stream_anthropic": self._stream("anthropic"),
            "events": self._run("chat", event_stream_handler=_drain),
        }

    def warm(self) -> None:
        """What the models import; no banner."""
        os.environ.update(self.quiet)
        for api in APIS:
            _model_of(api)

    def tool(self, bridge: Bridge) -> Tool[Any]:
        """A function tool, which is told the id of its call."""

        async def call(ctx: RunContext[Any], **arguments: Any) -> str:
            return await bridge.acall(arguments, _id(ctx.tool_call_id))

        return Tool.from_schema(
            call, bridge.name, bridge.description, bridge.schema, takes_ctx=True
        )

    def model(
        self, world: World, *, agent: str | None = None, api: str = "chat", **options: Any
    ) -> Any:
        """Pydantic AI's model of a provider. `api` is the provider's: `chat`, `responses` or
        `anthropic`; what else is given goes to the model (`profile`, `settings`) or the client."""
        own = {name: options.pop(name) for name in _MODEL if name in options}
        kind, provider, client, name = _model_of(api)
        return kind(name, provider=provider(client(world, **options)), **own)

    def ended(self, result: Any) -> Ended | None:
        """A run ends with its output, or by its limit; a last reply that was cut off at the token
        limit says so in its finish reason."""
        if isinstance(result, UsageLimitExceeded):
            return Ended(why="limit")
        if isinstance(result, BaseException):
            return None
        if isinstance(result.output, DeferredToolRequests):
            return Ended(result.output, "paused")
        last = result.all_messages()[-1]
        cut = getattr(last, "finish_reason", None) == "length"
        return Ended(result.output, "length" if cut else "completed")

    def soft(self, error: Exception) -> BaseException:
        """A tool asks for another try."""
        retry: BaseException = ModelRetry(str(error))
        return retry

    invalid = soft  # as its own check of the arguments does

    def session(self, world: World) -> list[Any]:
        """The message history, which Pydantic AI leaves to its user to keep."""
        return []

    def pauses(self, result: Any) -> tuple[Pause, ...]:
        """The calls that need approval."""
        if not isinstance(result.output, DeferredToolRequests):
            return ()
        return tuple(Pause(_id(one.tool_call_id), one.tool_name) for one in result.output.approvals)

    # The entrypoints ----------------------------------------------------------------------

    def _run(self, api: str, **more: Any) -> Callable[[Setup], Any]:
        async def run(setup: Setup) -> Any:
            agent, words = self._made(setup, api, more)
            return _kept(setup, await agent.run(**words))

        return run

    def _sync(self, setup: Setup) -> Any:
        agent, words = self._made(setup, "chat", {})
        return _kept(setup, agent.run_sync(**words))

    def _stream(self, api: str) -> Callable[[Setup], Any]:
        async def stream(setup: Setup) -> Any:
            agent, words = self._made(setup, api, {})
            async with agent.run_stream(**words) as result:
                async for _ in result.stream_output(debounce_by=None):
                    pass
                return _kept(setup, _Streamed(await result.get_output(), result))

        return stream

    def _made(self, setup: Setup, api: str, more: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The agent of a setup, and the words for its run."""
        options = {**setup.options, **more}
        at_model = {n: options.pop(n) for n in (*_MODEL, *_CLIENT) if n in options}
        usage = {n: options.pop(n) for n in _USAGE & options.keys()}
        at_agent = {n: options.pop(n) for n in _AGENT & options.keys()}
        ends = options.pop("ends_with", ())
        tools = [tool for tool in self.offered(setup) if tool.name not in ends]
        for tool in tools:
            tool.requires_approval = tool.name in setup.approvals
        output: Any = Completion if setup.typed else str
        if ends:
            made = [one for one in bridges(setup.world, setup.key) if one.name in ends]
            output = [ToolOutput(_output(one), name=one.name) for one in made]
        agent = Agent(
            self.model(setup.world, api=api, **at_model),
            tools=tools,
            output_type=[output, DeferredToolRequests] if setup.approvals else output,
            **at_agent,
        )
        words: dict[str, Any] = {"user_prompt": setup.world.task, **options}
        if usage:
            words["usage_limits"] = UsageLimits(**usage)
        if setup.session:
            words["message_history"] = list(setup.session)
        if setup.decisions:
            asked = [one.tool_call_id for one in setup.paused.output.approvals]
            decided = DeferredToolResults(approvals={n: setup.decisions[_id(n)] for n in asked})
            words["user_prompt"] = None
            words["message_history"] = setup.paused.all_messages()
            words["deferred_tool_results"] = decided
        return agent, words


def _model_of(api: str) -> tuple[Any, Callable[..., Any], Callable[..., Any], str]:
    """The model's class for an API, the provider of a client, the client, and a model's name."""
    if api == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        def anthropic(client: Any) -> Any:
            return AnthropicProvider(anthropic_client=client)

        return AnthropicModel, anthropic, async_anthropic_client, "claude-sonnet-4-6"
    if api not in APIS:
        raise AgentfuzzError(f"pydantic_ai.model(api={api!r}): there is {', '.join(APIS)}.")
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    def openai(client: Any) -> Any:
        return OpenAIProvider(openai_client=client)

    kind = OpenAIChatModel if api == "chat" else OpenAIResponsesModel
    return kind, openai, async_openai_client, "gpt-4.1"


def _output(bridge: Bridge) -> Callable[..., Any]:
    """A tool as an output function, which is called with what is there of a reply so far, too."""

    async def output(ctx: RunContext[Any], given: Any) -> Any:
        if ctx.partial_output:
            return given
        return await bridge.acall(given.model_dump(exclude_none=True), _id(ctx.tool_call_id or ""))

    output.__annotations__["given"] = bridge.args_model
    return output


class _Streamed:
    """What is left of a streamed run: its output, and its messages."""

    def __init__(self, output: Any, result: Any) -> None:
        self.output = output
        self.all_messages = result.all_messages


def _kept(setup: Setup, result: Any) -> Any:
    """A result whose messages are in the session."""
    if setup.session is not None:
        with setup.world.saving("messages"):
            setup.session[:] = result.all_messages()
    return result


def _id(given: str) -> str:
    """The model's id of a call: old releases add that of a Responses item to it."""
    return given.partition("|")[0]


async def _drain(_: Any, events: Any) -> None:
    async for _ in events:
        pass


ADAPTER = PydanticAI()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
