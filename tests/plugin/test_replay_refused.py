"""What `--agentfuzz-replay` and `--agentfuzz-export` do not do."""

import json

import pytest

from .conftest import Project


@pytest.mark.parametrize("option", ["replay", "export"])
def test_an_empty_id_is_an_error(project: Project, option: str) -> None:
    """No id is no wish for an ordinary run."""
    project.file("test_other.py", "def test_ordinary(): pass\n")
    result = project.run(f"--agentfuzz-{option}", "")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "need an id (AF-...), a file, or all" in result.stderr.str()


@pytest.mark.parametrize("nodeid", ["../evil/test_evil.py::test_x", "/tmp/test_evil.py::test_x"])
def test_a_file_from_elsewhere_runs_nothing_outside(project: Project, nodeid: str) -> None:
    """A saved file names a test outside of rootdir: it is refused, and nothing is collected."""
    names = ("code", "subject", "title", "digest")
    data = dict.fromkeys(names, "x") | {"id": "AF-000001", "nodeid": nodeid, "plan": ""}
    path = project.path / "AF-000001.json"
    path.write_text(json.dumps({"schema": "agentfuzz.saved/1", "format": 1, **data}))
    result = project.run("--agentfuzz-replay", str(path))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "lies outside of" in result.stderr.str()
