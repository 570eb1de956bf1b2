"""Handoffs of LangGraph, as handoffs of a world: what a Command or a Send takes to a node.

Law: the graph goes where it is told; what of a state a fault did not touch is the very object that
was there. Called by agents under test, and by the adapter's loops.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from langchain_core.messages import BaseMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.constants import END
from langgraph.prebuilt import InjectedState
from langgraph.types import Command, Send

from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.adapters.langgraph.messages import plain
from agentfuzz.core.codec import plain as as_json
from agentfuzz.core.events import Json
from agentfuzz.world.team.payload import Sent
from agentfuzz.world.team.surface import team_of
from agentfuzz.world.team.transfers import arrives, is_lost, leaves
from agentfuzz.world.world import World


def command(
    world: World,
    goto: str,
    update: Any = None,
    *,
    carry: Iterable[str] = (),
    among: Iterable[str] = (),
    agent: str | None = None,
    **options: Any,
) -> Command[Any]:
    """LangGraph's `Command(goto=goto, update=update, **options)`, as a handoff of this world to the
    agent that the node `goto` bears the name of. It may get lost (TimeoutError), go to a node of
    `among` instead, or bring another update. `carry` names what of the update must arrive as it is;
    `agent` is who hands over (left out: whoever acts)."""
    with performing(world, agent)():
        node, state = passed(world, goto, update, carry, among)
    return Command(goto=node, update=state, **options)


def send(
    world: World,
    node: str,
    arg: Any,
    *,
    carry: Iterable[str] = (),
    among: Iterable[str] = (),
    agent: str | None = None,
) -> Send:
    """LangGraph's `Send(node, arg)`, as a handoff of this world: see `command`."""
    with performing(world, agent)():
        return Send(*passed(world, node, arg, carry, among))


def handoff(world: World, agent: str | None, to: str, others: tuple[str, ...]) -> Any:
    """The tool by which an agent hands the conversation over to another."""

    @tool(f"transfer_to_{to}", description=f"Hand the task over to {to}.")
    def transfer(
        state: Annotated[dict[str, Any], InjectedState],
        tool_call_id: Annotated[str, InjectedToolCallId],
    ) -> Any:
        told = ToolMessage(f"Handed over to {to}.", tool_call_id=tool_call_id)
        update = {"messages": [*state["messages"], told]}
        with performing(world, agent)():
            node, passed_on = passed(world, to, update, (), others)
        return Command(goto=node, update={**passed_on, "active": node}, graph=Command.PARENT)

    return transfer


class _Untyped:
    """The type of a state: it is merged into another one, so none is broken."""

    @staticmethod
    def model_validate(value: Json) -> Json:
        """Whatever it is."""
        return value


def passed(
    world: World, to: str, state: Any, carry: Iterable[str], among: Iterable[str]
) -> tuple[str, Any]:
    """The node that gets control, and with what. Raises TimeoutError where it is lost."""
    if to == END:
        return to, state
    given = {name: _json(value) for name, value in state.items()} if _named(state) else {}
    facts = {name: given[name] for name in carry if name in given}
    sent = Sent(given, facts)
    sent.given, sent.kind = state, _Untyped
    crossed = leaves(team_of(world, crossing=True), to, sent, "state", tuple(among))
    is_lost(crossed)
    if crossed.earlier is not None and crossed.arrives is crossed.earlier.json:
        state = crossed.earlier.given
    elif crossed.arrives is not sent.json:
        changed = crossed.arrives.items()
        state = {name: state[name] if given.get(name) == now else now for name, now in changed}
    return arrives(crossed), state


def _named(state: Any) -> bool:
    return isinstance(state, Mapping) and all(isinstance(name, str) for name in state)


def _json(value: Any) -> Json:
    if isinstance(value, BaseMessage):
        return as_json(plain([value])[0])
    if isinstance(value, (list, tuple)):
        return [_json(one) for one in value]
    return as_json(value)
