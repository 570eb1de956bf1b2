"""A stream that ends without a finish reason is a final response, not an error (exit status 1)."""

import asyncio
import sys
from types import SimpleNamespace

from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models.google_llm import Gemini
from google.adk.runners import InMemoryRunner
from google.genai import types


class Models:
    async def generate_content_stream(self, **asked):
        async def chunks():
            part = types.Part(text="Your order is shipped unless ")
            content = types.Content(role="model", parts=[part])
            yield types.GenerateContentResponse(candidates=[types.Candidate(content=content)])

        return chunks()  # the connection is closed here: no candidate had a finish reason


class Cut(Gemini):
    @property
    def api_client(self):
        return SimpleNamespace(vertexai=False, aio=SimpleNamespace(models=Models()))


async def main():
    runner = InMemoryRunner(agent=LlmAgent(name="assistant", model=Cut()), app_name="app")
    await runner.session_service.create_session(app_name="app", user_id="u", session_id="s")
    message = types.Content(role="user", parts=[types.Part(text="Is it shipped?")])
    config = RunConfig(streaming_mode=StreamingMode.SSE)
    events = [
        event
        async for event in runner.run_async(
            user_id="u", session_id="s", new_message=message, run_config=config
        )
    ]
    last = events[-1]
    print(last.is_final_response(), last.partial, last.error_code, last.finish_reason)
    return last.is_final_response() and not last.partial and not last.error_code


sys.exit(int(asyncio.run(main())))
