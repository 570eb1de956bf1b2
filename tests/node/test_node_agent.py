"""Any language: a Node agent, on the official openai package, is fuzzed over loopback.

Its model is `urls.openai`, its tools are `urls.mcp`; nothing in it knows of agentfuzz.
"""

import os
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")
pytest.importorskip("uvicorn", reason="needs uvicorn")

from agentfuzz import Completion, World, exactly_once, run, scenario
from agentfuzz.core.events import Called, ModelTurn, Replied

pytestmark = pytest.mark.slow


@scenario(
    exactly_once("charge"),
    task="Charge order A17, 42.00 EUR.",
    script=[("charge_card", {"order_id": "A17", "amount": 42}), "Order A17 is charged."],
)
def charge_order(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str, amount: int) -> dict[str, object]:
        """Charge the customer's card."""
        return {"charge_id": "ch_1", "amount": amount}


def node_agent(world: World, folder: Path) -> Completion:
    """Run the agent as a process of its own; it claims success when it ends well."""
    from agentfuzz.wire.server import serve

    with serve(world) as urls:
        addresses = {"OPENAI_BASE_URL": urls.openai, "MCP_URL": str(urls.mcp), "TASK": world.task}
        done = subprocess.run(
            ["node", "agent.mjs"],
            cwd=folder,
            env={**os.environ, **addresses},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    return Completion.success(detail=done.stdout.strip())


def test_a_reply_lost_after_the_commit_makes_it_charge_twice(folder: Path) -> None:
    """Without faults it charges once; when the reply is lost, twice, and claims success (AF101)."""
    made = run(charge_order, lambda world: node_agent(world, folder), "charge_card#1:once/error")
    history = made.history
    assert [effect.call for effect in history.ledger] == ["call_1", "call_2"]
    assert [called.slot.nth for called in history.of(Called)] == [1, 2]
    first, second = (called.asked for called in history.of(Called))
    assert (str(first)[:5], second) == ("call_", None)
    assert [reply.outcome for reply in history.of(Replied)] == ["unknown", "applied"]
    assert [turn.text for turn in history.of(ModelTurn)][-1] == "Order A17 is charged."
    assert history.claim == "success"
    [violation] = [found for found in made.violations if found.code == "AF101"]
    assert "charge" in str(violation)


TEST = """
from pathlib import Path
from agentfuzz import fuzz
from tests.node.test_node_agent import charge_order, node_agent

@fuzz(charge_order, only=("once/error",), max_runs=8)
def test_node_agent(world):
    return node_agent(world, Path({folder!r}))
"""


def test_the_campaign_finds_it_and_the_report_says_so(
    folder: Path, pytester: pytest.Pytester
) -> None:
    """`pytest --agentfuzz` needs no other door for an agent in another language."""
    pytester.makepyfile(test_node=TEST.format(folder=str(folder)))
    result = pytester.runpytest("--agentfuzz", "-p", "no:asyncio")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["AF101 charge_card ran 2x, expected 1"])
    result.stdout.fnmatch_lines(["*charge_card#1:once/error*"])
