"""A stream that ends without a finish reason is the answer (exit status 1)."""

import asyncio
import sys

from _provider import model, says
from llama_index.core.agent.workflow import FunctionAgent


async def main():
    agent = FunctionAgent(tools=[], llm=model(says("Do not ship it before ", reason=None)))
    result = await agent.run(user_msg="What shall I do?")
    print(f"the run ends normally, with {result.response.content!r}")
    return bool(result.response.content)


sys.exit(int(asyncio.run(main())))
