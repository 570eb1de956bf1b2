"""A Swarm with a session manager begins each request anew: no agent is shown what was done.

Run: pip install strands-agents==1.62.0 && python swarm_forgets.py    (exit status 1: shown)
"""

import sys
import tempfile

from scripted import Scripted
from strands import Agent, tool
from strands.multiagent import Swarm
from strands.session.file_session_manager import FileSessionManager

CHARGED = []


@tool
def charge(order: str) -> str:
    """Charge an order."""
    CHARGED.append(order)
    return f"receipt {len(CHARGED)}"


call = {"name": "charge", "id": "call_1", "input": {"order": "A17"}}
model = Scripted([call], [{"text": "Charged."}], [{"text": "It is charged."}])
billing = Agent(name="billing", model=model, tools=[charge], callback_handler=None)
kept = FileSessionManager(session_id="s", storage_dir=tempfile.mkdtemp())
swarm = Swarm([billing], session_manager=kept)
swarm("Charge order A17.")
swarm("And what did you do for order A17?")
print(f"charged: {CHARGED}; the second request shows: {model.shown[-1]}")
sys.exit(int("receipt" not in str(model.shown[-1])))
