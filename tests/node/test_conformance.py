"""The protocol's own conformance suite, against a world whose tools, resources and prompts it knows
by name.

Not in scope are streams that can be resumed, and subscriptions: docs/wire.md says why.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")
pytest.importorskip("uvicorn", reason="needs uvicorn")

import mcp_types as types
from mcp.shared.exceptions import MCPDeprecationWarning

from agentfuzz import World, scenario
from agentfuzz.runtime.clock import Clock
from agentfuzz.wire import mcp
from agentfuzz.wire.server import serve
from agentfuzz.world.injector import FromPlan

pytestmark = pytest.mark.slow

Blocks = list[dict[str, Any]]


@dataclass
class address:  # the suite wants a definition of this name
    street: str = ""
    city: str = ""


IN_SCOPE = {  # and how many checks each of them makes
    "server-initialize": 1,
    "ping": 1,
    "tools-list": 1,
    "tools-call-simple-text": 1,
    "tools-call-image": 1,
    "tools-call-audio": 1,
    "tools-call-embedded-resource": 1,
    "tools-call-mixed-content": 1,
    "tools-call-error": 1,
    "tools-call-with-progress": 1,
    "json-schema-2020-12": 4,
    "server-sse-multiple-streams": 2,
    "dns-rebinding-protection": 2,
    "logging-set-level": 1,
    "tools-call-with-logging": 1,
    "tools-call-sampling": 1,
    "tools-call-elicitation": 1,
    "elicitation-sep1034-defaults": 5,
    "elicitation-sep1330-enums": 5,
    "resources-list": 1,
    "resources-read-text": 1,
    "resources-read-binary": 1,
    "resources-templates-read": 1,
    "prompts-list": 1,
    "prompts-get-simple": 1,
    "prompts-get-with-args": 1,
    "prompts-get-embedded-resource": 1,
    "prompts-get-with-image": 1,
    "completion-complete": 1,
}
OUT_OF_SCOPE = {
    "resources-subscribe",
    "resources-unsubscribe",
    "server-sse-polling",  # warns that a stream cannot be resumed, and checks nothing more
}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
TEXT = {"type": "text", "text": "Three blocks:"}
IMAGE = {"type": "image", "data": PNG, "mimeType": "image/png"}
AUDIO = {"type": "audio", "data": "UklGRiQAAABXQVZF", "mimeType": "audio/wav"}
RESOURCE = {
    "type": "resource",
    "resource": {"uri": "test://resource", "mimeType": "text/plain", "text": "A resource."},
}


DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
OPTIONS = ["option1", "option2", "option3"]
TITLED = [{"const": f"value{n}", "title": f"Choice {n}"} for n in (1, 2, 3)]
ENUMS = {
    "untitledSingle": {"type": "string", "enum": OPTIONS},
    "titledSingle": {"type": "string", "oneOf": TITLED},
    "legacyEnum": {"type": "string", "enum": OPTIONS, "enumNames": ["One", "Two", "Three"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": OPTIONS}},
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
}
USER = {"username": {"type": "string"}, "email": {"type": "string"}}


def shows(world: World) -> None:
    """Resources and prompts."""

    @world.resource("test://static-text")
    def text() -> str:
        """A text."""
        return "This is the content of the static text resource."

    @world.resource("test://static-binary", mime="image/png")
    def binary() -> dict[str, str]:
        """An image."""
        return {"blob": PNG}

    @world.resource("test://template/{id}/data", mime="application/json")
    def data(id: str) -> dict[str, Any]:
        """What is known of an id."""
        return {"id": id}

    @world.prompt
    def test_simple_prompt() -> str:
        """A text."""
        return "This is a simple prompt for testing."

    @world.prompt
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        """A text with two values."""
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @world.prompt
    def test_prompt_with_embedded_resource(resourceUri: str) -> Blocks:
        """A resource, and what to do with it."""
        found = {"type": "resource", "resource": {"uri": resourceUri, "text": "A resource."}}
        return [{"role": "user", "content": found}, {"role": "user", "content": "Process it."}]

    @world.prompt
    def test_prompt_with_image() -> Blocks:
        """An image, and what to do with it."""
        return [{"role": "user", "content": IMAGE}, {"role": "user", "content": "Analyze it."}]


def asks(world: World) -> None:
    """Tools that ask their client."""

    async def elicited(message: str, properties: dict[str, Any], required: list[str]) -> str:
        ctx = mcp.context(world)
        schema = {"type": "object", "properties": properties, "required": required}
        said = await ctx.session.elicit_form(message, schema, related_request_id=ctx.request_id)
        return f"User response: {said.action}, {said.content}"

    @world.tool
    async def test_elicitation(message: str) -> str:
        """Asks who the user is."""
        return await elicited(message, USER, list(USER))

    @world.tool
    async def test_elicitation_sep1034_defaults() -> str:
        """Asks with defaults."""
        return await elicited("Please check.", DEFAULTS, [])

    @world.tool
    async def test_elicitation_sep1330_enums() -> str:
        """Asks for choices."""
        return await elicited("Please choose.", ENUMS, [])

    @world.tool
    async def test_sampling(prompt: str) -> str:
        """Asks the client's model."""
        ctx = mcp.context(world)
        asked = types.SamplingMessage(role="user", content=types.TextContent(text=prompt))
        with pytest.warns(MCPDeprecationWarning):
            said = await ctx.session.create_message(
                [asked], max_tokens=100, related_request_id=ctx.request_id
            )
        return f"LLM response: {said.content.text}"

    @world.tool
    def test_tool_with_logging() -> str:
        """Is followed in the log."""
        return "done"


@scenario()
def everything(world: World) -> None:
    @world.tool
    def test_simple_text() -> str:
        """A text."""
        return "This is a simple text response for testing."

    @world.tool
    def test_error_handling() -> str:
        """Fails."""
        raise ValueError("This tool intentionally returns an error for testing")

    @world.tool
    def test_tool_with_progress() -> str:
        """Takes its time."""
        return "done"

    @world.tool
    def json_schema_2020_12_tool(name: str, address: address) -> str:
        """Has a schema with definitions."""
        return name

    shows(world)
    asks(world)
    for name, blocks in (
        ("test_image_content", [IMAGE]),
        ("test_audio_content", [AUDIO]),
        ("test_embedded_resource", [RESOURCE]),
        ("test_multiple_content_types", [TEXT, IMAGE, RESOURCE]),
    ):

        @world.tool(name=name)
        def content(blocks: Blocks = blocks) -> Blocks:
            """Returns blocks of content."""
            return blocks


@pytest.fixture(scope="module")
def results(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """The checks that each scenario of the suite has made."""
    out = tmp_path_factory.mktemp("conformance")
    with serve(everything.world(FromPlan(), Clock())) as urls:
        command = ["node_modules/.bin/conformance", "server", "--url", str(urls.mcp)]
        command += ["--suite", "all", "--output-dir", str(out)]
        subprocess.run(command, cwd=folder, capture_output=True, text=True)
    found = {}
    for each in out.glob("server-*/checks.json"):
        name = re.sub(r"^server-|-\d{4}-\d\d-\d\dT.*", "", each.parent.name)
        found[name] = json.loads(each.read_text("utf-8"))
    return found


def test_every_scenario_is_accounted_for(results: dict[str, list[Any]]) -> None:
    """What the suite asks is in scope, or said not to be."""
    assert len(results) == 32
    assert set(results) >= OUT_OF_SCOPE
    assert len(IN_SCOPE) + len(OUT_OF_SCOPE) == 32


@pytest.mark.parametrize("name", IN_SCOPE)
def test_in_scope_all_passes(results: dict[str, list[Any]], name: str) -> None:
    """Every check of a scenario in scope succeeds."""
    checks = [check for check in results[name] if check["status"] != "INFO"]
    assert [
        (check["id"], check["status"]) for check in checks if check["status"] != "SUCCESS"
    ] == []
    assert len(checks) == IN_SCOPE[name]
