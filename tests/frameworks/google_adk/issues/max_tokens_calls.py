"""The calls of a reply that was cut off at its token limit are carried out (exit status 1)."""

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
        if charged:
            part, reason = types.Part(text="Done."), types.FinishReason.STOP
        else:
            call = types.FunctionCall(name="charge", args={"order_id": "A17"})
            part, reason = types.Part(function_call=call), types.FinishReason.MAX_TOKENS
        content = types.Content(role="model", parts=[part])
        candidate = types.Candidate(content=content, finish_reason=reason)
        return types.GenerateContentResponse(candidates=[candidate])


class Short(Gemini):
    @property
    def api_client(self):
        return SimpleNamespace(vertexai=False, aio=SimpleNamespace(models=Models()))


async def main():
    agent = LlmAgent(name="assistant", model=Short(), tools=[charge])
    runner = InMemoryRunner(agent=agent, app_name="app")
    await runner.session_service.create_session(app_name="app", user_id="u", session_id="s")
    message = types.Content(role="user", parts=[types.Part(text="Charge A17 if B18 is paid.")])
    async for _ in runner.run_async(user_id="u", session_id="s", new_message=message):
        pass
    print("charged:", charged)
    return bool(charged)


sys.exit(int(asyncio.run(main())))
