"""The world's model in the hands of an agent, for models of a framework's own class.

Law: each turn says what makes the ids of its messages its own, and what it used; else it is what
`world.model` answers. Called by adapters whose frameworks are given no client.
"""

from typing import Any

from agentfuzz.adapters.contract.bridge import performing, turns
from agentfuzz.providers.offer import Offer
from agentfuzz.world.world import World


class Asking:
    """Who asks: this agent (left out: whoever acts). Raises ScenarioError without a script."""

    def __init__(self, world: World, agent: str | None = None) -> None:
        self._world, self._ask = world, world.model
        self._acting, self._turns = performing(world, agent), 0

    def turn(self, messages: list[dict[str, Any]], offer: Offer) -> dict[str, Any]:
        """The next turn, with its `serial` and its `usage` (`input`, `output`, `total`). Raises
        what the model's API raises."""
        with self._acting():
            return self._numbered(self._ask(messages, offer))

    async def aturn(self, messages: list[dict[str, Any]], offer: Offer) -> dict[str, Any]:
        """The same for an async loop."""
        with self._acting():
            return self._numbered(await self._ask.aio(messages, offer))

    def _numbered(self, turn: dict[str, Any]) -> dict[str, Any]:
        self._turns += 1
        used = turn.get("usage") or {"input": 0, "output": 0}
        return {
            **turn,
            "serial": f"{turns(self._world)}_{self._turns}",
            "usage": {**used, "total": used["input"] + used["output"]},
        }
