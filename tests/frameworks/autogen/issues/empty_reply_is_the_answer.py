"""autogen-agentchat 0.7.5: a reply with neither text nor calls is the result of a run. Exit status
1: shown.

pip install autogen-agentchat==0.7.5 'autogen-ext[openai]==0.7.5'
"""

import asyncio
import sys

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.replay import ReplayChatCompletionClient


async def main() -> int:
    agent = AssistantAgent("billing", ReplayChatCompletionClient([""]))
    result = await agent.run(task="Charge order A17.")
    last = result.messages[-1]
    print(f"{type(last).__name__} {last.content!r}, stop_reason {result.stop_reason}")
    return int(not last.content)


sys.exit(asyncio.run(main()))
