"""What a setup asks for, as agents of Strands, and as the words for their run.

Law: a word of the setup becomes the framework's own, or a hook of it. Called by the entrypoints of
the strands adapter.
"""

from collections.abc import Callable, Mapping
from typing import Any

from strands import Agent
from strands.session.repository_session_manager import RepositorySessionManager

from agentfuzz.adapters.contract.adapter import Adapter, Setup
from agentfuzz.adapters.strands.hooks import Approvals, Audit
from agentfuzz.adapters.strands.swarm import swarm
from agentfuzz.core.completion import Completion

_LIMITS = ("turns", "output_tokens", "total_tokens")  # of one invocation
_SWARM = ("max_handoffs", "max_iterations", "execution_timeout", "node_timeout")


def made(adapter: Adapter, setup: Setup, model: Callable[..., Any]) -> Any:
    """The agent of a setup, or its swarm; who calls once more has the same one still."""
    if "agent" in setup.held:
        return setup.held["agent"]
    options, kept = _options(setup), _kept(setup)
    if setup.agents:
        words = {name: options.pop(name) for name in _SWARM if name in options}
        agents = [_agent(adapter, setup, model, name, options) for name in setup.agents]
        found: Any = swarm(setup.world, agents, **kept, **words)
    else:
        found = _agent(adapter, setup, model, None, {**options, **kept})
    if setup.session is None:
        setup.held["agent"] = found
    return found


def _agent(
    adapter: Adapter,
    setup: Setup,
    model: Callable[..., Any],
    name: str | None,
    options: Mapping[str, Any],
) -> Agent:
    words = {"callback_handler": None, **({"name": name} if name else {}), **options}
    tools = adapter.offered(setup, name)
    return Agent(model=model(setup.world, agent=name), tools=tools, **words)


def _options(setup: Setup) -> dict[str, Any]:
    options = {name: each for name, each in setup.options.items() if name not in _LIMITS}
    if options.pop("audit", False):
        options["hooks"] = [*options.get("hooks", ()), Audit(setup.world)]
    if setup.approvals:
        options["hooks"] = [*options.get("hooks", ()), Approvals(setup.approvals)]
    return options


def _kept(setup: Setup) -> dict[str, Any]:
    """The session: a swarm has one, and its agents none."""
    if setup.session is None:
        return {}
    setup.session.world = setup.world
    return {"session_manager": RepositorySessionManager("agentfuzz", setup.session)}


def asked(setup: Setup, pauses: Any) -> tuple[Any]:
    """What is said to the agent: the task, what was decided, or nothing (it goes on)."""
    if setup.attempt > 1 and "agent" in setup.held and not setup.agents:
        return (None,)
    if setup.paused is None:
        return (setup.world.task,)
    said = [(one.handle, setup.decisions[one.call]) for one in pauses]
    return (
        [
            {"interruptResponse": {"interruptId": id, "response": "yes" if granted else "no"}}
            for id, granted in said
        ],
    )


def words(setup: Setup) -> dict[str, Any]:
    """The words of one invocation."""
    limits = {name: setup.options[name] for name in _LIMITS if name in setup.options}
    found: dict[str, Any] = {"limits": limits} if limits else {}
    return {**found, "structured_output_model": Completion} if setup.typed else found
