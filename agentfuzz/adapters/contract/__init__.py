"""The contract between agentfuzz and a framework: what an adapter is, and how its loop is played.

adapter     Adapter, the Protocol; Setup, what an entrypoint is given; Ended, Pause, Limit
bridge      Bridge, one tool of a world seen from a framework
signature   a tool's parameters as a function's
asking      Asking, the world's model in the hands of an agent
hands       an HTTP client in the hands of an agent
options     whose each of a user's words is
retold      a conversation that is handed over, and what faults make of it
saves       a framework's store, whose writes are saves of the world
play        agent: a framework's default loop as a function of a world
found       adapters by name, bundled or published

Law: an adapter translates and decides nothing. Imported by adapters, their tests and the plugin.
"""

from agentfuzz.adapters.contract.adapter import Adapter, Ended, Failures, Limit, Pause, Setup, met
from agentfuzz.adapters.contract.asking import Asking
from agentfuzz.adapters.contract.bridge import Bridge, Key
from agentfuzz.adapters.contract.found import found, names, release
from agentfuzz.adapters.contract.options import CLIENT, taken
from agentfuzz.adapters.contract.play import agent, entrypoint_of
from agentfuzz.adapters.contract.saves import Saved, kept, saves
from agentfuzz.adapters.contract.signature import signature

__all__ = [
    "CLIENT",
    "Adapter",
    "Asking",
    "Bridge",
    "Ended",
    "Failures",
    "Key",
    "Limit",
    "Pause",
    "Saved",
    "Setup",
    "agent",
    "entrypoint_of",
    "found",
    "kept",
    "met",
    "names",
    "release",
    "saves",
    "signature",
    "taken",
]
