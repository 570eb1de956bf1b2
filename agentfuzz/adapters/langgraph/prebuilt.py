"""The prebuilt loops that LangGraph's users have: `create_agent`, and `create_react_agent`.

Law: each is what the documentation shows, with the framework's defaults; options go to where the
framework takes them. Called by the langgraph adapter.
"""

from typing import Any

from langgraph.prebuilt import create_react_agent

from agentfuzz.adapters.contract import Setup
from agentfuzz.adapters.langgraph.team import Cast, Member, asking, whole
from agentfuzz.core.completion import Completion


def parts() -> tuple[Any, Any]:
    """`create_agent`, and the middleware that waits for a person."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware

    return create_agent, HumanInTheLoopMiddleware


def prebuilt(setup: Setup, cast: Cast, saver: Any, more: dict[str, Any]) -> Any:
    """`langchain.agents.create_agent`; approvals by the middleware that is made for them."""
    create_agent, waits = parts()
    more["middleware"] = list(more.pop("middleware", ()))
    if setup.approvals:
        asked: dict[str, Any] = dict.fromkeys(setup.approvals, True)
        more["middleware"].append(waits(interrupt_on=asked))
    if setup.typed:
        more.setdefault("response_format", Completion)
    return whole(lambda one, saver: create_agent(one.model, one.tools, checkpointer=saver, **more))(
        setup, cast, saver
    )


def react(setup: Setup, cast: Cast, saver: Any, more: dict[str, Any]) -> Any:
    """`langgraph.prebuilt.create_react_agent`; approvals by interrupts in the tools."""
    if setup.typed:
        more.setdefault("response_format", Completion)

    def made(one: Member, saver: Any) -> Any:
        tools = asking(setup, one.tools)
        return create_react_agent(one.model, tools, checkpointer=saver, **more)

    return whole(made)(setup, cast, saver)
