"""Structured answers by the official clients' own helpers, and as people write them by hand."""

import json
from typing import Any

import anthropic  # noqa: F401 - in a run, its import would be the agent's
import openai
import pytest
from pydantic import BaseModel, Field, ValidationError

from agentfuzz import Completion, exactly_once, run, scenario, truthful
from agentfuzz.core.events import Committed
from agentfuzz.wire import anthropic_client, openai_client

from .loops import CHAT_TOOLS


class Line(BaseModel):
    sku: str
    count: int


class Receipt(BaseModel):
    """What was charged."""

    total: int
    lines: list[Line] = Field(min_length=1)


RECEIPT = Receipt(total=42, lines=[Line(sku="x", count=2)])
ASK: Any = [{"role": "user", "content": "What did A17 cost?"}]


def told(*script: Any) -> Any:
    """A story of one question."""
    return scenario(task="What did A17 cost?", script=list(script))(lambda world: None)


def chat_parse(world: Any) -> Any:
    found = openai_client(world).chat.completions.parse(
        model="m", messages=ASK, response_format=Receipt
    )
    return found.choices[0].message.parsed


def chat_stream(world: Any) -> Any:
    asked = openai_client(world).chat.completions.stream(
        model="m", messages=ASK, response_format=Receipt
    )
    with asked as stream:
        return stream.get_final_completion().choices[0].message.parsed


def chat_tool(world: Any) -> Any:
    tool = openai.pydantic_function_tool(Receipt)
    found = openai_client(world).chat.completions.parse(
        model="m", messages=ASK, tools=[tool], tool_choice="required"
    )
    return found.choices[0].message.tool_calls[0].function.parsed_arguments


def responses_parse(world: Any) -> Any:
    found = openai_client(world).responses.parse(model="m", input=ASK, text_format=Receipt)
    return found.output_parsed


def responses_stream(world: Any) -> Any:
    asked = openai_client(world).responses.stream(model="m", input=ASK, text_format=Receipt)
    with asked as stream:
        return stream.get_final_response().output_parsed


def messages_parse(world: Any) -> Any:
    found = anthropic_client(world).messages.parse(
        model="m", max_tokens=100, messages=ASK, output_format=Receipt
    )
    return found.parsed_output


def messages_stream(world: Any) -> Any:
    asked = anthropic_client(world).messages.stream(
        model="m", max_tokens=100, messages=ASK, output_format=Receipt
    )
    with asked as stream:
        return stream.get_final_message().parsed_output


def messages_tool(world: Any) -> Any:
    schema = Receipt.model_json_schema()
    found = anthropic_client(world).messages.create(
        model="m",
        max_tokens=100,
        messages=ASK,
        tools=[{"name": "Receipt", "input_schema": schema}],
        tool_choice={"type": "tool", "name": "Receipt"},
    )
    return Receipt(**found.content[0].input)


def json_mode(world: Any) -> Any:
    """As instructor does it: the schema is in the prompt, the answer is any JSON, and is asked
    for again with the error."""
    schema = f"Answer in JSON, as {json.dumps(Receipt.model_json_schema())}"
    messages = [{"role": "system", "content": schema}, *ASK]
    for _ in range(3):
        asked = openai_client(world).chat.completions.create(
            model="m", messages=messages, response_format={"type": "json_object"}
        )
        text = asked.choices[0].message.content
        try:
            return Receipt.model_validate_json(text)
        except ValidationError as error:
            messages += [
                {"role": "assistant", "content": text},
                {"role": "user", "content": str(error)},
            ]
    return None


HELPERS = [chat_parse, chat_stream, chat_tool, responses_parse, responses_stream]
HELPERS += [messages_parse, messages_stream, messages_tool]


@pytest.mark.parametrize("agent", [*HELPERS, json_mode], ids=lambda one: one.__name__)
@pytest.mark.parametrize("closing", [RECEIPT, RECEIPT.model_dump()], ids=["model", "dict"])
def test_the_value_of_the_script(agent: Any, closing: Any, replies: list[Any]) -> None:
    """Whoever asks for a value gets that of the script, in one request."""
    history = run(told(closing), lambda world: agent(world).model_dump()).history
    assert history.ended.value == RECEIPT.model_dump()
    assert len(replies) == 1


@pytest.mark.parametrize("agent", HELPERS, ids=lambda one: one.__name__)
def test_a_value_of_the_schema(agent: Any, replies: list[Any]) -> None:
    """A script that says none still has an answer of the schema."""
    history = run(told("It was 42."), lambda world: agent(world).model_dump()).history
    assert history.ended.value["total"] == 0
    assert len(history.ended.value["lines"]) == 1


@scenario(
    exactly_once("charge"),
    truthful(),
    task="Charge A17.",
    script=[("charge", {"order_id": "A17"}), {"charge_id": "ch_1"}],
)
def charging(world: Any) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge(order_id: str) -> dict[str, str]:
        return {"charge_id": "ch_1"}


class Charged(BaseModel):
    charge_id: str


def loop(world: Any) -> Completion:
    """Work, and a typed answer at its end; success rests on a receipt."""
    messages: list[Any] = [{"role": "user", "content": world.task}]
    receipts = set()
    for _ in range(6):
        asked = openai_client(world).chat.completions.parse(
            model="m", messages=messages, tools=CHAT_TOOLS, response_format=Charged
        )
        message = asked.choices[0].message
        messages.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
        if not message.tool_calls:
            answer = message.parsed
            if answer is not None and answer.charge_id in receipts:
                return Completion.success(handle=answer.charge_id)
            break
        for made in message.tool_calls:
            try:
                reply = world.call(made.function.name, json.loads(made.function.arguments))
                receipts.add(reply["charge_id"])
                text = json.dumps(reply)
            except Exception as error:
                text = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": made.id, "content": text})
    return Completion.blocked(reason="outcome_unknown")


CHAT_TOOLS = [{**one, "function": {**one["function"], "strict": True}} for one in CHAT_TOOLS]


@pytest.mark.parametrize(
    "plan", ["", "charge#1:once/timeout", "charge#1:lost/error", "model#2:repeat", "model#2:cut"]
)
def test_work_and_a_typed_answer(plan: str, replies: list[Any]) -> None:
    """An honest loop keeps the laws when tools or the model misbehave."""
    made = run(charging, loop, plan)
    assert made.violations == ()
    assert len(made.history.of(Committed)) == 1
    assert made.history.claim == "success"
