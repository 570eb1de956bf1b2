"""Ids on the wire have the form that each provider gives them, and are the same in every run."""

import re
from typing import Any

import anthropic  # noqa: F401 - in a run, its import would be the agent's
import openai  # noqa: F401
import pytest

from agentfuzz import run, scenario
from agentfuzz.core.events import Called, ModelTurn
from agentfuzz.providers.turns import made_id
from agentfuzz.wire import anthropic_client, openai_client

ASK: Any = [{"role": "user", "content": "Pay."}]
SHAPE: Any = {"type": "object", "properties": {"n": {"type": "integer"}}}
CHAT_TOOLS: Any = [{"type": "function", "function": {"name": "pay", "parameters": SHAPE}}]


@scenario(task="Pay.", script=[("pay", {"n": 1}), "Paid."])
def paying(world: Any) -> None:
    @world.tool(effect="pay", scope=("n",))
    def pay(n: int) -> str:
        return "paid"


def chat(world: Any) -> list[str]:
    completions = openai_client(world).chat.completions
    found = completions.create(model="m", messages=ASK, tools=CHAT_TOOLS)
    return [found.id, found.choices[0].message.tool_calls[0].id]


def responses(world: Any) -> list[str]:
    tools: Any = [{"type": "function", "name": "pay", "parameters": SHAPE, "strict": False}]
    found = openai_client(world).responses.create(model="m", input="Pay.", tools=tools)
    (item,) = found.output
    return [found.id, item.call_id, item.id]


def messages(world: Any) -> list[str]:
    tools: Any = [{"name": "pay", "input_schema": SHAPE}]
    client = anthropic_client(world)
    found = client.messages.create(model="m", max_tokens=9, messages=ASK, tools=tools)
    return [found.id, *(block.id for block in found.content)]


@pytest.mark.parametrize(
    ("agent", "forms"),
    [
        (chat, ["chatcmpl-[0-9A-Za-z]{29}", "call_[0-9A-Za-z]{24}"]),
        (responses, ["resp_[0-9A-Za-z]{48}", "call_[0-9A-Za-z]{24}", "fc_[0-9A-Za-z]{48}"]),
        (messages, ["msg_01[0-9A-Za-z]{22}", "toolu_01[0-9A-Za-z]{22}"]),
    ],
)
def test_ids_have_the_form_of_the_provider(agent: Any, forms: list[str]) -> None:
    """Frameworks tell ids by their prefix; the history has the very ids that went over the wire."""
    first, again = run(paying, agent).history, run(paying, agent).history
    ids = first.ended.value
    assert len(ids) == len(forms)
    assert all(re.fullmatch(form, one) for form, one in zip(forms, ids, strict=True)), ids
    assert ids[1] == first.of(ModelTurn)[0].calls[0][0]
    assert again.ended.value == ids


def test_ids_hang_on_their_numbers_alone() -> None:
    """Always the same ones, in every process, and none twice."""
    assert made_id("call_", 1) == "call_" + KNOWN
    many = {made_id(prefix, n) for prefix in ("call_", "toolu_01") for n in range(2000)}
    assert len(many) == 4000


KNOWN = "UoJZYQo604lC0FBnXS1LoDVS"


def test_ids_without_their_prefix_are_known_again() -> None:
    """A framework that takes the prefix off, as some do between providers, goes on working."""

    def agent(world: Any) -> int:
        client, shown = openai_client(world), [*ASK]
        for _ in range(4):
            asked = client.chat.completions.create(model="m", messages=shown, tools=CHAT_TOOLS)
            message = asked.choices[0].message
            if not message.tool_calls:
                break
            shown.append(message.model_dump(exclude_none=True))
            for made, told in zip(message.tool_calls, shown[-1]["tool_calls"], strict=True):
                told["id"] = made.id.removeprefix("call_")
                text = world.call(made.function.name, {"n": 1}, asked=made.id)
                shown.append({"role": "tool", "tool_call_id": told["id"], "content": text})
        return len(shown)

    history = run(paying, agent).history
    assert history.ended.value == 3
    assert len(history.of(Called)) == 1
