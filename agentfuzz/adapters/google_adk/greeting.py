"""One plain run of ADK without a world: it imports half of itself in its first.

Law: nobody is asked; the only tool is called once. Called by the google_adk adapter.
"""

from typing import Any

from google.adk.agents import LlmAgent
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.adk.tools import FunctionTool
from google.genai import types

from agentfuzz.adapters.google_adk.loops import APP, WHO, session_of
from agentfuzz.adapters.google_adk.model import Faced
from agentfuzz.adapters.google_adk.replies import reply


async def greeted() -> None:
    """The run."""
    runner = Runner(
        **APP,
        agent=LlmAgent(name="assistant", model=Hello(), tools=[FunctionTool(_hello)]),
        session_service=InMemorySessionService(),
    )
    await session_of(runner)
    said = types.Content(role="user", parts=[types.Part(text="Hello.")])
    async for _ in runner.run_async(**WHO, new_message=said):
        pass


class Hello(Faced):
    """Behind it is nobody: it calls the only tool, and says hello."""

    def __init__(self) -> None:
        super().__init__(self)

    async def generate_content(self, *, model: str, contents: Any, config: Any) -> Any:
        """One turn."""
        if len(contents) > 1:
            return reply([types.Part(text="Hello.")], types.FinishReason.STOP)
        call = types.FunctionCall(name="_hello", args={"name": "you"})
        return reply([types.Part(function_call=call)], types.FinishReason.STOP)


def _hello(name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}."
