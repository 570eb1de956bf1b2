"""What the tests of the reference loop share: a plan in place of a model, receipts, all laws."""

from collections.abc import Callable, Sequence
from typing import Any

from agentfuzz import Completion, World
from reference_loop.loop import Loop
from reference_world import tools_of

Turn = list[tuple[str, dict[str, Any]]]


def planned(*turns: Turn) -> Callable[[list[dict]], dict]:
    """A planner without a model: these turns, one after the other, and done. It gives up after the
    first turn of which something failed."""

    def ask(messages: list[dict]) -> dict:
        made = [c["id"] for one in messages for c in one.get("tool_calls", ())]
        went = sum(id_.endswith(".0") and not id_.startswith("done") for id_ in made)
        failed = any(
            str(one["content"]).startswith("Error") for one in messages if one["role"] == "tool"
        )
        if failed or went == len(turns):
            status = "failed" if failed else "success"
            calls = [{"id": f"done{len(made)}.0", "name": "done", "arguments": {"status": status}}]
        else:
            calls = [
                {"id": f"p{went}.{n}", "name": name, "arguments": arguments}
                for n, (name, arguments) in enumerate(turns[went])
            ]
        return {"role": "assistant", "content": None, "tool_calls": calls, "stop": "tool_calls"}

    return ask


def proof(field: str, of: str = "") -> dict[str, Any]:
    """A receipt: a field of the reply that names the business object."""

    def receipt(arguments: Any, reply: Any) -> str | None:
        value = reply.get(field) if isinstance(reply, dict) else None
        whole = isinstance(value, str) and (not of or value == of.format(**arguments))
        return value if whole else "" if isinstance(reply, dict) and reply.get("error") else None

    return {"proof": receipt}


class Planned:
    """A world with another model."""

    def __init__(self, world: World, model: Callable[[list[dict]], dict]) -> None:
        self.world, self.plan = world, model

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world, name)

    def model(self, messages: list[dict], tools: Sequence[Any]) -> dict:
        return self.plan(messages)


def agent(
    tools: dict[str, dict[str, Any]],
    needs: Sequence[tuple[Any, ...]] = (),
    plan: Sequence[Turn] = (),
) -> Callable[[World], Completion]:
    """The reference loop as an agent of a world."""

    def reference(world: World) -> Completion:
        host = Planned(world, planned(*plan)) if plan else world
        loop = Loop(host, tools_of(world, **tools), world.trigger_id, world.trigger_id, needs)
        end = loop.run(f"{world.trigger_id}: {world.task}", world.task)
        return Completion(**end)

    return reference
