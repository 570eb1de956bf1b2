"""A stream that ends early is a whole reply for ChatOpenAI and create_agent. Exit status 1 when
shown."""

import json
import sys

import httpx2
import openai
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI


def chunk(text: str) -> str:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
    told = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {json.dumps({**told, 'choices': [choice]})}\n\n"


def answer(request: httpx2.Request) -> httpx2.Response:
    """Half of a reply; then the connection is closed, without a finish reason and [DONE]."""
    return httpx2.Response(
        200, headers={"content-type": "text/event-stream"}, text=chunk("The order is ")
    )


http = httpx2.Client(transport=httpx2.MockTransport(answer))
client = openai.OpenAI(api_key="none", base_url="http://model.invalid/v1", http_client=http)
model = ChatOpenAI(
    model="m", api_key="none", root_client=client, client=client.chat.completions, streaming=True
)
state = create_agent(model, []).invoke({"messages": [("user", "Where is order A17?")]})
last = state["messages"][-1]
print(f"final message: {last.text!r}, {last.response_metadata}")
sys.exit(bool(last.text))
