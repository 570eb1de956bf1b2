"""A model that says what a script tells it: `OpenAIChat` over a transport in this process."""

import json

import httpx2
from agno.models.openai import OpenAIChat
from openai import OpenAI


def reply(message, reason="stop"):
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    return {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}


def call(id, name, **arguments):
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": id, "type": "function", "function": function}


def model(*replies):
    left = list(replies)
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=left.pop(0)))
    client = OpenAI(api_key="none", http_client=httpx2.Client(transport=transport))
    return OpenAIChat(id="gpt-4.1", client=client)
