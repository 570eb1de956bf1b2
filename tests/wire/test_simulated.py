"""The simulated model behind the wire: whole runs of unmodified agents, with faults and without."""

import asyncio
import json
from typing import Any

import anthropic
import openai
import pytest

from agentfuzz import Completion, run, scenario
from agentfuzz.core.events import Called, ModelTurn, Struck
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.clock import Real
from agentfuzz.wire import anthropic_client, async_openai_client, openai_client
from agentfuzz.wire.router import WireReply
from agentfuzz.world.injector import FromPlan


@scenario(
    task="Charge A17 and B2.",
    script=[[("charge", {"order_id": "A17"}), ("charge", {"order_id": "B2"})], "Both are paid."],
)
def paying(world: Any) -> None:
    @world.tool(effect="charge", scope=("order_id",))
    def charge(order_id: str) -> dict[str, str]:
        """Charge an order."""
        return {"receipt": f"r-{order_id}"}


def specs(world: Any) -> list[Any]:
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": world.tools[name].description,
                "parameters": world.tools[name].schema,
            },
        }
        for name in world.tools
    ]


def call(world: Any, made: Any) -> str:
    try:
        return json.dumps(world.call(made.function.name, json.loads(made.function.arguments)))
    except Exception as error:
        return f"Error: {error}"


def chat_agent(world: Any) -> Completion:
    client = openai_client(world)
    messages: list[Any] = [{"role": "user", "content": world.task}]
    for _ in range(12):
        found = client.chat.completions.create(model="m", messages=messages, tools=specs(world))
        message = found.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        for made in message.tool_calls or ():
            answer = call(world, made)
            messages.append({"role": "tool", "tool_call_id": made.id, "content": answer})
        if not message.tool_calls:
            return Completion.success(handle=message.content)
    return Completion.partial()


async def async_agent(world: Any) -> Completion:
    client = async_openai_client(world)
    items: list[Any] = [{"role": "user", "content": world.task}]
    tools: list[Any] = [{**spec["function"], "type": "function"} for spec in specs(world)]
    for _ in range(12):
        async with client.responses.stream(model="m", input=items, tools=tools) as stream:
            found = await stream.get_final_response()
        items += found.output
        calls = [item for item in found.output if item.type == "function_call"]
        for made in calls:
            given = json.loads(made.arguments)
            output = json.dumps(await world.acall(made.name, given, asked=made.call_id))
            answer = {"type": "function_call_output", "call_id": made.call_id, "output": output}
            items.append(answer)
        if not calls:
            return Completion.success(handle=found.output_text)
    return Completion.partial()


def runner_agent(world: Any) -> Completion:
    @anthropic.beta_tool
    def charge(order_id: str) -> str:
        """Charge an order."""
        return json.dumps(world.tools.charge(order_id=order_id))

    final = (
        anthropic_client(world)
        .beta.messages.tool_runner(
            model="m",
            max_tokens=99,
            tools=[charge],
            messages=[{"role": "user", "content": world.task}],
        )
        .until_done()
    )
    return Completion.success(handle=final.content[0].text)


AGENTS = pytest.mark.parametrize("agent", [chat_agent, async_agent, runner_agent])


@AGENTS
def test_a_run_without_faults(agent: Any, replies: list[WireReply]) -> None:
    """Every protocol comes to the same effects and the same end, in no real time."""
    found = run(paying, agent)
    assert [event.intent.scope for event in found.history.ledger] == [
        (("order_id", "A17"),),
        (("order_id", "B2"),),
    ]
    assert found.history.claim == "success"
    assert not found.violations


@AGENTS
def test_equal_runs_have_equal_histories_and_bytes(agent: Any, replies: list[WireReply]) -> None:
    """Twice the same, in one simulation and in another: also through an SDK's jittered back-off."""
    plan = FaultPlan.parse("model#1:error")
    histories = list[History]()
    for _ in range(2):
        with Simulation() as simulation:
            histories += [simulation.execute(paying, agent, FromPlan(plan)) for _ in range(2)]
    assert all(one.events == histories[0].events for one in histories)
    quarter = len(replies) // 4
    assert replies[:quarter] * 4 == replies


@AGENTS
@pytest.mark.parametrize("kind", ["error", "rate_limited", "timeout"])
def test_hidden_retries_are_crossings(agent: Any, kind: str, replies: list[WireReply]) -> None:
    """The agent's code sees nothing of the fault; the history has one turn more."""
    begun = Real.monotonic()
    clean = run(paying, agent).history
    faulty = run(paying, agent, f"model#2:{kind}").history
    assert len(faulty.of(ModelTurn)) == len(clean.of(ModelTurn)) + 1
    assert len(faulty.of(Called)) == 2
    assert faulty.claim == "success"
    assert faulty.ended is not None
    assert faulty.ended.t > (599 if kind == "timeout" else 0.3)
    assert Real.monotonic() - begun < 120


@pytest.mark.parametrize(
    "kind", ["malformed_args", "unknown_tool", "duplicate_ids", "truncated", "cut", "empty"]
)
@pytest.mark.filterwarnings("ignore:Tool .* not found in tool runner")
def test_what_a_model_does_wrong_goes_over_the_wire(kind: str, replies: list[WireReply]) -> None:
    """Turns that are wrong in themselves are valid bytes; what the agent makes of them is its
    own affair, and the run has an end."""
    for agent in (chat_agent, runner_agent):
        history = run(paying, agent, f"model#1:{kind}").history
        assert history.of(Struck)
        assert history.ended is not None


def test_a_run_that_never_ends_is_cut_off() -> None:
    """The budget reaches through the SDK: its retries do not swallow the end of the run."""

    def endless(world: Any) -> None:
        client = openai_client(world)
        while True:
            client.responses.create(model="m", input="Again.")

    ended = run(paying, endless).history.ended
    assert ended is not None
    assert (ended.how, ended.error) == ("cut_off", "budget")


def test_concurrent_requests_of_one_agent(replies: list[WireReply]) -> None:
    """Many turns under way at once on one async client, and every reply finds its request."""

    async def crowd(world: Any) -> list[str]:
        client = async_openai_client(world)

        async def one(i: int) -> str:
            found = await client.chat.completions.create(
                model=f"m{i}", messages=[{"role": "user", "content": "x"}]
            )
            return str(found.model)

        return list(await asyncio.gather(*map(one, range(20))))

    ended = run(paying, crowd).history.ended
    assert ended is not None
    assert ended.value == [f"m{i}" for i in range(20)]


def test_errors_are_the_sdks_own_in_a_run(replies: list[WireReply]) -> None:
    """What outlives the SDK's retries is its exception, with the provider's words."""

    def impatient(world: Any) -> str:
        client = openai_client(world, max_retries=0)
        try:
            client.responses.create(model="m", input="Pay.")
        except openai.RateLimitError as error:
            return f"{error.code} {error.response.headers['retry-after']}"
        return "fine"

    ended = run(paying, impatient, "model#1:rate_limited").history.ended
    assert ended is not None
    assert ended.value == "rate_limit_exceeded 1"
