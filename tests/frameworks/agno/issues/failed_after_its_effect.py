"""The repeat of a call that failed has nothing by which a backend could know it again (exit
status 1)."""

import sys

from _server import call, model, reply
from agno.agent import Agent

charged = []


def charge(order_id: str) -> str:
    """Charge an order."""
    charged.append(order_id)
    if len(charged) == 1:
        raise TimeoutError("the payment provider did not answer in time")
    return "charged"


asks = [
    reply({"content": None, "tool_calls": [call(f"call_{nth}", "charge", order_id="A17")]})
    for nth in (1, 2)
]
run = Agent(
    model=model(*asks, reply({"content": "Charged."})), tools=[charge], telemetry=False
).run("Charge order A17.")
told = [message.content for message in run.messages if message.role == "tool"]
print("results:", told, "charged:", charged)
sys.exit(int(len(charged) > 1))
