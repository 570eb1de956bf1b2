"""A call that stands twice in one reply, under one id, is carried out twice.

Run: pip install strands-agents==1.62.0 && python duplicate_tool_use.py    (exit status 1: shown)
"""

import sys

from scripted import Scripted
from strands import Agent, tool

CHARGED = []


@tool
def charge(order: str) -> str:
    """Charge an order."""
    CHARGED.append(order)
    return f"receipt {len(CHARGED)}"


call = {"name": "charge", "id": "call_1", "input": {"order": "A17"}}
model = Scripted([call, call], [{"text": "Charged."}])
Agent(model=model, tools=[charge], callback_handler=None)("Charge order A17.")
results = [
    b["toolResult"]["toolUseId"] for m in model.shown[-1] for b in m["content"] if "toolResult" in b
]
print(f"charged: {CHARGED}, results in the next request: {results}")
sys.exit(int(len(CHARGED) > 1))
