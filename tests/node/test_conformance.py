"""The protocol's own conformance suite, against a world whose tools it knows by name.

In scope is what has to do with tools and their transport. A world has no prompts, no resources and
no completions, asks its client for nothing (sampling, elicitation) and does not log.
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

from agentfuzz import World, scenario
from agentfuzz.runtime.clock import Clock
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
}
OUT_OF_SCOPE = {
    "completion-complete",
    "logging-set-level",
    "tools-call-with-logging",
    "tools-call-sampling",
    "tools-call-elicitation",
    "elicitation-sep1034-defaults",
    "elicitation-sep1330-enums",
    "resources-list",
    "resources-read-text",
    "resources-read-binary",
    "resources-templates-read",
    "resources-subscribe",
    "resources-unsubscribe",
    "prompts-list",
    "prompts-get-simple",
    "prompts-get-with-args",
    "prompts-get-embedded-resource",
    "prompts-get-with-image",
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
