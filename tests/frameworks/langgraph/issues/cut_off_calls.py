"""create_agent makes the calls of a reply that was cut off. Exit status 1 when shown."""

import sys

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

CALL = {"name": "charge", "args": {"order_id": "A17"}, "id": "call_1", "type": "tool_call"}
REPLIES = [
    AIMessage("", tool_calls=[CALL], response_metadata={"finish_reason": "length"}),
    AIMessage("Charged.", response_metadata={"finish_reason": "stop"}),
]
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


create_agent(Scripted(), [charge]).invoke({"messages": [("user", "Charge order A17.")]})
print(f"charged: {charged}")
sys.exit(bool(charged))
