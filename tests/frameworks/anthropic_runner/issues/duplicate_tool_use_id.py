"""Two tool_use blocks under one id are both executed. Exit status 1: they were."""

import json
import sys

import anthropic
import httpx2

charged: list[str] = []
CALL = {"type": "tool_use", "id": "toolu_1", "name": "charge_card", "input": {"order_id": "A17"}}


def answer(request: httpx2.Request) -> httpx2.Response:
    done = "tool_result" in request.content.decode()
    return httpx2.Response(
        200,
        json={
            "id": "msg_2" if done else "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [{"type": "text", "text": "Done."}] if done else [CALL, CALL],
            "stop_reason": "end_turn" if done else "tool_use",
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        },
    )


@anthropic.beta_tool
def charge_card(order_id: str) -> str:
    """Charge the card of an order."""
    charged.append(order_id)
    return "charged"


client = anthropic.Anthropic(
    api_key="none", http_client=httpx2.Client(transport=httpx2.MockTransport(answer))
)
runner = client.beta.messages.tool_runner(
    model="claude-sonnet-4-6",
    max_tokens=100,
    messages=[{"role": "user", "content": "Charge order A17."}],
    tools=[charge_card],
)
print(json.dumps(runner.until_done().to_dict()["content"]), charged)
sys.exit(len(charged) > 1)
