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

adapter     PydanticAI: its entrypoints, its limits, its endings, its tools
loops       agents and runs
model       its models of the providers
"""

from agentfuzz.adapters.pydantic_ai.adapter import PydanticAI

ADAPTER = PydanticAI()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
