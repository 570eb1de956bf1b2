"""What an agent, or a team, keeps from leg to leg.

Law: it is what `save_state` gives, and what `load_state` is given. Called by the autogen adapter.
"""

from collections.abc import Mapping
from typing import Any

from agentfuzz.adapters.contract import Setup


class Session:
    """What `save_state` gave after the last run, for `load_state` before the next one."""

    state: Mapping[str, Any] | None = None


async def restored(setup: Setup, runner: Any) -> None:
    """The runner goes on where an earlier leg has left it."""
    kept: Session | None = setup.session
    if kept is not None and kept.state is not None:
        await runner.load_state(kept.state)


async def saved(setup: Setup, runner: Any) -> None:
    """What the runner has become: a save of the world."""
    kept: Session | None = setup.session
    if kept is not None:
        state = await runner.save_state()
        with setup.world.saving("state"):
            kept.state = state
