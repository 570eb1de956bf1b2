"""agent-framework-core 1.23.0: a reply with neither text nor calls is the result of a run. Exit
status 1: shown.

pip install agent-framework-core==1.23.0 agent-framework-openai==1.17.0
"""

import asyncio
import sys

from _provider import client, says
from agent_framework import Agent


async def main() -> int:
    run = await Agent(client=client(says(""))).run("Charge order A17.")
    print(f"ended normally: text {run.text!r}, finish_reason {run.finish_reason}")
    return int(not run.text)


sys.exit(asyncio.run(main()))
