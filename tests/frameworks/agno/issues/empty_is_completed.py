"""A reply without text and without calls is a completed run (exit status 1)."""

import sys

from _server import model, reply
from agno.agent import Agent

run = Agent(model=model(reply({"content": ""})), telemetry=False).run("Is it shipped?")
print(run.status, repr(run.content))
sys.exit(int(run.status.value == "COMPLETED" and not run.content))
