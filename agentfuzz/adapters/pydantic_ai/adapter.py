"""What Pydantic AI is to agentfuzz.

Law: the loop, its retries and its limits are Pydantic AI's own. Read by the contract, and by agents
under test as `adapters.pydantic_ai`.
"""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic_ai import ModelRetry, RunContext, Tool, UsageLimitExceeded
from pydantic_ai.tools import DeferredToolRequests

from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Pause, Setup, met
from agentfuzz.adapters.pydantic_ai import loops
from agentfuzz.adapters.pydantic_ai.model import APIS, call_id, kind_of, model_of
from agentfuzz.world.world import World


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
    raises = {UsageLimitExceeded: "limit"}
    meets = met(raised="raised", cancelled="ended")
    sessions = typed = pauses_for = True

    @property
    def entrypoints(self) -> Mapping[str, Callable[[Setup], Any]]:
        """Every way into a run, and every API that a provider has."""
        return {
            "chat": partial(loops.run, self, "chat"),
            "responses": partial(loops.run, self, "responses"),
            "anthropic": partial(loops.run, self, "anthropic"),
            "sync": partial(loops.sync, self),
            "stream": partial(loops.stream, self, "chat"),
            "stream_responses": partial(loops.stream, self, "responses"),
            "stream_anthropic": partial(loops.stream, self, "anthropic"),
            "events": partial(loops.run, self, "chat", event_stream_handler=loops.drain),
        }

    def warm(self) -> None:
        """What the models import; no banner."""
        os.environ.update(self.quiet)
        for api in APIS:
            kind_of(api)

    def tool(self, bridge: Bridge) -> Tool[Any]:
        """A function tool, which is told the id of its call."""

        async def call(ctx: RunContext[Any], **arguments: Any) -> str:
            return await bridge.acall(arguments, call_id(ctx.tool_call_id))

        return Tool.from_schema(
            call, bridge.name, bridge.description, bridge.schema, takes_ctx=True
        )

    def model(
        self, world: World, *, agent: str | None = None, api: str = "chat", **options: Any
    ) -> Any:
        """Pydantic AI's model of a provider. `api` is the provider's: `chat`, `responses` or
        `anthropic`; what else is given goes to the model (`profile`, `settings`) or the client."""
        return model_of(world, api, options)

    def ending(self, result: Any) -> Ended:
        """A run ends with its output; a last reply that was cut off at the token limit says so in
        its finish reason."""
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
        waiting = result.output.approvals
        return tuple(Pause(call_id(one.tool_call_id), one.tool_name) for one in waiting)
