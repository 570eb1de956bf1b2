"""agent-framework-core 1.23.0: beside calls that wait for approval, a call of a tool that is not
there never gets a result. Exit status 1: shown.

pip install agent-framework-core==1.23.0 agent-framework-openai==1.17.0
"""

import asyncio
import sys

from _provider import call, client, requests, says
from agent_framework import Agent, AgentSession, Message, tool


@tool(approval_mode="always_require")
def charge(order_id: str) -> str:
    """Charge an order."""
    return f"charged {order_id}"


async def main() -> int:
    calls = call("call_1", "charge", order_id="A17"), call("call_2", "chargee", order_id="A17")
    agent = Agent(client=client(says(None, *calls), says("Charged.")), tools=[charge])
    session = AgentSession()
    waits = await agent.run("Charge order A17.", session=session)
    decided = [one.to_function_approval_response(True) for one in waits.user_input_requests]
    await agent.run(Message("user", decided), session=session)
    asked = [one["id"] for message in requests[-1] for one in message.get("tool_calls", ())]
    answered = [message["tool_call_id"] for message in requests[-1] if message["role"] == "tool"]
    print(f"calls in the last request: {asked}, results: {answered}")
    return int(sorted(asked) != sorted(answered))


sys.exit(asyncio.run(main()))
