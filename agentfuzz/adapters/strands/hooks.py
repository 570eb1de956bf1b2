"""Hooks of Strands: calls that wait for a person, and an audit of what was done.

Law: what they do is what the framework lets a hook do. Called by the strands adapter.
"""

from typing import Any

from strands.hooks import BeforeToolCallEvent, HookProvider, HookRegistry

from agentfuzz.world.world import World


class Audit(HookProvider):
    """What was done is written down after the tools of a turn: a save of the world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        """After each turn's calls."""
        from strands.hooks import AfterToolsEvent  # which old releases have not

        registry.add_callback(AfterToolsEvent, self._writes)

    def _writes(self, event: object) -> None:
        with self._world.saving("audit"):
            pass


class Approvals(HookProvider):
    """These tools wait for a person: an interrupt for each call of theirs."""

    def __init__(self, tools: tuple[str, ...]) -> None:
        self._tools = tools

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        """Before each call."""
        registry.add_callback(BeforeToolCallEvent, self._asks)

    def _asks(self, event: BeforeToolCallEvent) -> None:
        tool, call = event.tool_use["name"], event.tool_use["toolUseId"]
        if tool in self._tools:
            said = event.interrupt("approval", reason={"tool": tool, "call": call})
            if said != "yes":
                event.cancel_tool = "A person has refused this call."
