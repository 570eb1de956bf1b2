"""A call that stands twice in one reply, under one id, is carried out twice.

Run: pip install crewai==1.15.30 && python duplicate_tool_call.py    (exit status 1: shown)
"""

import json
import os
import sys

os.environ.update(CREWAI_DISABLE_TELEMETRY="true", OTEL_SDK_DISABLED="true")

from crewai import Agent, BaseLLM, Crew, Task
from crewai.tools import BaseTool

CHARGED = []
SHOWN = []
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "charge", "arguments": json.dumps({"order": "A17"})},
}


class Twice(BaseLLM):
    def call(self, messages, *args, **kwargs):
        SHOWN.append(messages)
        return [CALL, CALL] if len(SHOWN) == 1 else "Charged."

    def supports_function_calling(self):
        return True


class Charge(BaseTool):
    name: str = "charge"
    description: str = "Charge an order."

    def _run(self, order: str) -> str:
        CHARGED.append(order)
        return f"receipt {len(CHARGED)}"


clerk = Agent(
    role="r",
    goal="g",
    backstory="b",
    llm=Twice(model="twice"),
    tools=[Charge(cache_function=lambda *_: False)],
)
task = Task(description="Charge order A17.", expected_output="A receipt.", agent=clerk)
Crew(agents=[clerk], tasks=[task]).kickoff()
results = [one["tool_call_id"] for one in SHOWN[-1] if one["role"] == "tool"]
print(f"charged: {CHARGED}, results in the next request: {results}")
sys.exit(int(len(CHARGED) > 1 or len(results) > 1))
