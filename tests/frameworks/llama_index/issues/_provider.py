"""A provider that says what a script tells it, behind LlamaIndex's class for what speaks as OpenAI
does."""

import json

import httpx
from llama_index.llms.openai_like import OpenAILike


def call(id, name, **arguments):
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"index": 0, "id": id, "type": "function", "function": function}


def says(text=None, *calls, reason="stop"):
    return {"message": {"content": text, "tool_calls": list(calls)}, "finish_reason": reason}


def model(*replies):
    """A model; a reply whose reason is None is a stream that breaks off."""
    left = list(replies)

    def answer(request):
        said, asked = left.pop(0), json.loads(request.content)
        message = {"role": "assistant", **{k: v for k, v in said["message"].items() if v}}
        told = {"id": "c", "created": 0, "model": "m"}
        if not asked.get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": said["finish_reason"]}
            body = {**told, "object": "chat.completion", "choices": [choice]}
            return httpx.Response(200, json=body)
        calls = message.pop("tool_calls", ())
        deltas = [(message, None), *(({"tool_calls": [one]}, None) for one in calls)]
        if said["finish_reason"]:
            deltas.append(({}, said["finish_reason"]))
        lines = [
            {
                **told,
                "object": "chat.completion.chunk",
                "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
            }
            for delta, reason in deltas
        ]
        text = "".join(f"data: {json.dumps(one)}\n\n" for one in lines)
        text += "data: [DONE]\n\n" if said["finish_reason"] else ""
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=text)

    return OpenAILike(
        model="m",
        is_chat_model=True,
        is_function_calling_model=True,
        api_key="none",
        api_base="http://provider.invalid/v1",
        async_http_client=httpx.AsyncClient(transport=httpx.MockTransport(answer)),
    )
