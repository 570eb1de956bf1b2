"""A `final_answer` call that was cut off at the length limit is taken for the answer.

Run: pip install smolagents==1.26.0 && python cut_final_answer.py    (exit status 1: shown)
"""

import sys

from smolagents import ToolCallingAgent
from smolagents.models import (
    ChatMessage,
    ChatMessageToolCall,
    ChatMessageToolCallFunction,
    MessageRole,
    Model,
)

CUT = '{"answer": "Order A17 is charged, and order B18 is not, bec'  # finish_reason "length"


class Cut(Model):
    def generate(self, messages, **kwargs):
        function = ChatMessageToolCallFunction(name="final_answer", arguments=CUT)
        call = ChatMessageToolCall(id="call_1", type="function", function=function)
        return ChatMessage(role=MessageRole.ASSISTANT, content=None, tool_calls=[call])


agent = ToolCallingAgent(tools=[], model=Cut(), verbosity_level=-1, return_full_result=True)
result = agent.run("Charge both orders.")
print(f"state: {result.state}, output: {result.output!r}")
sys.exit(int(result.state == "success" and str(result.output) == CUT))
