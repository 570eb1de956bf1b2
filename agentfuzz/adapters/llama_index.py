"""LlamaIndex: a world's tools and model as its own, and its agents.

Law: the loop, its memory and its limits are LlamaIndex's own; the model is its OpenAILike over HTTP
clients of the world's wire. Called by agents under test:

    agent = FunctionAgent(
        llm=adapters.llama_index.model(world),
        tools=adapters.llama_index.tools(world),
    )
    return adapters.llama_index.outcome(await agent.run(user_msg=world.task))

What else the model is given is its own (`max_retries=0`).
"""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from llama_index.core.agent.workflow import AgentOutput, AgentWorkflow, FunctionAgent
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool, ToolMetadata
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step
from llama_index.core.workflow.errors import WorkflowRuntimeError
from llama_index.llms.openai_like import OpenAILike
from pydantic import PrivateAttr

from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Setup
from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.core.completion import Completion
from agentfuzz.wire import async_http_client, http_client
from agentfuzz.wire.client import HOST
from agentfuzz.world.world import World

_MODEL = ("max_retries", "timeout")  # the words of the model
_RUN = ("max_iterations", "early_stopping_method")  # those of a run

_RUNS = count()


class LlamaIndex(Adapter):
    """LlamaIndex by its agents: `function` is a FunctionAgent, whose model is streamed, `plain` one
    whose model is not, `workflow` an AgentWorkflow, and `step` a Workflow with a step that runs the
    agent. Its options are those of the agent, the run, the model (`max_retries`, `timeout`) and the
    step (`retry_policy`); `return_direct` names tools whose result is the answer."""

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
    sessions = True
    typed = True
    hands_over = True

    @property
    def entrypoints(self) -> Mapping[str, Callable[[Setup], Any]]:
        """Every way to run an agent."""
        return {
            "function": self._function,
            "plain": self._plain,
            "workflow": self._workflow,
            "step": self._step,
        }

    def tool(self, bridge: Bridge) -> FunctionTool:
        """A function as a tool, with the parameters of the world's."""

        async def call(**arguments: Any) -> str:
            return await bridge.acall(arguments)

        described = ToolMetadata(
            name=bridge.name, description=bridge.description, fn_schema=bridge.args_model
        )
        return FunctionTool(async_fn=call, metadata=described)

    def model(self, world: World, *, agent: str | None = None, **options: Any) -> OpenAILike:
        """LlamaIndex's model for what speaks as OpenAI does, with the world's clients."""
        client = async_http_client(world, "httpx")
        acting, send = performing(world, agent), client.send

        async def sent(*args: Any, **kwargs: Any) -> Any:
            with acting():
                return await send(*args, **kwargs)

        client.send = sent
        return OpenAILike(
            model="gpt-4.1",
            is_chat_model=True,
            is_function_calling_model=True,
            context_window=1_000_000,
            api_key="agentfuzz",
            api_base=f"{HOST}/v1",
            http_client=http_client(world, "httpx"),
            async_http_client=client,
            **options,
        )

    def ended(self, result: Any) -> Ended | None:
        """A run ends with its output, or by its limit, of which only the error's words tell."""
        if isinstance(result, WorkflowRuntimeError) and str(result).startswith("Max iterations"):
            return Ended(why="limit")
        if isinstance(result, BaseException):
            return None
        if result.structured_response is not None:
            return Ended(Completion.model_validate(result.structured_response))
        return Ended(result.response.content or "")

    def session(self, world: World) -> "WorldMemory":
        """LlamaIndex's memory: a Context that is written down leaves it out."""
        memory: WorldMemory = WorldMemory.from_defaults(token_limit=1_000_000)
        return memory

    def handoff(self, to: str) -> tuple[str, Mapping[str, Any]]:
        """An AgentWorkflow has one tool for all its handoffs."""
        return "handoff", {"to_agent": to, "reason": "It is theirs."}

    # The entrypoints ----------------------------------------------------------------------

    async def _function(self, setup: Setup) -> AgentOutput:
        return await _run(setup, self._made(setup, dict(setup.options)))

    async def _plain(self, setup: Setup) -> AgentOutput:
        return await _run(setup, self._made(setup, {"streaming": False, **setup.options}))

    async def _workflow(self, setup: Setup) -> AgentOutput:
        agent = self._made(setup, dict(setup.options))
        if isinstance(agent, FunctionAgent):
            agent = AgentWorkflow(agents=[agent], output_cls=agent.output_cls)
        return await _run(setup, agent)

    async def _step(self, setup: Setup) -> AgentOutput:
        options = dict(setup.options)
        policy = options.pop("retry_policy", None)
        agent = self._made(setup, options)

        class Work(Workflow):
            @step(retry_policy=policy)
            async def work(self, event: StartEvent) -> StopEvent:
                return StopEvent(result=await _run(setup, agent))

        return await Work(timeout=None).run()

    def _made(self, setup: Setup, options: dict[str, Any]) -> Any:
        """The agent of a setup, or all of them in their workflow."""
        for_model = {name: options.pop(name) for name in _MODEL if name in options}
        direct = options.pop("return_direct", ())
        own = {name: value for name, value in options.items() if name not in _RUN}

        def made(name: str) -> FunctionAgent:
            tools = self.offered(setup, name or None)
            for tool in tools:
                tool.metadata.return_direct = tool.metadata.name in direct
            return FunctionAgent(
                name=name or "assistant",
                description=f"Does what is for {name or 'an assistant'}.",
                llm=self.model(setup.world, agent=name or None, **for_model),
                tools=tools,
                output_cls=Completion if setup.typed else None,
                **own,
            )

        if not setup.agents:
            return made("")
        return AgentWorkflow(
            agents=[made(name) for name in setup.agents], root_agent=setup.agents[0]
        )


class WorldMemory(ChatMemoryBuffer):
    """LlamaIndex's memory; what is put into it is a save of the world."""

    _world: World = PrivateAttr()

    async def aput(self, message: Any) -> None:
        """Put one message. The process may die before, or right after."""
        with self._world.saving("memory"):
            await super().aput(message)

    async def aput_messages(self, messages: Any) -> None:
        """The same of several."""
        with self._world.saving("memory"):
            self.put_messages(messages)


async def _run(setup: Setup, workflow: Any) -> AgentOutput:
    """Run it, with the memory that an earlier leg has left."""
    words = {name: setup.options[name] for name in _RUN if name in setup.options}
    if setup.session is not None:
        setup.session._world = setup.world
        words["memory"] = setup.session
    name = f"run_{next(_RUNS)}"  # of which a process keeps a list, longer than a run
    return await workflow.run(user_msg=setup.world.task, run_id=name, **words)


ADAPTER = LlamaIndex()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
