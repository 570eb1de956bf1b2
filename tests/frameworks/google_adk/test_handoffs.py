"""ADK's transfers are handoffs of the world: what becomes of them, and of an honest team."""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import pytest

pytest.importorskip("google.adk")

from google.adk.agents import BaseAgent, LlmAgent, LoopAgent, ParallelAgent, SequentialAgent
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.genai import types

from agentfuzz import Run, World, own, run
from agentfuzz.adapters.google_adk import ADAPTER, model, outcome, tools
from agentfuzz.core.between import HandoffReceived, HandoffSent
from agentfuzz.core.events import Struck

from ..desk import ASTRAY, DONE, FIND, REFUND, by_tool, crossed, desk, honest
from ..played import codes, history
from .variants import VARIANTS

NOT_OTHERS: Mapping[str, str] = {}


class Silent(BaseAgent):
    """One that says nothing."""

    async def _run_async_impl(self, ctx: Any) -> AsyncGenerator[Any, None]:
        for event in ():
            yield event


def to(name: str) -> Any:
    return own("transfer_to_agent", agent_name=name)


HONEST = honest(to)


def team(*, names: Mapping[str, str] = NOT_OTHERS, **options: Any) -> Callable[[World], Any]:
    """Triage with billing and shipping below it, as ADK's users write it; `names` are those in the
    world, where they are others."""

    def member(world: World, name: str, *below: LlmAgent) -> LlmAgent:
        known = names.get(name, name)
        return LlmAgent(
            name=name,
            model=model(world, agent=known),
            tools=tools(world, key=by_tool, agent=known),
            sub_agents=list(below),
            **options,
        )

    async def loop(world: World) -> Any:
        below = [member(world, name) for name in ("billing", "shipping")]
        return outcome(await asked(member(world, "triage", *below), world.task))

    return loop


async def asked(agent: Any, task: str) -> list[Any]:
    """What comes of a run of an agent."""
    sessions = InMemorySessionService()
    runner = Runner(app_name="desk", agent=agent, session_service=sessions)
    await sessions.create_session(app_name="desk", user_id="ann", session_id="s")
    said = types.Content(role="user", parts=[types.Part(text=task)])
    asking = runner.run_async(user_id="ann", session_id="s", new_message=said)
    return [event async for event in asking]


def played(plan: str = "", script: Mapping[str, Any] = HONEST, **options: Any) -> Run:
    return run(desk(script), team(**options), plan)


@pytest.mark.parametrize("entrypoint", ADAPTER.entrypoints)
@pytest.mark.parametrize(
    ("plan", "kinds", "variant"),
    [
        ("", ["HandoffSent", "HandoffReceived", "HandoffAccepted"], "keyed"),
        ("handoff:billing#1:lost", ["HandoffSent"], "keyed"),  # it ends the run
        (
            "handoff:billing#1:lost",  # the model is told, and transfers again
            ["HandoffSent", "HandoffSent", "HandoffReceived", "HandoffAccepted"],
            "told",
        ),
    ],
)
def test_a_transfer_crosses_the_world(
    entrypoint: str, plan: str, kinds: list[str], variant: str
) -> None:
    """By every way to run agents, without a word of the user's."""
    told = history(ADAPTER, "delegated", entrypoint, plan, **VARIANTS[variant]())
    seen = [type(one).__name__ for one in told.events]
    assert [name for name in seen if name.startswith("Handoff")] == kinds
    assert not codes(ADAPTER, "delegated", entrypoint, plan, **VARIANTS[variant]())


def test_who_hands_over_to_whom() -> None:
    """The sender, the task, and what had been said before the turn that transfers."""
    [sent] = played().history.of(HandoffSent)
    assert (sent.sender, sent.to, sent.task) == ("triage", "billing", "Refund order A17.")
    assert [one["role"] for one in sent.payload["conversation"]] == ["user", "assistant", "tool"]


def test_what_goes_astray_reaches_another_agent() -> None:
    """Shipping may transfer as well: it hands on, and has accepted nothing."""
    found = played("handoff:billing#1:misrouted")
    assert crossed(found) == ASTRAY
    assert [one.code for one in found.violations] == []


def test_who_takes_what_is_not_its_own_is_found() -> None:
    """Shipping refunds what was meant for billing."""
    script = {**HONEST, "shipping": [FIND, REFUND, DONE]}
    found = played("handoff:billing#1:misrouted", script)
    assert "AF603" in {one.code for one in found.violations}


@pytest.mark.parametrize(
    ("kind", "got", "read"),
    [
        ("trimmed", ["user"], ""),
        ("poisoned", ["user", "assistant", "tool"], "71A?"),
        ("poisoned=1", ["user", "assistant", "tool"], "42000"),
    ],
)
def test_the_next_agent_reads_what_arrived(kind: str, got: list[str], read: str) -> None:
    """The conversation without its tools, or with another value in a result."""
    asked: list[str] = []

    def looks(callback_context: Any, llm_request: Any) -> None:
        if callback_context.agent_name == "triage":
            asked.clear()  # the run without faults is no matter here
        else:
            asked.append(str(llm_request.contents))

    found = played(f"handoff:billing#1:once/{kind}", before_model_callback=looks)
    assert len(found.history.of(Struck)) == 1
    [received] = found.history.of(HandoffReceived)
    assert [one["role"] for one in received.payload["conversation"]] == got
    assert ("`find_order`" in asked[0]) == bool(read)
    assert read in asked[0]
    assert [one.code for one in found.violations] == []


def test_names_in_the_world_are_those_of_the_models() -> None:
    """Whatever ADK calls an agent."""
    script = {"lead": HONEST["triage"], "clerk": HONEST["billing"], "porter": HONEST["shipping"]}
    names = {"triage": "lead", "billing": "clerk", "shipping": "porter"}
    found = played("", script, names=names)
    assert crossed(found) == ["Sent clerk", "Received clerk", "Accepted clerk"]
    found = played("handoff:clerk#1:misrouted", script, names=names)
    assert crossed(found)[:2] == ["Sent clerk", "Received porter"]


def test_of_two_transfers_in_one_reply_the_last_is_made() -> None:
    """ADK merges the actions of a reply: the first transfer is told as made, and nobody begins."""
    script = {**HONEST, "triage": [[to("shipping"), to("billing")], "Handed over."]}
    found = played("", script)
    assert crossed(found) == [
        "Sent shipping",
        "Sent billing",
        "Received billing",
        "Accepted billing",
    ]
    assert [one.code for one in found.violations] == []  # the task was handed over again


@pytest.mark.parametrize(
    ("kind", "deep"),
    [(SequentialAgent, False), (SequentialAgent, True), (ParallelAgent, False), (LoopAgent, False)],
)
@pytest.mark.parametrize("plan", ["", "lost", "misrouted", "once/trimmed", "once/poisoned"])
def test_a_workflow_is_handed_what_its_first_agent_takes(kind: Any, deep: bool, plan: str) -> None:
    """However deep it stands; whoever else is in it has been handed nothing."""
    script = {
        "triage": [FIND, to("line"), to("line"), "Handed over."],
        "billing": HONEST["billing"],
        "audit": ["It is in order."],
        "shipping": [to("line"), "Not mine."],
    }

    async def loop(world: World) -> Any:
        def member(name: str, *below: Any) -> LlmAgent:
            given = tools(world, key=by_tool, agent=name)
            asking = model(world, agent=name)
            return LlmAgent(name=name, model=asking, tools=given, sub_agents=list(below))

        first: Any = member("billing")
        if deep:
            first = SequentialAgent(name="inner", sub_agents=[first])
        words = {"max_iterations": 1} if kind is LoopAgent else {}
        line = kind(name="line", sub_agents=[first, member("audit")], **words)
        said = await asked(member("triage", line, member("shipping")), world.task)
        return outcome([event for event in said if event.author != "audit"])

    found = run(desk(script), loop, plan and f"handoff:billing#1:{plan}")
    assert crossed(found) == {"lost": ["Sent billing"], "misrouted": ASTRAY}.get(
        plan, ["Sent billing", "Received billing", "Accepted billing"]
    )
    assert [one.code for one in found.violations] == []


def test_what_goes_astray_to_a_workflow_is_its_first_agent_s() -> None:
    """Which refunds what was meant for shipping: that is found."""
    script = {"triage": [to("shipping"), "Handed over."], "billing": [FIND, REFUND, DONE]}

    async def loop(world: World) -> Any:
        below = [
            LlmAgent(
                name=name,
                model=model(world, agent=name),
                tools=tools(world, key=by_tool, agent=name),
            )
            for name in ("billing", "shipping")
        ]
        line = SequentialAgent(name="line", sub_agents=below[:1])
        lead = LlmAgent(
            name="triage", model=model(world, agent="triage"), sub_agents=[line, below[1]]
        )
        return outcome(await asked(lead, world.task))

    found = run(
        desk({**script, "shipping": script["billing"]}), loop, "handoff:shipping#1:misrouted"
    )
    assert crossed(found) == ["Sent shipping", "Received billing", "Accepted billing"]
    assert "AF603" in {one.code for one in found.violations}


@pytest.mark.parametrize("begins", [Silent(name="line"), SequentialAgent(name="line")])
def test_what_is_no_agent_of_the_world_is_handed_nothing(begins: BaseAgent) -> None:
    """An agent of the application's own without a model, a workflow without agents: it is begun,
    and no handoff is told of it."""

    async def loop(world: World) -> Any:
        below = begins.model_copy(update={"parent_agent": None})
        lead = LlmAgent(name="triage", model=model(world, agent="triage"), sub_agents=[below])
        return outcome(await asked(lead, world.task))

    found = run(desk({"triage": [to("line"), "Handed over."]}), loop)
    assert crossed(found) == []
    assert [one.code for one in found.violations if one.code.startswith("AF6")] == []


@pytest.mark.parametrize("callback", [False, True], ids=["raised", "told"])
@pytest.mark.parametrize(
    "plan", ["", "lost", "misrouted", "once/trimmed", "once/poisoned", "once/poisoned=1"]
)
@pytest.mark.parametrize("nth", [1, 2])
def test_an_honest_team_holds(nth: int, plan: str, callback: bool) -> None:
    """Whether the model is told of a loss, or the run ends with it; also where the second transfer
    is struck, by which shipping hands on what was not for it."""
    words = {"on_tool_error_callback": VARIANTS["told"]()["on_tool_error_callback"]}
    struck = f"handoff:billing#{nth}:{plan}" if plan else ""
    before = "handoff:billing#1:misrouted + " if nth == 2 and struck else ""
    found = played(before + struck, **(words if callback else {}))
    assert [one.code for one in found.violations] == []
    assert (found.history.ended.how == "raised") == (plan == "lost" and not callback)
