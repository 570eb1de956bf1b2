"""A stream that ends before its finish reason is a whole reply: its calls are made (exit status
1)."""

import json
import sys

import httpx2
from agno.agent import Agent
from agno.models.openai import OpenAIChat
from openai import OpenAI

charged = []


def charge(order_id: str) -> str:
    """Charge an order."""
    charged.append(order_id)
    return "charged"


def chunk(delta, reason=None):
    told = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": reason}
    return f"data: {json.dumps({**told, 'choices': [choice]})}\n\n"


def answer(request):
    """One call of two, and the connection is closed; then an answer."""
    if charged:
        body = chunk({"content": "Done."}, "stop") + "data: [DONE]\n\n"
    else:
        function = {"name": "charge", "arguments": '{"order_id": "A17"}'}
        call = {"index": 0, "id": "call_1", "type": "function", "function": function}
        body = chunk({"tool_calls": [call]})
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=body)


client = OpenAI(api_key="none", http_client=httpx2.Client(transport=httpx2.MockTransport(answer)))
agent = Agent(model=OpenAIChat(id="gpt-4.1", client=client), tools=[charge], telemetry=False)
events = list(agent.run("Charge A17 if B18 is paid.", stream=True))
print("charged:", charged, "then:", "".join(getattr(one, "content", "") or "" for one in events))
sys.exit(int(bool(charged)))
