"""What a framework offers its model: typed answers, choices of tools, and several scripts whose
conversations are a main agent, its sub-agent, a guardrail and an output tool."""

import json
from typing import Any

import pytest

pytest.importorskip("agents")
pytest.importorskip("langchain")

from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    ModelSettings,
    Runner,
    function_tool,
    input_guardrail,
)
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from agentfuzz import Completion, World, adapters, exactly_once, own, run, scenario, truthful
from agentfuzz.core.events import Called, ModelTurn

from .shop import charged, findings

oa, lg = adapters.openai_agents, adapters.langgraph
ASK = [("user", "What did A17 cost?")]
TASK = "Charge order A17."


class Receipt(BaseModel):
    """What was charged."""

    charge_id: str
    cents: int


class Safe(BaseModel):
    """Whether the task may be done."""

    safe: bool


RECEIPT = Receipt(charge_id="ch_A17", cents=42)


def told(*script: Any) -> Any:
    return scenario(task="What did A17 cost?", script=list(script))(lambda world: None)


def shop(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge_card(order_id: str) -> dict[str, object]:
        """Charge the card of an order."""
        return {"charge_id": f"ch_{order_id}", "cents": 42}


# LangChain --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [None, "function_calling", "json_schema", "json_mode"])
@pytest.mark.parametrize("raw", [False, True], ids=["parsed", "raw"])
@pytest.mark.parametrize("script", [[RECEIPT], [RECEIPT.model_dump()], [RECEIPT.model_dump_json()]])
def test_with_structured_output(method: Any, raw: bool, script: Any) -> None:
    """Each way gives the value of the script, as a model or as a dict."""

    def agent(world: World) -> Any:
        how = {} if method is None else {"method": method}
        model = lg.model(world)
        typed = model.with_structured_output(Receipt, include_raw=raw, **how).invoke(ASK)
        loose = model.with_structured_output(
            Receipt.model_json_schema(), include_raw=raw, **how
        ).invoke(ASK)
        if raw:
            assert typed["parsing_error"] is loose["parsing_error"] is None
            typed, loose = typed["parsed"], loose["parsed"]
        return [type(typed).__name__, typed.model_dump(), loose]

    ended = run(told(*script), agent).history.ended
    assert ended is not None
    assert ended.value == ["Receipt", RECEIPT.model_dump(), RECEIPT.model_dump()]


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_a_script_without_a_value(method: str) -> None:
    """The simplest value of the schema; in words where there is room for them."""

    def agent(world: World) -> Any:
        asked = lg.model(world).with_structured_output(Receipt, method=method)
        return asked.invoke(ASK).model_dump()

    ended = run(told("Nothing."), agent).history.ended
    assert ended is not None
    said = "" if method == "function_calling" else "Nothing."
    assert ended.value == {"charge_id": said, "cents": 0}


def test_a_broken_answer_is_the_callers() -> None:
    """An answer that is torn is told as the parser tells it."""

    def agent(world: World) -> Any:
        asked = lg.model(world).with_structured_output(
            Receipt, method="json_schema", include_raw=True
        )
        return type(asked.invoke(ASK)["parsing_error"]).__name__

    ended = run(told(RECEIPT), agent, "model#1:truncated").history.ended
    assert ended is not None
    assert ended.value == "OutputParserException"


@pytest.mark.parametrize(
    ("choice", "calls"),
    [
        (None, ["charge_card"]),
        ("auto", ["charge_card"]),
        ("none", []),
        ("any", ["charge_card"]),
        (True, ["charge_card"]),
        ("charge_card", ["charge_card"]),
        ("weather", ["weather"]),
        ({"type": "function", "function": {"name": "weather"}}, ["weather"]),
        ("nothing", "ModelError"),
    ],
)
def test_bind_tools(choice: Any, calls: Any) -> None:
    """The choice of `bind_tools` is kept to; one that cannot be is refused as an API does."""

    @tool
    def weather(city: str) -> str:
        """Look at the sky."""
        return "rain"

    def agent(world: World) -> Any:
        asked = lg.model(world).bind_tools([*lg.tools(world), weather], tool_choice=choice)
        try:
            said = asked.invoke(ASK)
        except Exception as error:
            return type(error).__name__
        return [made["name"] for made in said.tool_calls]

    story = scenario(task=TASK, script=[("charge_card", {"order_id": "A17"}), "Charged."])(shop)
    ended = run(story, agent).history.ended
    assert ended is not None
    assert ended.value == calls


def test_a_model_that_nothing_is_bound_to() -> None:
    """It calls nothing: a title, a summary and a guardrail get words."""
    story = scenario(task=TASK, script=[("charge_card", {"order_id": "A17"}), "Charged."])(shop)
    ended = run(story, lambda world: lg.model(world).invoke(ASK).content).history.ended
    assert ended is not None
    assert ended.value == "I could not finish the task: I am not offered charge_card here"


# The OpenAI Agents SDK --------------------------------------------------------------------------


async def ran(world: World, agent: Any) -> Any:
    return (await Runner.run(agent, world.task)).final_output


@pytest.mark.parametrize("streams", [False, True], ids=["run", "streamed"])
def test_an_output_type(streams: bool) -> None:
    """The calls first; then a value of the type."""

    async def agent(world: World) -> Any:
        one = Agent(
            name="billing", model=oa.model(world), tools=oa.tools(world), output_type=Receipt
        )
        if not streams:
            return (await ran(world, one)).model_dump()
        result = Runner.run_streamed(one, world.task)
        async for _ in result.stream_events():
            pass
        return result.final_output.model_dump()

    story = scenario(task=TASK, script=[("charge_card", {"order_id": "A17"}), RECEIPT])(shop)
    made = run(story, agent)
    assert made.history.ended is not None
    assert made.history.ended.value == RECEIPT.model_dump()
    assert charged(made.history) == ["A17"]


def test_a_completion_as_output_type() -> None:
    """It is what the script closes with, honest in trouble too."""

    async def agent(world: World) -> Any:
        tools = [one for one in oa.tools(world) if one.name != "done"]
        return await ran(
            world, Agent(name="b", model=oa.model(world), tools=tools, output_type=Completion)
        )

    script = [("charge_card", {"order_id": "A17"}), Completion.success(handle="ch_A17")]
    story = scenario(truthful(), task=TASK, script=script)(shop)
    assert run(story, agent).history.claim == "success"
    lost = "+".join(f"charge_card#{n}:lost/error" for n in range(1, 4))
    made = run(story, agent, lost)
    assert made.history.claim == "failed"
    assert made.violations == ()


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"tool_choice": "required"}, ["charge_card", "weather"]),
        ({"tool_choice": "weather"}, ["weather", "charge_card"]),
        ({"parallel_tool_calls": False}, ["charge_card", "weather"]),
        ({"tool_choice": "none"}, []),
    ],
)
def test_the_settings_of_a_model(settings: Any, names: list[str]) -> None:
    """A choice and calls one by one are kept to. (The SDK takes a choice back after a call.)"""

    @function_tool
    def weather(city: str) -> str:
        """Look at the sky."""
        return "rain"

    async def agent(world: World) -> Any:
        one = Agent(
            name="b",
            model=oa.model(world),
            tools=[*oa.tools(world), weather],
            model_settings=ModelSettings(**settings),
        )
        return await ran(world, one)

    both = [("charge_card", {"order_id": "A17"}), own("weather", city="Ulm")]
    story = scenario(task=TASK, script=[both, "Done."])(shop)
    turns = run(story, agent).history.of(ModelTurn)
    asked = [[name for _, name, _ in turn.calls] for turn in turns]
    assert [one for turn in asked for one in turn] == names
    if "parallel_tool_calls" in settings:
        assert asked == [["charge_card"], ["weather"], []]


# Several scripts in one story -------------------------------------------------------------------

STORY: list[Any] = [
    [own("billing", input="Charge A17."), RECEIPT],  # the main agent, with a typed answer
    [("charge_card", {"order_id": "A17"}), "Charged."],  # its sub-agent
    [Safe(safe=True)],  # the guardrail
]


@scenario(exactly_once("charge"), truthful(), task=TASK, scripts=STORY)
def desk(world: World) -> None:
    shop(world)


async def sdk(world: World) -> Any:
    """A main agent that asks a sub-agent as a tool, behind a guardrail that asks a model, too."""
    model = oa.model(world)
    warden = Agent(name="warden", model=model, output_type=Safe)

    @input_guardrail
    async def guard(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        found = await Runner.run(warden, given)
        safe = found.final_output.safe
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=not safe)

    async def receipts(result: Any) -> str:
        items = [one.raw_item for one in result.new_items if one.type == "tool_call_output_item"]
        return "".join(str(one["output"]) for one in items) or result.final_output

    billing = Agent(name="billing", model=model, tools=oa.tools(world))
    asking = billing.as_tool("billing", "Ask billing.", custom_output_extractor=receipts)
    main = Agent(
        name="main",
        model=model,
        tools=[asking],
        output_type=Receipt,
        input_guardrails=[guard],
    )
    try:
        found = await Runner.run(main, world.task)
    except InputGuardrailTripwireTriggered:
        return Completion.blocked(reason="other")
    answers = [one.raw_item for one in found.new_items if one.type == "tool_call_output_item"]
    if any(found.final_output.charge_id in one["output"] for one in answers):
        return Completion.success(handle=found.final_output.charge_id)
    return Completion.blocked(reason="outcome_unknown")


def chain(world: World) -> Any:
    """The same in LangChain: the guardrail by a call, the main agent by an output tool."""
    model = lg.model(world)
    if not model.with_structured_output(Safe).invoke([("user", world.task)]).safe:
        return Completion.blocked(reason="other")
    inner = create_agent(model, lg.tools(world))

    @tool
    def billing(input: str) -> str:
        """Ask billing."""
        state = inner.invoke({"messages": [("user", input)]})
        results = [one.content for one in state["messages"] if isinstance(one, ToolMessage)]
        return json.dumps({"said": state["messages"][-1].content, "results": results})

    main = create_agent(model, [billing], response_format=strategies[world.task])
    state = main.invoke({"messages": [("user", world.task)]})
    answer = state["structured_response"]
    shown = "".join(str(one.content) for one in state["messages"] if isinstance(one, ToolMessage))
    if f'"{answer.charge_id}' in shown.replace("\\", ""):
        return Completion.success(handle=answer.charge_id)
    return Completion.blocked(reason="outcome_unknown")


strategies: dict[str, Any] = {TASK: ToolStrategy(Receipt)}


@pytest.mark.parametrize("agent", [sdk, chain], ids=["agents", "langchain"])
def test_a_sub_agent_a_guardrail_and_a_typed_answer(agent: Any) -> None:
    """Each conversation has the script of its tools and of its answer; nobody says who acts."""
    made = run(desk, agent)
    assert made.violations == ()
    assert made.history.claim == "success"
    assert charged(made.history) == ["A17"]
    assert [call.slot.name for call in made.history.of(Called)] == ["charge_card"]
    asked = [[name for _, name, _ in turn.calls] for turn in made.history.of(ModelTurn)]
    work = [["billing"], ["charge_card"], []]
    ends = [[]] if agent is sdk else [["Receipt"]]
    guard = [[]] if agent is sdk else [["Safe"]]
    assert sorted(asked) == sorted(guard + work + ends)  # a guardrail of the SDK runs beside it


def test_the_form_of_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same story where the main agent answers in the provider's own form."""
    monkeypatch.setitem(strategies, TASK, ProviderStrategy(Receipt))
    made = run(desk, chain)
    assert made.history.claim == "success"
    turns = made.history.of(ModelTurn)
    assert json.loads(turns[-1].text or "") == RECEIPT.model_dump()


@pytest.mark.slow
def test_a_campaign_finds_no_fault_of_the_model_s_own() -> None:
    """An honest team behind tools that recognise repeats: whatever the model does within its
    offers, nothing is found that is not the team's."""
    assert findings(desk, sdk) == {}
