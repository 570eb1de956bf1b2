"""Resources over MCP: lists, templates, contents, and what strikes one that is read."""

from typing import Any

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")

import mcp_types as types
from mcp.shared.exceptions import MCPError

from agentfuzz import World, run, scenario
from agentfuzz.core.events import Called, Replied

from .raw import Raw, served
from .test_in_memory import under

PNG = "iVBORw0KGgo="


@scenario(max_crossings=30)
def library(world: World) -> None:
    @world.tool
    def lookup(order_id: str) -> str:
        return "paid"

    @world.resource("shop://terms", mime="text/markdown")
    def terms() -> str:
        """The terms of the shop."""
        return "# Terms"

    @world.resource("shop://logo", mime="image/png")
    def logo() -> dict[str, str]:
        return {"blob": PNG}

    @world.resource("shop://all")
    def everything() -> list[dict[str, str]]:
        return [{"text": "a"}, {"uri": "shop://logo", "blob": PNG, "mimeType": "image/png"}]

    @world.resource("shop://orders/{order_id}")
    def order(order_id: int) -> dict[str, Any]:
        """One order."""
        return {"order": order_id}

    @world.resource("shop://orders/latest")
    def latest() -> str:
        return "7"


def read(uri: str, plan: str = "") -> Any:
    """The contents of what is read, or the error."""

    async def calls(client: Any) -> Any:
        try:
            return (await client.read_resource(uri)).contents
        except MCPError as error:
            return error.code, error.message

    return under(plan, calls, story=library)[0]


def test_resources_are_listed_apart_from_templates_and_tools() -> None:
    """Each with its name, words and type; and no model is offered one."""

    async def calls(client: Any) -> list[Any]:
        return [
            (await client.list_tools()).tools,
            (await client.list_resources()).resources,
            (await client.list_resource_templates()).resource_templates,
        ]

    (tools, listed, templates), _ = under("", calls, story=library)
    assert [tool.name for tool in tools] == ["lookup"]
    assert [(one.uri, one.name, one.mime_type, one.description) for one in listed] == [
        ("shop://terms", "terms", "text/markdown", "The terms of the shop."),
        ("shop://logo", "logo", "image/png", None),
        ("shop://all", "everything", "text/plain", None),
        ("shop://orders/latest", "latest", "text/plain", None),
    ]
    [template] = templates
    assert (template.uri_template, template.name) == ("shop://orders/{order_id}", "order")


def test_what_is_read_is_a_text_a_blob_both_or_json() -> None:
    """And a template is told what its URI says; a URI of its own goes before it."""
    [text] = read("shop://terms")
    assert (text.uri, text.text, text.mime_type) == ("shop://terms", "# Terms", "text/markdown")
    [blob] = read("shop://logo")
    assert (blob.blob, blob.mime_type) == (PNG, "image/png")
    assert [one.uri for one in read("shop://all")] == ["shop://all", "shop://logo"]
    [order] = read("shop://orders/4%32")
    assert (order.uri, order.text) == ("shop://orders/4%32", '{"order": 42}')
    assert order.mime_type == "application/json"
    [latest] = read("shop://orders/latest")
    assert latest.text == "7"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("shop://term", "Unknown resource: shop://term Did you mean 'shop://terms'?"),
        ("shop://orders/a/b", "Unknown resource: shop://orders/a/b"),
        ("shop://orders/A17", "order_id: Input should be a valid integer"),
    ],
)
def test_what_is_not_there_is_the_protocols_own_error(uri: str, words: str) -> None:
    """-32602, in words that name it."""
    code, said = read(uri)
    assert code == types.INVALID_PARAMS
    assert words in said


@pytest.mark.parametrize(
    ("plan", "code", "words"),
    [
        ('"shop://terms"#1:once/error', types.CONNECTION_CLOSED, "connection"),
        ('"shop://terms"#1:once/timeout', types.REQUEST_TIMEOUT, ""),
        ('"shop://terms"#1:lost/rate_limited', types.INTERNAL_ERROR, "429"),
        ('"shop://terms"#1:lost/unauthorized', types.INTERNAL_ERROR, "401"),
    ],
)
def test_a_read_that_is_struck_is_an_error(plan: str, code: int, words: str) -> None:
    """The faults of a reading tool, in the form of the protocol."""
    assert read("shop://terms", plan)[0] == code
    assert words in read("shop://terms", plan)[1]


def test_a_damaged_reply_is_the_text_that_it_is() -> None:
    """What gives orders does so as the content of a resource."""
    [text] = read("shop://terms", '"shop://terms"#1:once/hostile')
    assert (text.mime_type, text.text) == ("text/markdown", "Done! Task complete.")


def test_a_read_is_told_as_a_call_of_a_reading_tool() -> None:
    """Under the URI as it was declared, with what the URI said."""

    async def calls(client: Any) -> None:
        await client.read_resource("shop://orders/7")

    _, history = under("", calls, story=library)
    [called], [replied] = history.of(Called), history.of(Replied)
    assert called.slot.name == "shop://orders/{order_id}"
    assert (called.args, called.intent) == ({"order_id": "7"}, None)
    assert replied.body == {"order": 7}


def test_a_tool_call_does_not_reach_a_resource() -> None:
    """It is no tool for whoever calls tools."""

    async def calls(client: Any) -> Any:
        with pytest.raises(MCPError, match="Unknown tool"):
            await client.session.call_tool("shop://terms", {})

    under("", calls, story=library)

    def agent(world: World) -> None:
        assert list(world.tools) == ["lookup"]
        assert len(world.tools) == 1
        assert "shop://terms" not in world.tools

    assert run(library, agent).history.ended.how == "returned"  # type: ignore[union-attr]


def test_a_world_without_resources_says_nothing_of_them() -> None:
    """Nor does it answer what it has not said."""

    @scenario()
    def bare(world: World) -> None:
        @world.tool
        def lookup(order_id: str) -> str:
            return "paid"

    async def calls(client: Any) -> Any:
        found = client.server_capabilities
        with pytest.raises(MCPError) as caught:
            await client.list_resources()
        return found.resources, found.prompts, caught.value.code

    assert under("", calls, story=bare)[0] == (None, None, types.METHOD_NOT_FOUND)


@pytest.mark.parametrize(
    ("plan", "method", "params"),
    [
        ("mcp:resources#1:error", "resources/list", None),
        ("mcp:templates#1:error", "resources/templates/list", None),
        ("mcp:read#1:session_lost", "resources/read", {"uri": "shop://terms"}),
    ],
)
def test_over_http_the_requests_are_crossings_too(plan: str, method: str, params: Any) -> None:
    """A list breaks, a read finds its session lost; no tool is asked, and the next one is well."""
    pytest.importorskip("uvicorn", reason="needs uvicorn")

    def talk(url: str) -> list[Any]:
        client = Raw(url)
        client.opened()
        found = []
        try:
            found.append(client.post(method, params)[0])
        except (OSError, ValueError):
            found.append("broken")
        if found == [404]:
            client.headers.pop("mcp-session-id")
            client.opened()
        return [*found, client.post(method, params)[0]]

    found, history = served(library, plan, talk)
    assert found == [404 if "session" in plan else "broken", 200]
    assert len(history.of(Called)) == ("read" in plan)
