"""What a coworker did for a delegated task it does again when the task is delegated again.

Run: pip install crewai==1.15.30 && python delegated_again.py    (exit status 1: shown)
"""

import json
import os
import sys

os.environ.update(CREWAI_DISABLE_TELEMETRY="true", OTEL_SDK_DISABLED="true")

from crewai import Agent, BaseLLM, Crew, Task
from crewai.tools import BaseTool

CHARGED = []


def calls(name, **arguments):
    function = {"name": name, "arguments": json.dumps(arguments)}
    return [{"id": "call_1", "type": "function", "function": function}]


class Clerk(BaseLLM):
    """Delegates, and once more if it is not told of a receipt."""

    def call(self, messages, *args, **kwargs):
        if "receipt" in str(messages):
            return "Charged."
        task = "Charge order A17."
        return calls("delegate_work_to_coworker", task=task, context="Paid.", coworker="billing")

    def supports_function_calling(self):
        return True


class Billing(BaseLLM):
    """Charges, unless it is shown that it has; the first time its provider fails afterwards."""

    def call(self, messages, *args, **kwargs):
        if "receipt" not in str(messages):
            return calls("charge", order="A17")
        if len(CHARGED) == 1:
            raise ConnectionError("the provider of the model does not answer")
        return "Charged: receipt."

    def supports_function_calling(self):
        return True


class Charge(BaseTool):
    name: str = "charge"
    description: str = "Charge an order."

    def _run(self, order: str) -> str:
        CHARGED.append(order)
        return f"receipt {len(CHARGED)}"


words = {"goal": "g", "backstory": "b", "max_retry_limit": 0}
clerk = Agent(role="clerk", llm=Clerk(model="clerk"), allow_delegation=True, **words)
billing = Agent(
    role="billing",
    llm=Billing(model="billing"),
    tools=[Charge(cache_function=lambda *_: False)],
    **words,
)
task = Task(description="Charge order A17.", expected_output="It is done.", agent=clerk)
print(f"output: {Crew(agents=[clerk, billing], tasks=[task]).kickoff().raw!r}, charged: {CHARGED}")
sys.exit(int(len(CHARGED) > 1))
