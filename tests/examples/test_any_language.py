"""Any language: each example's own campaign finds what its README says, with `pytest --agentfuzz`.

The agents are other processes: TypeScript, bash, Python. Where one cannot be started (no node, no
jq) its test is skipped and says why.
"""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("mcp", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")
pytest.importorskip("uvicorn", reason="needs uvicorn")

from tests.extent import some
from tests.node.installed import LEFT, installed_for

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
FINDS = {
    "curl_loop": ("AF101 send_invoice ran ?x, expected 1", "send_invoice#1:once/error"),
    "openai_agents_ts": ("AF101 book_table ran 2x, expected 1", "book_table#1:once/error"),
    "python_process": ("AF101 ship_order ran 2x, expected 1", "ship_order#1:once/error"),
    "vercel_ai": ("AF103 refund 0x, claimed success", "model#1-3:rate_limited"),
}
TYPESCRIPT = ("openai_agents_ts", "vercel_ai")
PROGRAMS = {"curl_loop": ("bash", "curl", "jq")}


@pytest.mark.parametrize("name", some(FINDS, 2))
def test_its_campaign_finds_what_it_says(
    name: str, pytester: pytest.Pytester, request: pytest.FixtureRequest
) -> None:
    """The finding, by the smallest plan; and its README tells the same."""
    for program in PROGRAMS.get(name, ()):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    shutil.copytree(
        EXAMPLES, pytester.path, ignore=shutil.ignore_patterns(*LEFT), dirs_exist_ok=True
    )
    if name in TYPESCRIPT:
        packages = installed_for(request.config, EXAMPLES) / "node_modules"
        (pytester.path / "node_modules").symlink_to(packages)
    result = pytester.runpytest_subprocess("--agentfuzz", "--agentfuzz-max-time=600", name)
    result.assert_outcomes(failed=1)
    finding, plan = FINDS[name]
    result.stdout.fnmatch_lines([finding, f"*{plan}"])
    told = (EXAMPLES / name / "README.md").read_text("utf-8")
    assert finding.split()[0] in told
    assert plan in told
