"""A reply without any content is a finished answer.

Run: pip install strands-agents==1.62.0 && python empty_reply.py    (exit status 1: shown)
"""

import sys

from scripted import Scripted
from strands import Agent

result = Agent(model=Scripted([]), callback_handler=None)("Charge order A17.")
print(f"stop_reason: {result.stop_reason}, message: {result.message}")
sys.exit(int(result.stop_reason == "end_turn" and not str(result).strip()))
