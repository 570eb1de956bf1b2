"""With run_tools_eagerly a call is executed whose reply then breaks off. Exit status 1: it was."""

import json
import sys
from collections.abc import Iterator

import anthropic
import httpx2

charged: list[str] = []
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "charge_card", "input": {}}
ARGUMENTS = {"type": "input_json_delta", "partial_json": '{"order_id": "A17"}'}
EVENTS = [
    {"type": "message_start", "message": MESSAGE},
    {"type": "content_block_start", "index": 0, "content_block": CALL},
    {"type": "content_block_delta", "index": 0, "delta": ARGUMENTS},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "But "}},
]


def body() -> Iterator[bytes]:
    for event in EVENTS:
        yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
    raise httpx2.ReadError("the connection was reset")


def answer(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body())


@anthropic.beta_tool
def charge_card(order_id: str) -> str:
    """Charge the card of an order."""
    charged.append(order_id)
    return "charged"


client = anthropic.Anthropic(
    api_key="none",
    max_retries=0,
    http_client=httpx2.Client(transport=httpx2.MockTransport(answer)),
)
runner = client.beta.messages.tool_runner(
    model="claude-sonnet-4-6",
    max_tokens=100,
    messages=[{"role": "user", "content": "Charge order A17 if B18 is paid."}],
    tools=[charge_card],
    stream=True,
    run_tools_eagerly=True,
)
try:
    runner.until_done()
except Exception as error:
    print(f"the run ends with {type(error).__name__}; charged: {charged}")
sys.exit(bool(charged))
