"""A tool call runs although its reply was cut off at the token limit. Exit status 1: it did."""

import asyncio
import sys

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

charged: list[str] = []


def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    if len(messages) > 1:
        return ModelResponse(parts=[TextPart("Done.")])
    call = ToolCallPart("charge_card", {"order_id": "A17"})
    cut = ToolCallPart("ship", '{"order_id": "A')
    return ModelResponse(parts=[call, cut], finish_reason="length")


agent = Agent(FunctionModel(model))


@agent.tool_plain
def charge_card(order_id: str) -> str:
    charged.append(order_id)
    return "charged"


@agent.tool_plain
def ship(order_id: str) -> str:
    return "shipped"


print(repr(asyncio.run(agent.run("Charge order A17 and ship it.")).output), charged)
sys.exit(bool(charged))
