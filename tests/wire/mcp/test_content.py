"""What a reply is in MCP: texts, blocks of content, structured content and its schema."""

from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")

from agentfuzz import World, scenario

from .test_in_memory import under, words

IMAGE = {"type": "image", "data": "iVBORw0KGgo=" * 1000, "mimeType": "image/png"}
LINK = {"type": "resource_link", "uri": "test://invoice", "name": "invoice"}


@dataclass
class Receipt:
    charge_id: str
    amount: int


@scenario()
def desk(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",))
    def charge(order_id: str) -> dict[str, Any]:
        return {"charge_id": "ch_1"}

    @world.tool(effect="refund", scope=("order_id",))
    def refund(order_id: str) -> Receipt:
        return Receipt("ch_1", 42)

    @world.tool
    def scan(order_id: str) -> list[Any]:
        return [{"type": "text", "text": "the scan:"}, IMAGE, LINK]

    @world.tool
    def rows(order_id: str) -> list[Any]:
        return [{"type": "text"}, {"type": "image", "of": "a cat"}]

    @world.tool
    def note(order_id: str) -> str:
        return "paid"

    @world.tool
    def untold(order_id: str):  # type: ignore[no-untyped-def]
        return {"status": "paid"}


def called(name: str, plan: str = "") -> Any:
    async def calls(client: Any) -> Any:
        return await client.session.call_tool(name, {"order_id": "A17"})

    return under(plan, calls, story=desk)[0]


def test_who_returns_an_object_declares_its_schema() -> None:
    """And nobody else does."""
    listed, _ = under("", lambda client: client.list_tools(), story=desk)
    schemas = {tool.name: tool.output_schema for tool in listed.tools}
    assert [name for name, schema in schemas.items() if schema] == ["charge", "refund"]
    assert schemas["charge"] == {"type": "object", "additionalProperties": True}
    assert schemas["refund"]["required"] == ["charge_id", "amount"]
    assert listed.tools[0].input_schema["$schema"].endswith("/2020-12/schema")


def test_their_results_are_structured_and_text() -> None:
    """The same reply twice, for clients that read one or the other."""
    charged, refunded = called("charge"), called("refund")
    assert charged.structured_content == {"charge_id": "ch_1"}
    assert words(charged) == '{"charge_id": "ch_1"}'
    assert refunded.structured_content == {"charge_id": "ch_1", "amount": 42}
    assert called("note").structured_content is None
    assert called("untold").structured_content is None
    assert words(called("untold")) == '{"status": "paid"}'


@pytest.mark.parametrize("reply", ["truncated", "ambiguous", "hostile"])
def test_a_damaged_reply_that_is_no_object_is_put_into_one(reply: str) -> None:
    """A client that validates refuses it where the schema is closed, as it would refuse that of a
    real server; what a model reads is the damage."""
    damaged = called("charge", f"charge#1:once/{reply}")
    assert damaged.structured_content == {"result": words(damaged)}
    assert words(damaged) != words(called("charge"))
    assert "Invalid structured content" in refusal("refund", f"refund#1:once/{reply}")


def refusal(name: str, plan: str) -> str:
    """What a client that validates says of a call."""

    async def calls(client: Any) -> str:
        with pytest.raises(RuntimeError) as caught:
            await client.call_tool(name, {"order_id": "A17"})
        return str(caught.value)

    return str(under(plan, calls, story=desk)[0])


def test_blocks_of_content_are_sent_as_they_are() -> None:
    """Texts, images and links; nothing of them is cut."""
    text, image, link = called("scan").content
    assert (text.text, image.data, image.mime_type) == ("the scan:", IMAGE["data"], "image/png")
    assert (link.type, str(link.uri)) == ("resource_link", "test://invoice")


def test_a_list_of_something_else_is_text() -> None:
    """Rows that have a type are no blocks."""
    assert words(called("rows")) == '[{"type": "text"}, {"type": "image", "of": "a cat"}]'


def test_damage_of_blocks_is_text() -> None:
    """Half of a list of blocks is no list any more."""
    assert words(called("scan", "scan#1:once/truncated")).startswith('[{"type": "text"')


@pytest.mark.parametrize(("plan", "told"), [("", [0, 1, 2]), ("charge#1:once/error", [0])])
def test_progress_over_a_pipe(plan: str, told: list[int]) -> None:
    """The same as over HTTP."""

    async def calls(client: Any) -> list[float]:
        steps: list[float] = []

        async def follows(progress: float, total: float | None, message: str | None) -> None:
            steps.append(progress)

        try:
            await client.call_tool("charge", {"order_id": "A17"}, progress_callback=follows)
        except Exception:
            assert plan
        return steps

    assert under(plan, calls, story=desk)[0] == told
