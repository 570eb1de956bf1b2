"""Receipts: what was done, how often it was observed, and with which versions."""

import json
import platform
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from agentfuzz.core.history import History
from agentfuzz.report import packages
from agentfuzz.report.account import Account
from agentfuzz.report.formats import json as json_format
from agentfuzz.report.formats.receipt import finding
from agentfuzz.report.places import Places

from .hostile import PAYLOADS, poisoned
from .samples import ALL, TOLD


def receipt(name: str, session: Account = TOLD) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(finding(ALL[name], session))
    return told


def test_a_receipt_says_what_was_done_and_how_often_it_was_seen() -> None:
    """The action, each attempt with its fault, and the effects of each in the ledger."""
    told = receipt("double_charge")
    assert told["schema"] == "agentfuzz.receipt/1"
    assert told["replay"] == "pytest --agentfuzz-replay AF-a78d"
    assert told["plan"] == "charge_card#1:once/timeout"
    assert (told["observed"], told["observed_without_fault"]) == ("2 charge", "1 charge")
    (action,) = told["actions"]
    assert action["id"] == "charge(order_id='A17')"
    assert (action["effect"], action["scope"]) == ("charge", {"order_id": "A17"})
    assert (action["observed"], action["observed_in"]) == (2, "the ledger")
    first, second = action["attempts"]
    assert (first["retry"], first["fault"], first["outcome"]) == (0, "once/timeout", "unknown")
    assert (first["raised"], first["effects"]) == ("TimeoutError", ["charge-1"])
    assert (second["retry"], second["fault"], second["outcome"]) == (1, None, "applied")
    assert second["effects"] == ["charge-2"]


def test_what_the_agent_says_is_no_observation() -> None:
    """It claims success of what never happened: observed 0 times."""
    told = receipt("premature_success")
    (action,) = told["actions"]
    assert action["observed"] == 0
    assert told["says"] == "success (completed)"
    assert [one["effects"] for one in action["attempts"]] == [[]]


def test_one_attempt_may_have_several_effects() -> None:
    """Delivered twice: no retry of the agent's."""
    (action,) = receipt("delivered_twice")["actions"]
    (attempt,) = action["attempts"]
    assert (action["observed"], len(attempt["effects"])) == (2, 2)


def test_a_backend_of_the_users_own_is_named_as_the_observer() -> None:
    cx = ALL["double_charge"]
    tools = {name: one._replace(observed=True) for name, one in cx.history.tools.items()}
    own = replace(cx, history=History(cx.history.events, tools))
    (action,) = json.loads(finding(own, TOLD))["actions"]
    assert action["observed_in"] == "your own backend"


@pytest.mark.parametrize("name", ALL)
def test_equal_findings_have_equal_receipts(name: str) -> None:
    """Byte for byte, and nothing of this machine but what is installed."""
    text = finding(ALL[name], TOLD)
    assert text == finding(ALL[name], TOLD)
    assert str(Path.home()) not in text
    assert json.loads(text)["history"].startswith("sha256:")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_is_text(payload: str) -> None:
    """Strict JSON, and the text is in it as it is."""
    known = replace(poisoned(payload), plan=ALL["two_faults"].plan)
    written = json_format.text(json_format.finding(known))  # a history holds no NaN
    told = json.loads(finding(json_format.counterexample(json_format.read(written)), TOLD))
    assert told["title"] == payload
    assert all(one["effect"] == payload for one in told["actions"])


# Versions --------------------------------------------------------------------------------


def test_the_packages_are_those_that_the_test_and_its_project_import(tmp_path: Path) -> None:
    """Of the test's file, of the agent's, and of what those import of the project; not Python's own
    modules, not the project's, not agentfuzz."""
    files = {
        "tests/test_shop.py": "import json, agentfuzz\nfrom shop.agent import charge\n",
        "shop/agent.py": "from . import helpers\nfrom .deep.down import x\nimport nowhere\n",
        "shop/helpers.py": "def f():\n    import jinja2.sandbox\n",
        "shop/deep/down.py": "import yaml as _\n",
        "shop/other.py": "import hypothesis\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    told = receipt("double_charge", replace(TOLD, places=Places(root=tmp_path)))["versions"]
    assert told["agentfuzz"] == metadata.version("pytest-agentfuzz")
    assert told["python"] == platform.python_version()
    assert {name.lower(): found for name, found in told["packages"].items()} == {
        name: metadata.version(name) for name in ("jinja2", "pyyaml")
    }


@pytest.mark.parametrize(
    "text", ["def (", "\0", "import " + "a." * 3_000 + "b", "x = " + "(" * 999]
)
def test_a_file_that_cannot_be_read_has_no_packages(text: str, tmp_path: Path) -> None:
    """It is read as data, and never run."""
    (tmp_path / "agent.py").write_text(text, encoding="utf-8")
    assert packages.versions(tmp_path, ["agent.py", "gone.py"])["packages"] == {}


def test_files_outside_the_project_are_not_read(tmp_path: Path) -> None:
    """Wherever an import leads."""
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "above.py").write_text("import yaml\n")
    (root / "agent.py").write_text("from ... import above\nimport above\n")
    assert packages.versions(root, ["agent.py"])["packages"] == {}
