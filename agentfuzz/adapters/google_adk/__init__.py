"""Google's ADK: a world's tools and model as its own, by its runner.

Law: the runner, its sessions and its Gemini class are ADK's; only the client behind that class is
another one. Works with `Runner.run_async` and `Runner.run`, streamed or not. Called by agents under
test:

    agent = LlmAgent(
        name="billing",
        model=adapters.google_adk.model(world),
        tools=adapters.google_adk.tools(world),
    )
    runner = InMemoryRunner(agent=agent)
    ...
    events = [event async for event in runner.run_async(...)]
    return adapters.google_adk.outcome(events)

adapter     GoogleADK: its entrypoints, its limits, its endings
loops       agents and the runner;  greeting: a run without a world
model       Gemini;  client: who answers it;  requests, replies: what it is asked, what it answers
handoffs    transfers as handoffs of a world;  told: what is said in them
tools       a world's tools as functions;  session: sessions in a world
"""

from agentfuzz.adapters.google_adk.adapter import GoogleADK

ADAPTER = GoogleADK()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
