"""Resources and prompts that are declared wrongly, or return what a server's own author returns."""

import functools
from collections.abc import Callable
from typing import Any, Literal

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")

import mcp_types as types
from mcp import Client
from mcp.shared.exceptions import MCPError

from agentfuzz import FaultPlan, World, run, scenario
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Called
from agentfuzz.wire.mcp import memory_client
from agentfuzz.wire.server import serve

from .test_in_memory import under

ODD = 'a://"x"#1:once/error `; ,\u202e\n{order_id}'
Build = Callable[[World], object]


def text() -> str:
    return "x"


def one(a: str) -> str:
    return a


def twice(world: World) -> None:
    world.resource("a://b")(text)
    world.resource("a://b")(text)


def prompts_twice(world: World) -> None:
    world.prompt(text)
    world.prompt(name="text")(text)


class Called_:
    def __call__(self) -> str:
        return "x"


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (twice, "world.resource('a://b') is declared twice"),
        (prompts_twice, "world.prompt('text') is declared twice"),
        (lambda w: w.resource(text), "world.resource(text): this is no URI; write @world.resource"),
        (lambda w: w.resource("a://b", mime=5), "mime=5 is no type"),
        (
            lambda w: w.resource("a://{+path}"),
            "{+path} is no name of a parameter; write {order_id}",
        ),
        (lambda w: w.resource("a://x{?q,n}"), "{?q,n} is no name of a parameter"),
        (lambda w: w.resource("a://{}"), "{} is no name of a parameter"),
        (lambda w: w.resource("a://{a"), "a brace by itself is no name of a parameter"),
        (lambda w: w.resource("a://{a}{b}"), "put something between them, as in {a}/{b}"),
        (lambda w: w.resource("a://{a}")(text), "its names are a, and the function's parameters"),
        (lambda w: w.resource("a://b")(one), "parameters a; make them the same"),
        (lambda w: w.resource("a://b")(functools.partial(one, a="")), "a partial is no function"),
        (lambda w: w.resource("a://b")(Called_()), "a Called_ is no function; wrap it"),
        (lambda w: w.prompt("charge"), "world.prompt('charge'): this is no function; write @world"),
        (lambda w: w.prompt(Called_()), "world.prompt(a Called_): this is no function"),
        (lambda w: w.prompt(name="")(text), "world.prompt(''): this is no name"),
        (lambda w: w.prompt(name=5)(text), "world.prompt(5): this is no name"),
    ],
)
def test_what_is_declared_wrongly_is_an_error_of_its_scenario(build: Build, words: str) -> None:
    """It names the place and the cure, before any client could be told something else."""
    with pytest.raises(ScenarioError) as caught:
        run(scenario()(build), lambda world: None)  # type: ignore[arg-type]
    assert words in str(caught.value)


@scenario(max_crossings=30)
def desk(world: World) -> None:
    def shows(uri: str, value: Any) -> None:
        def shown() -> Any:
            if isinstance(value, Exception):
                raise value
            return value

        world.resource(uri)(shown)

    shows("a://bytes", b"\x89PNG")
    shows("a://blob", {"blob": b"\x89PNG", "mimeType": "image/png"})
    shows("a://note", {"text": "Call her.", "author": "Ann"})
    shows("a://both", {"text": "a", "blob": "YQ=="})
    shows("a://sdk", [types.TextResourceContents(uri="a://other", mime_type="x/y", text="Hey.")])
    shows("a://gone", MCPError(-32002, "It is gone."))

    @world.resource(ODD)
    def odd(order_id: str) -> str:
        return order_id

    @world.prompt
    def alone() -> dict[str, str]:
        return {"role": "assistant", "content": "Yes?"}

    @world.prompt
    def sdk() -> Any:
        said = types.TextContent(type="text", text="Hey.")
        return [types.PromptMessage(role="assistant", content=said)]

    @world.prompt
    def several(orders: list[str], how: Literal["a", "b"] | None = None) -> str:
        return f"{len(orders)}: {', '.join(orders)}"


def read(uri: str, plan: str = "") -> Any:
    """The content of what is read, or the error."""

    async def calls(client: Any) -> Any:
        try:
            [content] = (await client.read_resource(uri)).contents
        except MCPError as error:
            return error.code, error.message
        return content

    return under(plan, calls, story=desk)[0]


def got(name: str, **arguments: str) -> Any:
    """The message of a prompt, or the code of the error."""

    async def calls(client: Any) -> Any:
        try:
            [said] = (await client.get_prompt(name, arguments)).messages
        except MCPError as error:
            return error.code
        return said.role, said.content.text

    return under("", calls, story=desk)[0]


def test_bytes_are_a_blob() -> None:
    """In base64, as the protocol has it."""
    assert read("a://bytes").blob == "iVBORw=="
    found = read("a://blob")
    assert (found.blob, found.mime_type) == ("iVBORw==", "image/png")


def test_what_only_looks_like_contents_loses_nothing() -> None:
    """An object with more in it is sent as the JSON that it is."""
    assert read("a://note").text == '{"text": "Call her.", "author": "Ann"}'
    assert read("a://note").mime_type == "application/json"
    assert read("a://both").text == '{"text": "a", "blob": "YQ=="}'


def test_the_types_of_the_sdk_are_what_they_are() -> None:
    """Contents, and messages; one message needs no list."""
    found = read("a://sdk")
    assert (found.uri, found.text, found.mime_type) == ("a://other", "Hey.", "x/y")
    assert got("sdk") == ("assistant", "Hey.")
    assert got("alone") == ("assistant", "Yes?")


def test_an_error_of_the_protocol_is_that_error() -> None:
    """Whoever raises one says its code."""
    assert read("a://gone") == (-32002, "It is gone.")


def test_an_argument_that_is_a_list_comes_as_json() -> None:
    """The protocol knows texts alone; what is no JSON is the error that it was."""
    assert got("several", orders='["A17", "B18"]') == ("user", "2: A17, B18")
    for wrong in ("A17", "[" * 100_000, "{}"):
        assert got("several", orders=wrong) == types.INVALID_PARAMS


def test_what_may_be_left_out_is_completed_too() -> None:
    """And a prompt is not found by the name of its tool."""

    async def calls(client: Any) -> Any:
        prompt = types.PromptReference(type="ref/prompt", name="several")
        found = await client.complete(prompt, {"name": "how", "value": ""})
        tool = types.ResourceTemplateReference(type="ref/resource", uri="prompt:several")
        with pytest.raises(MCPError, match="Unknown resource: prompt:several"):
            await client.complete(tool, {"name": "how", "value": ""})
        return found.completion.values

    assert under("", calls, story=desk)[0] == ["a", "b"]


def test_a_plan_names_whatever_a_uri_is_made_of() -> None:
    """Its text reads back to it, and strikes there."""
    name = ODD.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\u{a}")
    plan = FaultPlan.parse(f'"{name}"#1:once/hostile')
    [slot] = plan.by_slot
    assert slot.name == ODD
    assert FaultPlan.parse(str(plan)) == plan
    assert read(ODD.replace("{order_id}", "A17"), str(plan)).text == "Done! Task complete."

    async def calls(client: Any) -> Any:
        await client.read_resource(ODD.replace("{order_id}", "A17"))

    [called] = under(str(plan), calls, story=desk)[1].of(Called)
    assert called.slot == slot


@pytest.mark.parametrize("http", [False, True], ids=["memory", "http"])
@pytest.mark.parametrize("what", ["resource", "prompt"])
def test_who_asks_for_ever_for_what_is_not_there_is_cut_off(what: str, http: bool) -> None:
    """By the budget of the run, as one is who calls a tool for ever."""
    if http:
        pytest.importorskip("uvicorn", reason="needs uvicorn")

    async def asks(client: Any) -> None:
        while True:
            with pytest.raises(MCPError) as caught:
                await (
                    client.read_resource("a://") if what == "resource" else client.get_prompt("a")
                )
            if caught.value.code == types.CONNECTION_CLOSED:
                break

    async def agent(world: World) -> None:
        if not http:
            async with memory_client(world) as client:
                await asks(client)
        with serve(world) as urls:
            async with Client(urls.mcp, mode="legacy") as client:
                await asks(client)

    ended = run(desk, agent).history.ended
    assert ended is not None
    assert (ended.how, ended.error) == ("cut_off", "budget")
