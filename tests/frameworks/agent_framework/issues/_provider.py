"""A provider that says what a script tells it, behind the client for Chat Completions."""

import json
from typing import Any

import httpx2
from agent_framework.openai import OpenAIChatCompletionClient
from openai import AsyncOpenAI

requests: list[list[dict[str, Any]]] = []  # the messages of each one


def call(id: str, name: str, **arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": id, "type": "function", "function": function}


def says(text: str | None = None, *calls: Any, reason: str = "") -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = list(calls)
    reason = reason or ("tool_calls" if calls else "stop")
    return {"index": 0, "finish_reason": reason, "message": message}


def client(*replies: dict[str, Any]) -> OpenAIChatCompletionClient:
    left = list(replies)

    def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(json.loads(request.content)["messages"])
        told = {"id": "c", "object": "chat.completion", "created": 0, "model": "m"}
        return httpx2.Response(200, json={**told, "choices": [left.pop(0)]})

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    openai = AsyncOpenAI(api_key="none", base_url="http://provider.invalid/v1", http_client=http)
    return OpenAIChatCompletionClient(model="m", async_client=openai)
