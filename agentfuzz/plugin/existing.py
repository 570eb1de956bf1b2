"""Tests that exist, as campaigns: `@pytest.mark.agentfuzz`, or `--agentfuzz-existing PATH`.

Law: without `--agentfuzz` such a test is what it was; with it its own body and assertions run under
fault plans, with its fixtures renewed for each run. A test that does not pass in the simulation, or
has no tool that is known, is told so and proves nothing. Called by the hooks and by the session.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentfuzz._fuzz import Fuzz
from agentfuzz.core.errors import ScenarioError, near_miss
from agentfuzz.core.findings import CampaignResult
from agentfuzz.engine.existing import Existing
from agentfuzz.plugin.carried import ADOPTED
from agentfuzz.plugin.settings import tools

WORDS = ("tools", "script", "asserts", "max_runs", "faults", "only", "exclude", "allow_network")
_MARK = "@pytest.mark.agentfuzz"


def adopt(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Take in the tests that are marked, or lie in a path that was named, or are replayed."""
    chosen = [_path(config, given) for given in config.getoption("--agentfuzz-existing") or ()]
    everything = bool(config.getoption("--agentfuzz-replay"))
    for item in items:
        if not isinstance(item, pytest.Function) or hasattr(item.obj, "agentfuzz"):
            continue
        mark = item.get_closest_marker("agentfuzz")
        if mark is not None:
            item.stash[ADOPTED] = {"": mark.args, **mark.kwargs}
        elif everything or any(item.path.is_relative_to(path) for path in chosen):
            item.stash[ADOPTED] = {}
            item.add_marker(pytest.mark.agentfuzz)


def _path(config: pytest.Config, given: str) -> Path:
    path = config.invocation_params.dir / given
    if not path.exists():
        raise pytest.UsageError(f"--agentfuzz-existing {given}: there is no such file or folder")
    return path.resolve()


def made(item: pytest.Function, words: Mapping[str, Any]) -> Fuzz:
    """The test as one that is decorated. Raises ScenarioError for what the mark does not know."""
    given = {name: value for name, value in words.items() if name}
    if words.get(""):
        raise ScenarioError(f"{_MARK}(...) takes words alone: {', '.join(WORDS)}.")
    for name in given:
        if name not in WORDS:
            raise ScenarioError(
                f"{_MARK}({name}=...): the mark knows {', '.join(WORDS)}.{near_miss(name, WORDS)}"
            )
    test = _function(item)
    existing = Existing(
        item.originalname,
        tools(item.config),
        places=given.get("tools", ()),
        script=given.get("script"),
        asserts=bool(given.get("asserts")),
    )
    return Fuzz(
        existing.scenario,
        existing.agent(test),
        item.cls is not None and not isinstance(_raw(item), staticmethod),
        max_runs=given.get("max_runs"),
        faults=_several(given.get("faults", ())),
        only=_several(given.get("only", ())),
        exclude=_several(given.get("exclude", ())),
        allow_network=given.get("allow_network", False),
        each_run=True,
        existing=existing,
    )


def _several(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _raw(item: pytest.Function) -> Any:
    holder = item.cls if item.cls is not None else item.module
    return inspect.getattr_static(holder, item.originalname, item.function)


def _function(item: pytest.Function) -> Any:
    """The test's function as its author wrote it: a plugin may have put another one in its place,
    to run it in a loop of its own."""
    raw = _raw(item)
    return getattr(raw, "__func__", raw)


def judged(item: pytest.Function, existing: Existing, result: CampaignResult) -> CampaignResult:
    """What a campaign of a test that exists comes to: with what was believed of its tools. One that
    was marked and cannot be a campaign fails; one that lies in a path that was named is skipped."""
    untested = [text for text in result.untested if not text.startswith("AF804")]
    broken = [one.violation.sentence for one in result.findings if one.code == "AF900"]
    fails = " ".join(broken) or ("" if existing.passed else "its own assertions do not hold")
    nothing = next((text for text in untested if text.startswith("AF801")), "")
    if fails or nothing:
        why = (
            f"in a simulation it fails without any fault ({fails})"
            if fails
            else "none of its tools is known: name one as tools=['package.module:function'], or "
            "import its framework before"
        )
        if "" in item.stash[ADOPTED]:
            raise ScenarioError(f"{item.originalname} is no campaign: {why}.")
        pytest.skip(f"agentfuzz: no campaign, {why}")
    notes = (*result.notes, *existing.told(result.tools))
    return replace(result, notes=notes, untested=tuple(untested))
