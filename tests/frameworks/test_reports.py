"""What is told of frameworks: each finding is known to its maintainers, or can be told to them."""

import importlib.util
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
TOLD = {file.parent.name: file for file in sorted(HERE.glob("*/report.toml"))}
EACH = pytest.mark.parametrize("name", TOLD)


def findings(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(TOLD[name].read_text("utf-8"))["finding"]
    return found


@EACH
def test_a_finding_that_nobody_has_reported_can_be_reported(name: str) -> None:
    """By a script that anybody can run, and by its words."""
    for one in findings(name):
        assert one.get("public") or one.get("script"), one["does"]
        if one.get("script"):
            script = HERE / name / "issues" / one["script"]
            assert "sys.exit(" in script.read_text("utf-8"), script
            assert script.with_suffix(".md").read_text("utf-8").startswith("# "), script


@EACH
def test_what_lies_there_is_told(name: str) -> None:
    """No script and no draft of a finding that is gone; agentfuzz is in none of them."""
    told = {one.get("script", "").removesuffix(".py") for one in findings(name)}
    for file in (HERE / name / "issues").glob("*.*"):
        assert file.stem in told or "for the scripts" in file.read_text() or file.stem[0] == "_"
        assert "agentfuzz" not in file.read_text("utf-8"), file


def test_a_page_leads_to_the_script() -> None:
    """And says so where it has not shown what it is there for."""
    spec = importlib.util.spec_from_file_location("report", HERE.parents[1] / "tools/frameworks.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    finding = tool.Finding("AF101", "", "It charges twice.", script="twice.py")
    shown = {"hidden": {}, "misplaced": {}}
    facts = {"release": "shop 1", "entrypoints": ["run"], "has": [], "limits": {}, "meets": {}}
    one = SimpleNamespace(name="shop", facts=facts | {"shown": shown}, tests="1 passed")
    for scripted in (True, False):
        one.findings = [tool.Checked(finding, True, None, scripted)]
        said = tool.page(one)
        assert "[a script](../../tests/frameworks/shop/issues/twice.py)" in said
        assert "[a draft of a report](../../tests/frameworks/shop/issues/twice.md)" in said
        assert ("DID NOT SHOW IT" in said) is not scripted
        assert one.findings[0].good is scripted
    assert "Its adapter has: none of sessions, typed output, approvals, handoffs" in said
