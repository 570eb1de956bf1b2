"""A reply without a word and without a call is the final output (exit status 1)."""

import asyncio
import sys
from typing import Any

from agents import Agent, Model, ModelResponse, Runner, Usage, function_tool, set_tracing_disabled
from openai.types.responses import ResponseOutputMessage, ResponseOutputText

set_tracing_disabled(True)


class SaysNothing(Model):
    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        text = ResponseOutputText(text="", type="output_text", annotations=[])
        message = ResponseOutputMessage(
            id="msg_1", type="message", role="assistant", status="completed", content=[text]
        )
        return ModelResponse(output=[message], usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


@function_tool
def ship(order_id: str) -> str:
    return "shipped"


async def main() -> int:
    agent = Agent(name="shop", model=SaysNothing(), tools=[ship])
    result = await Runner.run(agent, "Ship order A17.")
    print(f"ended normally, final_output={result.final_output!r}")
    return int(result.final_output == "")


sys.exit(asyncio.run(main()))
