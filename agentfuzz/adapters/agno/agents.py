"""What a setup asks for, as an agent of Agno, and the words of its run.

Law: a word of the setup becomes one of the agent's, or of its client's; a decision, one of its
requirements. Called by the entrypoints of the agno adapter.
"""

from typing import Any

from agno.agent import Agent

from agentfuzz.adapters.agno.model import model_of
from agentfuzz.adapters.contract import CLIENT, Adapter, Setup, taken
from agentfuzz.core.completion import Completion


def made(adapter: Adapter, setup: Setup, **words: Any) -> tuple[Agent, dict[str, Any]]:
    """The agent of a setup, and the words for its run."""
    options = dict(setup.options)
    client = taken(options, CLIENT)
    tools = adapter.offered(setup)
    for tool in tools:
        tool.requires_confirmation = tool.name in setup.approvals or None
    if setup.session is not None:
        setup.session.world = setup.world
        options = {"db": setup.session, "add_history_to_context": True, **options}
    if setup.typed:
        options = {"output_schema": Completion, **options}
    agent = Agent(
        model=model_of(setup.world, **client),
        tools=tools,
        session_id="session",
        telemetry=False,
        **options,
    )
    if not setup.paused:
        return agent, {"input": setup.world.task, **words}
    for pause in adapter.pauses(setup.paused):
        granted = setup.decisions[pause.call]
        pause.handle.confirm() if granted else pause.handle.reject()
    asked = {"run_response": setup.paused, "requirements": setup.paused.requirements}
    return agent, {**asked, **words}
