"""The script of a simulated model: which calls it plans, in which order, and how it closes.

Law: a script is data. A step is a list of calls made in one turn; an argument may refer to an
earlier reply; the last item closes, with a text, with a Completion for the done tool, or with a
value for whoever asks for one. Read by the simulated model; written by scenario authors as

    script=[("find_order", {"order_id": "A17"}),
            call("charge_card", order_id="A17", amount=ref("find_order", "total")),
            "Charged order A17."]
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentfuzz.core.codec import described, plain
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import ScenarioError, near_miss
from agentfuzz.core.events import Json
from agentfuzz.model.results import part_of


@dataclass(frozen=True, slots=True)
class Ref:
    """A value out of an earlier reply of a tool, by path: `ref("find_order", "items", 0)`."""

    tool: str
    path: tuple[str | int, ...]


def ref(tool: str, *path: str | int) -> Any:
    """Refer to (a part of) the last reply of a tool in an argument of a scripted call."""
    return Ref(tool, path)


@dataclass(frozen=True, slots=True)
class Call:
    """One planned call. `own`: of a tool that the world does not have, but the agent."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    own: bool = False


def call(tool: str, /, **arguments: Any) -> Call:
    """A planned call, written with keyword arguments."""
    return Call(tool, arguments)


def own(tool: str, /, **arguments: Any) -> Call:
    """A planned call of a tool of the agent's own, which the world does not have: a handoff of its
    framework, `own("transfer_to_billing")`."""
    return Call(tool, arguments, own=True)


@dataclass(frozen=True, slots=True)
class Value:
    """A closing that is a value: said as JSON, or as the arguments of the tool that asks for it."""

    data: Json


Closing = str | Completion | Value
PLAIN = frozenset({str, int, float, bool, type(None)})  # in which nothing is referred to


@dataclass(frozen=True, slots=True)
class Script:
    """What a simulated model plans: steps of one or more parallel calls, then a closing."""

    steps: tuple[tuple[Call, ...], ...]
    closing: Closing

    @property
    def tools(self) -> frozenset[str]:
        """The tools that it calls."""
        return frozenset(call.tool for step in self.steps for call in step)

    @property
    def closes_with_tool(self) -> bool:
        """Whether the task ends with a call of the done tool."""
        return isinstance(self.closing, Completion)

    def check(self, tools: Sequence[str]) -> None:
        """Raise ScenarioError for a call of a tool that the world does not have."""
        for step in self.steps:
            for planned in step:
                if not planned.own and planned.tool not in tools:
                    raise ScenarioError(
                        f"the script calls {planned.tool!r}, which this world does not have "
                        f"({', '.join(tools) or 'it has no tools'})."
                        f"{near_miss(planned.tool, tools)} A tool of the agent's own, such as a "
                        f"handoff of its framework, is written own({planned.tool!r})."
                    )


def parse(items: Sequence[Any]) -> Script:
    """Read a script as a scenario author writes it. Raises ScenarioError naming the item."""
    if isinstance(items, (str, Completion)):
        return Script((), items)
    if not isinstance(items, Sequence):
        raise ScenarioError(
            f"script={described(items)[:60]} is no list of calls; write "
            "[('tool', {...}), 'closing']."
        )
    steps: list[tuple[Call, ...]] = []
    closing: Closing = "Done."
    for i, item in enumerate(items):
        last = i == len(items) - 1
        found = _closing(item)
        if found is not None:
            if not last:
                raise ScenarioError(f"script[{i}]: {item!r} closes the task and must come last.")
            closing = found
        elif isinstance(item, list):
            steps.append(tuple(_call(part, f"script[{i}]") for part in item))
        else:
            steps.append((_call(item, f"script[{i}]"),))
    return Script(tuple(steps), closing)


def _closing(item: Any) -> Closing | None:
    """What an item closes with; None for a call, or a list of calls."""
    if isinstance(item, (str, Completion)):
        return item
    if isinstance(item, Mapping):
        return Value(dict(item))
    if hasattr(item, "model_dump"):
        return Value(item.model_dump(mode="json"))
    if isinstance(item, list) and item and not any(map(_meant_as_call, item)):
        return Value(item)
    return None


def _meant_as_call(part: Any) -> bool:
    return isinstance(part, (Call, str, tuple))


def _call(item: Any, place: str) -> Call:
    if isinstance(item, Call):
        return Call(item.tool, item.arguments, item.own)  # a step is told from another by identity
    if isinstance(item, tuple) and [type(part) for part in item][:1] == [str]:
        arguments = item[1] if len(item) == 2 else None
        if isinstance(arguments, Mapping):
            return Call(item[0], dict(arguments))
    raise ScenarioError(
        f"{place}: {item!r} is no call; write ('tool', {{...}}) or call('tool', name=value)."
    )


def resolve(value: Any, replies: Mapping[str, str]) -> Json:
    """An argument with its references replaced by what the replies say (None where they lack
    it: a model that cannot read a value still calls)."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, Ref):
        return plain(part_of(replies.get(value.tool, ""), value.path))
    if isinstance(value, Mapping):
        return {name: resolve(item, replies) for name, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, replies) for item in value]
    return value
