"""What a process keeps of the runs of LlamaIndex's workflows.

Law: a run of a scenario begins with none, and keeps those of its legs, one of which may begin
within another. Their ids are drawn, so those of one simulated run are those of the next, and a
process refuses an id that it knows, for as long as something holds on to that run. Called by the
llama_index adapter, when a world is asked for its model.
"""

import sys
from weakref import WeakSet

from agentfuzz.world.process import Process
from agentfuzz.world.world import World, inside

_BEGUN = WeakSet[Process]()


def forget(world: World) -> None:
    """What the runs before this one have left is gone."""
    process = inside(world).process
    if process not in _BEGUN:
        _BEGUN.add(process)
        runtime = getattr(sys.modules.get("workflows.plugins.basic"), "basic_runtime", None)
        getattr(runtime, "_queues", {}).clear()
