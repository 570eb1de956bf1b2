"""Strands' Swarm, whose handoffs are handoffs of a world.

Law: who may hand over, with which tool, and what the next agent is told of it is the framework's;
only what a fault of the plan says becomes of a handoff differs. Called by the strands adapter, and
by agents under test:

    triage = Agent(name="triage", model=model(world, agent="triage"), tools=...)
    return adapters.strands.outcome(await swarm(world, [triage, billing]).invoke_async(world.task))
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from strands import Agent
from strands.multiagent.base import Status
from strands.multiagent.swarm import Swarm

from agentfuzz.world.acting import named
from agentfuzz.world.team.payload import Sent
from agentfuzz.world.team.surface import team_of
from agentfuzz.world.team.transfers import arrives, is_lost, leaves
from agentfuzz.world.world import World


def swarm(
    world: World, agents: Sequence[Agent], carry: Iterable[str] = (), **options: Any
) -> Swarm:
    """The framework's Swarm of these agents, whose names are those of the world. `carry` names what
    of a handoff's context must arrive as it is; `options` are the framework's."""
    for agent in agents:
        world.acting(agent.name)  # a wrong name says so now
    return WorldSwarm(world, list(agents), tuple(carry), **options)


class WorldSwarm(Swarm):
    """A Swarm each of whose handoffs may get lost, go astray or arrive spoilt: what is handed over
    is the message, and the context beside it."""

    def __init__(
        self, world: World, agents: list[Agent], carry: tuple[str, ...], **options: Any
    ) -> None:
        self._world, self._carry = world, carry
        super().__init__(agents, **options)

    def _handle_handoff(self, target_node: Any, message: str, context: dict[str, Any]) -> None:
        """The transfer; the framework's tool tells its model of a TimeoutError."""
        if self.state.completion_status == Status.EXECUTING:
            with named(self.state.current_node.node_id):
                target_node, message, context = self._crosses(target_node, message, context)
        super()._handle_handoff(target_node, message, context)

    def _crosses(self, node: Any, message: str, context: dict[str, Any]) -> tuple[Any, str, Any]:
        sent = Sent(
            {**context, "message": message},
            {name: context[name] for name in self._carry if name in context},
        )
        team = team_of(self._world, crossing=True)
        crossed = leaves(team, node.node_id, sent, "state", tuple(self.nodes))
        is_lost(crossed)
        node = self.nodes[arrives(crossed)]
        if crossed.arrives is sent.json:
            return node, message, context
        said = crossed.arrives if isinstance(crossed.arrives, Mapping) else {}
        kept = {name: value for name, value in said.items() if name != "message"}
        return node, str(said.get("message", "")), kept
