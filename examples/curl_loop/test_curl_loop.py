"""A campaign against an agent in bash, with curl and jq: a process for each run."""

import os
import subprocess
from pathlib import Path

from agentfuzz import Completion, World, exactly_once, fuzz, scenario


@scenario(
    exactly_once("invoice"),
    task="Send the invoice of order A17.",
    script=[("send_invoice", {"order_id": "A17"}), "The invoice is sent."],
)
def send(world: World) -> None:
    """An invoice is to be sent."""

    @world.tool(effect="invoice", scope=("order_id",))
    def send_invoice(order_id: str) -> dict[str, str]:
        """Send the invoice of an order."""
        return {"invoice_id": "inv_1"}


@fuzz(send, only=("once/error",), max_runs=6)
def test_curl_loop(world: World) -> Completion:
    with world.serve() as urls:
        given = {"OPENAI_BASE_URL": urls.openai, "MCP_URL": str(urls.mcp), "TASK": world.task}
        done = subprocess.run(
            ["bash", Path(__file__).with_name("agent.sh")],
            env={**os.environ, **given},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        return Completion.failed(detail=done.stderr.strip())
    return Completion.success(detail=done.stdout.strip())
