"""Microsoft Agent Framework: agents and handoffs over a world's tools.

Law: the agent, its loop of tools, its history and its workflows are the framework's; the model
answers by the wire. Works from agent-framework-core 1.0 on, with agent-framework-openai (and
agent-framework-orchestrations for handoffs). Called by agents under test:

    agent = Agent(
        client=adapters.agent_framework.model(world), tools=adapters.agent_framework.tools(world)
    )
    return adapters.agent_framework.outcome(await agent.run(world.task))

The default loop, `contract.agent(adapters.agent_framework.ADAPTER)`, takes the words of `Agent`, of
its `function_invocation_configuration` (`max_iterations`, ...) and of the client (`max_retries`).

adapter     AgentFramework: its entrypoints, its limits, its endings, its tools
loops       agents and workflows
handoffs    those of a handoff workflow, as handoffs of a world
model       its clients for OpenAI;  session: history and checkpoints in a world
"""

from agentfuzz.adapters.agent_framework.adapter import AgentFramework

ADAPTER = AgentFramework()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
