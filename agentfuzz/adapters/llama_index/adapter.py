"""LlamaIndex's agents in a world: by calls of tools, by text, in workflows.

Law: an agent is built as its users build it, with the world's tools and model. Called by the table
of contents of this room.
"""

from collections.abc import Callable, Mapping
from typing import Any

from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentWorkflow,
    FunctionAgent,
    ReActAgent,
)
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step
from llama_index.core.workflow.errors import WorkflowRuntimeError
from llama_index.llms.openai_like import OpenAILike

from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Setup
from agentfuzz.adapters.llama_index.agents import made, ran
from agentfuzz.adapters.llama_index.memory import WorldMemory
from agentfuzz.adapters.llama_index.model import model_of
from agentfuzz.adapters.llama_index.react import react_model
from agentfuzz.adapters.llama_index.tools import tool_of
from agentfuzz.core.completion import Completion
from agentfuzz.world.world import World


class LlamaIndex(Adapter):
    """LlamaIndex by its agents: `function` is a FunctionAgent, whose model is streamed, `plain` one
    whose model is not, `react` a ReActAgent, `workflow` an AgentWorkflow, and `step` a Workflow
    with a step that runs the agent. Its options are those of the agent, the run, the model
    (`max_retries`, `timeout`) and the step (`retry_policy`); `return_direct` names tools whose
    result is the answer."""

    name = "llama_index"
    package = "llama-index-core"
    needs = ">=0.14"
    limits = {"max_iterations": Limit("turns", 20)}
    meets = {
        "raised": "told",
        "soft": "told",
        "cancelled": "ended",
        "invalid": "told",
        "unknown": "told",
    }
    sessions = typed = hands_over = True

    @property
    def entrypoints(self) -> Mapping[str, Callable[[Setup], Any]]:
        """Every way to run an agent."""
        return {
            "function": self._function,
            "plain": self._plain,
            "workflow": self._workflow,
            "step": self._step,
            "react": self._react,
        }

    def tool(self, bridge: Bridge) -> FunctionTool:
        """A function as a tool, with the parameters of the world's."""
        return tool_of(bridge)

    def model(self, world: World, *, agent: str | None = None, **options: Any) -> OpenAILike:
        """LlamaIndex's model for what speaks as OpenAI does, with the world's clients."""
        return model_of(world, agent, options)

    def ended(self, result: Any) -> Ended | None:
        """A run ends with its output, or by its limit, of which only the error's words tell."""
        if isinstance(result, WorkflowRuntimeError) and str(result).startswith("Max iterations"):
            return Ended(why="limit")
        if isinstance(result, BaseException):
            return None
        if result.structured_response is not None:
            return Ended(Completion.model_validate(result.structured_response))
        return Ended(result.response.content or "")

    def session(self, world: World) -> WorldMemory:
        """LlamaIndex's memory: a Context that is written down leaves it out."""
        memory: WorldMemory = WorldMemory.from_defaults(token_limit=1_000_000)
        return memory

    def handoff(self, to: str) -> tuple[str, Mapping[str, Any]]:
        """An AgentWorkflow has one tool for all its handoffs."""
        return "handoff", {"to_agent": to, "reason": "It is theirs."}

    async def _function(self, setup: Setup) -> AgentOutput:
        return await ran(setup, made(self, setup, dict(setup.options)))

    async def _plain(self, setup: Setup) -> AgentOutput:
        return await ran(setup, made(self, setup, {"streaming": False, **setup.options}))

    async def _react(self, setup: Setup) -> AgentOutput:
        return await ran(setup, made(self, setup, dict(setup.options), ReActAgent, react_model))

    async def _workflow(self, setup: Setup) -> AgentOutput:
        agent = made(self, setup, dict(setup.options))
        if isinstance(agent, FunctionAgent):
            agent = AgentWorkflow(agents=[agent], output_cls=agent.output_cls)
        return await ran(setup, agent)

    async def _step(self, setup: Setup) -> AgentOutput:
        options = dict(setup.options)
        policy = options.pop("retry_policy", None)
        agent = made(self, setup, options)

        class Work(Workflow):
            @step(retry_policy=policy)
            async def work(self, event: StartEvent) -> StopEvent:
                return StopEvent(result=await ran(setup, agent))

        return await Work(timeout=None).run()
