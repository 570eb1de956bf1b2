"""Prompts over MCP: lists, messages, completions, and what strikes one that is asked for."""

import enum
from typing import Any, Literal

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")

import mcp_types as types
from mcp.shared.exceptions import MCPError

from agentfuzz import World, scenario
from agentfuzz.core.events import Called

from .test_in_memory import under

IMAGE = {"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"}


class Tone(enum.Enum):
    short = "short"
    long = "long"


@scenario()
def desk(world: World) -> None:
    @world.prompt
    def refund(order_id: str, tone: Literal["polite", "plain", "legal"] = "plain") -> str:
        """Ask for a refund."""
        return f"Refund {order_id}, {tone}."

    @world.prompt(name="look at it")
    def look() -> list[dict[str, Any]]:
        return [
            {"role": "user", "content": IMAGE},
            {"role": "assistant", "content": "What shall I look for?"},
        ]

    @world.prompt
    def broken() -> list[str]:
        return ["no", "messages"]

    @world.resource("shop://reports/{tone}")
    def report(tone: Tone) -> str:
        return str(tone.value)


def got(name: str, arguments: dict[str, str] | None = None, plan: str = "") -> Any:
    """The prompt, or the code of the error."""

    async def calls(client: Any) -> Any:
        try:
            return await client.get_prompt(name, arguments)
        except MCPError as error:
            return error.code

    return under(plan, calls, story=desk)[0]


def test_prompts_are_listed_with_their_arguments() -> None:
    """A parameter with a default need not be given."""
    listed, _ = under("", lambda client: client.list_prompts(), story=desk)
    assert [one.name for one in listed.prompts] == ["refund", "look at it", "broken"]
    refund = listed.prompts[0]
    assert refund.description == "Ask for a refund."
    assert [(one.name, one.required) for one in refund.arguments] == [
        ("order_id", True),
        ("tone", False),
    ]


def test_a_prompt_is_a_text_of_the_user_or_messages() -> None:
    """What is no message is the text that it is."""
    [said] = got("refund", {"order_id": "A17"}).messages
    assert (said.role, said.content.text) == ("user", "Refund A17, plain.")
    image, text = got("look at it").messages
    assert (image.role, image.content.type) == ("user", "image")
    assert (text.role, text.content.text) == ("assistant", "What shall I look for?")
    [whole] = got("broken").messages
    assert whole.content.text == '["no", "messages"]'


def test_a_prompt_that_is_not_there_or_is_asked_wrongly() -> None:
    """The protocol's own error: no such prompt, an argument too few, a value that is none."""
    wrong = {"order_id": "A17", "tone": "rude"}
    found = [got("refunds"), got("refund"), got("refund", wrong)]
    assert found == [types.INVALID_PARAMS] * 3


def test_a_prompt_is_struck_as_a_reading_tool_is() -> None:
    """It is lost, refused, or gives orders."""
    given = {"order_id": "A17"}
    name = '"prompt:refund"#1'
    assert got("refund", given, f"{name}:once/error") == types.CONNECTION_CLOSED
    assert got("refund", given, f"{name}:once/timeout") == types.REQUEST_TIMEOUT
    assert got("refund", given, f"{name}:lost/rate_limited") == types.INTERNAL_ERROR
    [said] = got("refund", given, f"{name}:once/hostile").messages
    assert len(said.content.text) > len("Refund A17, plain.")


@pytest.mark.parametrize(
    ("ref", "argument", "values"),
    [
        ("refund", ("tone", "p"), ["polite", "plain"]),
        ("refund", ("tone", ""), ["polite", "plain", "legal"]),
        ("refund", ("order_id", "A"), []),
        ("refund", ("colour", ""), []),
        ("shop://reports/{tone}", ("tone", "Sh"), ["short"]),
    ],
)
def test_an_argument_of_few_values_is_completed(
    ref: str, argument: tuple[str, str], values: list[str]
) -> None:
    """By what its annotation says, for prompts and for templates."""
    name, value = argument
    asked: Any = (
        types.ResourceTemplateReference(uri=ref)
        if "://" in ref
        else types.PromptReference(name=ref)
    )

    async def calls(client: Any) -> Any:
        found = await client.complete(asked, {"name": name, "value": value})
        return found.completion

    found, history = under("", calls, story=desk)
    assert (found.values, found.total, found.has_more) == (values, len(values), False)
    assert not history.of(Called)


def test_what_is_not_there_is_not_completed() -> None:
    """A tool neither."""

    async def calls(client: Any) -> list[int]:
        found = []
        for ref in (
            types.PromptReference(name="refunds"),
            types.ResourceTemplateReference(uri="shop://nothing/{x}"),
        ):
            with pytest.raises(MCPError) as caught:
                await client.complete(ref, {"name": "tone", "value": ""})
            found.append(caught.value.code)
        return found

    assert under("", calls, story=desk)[0] == [types.INVALID_PARAMS] * 2
