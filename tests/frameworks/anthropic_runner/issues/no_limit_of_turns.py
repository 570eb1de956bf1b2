"""A model that asks for the same call again and again is never stopped. Exit status 1: shown."""

import sys

import anthropic
import httpx2

ENOUGH = 200
looked: list[str] = []
CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"order_id": "A17"}}


def answer(request: httpx2.Request) -> httpx2.Response:
    if len(looked) >= ENOUGH:  # so that this script ends
        return httpx2.Response(400, json={"type": "error", "error": {"message": "stopped here"}})
    return httpx2.Response(
        200,
        json={
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [{**CALL, "id": f"toolu_{len(looked)}"}],
            "stop_reason": "tool_use",
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        },
    )


@anthropic.beta_tool
def look(order_id: str) -> str:
    """Look an order up."""
    looked.append(order_id)
    return "not shipped yet"


client = anthropic.Anthropic(
    api_key="none", http_client=httpx2.Client(transport=httpx2.MockTransport(answer))
)
runner = client.beta.messages.tool_runner(
    model="claude-sonnet-4-6",
    max_tokens=100,
    messages=[{"role": "user", "content": "Tell me when order A17 is shipped."}],
    tools=[look],
)
try:
    runner.until_done()
except anthropic.APIStatusError:
    print(f"{len(looked)} calls, and none too many for the runner")
sys.exit(len(looked) >= ENOUGH)
