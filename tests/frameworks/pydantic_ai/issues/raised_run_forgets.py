"""An exception in one tool ends the run, and what an earlier tool did is in no message that the
next run is given. Exit status 1: the card was charged twice."""

import asyncio
import sys

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

charged: list[str] = []


def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """Charge and then ship, unless the messages show that it was done."""
    parts = [part for message in messages for part in message.parts]
    done = [part.tool_name for part in parts if isinstance(part, ToolReturnPart)]
    for tool in ("charge_card", "ship"):
        if tool not in done:
            return ModelResponse(parts=[ToolCallPart(tool, {"order_id": "A17"})])
    return ModelResponse(parts=[TextPart("Done.")])


agent = Agent(FunctionModel(model))


@agent.tool_plain
def charge_card(order_id: str) -> str:
    charged.append(order_id)
    return "charged"


@agent.tool_plain
def ship(order_id: str) -> str:
    if len(charged) == 1:
        raise ConnectionError("the carrier does not answer")
    return "shipped"


async def main() -> None:
    history: list[ModelMessage] = []
    for said in ("Charge order A17 and ship it.", "And now?"):
        try:
            history = (await agent.run(said, message_history=history)).all_messages()
        except ConnectionError as error:
            print("raised:", error)


asyncio.run(main())
print(charged)
sys.exit(len(charged) > 1)
