"""The official TypeScript MCP client, with its defaults, meets each end of a reply."""

import os
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")
pytest.importorskip("uvicorn", reason="needs uvicorn")

from agentfuzz import Completion, World, exactly_once, run, scenario
from agentfuzz.core.events import Called, Replied, Struck

pytestmark = pytest.mark.slow


@scenario(exactly_once("charge"), task="Charge order A17.")
def charge_order(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str) -> dict[str, object]:
        """Charge the customer's card."""
        return {"charge_id": "ch_1"}


def mcp_agent(world: World, folder: Path) -> Completion:
    """Run the agent as a process of its own; it says what it got last."""
    with world.serve(hold=0.2) as urls:
        done = subprocess.run(
            ["node", "mcp_agent.mjs"],
            cwd=folder,
            env={**os.environ, "MCP_URL": urls.mcp},
            capture_output=True,
            text=True,
        )
    if done.returncode:
        print(done.stderr)  # it names ports, which are others in each run
        return Completion.failed(detail=f"exit code {done.returncode}")
    return Completion.success(detail=done.stdout.strip())


@pytest.mark.parametrize(
    "plan",
    [
        "charge_card#1:once/error",  # before the headers
        "charge_card#1:once/error=2",  # in the middle of a JSON body
        "charge_card#1:once/timeout",  # until the server loses its patience
    ],
)
def test_a_lost_reply_is_an_error_and_the_session_lives(folder: Path, plan: str) -> None:
    """No end of a reply keeps the client waiting for its minute: it calls again, and charges
    twice."""
    made = run(charge_order, lambda world: mcp_agent(world, folder), plan)
    assert made.history.claim == "success"
    assert [reply.outcome for reply in made.history.of(Replied)] == ["unknown", "applied"]
    assert len(made.history.ledger) == 2
    assert "AF101" in {violation.code for violation in made.violations}


def test_a_lost_session_is_begun_again(folder: Path) -> None:
    """404 says that the session is gone: no tool was asked, and the next session charges once."""
    made = run(charge_order, lambda world: mcp_agent(world, folder), "mcp:call#1:session_lost")
    assert [str(struck.slot) for struck in made.history.of(Struck)] == ["mcp:call#1"]
    assert len(made.history.of(Called)) == len(made.history.ledger) == 1
    assert made.violations == ()


TEST = """
from pathlib import Path
from agentfuzz import fuzz
from tests.node.test_mcp_client import charge_order, mcp_agent

@fuzz(charge_order, only=("once/error", "once/timeout", "session_lost"), max_runs=20)
def test_mcp_agent(world):
    return mcp_agent(world, Path({folder!r}))
"""


def test_a_campaign_finds_the_double_charge_and_no_loop_that_hangs(
    folder: Path, pytester: pytest.Pytester
) -> None:
    """AF101, and neither AF202 (it spins) nor AF203 (it hangs) nor AF904 (it differs)."""
    pytester.makepyfile(test_mcp=TEST.format(folder=str(folder)))
    result = pytester.runpytest("--agentfuzz", "--agentfuzz-max-time=600", "-p", "no:asyncio")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["AF101 charge_card ran 2x, expected 1"])
    result.stdout.no_fnmatch_line("AF20*")
    result.stdout.no_fnmatch_line("AF904*")
