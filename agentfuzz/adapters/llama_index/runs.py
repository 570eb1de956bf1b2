"""What a process keeps of the runs of LlamaIndex's workflows.

Law: a world begins with none. Their ids are drawn, so those of one simulated run are those of the
next, and a process refuses an id that it knows, for as long as something holds on to that run.
Called by the llama_index adapter, when a world is first asked for its model.
"""

import sys
from weakref import WeakSet

from agentfuzz.world.world import World

_BEGUN = WeakSet[World]()


def forget(world: World) -> None:
    """What the worlds before this one have left is gone."""
    if world not in _BEGUN:
        _BEGUN.add(world)
        runtime = getattr(sys.modules.get("workflows.plugins.basic"), "basic_runtime", None)
        getattr(runtime, "_queues", {}).clear()
