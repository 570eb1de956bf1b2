"""An answer that the token limit cut off is a completed run (exit status 1)."""

import sys

from _server import model, reply
from agno.agent import Agent

run = Agent(
    model=model(reply({"content": "Do not ship it before"}, "length")), telemetry=False
).run("What shall I do?")
print(run.status, repr(run.content))
sys.exit(int(run.status.value == "COMPLETED"))
