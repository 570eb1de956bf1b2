"""What stands in a recording: plans, parallel calls, done calls, errors, kept conversations."""

import json

import openai

from agentfuzz import Completion, run
from agentfuzz.core.events import ModelTurn
from agentfuzz.model.cassettes import Cassette, record_run
from agentfuzz.wire import async_openai_client

from .agents import LINES, plain, shop, taped
from .conftest import taken
from .provider import Provider


def test_a_failed_call_of_the_recording_is_no_step_of_its_plan(fresh):
    """A recorded retry is model_behaviour: the plan has the call once."""
    call = ("c", "charge_card", {"order_id": "A17", "amount": "much"})
    good = ("d", "charge_card", {"order_id": "A17", "amount": 42})
    path = taken(
        fresh(),
        "chat",
        False,
        {"calls": [call]},
        {"calls": [call]},
        {"calls": [good]},
        {"text": "Charged."},
    )
    cassette = Cassette.load(path)
    steps = [[one.tool for one in step] for step in cassette.recordings[0].script.steps]
    assert steps == [["charge_card"], ["charge_card"]]
    assert run(taped(path), plain).history.ended.value == "Charged."


def test_parallel_calls_keep_their_turn(fresh):
    """Calls of one turn stay in one turn; results in another order mean the same."""
    one = ("c1", "charge_card", {"order_id": "A17", "amount": 42})
    two = ("c2", "ship", {"order_id": "A17"})
    path = taken(fresh(), "anthropic", True, {"calls": [one, two]}, {"text": "Both done."})
    done = run(taped(path, "simulate"), plain)
    assert [len(turn.calls) for turn in done.history.of(ModelTurn)] == [2, 0]

    def backwards(world):
        messages = [{"role": "user", "content": world.task}]
        turn = world.model(messages, world.tools)
        results = [
            {
                "role": "tool",
                "tool_call_id": made["id"],
                "content": '{"charge_id": "ch_1", "amount": 42}'
                if made["name"] == "charge_card"
                else '{"parcel": "p_1"}',
            }
            for made in turn["tool_calls"]
        ]
        return world.model([*messages, turn, *reversed(results)], world.tools)["content"]

    done = run(taped(path), backwards)
    assert done.history.ended.value == "Both done."


def test_a_recorded_done_call_closes_the_task(fresh):
    """The done tool of the recording is the closing of the plan, with its status."""
    end = ("c2", "done", {"status": "success", "handle": "ch_1"})
    charge = ("c1", "charge_card", {"order_id": "A17", "amount": 42})
    path = taken(fresh(), "chat", False, {"calls": [charge]}, {"calls": [end]}, {"text": "Bye."})
    cassette = Cassette.load(path)
    assert cassette.offers_done
    assert cassette.recordings[0].script.closing == Completion.success(handle="ch_1")
    assert [len(step) for step in cassette.recordings[0].script.steps] == [1]


def test_errors_of_the_provider_are_left_out(fresh):
    """A reply with an error status, or one that broke off, is no turn: only the good are kept."""
    charge = ("c1", "charge_card", {"order_id": "A17", "amount": 42})
    path = taken(
        fresh(),
        "chat",
        False,
        {"status": 500},
        {"calls": [charge]},
        {"status": 429},
        {"text": "Charged."},
        max_retries=2,
    )
    assert [one.number for one in Cassette.load(path).recordings] == [1, 2]
    assert run(taped(path), plain).history.ended.value == "Charged."


async def remembered(client, world):
    """An async agent that leaves the conversation with the provider."""
    tools = [
        {"type": "function", "name": name, "parameters": world.tools[name].schema, "strict": False}
        for name in world.tools
    ]
    given, before = [{"role": "user", "content": world.task}], None
    while True:
        reply = await client.responses.create(
            model="m", input=given, tools=tools, previous_response_id=before
        )
        calls = [item for item in reply.output if item.type == "function_call"]
        if not calls:
            return reply.output_text
        given, before = [], reply.id
        for call in calls:
            text = json.dumps(await world.tools.aio[call.name](**json.loads(call.arguments)))
            output = {"type": "function_call_output", "call_id": call.call_id, "output": text}
            given.append(output)


def test_a_conversation_that_the_provider_keeps(fresh):
    """With previous_response_id a request holds only what is new; the recording holds all of
    it. Recorded and replayed with the async client."""
    path, lines = fresh(), [{**line, "id": f"resp_{i}"} for i, line in enumerate(LINES)]
    with Provider(*lines) as provider:

        async def agent(world):
            url = f"{provider.url}/v1"
            async with openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=0) as client:
                return await remembered(client, world)

        assert record_run(shop, agent, path) == 3
    assert [len(one.question.said) for one in Cassette.load(path).recordings] == [1, 3, 5]
    done = run(
        taped(path),
        lambda world: remembered(async_openai_client(world), world),
    )
    assert done.history.ended.value == LINES[-1]["text"]
