"""CrewAI: a world's tools and model as its own.

Law: crews, tasks, their retries and their guardrails are the framework's, and so is the client of a
provider, behind which the world answers (`agentfuzz.wire`). Called by agents under test:

    clerk = Agent(
        role="clerk", goal="Do it.", backstory="You do what you are told.",
        llm=adapters.crewai.model(world),
        tools=adapters.crewai.tools(world),
    )
    task = Task(description=world.task, expected_output="It is done.", agent=clerk)
    return adapters.crewai.outcome(Crew(agents=[clerk], tasks=[task]).kickoff())

`model` calls tools as OpenAI's do; `react_model(world)` writes its actions into its text, as the
framework has it for models that cannot. Older releases than 1.0 have the second alone. Before the
first run, once in a process: `adapters.crewai.ADAPTER.warm()`. `crew(world, agents=..., tasks=...)`
is its Crew, in which what is delegated crosses the world.

adapter     CrewAI: its crews, kicked off, awaited, and by text
crews       what a setup asks for, as a crew
delegation  a Crew whose delegated tasks and questions are handoffs of the world
model       its LLM for OpenAI, whose client asks the world
react       a model that writes its actions into its text;  text: that text, read and written
tools       a world's tools, and the one that ends a typed task
quiet       what keeps the framework from the network
"""

from agentfuzz.adapters.crewai.adapter import CrewAI
from agentfuzz.adapters.crewai.delegation import crew
from agentfuzz.adapters.crewai.react import Idle, ReactLLM, react_model
from agentfuzz.adapters.crewai.tools import TypedAnswer, WorldTool

__all__ = [
    "ADAPTER",
    "CrewAI",
    "Idle",
    "ReactLLM",
    "TypedAnswer",
    "WorldTool",
    "crew",
    "model",
    "outcome",
    "react_model",
    "tools",
]

ADAPTER = CrewAI()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
