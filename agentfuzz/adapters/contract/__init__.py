"""The contract between agentfuzz and a framework: what an adapter is, and how its loop is played.

adapter     Adapter, the Protocol; Setup, what an entrypoint is given; Ended, Pause, Limit
bridge      Bridge, one tool of a world seen from a framework
play        agent: a framework's default loop as a function of a world
found       adapters by name, bundled or published

Law: an adapter translates and decides nothing. Imported by adapters, their tests and the plugin.
"""

from agentfuzz.adapters.contract.adapter import Adapter, Ended, Failures, Limit, Pause, Setup
from agentfuzz.adapters.contract.bridge import Bridge, Key
from agentfuzz.adapters.contract.found import found, names, release
from agentfuzz.adapters.contract.play import agent, entrypoint_of

__all__ = [
    "Adapter",
    "Bridge",
    "Ended",
    "Failures",
    "Key",
    "Limit",
    "Pause",
    "Setup",
    "agent",
    "entrypoint_of",
    "found",
    "names",
    "release",
]
