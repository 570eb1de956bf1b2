"""Two calls with one id in a reply are both carried out (exit status 1)."""

import asyncio
import sys
from types import SimpleNamespace

from google.adk.agents import LlmAgent
from google.adk.models.google_llm import Gemini
from google.adk.runners import InMemoryRunner
from google.genai import types

charged = []


def charge(order_id: str) -> dict:
    """Charge an order."""
    charged.append(order_id)
    return {"charged": order_id}


class Models:
    async def generate_content(self, contents, **asked):
        call = types.FunctionCall(id="call_1", name="charge", args={"order_id": "A17"})
        part = types.Part(text="Done.") if charged else types.Part(function_call=call)
        content = types.Content(role="model", parts=[part] if charged else [part, part])
        candidate = types.Candidate(content=content, finish_reason=types.FinishReason.STOP)
        return types.GenerateContentResponse(candidates=[candidate])


class Twice(Gemini):
    @property
    def api_client(self):
        return SimpleNamespace(vertexai=False, aio=SimpleNamespace(models=Models()))


async def main():
    agent = LlmAgent(name="assistant", model=Twice(), tools=[charge])
    runner = InMemoryRunner(agent=agent, app_name="app")
    await runner.session_service.create_session(app_name="app", user_id="u", session_id="s")
    message = types.Content(role="user", parts=[types.Part(text="Charge A17.")])
    async for _ in runner.run_async(user_id="u", session_id="s", new_message=message):
        pass
    print("charged:", charged)
    return len(charged) > 1


sys.exit(int(asyncio.run(main())))
