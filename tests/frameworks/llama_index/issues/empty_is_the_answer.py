"""A reply without text and without calls is the response of a run (exit status 1)."""

import asyncio
import sys

from _provider import model, says
from llama_index.core.agent.workflow import FunctionAgent


async def main():
    result = await FunctionAgent(tools=[], llm=model(says(""))).run(user_msg="Is it shipped?")
    print(f"the run ends normally, with {result.response.content!r}")
    return not result.response.content


sys.exit(int(asyncio.run(main())))
