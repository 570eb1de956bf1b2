"""What a setup asks for, as agents of LlamaIndex, and their run.

Law: a word of the setup becomes one of the agent's, of its model's or of its run's. Called by the
entrypoints of the llama_index adapter.
"""

from typing import Any

from llama_index.core.agent.workflow import AgentOutput, FunctionAgent

from agentfuzz.adapters.contract import Adapter, Setup
from agentfuzz.adapters.llama_index.handoffs import workflow
from agentfuzz.core.completion import Completion

_MODEL = ("max_retries", "timeout")  # the words of the model
_RUN = ("max_iterations", "early_stopping_method")  # those of a run


def made(
    adapter: Adapter,
    setup: Setup,
    options: dict[str, Any],
    kind: Any = FunctionAgent,
    model: Any = None,
) -> Any:
    """The agent of a setup, or all of them in their workflow."""
    for_model = {name: options.pop(name) for name in _MODEL if name in options}
    direct = options.pop("return_direct", ())
    own = {name: value for name, value in options.items() if name not in _RUN}

    def one(name: str) -> Any:
        tools = adapter.offered(setup, name or None)
        for tool in tools:
            tool.metadata.return_direct = tool.metadata.name in direct
        return kind(
            name=name or "assistant",
            description=f"Does what is for {name or 'an assistant'}.",
            llm=(model or adapter.model)(setup.world, agent=name or None, **for_model),
            tools=tools,
            output_cls=Completion if setup.typed else None,
            **own,
        )

    if not setup.agents:
        return one("")
    agents = [one(name) for name in setup.agents]
    return workflow(setup.world, agents, root_agent=setup.agents[0])


async def ran(setup: Setup, workflow: Any) -> AgentOutput:
    """Run it, with the memory that an earlier leg has left."""
    words = {name: setup.options[name] for name in _RUN if name in setup.options}
    if setup.session is not None:
        setup.session.goes_on(setup.world)
        words["memory"] = setup.session
    return await workflow.run(user_msg=setup.world.task, **words)
