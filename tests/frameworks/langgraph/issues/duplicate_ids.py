"""create_agent makes two calls that stand in a reply under one id. Exit status 1 when shown."""

import sys

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

CALL = {"name": "charge", "args": {"order_id": "A17"}, "id": "call_1", "type": "tool_call"}
REPLIES = [AIMessage("", tool_calls=[CALL, CALL]), AIMessage("Charged.")]
charged = []


class Scripted(BaseChatModel):
    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **kwargs):
        return self

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        return ChatResult(generations=[ChatGeneration(message=REPLIES.pop(0))])


def charge(order_id: str) -> str:
    """Charge an order."""
    charged.append(order_id)
    return "ok"


state = create_agent(Scripted(), [charge]).invoke({"messages": [("user", "Charge order A17.")]})
results = [one.tool_call_id for one in state["messages"] if one.type == "tool"]
print(f"charged: {charged}, results for: {results}")
sys.exit(len(charged) > 1)
