"""What a provider knows of a run: it outlives the agent's process, and is the same in all legs."""

import json
import os
from typing import Any

import openai
import pytest

from agentfuzz import Completion, World, run, scenario
from agentfuzz.core.events import Saved
from agentfuzz.engine.child.process import in_child
from agentfuzz.wire import async_openai_client, everywhere, openai_client

PLAN = [("charge", {"order_id": "A17"}), "Charged."]
CRASHES = ("process:charge#1:crash", "process:charge#1:crash/after", "store:last#1:crash/after")
CHILD = pytest.param(
    True, marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork"), id="child"
)
PROCESSES = pytest.mark.parametrize("apart", [pytest.param(False, id="here"), CHILD])


def shop(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge(order_id: str) -> str:
        return "ok"


resumed = scenario(task="Charge A17.", script=PLAN, resume=True)(shop)
followed = scenario(task="Charge A17.", script=PLAN, follow_ups=["Done?"])(shop)


def outputs(world: World, response: Any) -> list[Any]:
    """What the calls of a response return, as items."""
    return [
        {
            "type": "function_call_output",
            "call_id": item.call_id,
            "output": world.tools[item.name](**json.loads(item.arguments)),
        }
        for item in response.output
        if item.type == "function_call"
    ]


def goes_on(world: World) -> Completion:
    """Writes down its last response alone, and goes on from what the provider has stored of it."""
    asks = openai_client(world).responses
    offer = [{"type": "function", "name": "charge", "parameters": world.tools.charge.schema}]
    last = world.store.get("last")
    said = asks.retrieve(last) if last else asks.create(model="m", input=world.task, tools=offer)
    while True:
        world.store["last"] = said.id
        given = outputs(world, said)
        if not given:
            return Completion.success(detail=said.output_text)
        said = asks.create(model="m", input=given, tools=offer, previous_response_id=said.id)


def saved(history: Any) -> list[Any]:
    return [event.value for event in history.of(Saved)]


@PROCESSES
@pytest.mark.parametrize("plan", CRASHES)
def test_what_is_stored_outlives_a_crash(plan: str, apart: bool) -> None:
    """The process that is started again goes on from the response whose id was written down."""
    history = run(resumed, in_child(goes_on) if apart else goes_on, plan).history
    ended = history.ended
    assert ended is not None
    assert (ended.how, ended.error) == ("returned", "")
    assert len(history.ledger) == 1
    assert len(set(saved(history))) == 2


@PROCESSES
def test_no_id_comes_twice_in_a_run(apart: bool) -> None:
    """Nor after a crash that has lost the first one."""
    history = run(resumed, in_child(goes_on) if apart else goes_on, "store:last#1:crash").history
    assert len(saved(history)) == 2
    fresh = run(resumed, goes_on, "").history
    assert not set(saved(history)) & set(saved(fresh)[:1])


@PROCESSES
def test_another_leg_goes_on_as_well(apart: bool) -> None:
    """A message of the user is answered from what was stored before it."""
    history = run(followed, in_child(goes_on) if apart else goes_on).history
    ended = history.ended
    assert ended is not None
    assert (ended.how, ended.value["detail"]) == ("returned", "Charged.")


@pytest.mark.parametrize("concurrent", [False, True])
def test_each_task_has_its_own_script_and_no_id_of_another(concurrent: bool) -> None:
    """Its client asks the model of its own leg; one after the other, or both at once."""
    scripts: Any = [[("charge", {"order_id": one}), f"Charged {one}."] for one in ("A17", "B18")]
    both = scenario(tasks=["Charge A17.", "Charge B18."], concurrent=concurrent, script=scripts)
    ids: list[str] = []

    async def agent(world: World) -> str:
        asks = async_openai_client(world).responses
        offer = [{"type": "function", "name": "charge", "parameters": world.tools.charge.schema}]
        said = await asks.create(model="m", input=world.task, tools=offer)
        ids.append(said.id)
        while given := outputs(world, said):
            said = await asks.create(
                model="m", input=given, tools=offer, previous_response_id=said.id
            )
            ids.append(said.id)
        return said.output_text

    history = run(both(shop), agent).history
    assert [dict(effect.intent.scope) for effect in history.ledger] == [
        {"order_id": "A17"},
        {"order_id": "B18"},
    ]
    assert len(set(ids)) == len(ids) == 4


def test_what_is_stored_is_reached_everywhere() -> None:
    """By a client that nobody has made for the run: with its queries, after a crash, too."""

    def agent(world: World) -> Completion:
        with everywhere(world):
            client = openai.OpenAI(api_key="x", max_retries=0)
            last = world.store.get("last")
            if last is None:
                name = client.conversations.create().id
                client.responses.create(model="m", input="Hello.", conversation=name)
                world.store["last"] = name
                world.tools.charge(order_id="A17")
            items = client.conversations.items.list(world.store["last"], limit=1, order="asc")
            return Completion.success(detail=f"{items.data[0].role} {items.has_more}")  # type: ignore[union-attr]

    for plan in ("", "process:charge#1:crash"):
        ended = run(resumed, agent, plan).history.ended
        assert ended is not None
        assert (ended.how, ended.value["detail"]) == ("returned", "user True")
