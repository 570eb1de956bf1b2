"""Two calls with one id in a reply are both carried out (exit status 1)."""

import sys

from _server import call, model, reply
from agno.agent import Agent

charged = []


def charge(order_id: str) -> str:
    """Charge an order."""
    charged.append(order_id)
    return "charged"


one = call("call_1", "charge", order_id="A17")
asked = reply({"content": None, "tool_calls": [one, one]}, "tool_calls")
Agent(model=model(asked, reply({"content": "Done."})), tools=[charge], telemetry=False).run("Go.")
print("charged:", charged)
sys.exit(int(len(charged) > 1))
