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
from unittest import SkipTest, TestCase

import pytest

from agentfuzz._fuzz import Fuzz
from agentfuzz.core.errors import AgentfuzzError, FixtureError, ScenarioError, near_miss
from agentfuzz.core.findings import CampaignResult
from agentfuzz.engine.existing import TOLD, Existing
from agentfuzz.plugin.carried import ADOPTED
from agentfuzz.plugin.settings import tools
from agentfuzz.world.confirmed import unused as unfitting

WORDS = ("tools", "script", "asserts", "max_runs", "faults", "only", "exclude", "allow_network")
DOUBT = "AF904"  # of a test that nobody wrote for a simulation, no finding: see `untested`
_MARK = "@pytest.mark.agentfuzz"


def adopt(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Take in the tests that are marked, or lie in a path that was named, or are replayed."""
    chosen = [_path(config, given) for given in config.getoption("--agentfuzz-existing") or ()]
    everything = bool(config.getoption("--agentfuzz-replay"))
    for item in items:
        if not isinstance(item, pytest.Function) or hasattr(item.obj, "agentfuzz"):
            continue
        mark = item.get_closest_marker("agentfuzz")
        if item.cls is not None and issubclass(item.cls, TestCase):
            if mark is not None:
                raise pytest.UsageError(
                    f"{item.nodeid}: {_MARK}: a unittest.TestCase runs by itself, and cannot be a "
                    "campaign; write it as a plain test"
                )
            continue
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
        faults=_several(given.get("faults", ())),
        leave=(pytest.skip.Exception, pytest.xfail.Exception, SkipTest),
    )
    return Fuzz(
        existing.scenario,
        existing.agent(test),
        item.cls is not None and not isinstance(_raw(item), staticmethod),
        max_runs=given.get("max_runs"),
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


def again(item: pytest.Item) -> list[str]:
    """The options by which another pytest takes the test in, too."""
    named = item.config.getoption("--agentfuzz-existing") and ADOPTED in item.stash
    return [f"--agentfuzz-existing={item.path}"] if named else []


def unused(config: pytest.Config, results: Sequence[CampaignResult]) -> list[str]:
    """What there is to say of lines of the ini file that fit no tool of the session."""
    ours = [one for one in results if any(note.startswith(TOLD) for note in one.notes)]
    return unfitting(tools(config), {name for one in ours for name in one.tools}) if ours else []


def left_alone(item: pytest.Item, error: AgentfuzzError) -> None:
    """Skip a test of a path that was named, whose fixtures cannot be renewed."""
    if isinstance(error, FixtureError) and "" not in item.stash.get(ADOPTED, {"": ()}):
        pytest.skip(f"agentfuzz: no campaign, {error}")


def judged(item: pytest.Function, existing: Existing, result: CampaignResult) -> CampaignResult:
    """What a campaign of a test that exists comes to: with what was believed of its tools. One that
    was marked and cannot be a campaign fails; one that lies in a path that was named is skipped."""
    if why := _no_campaign(existing, result):
        if "" in item.stash[ADOPTED]:
            raise ScenarioError(f"{item.originalname} is no campaign: {why}.")
        pytest.skip(f"agentfuzz: no campaign, {why}")
    doubts = [one for one in result.findings if one.code == DOUBT]
    untested = [text for text in result.untested if not text.startswith("AF804")]
    untested += [f"{DOUBT} {one.title}: {one.violation.sentence}" for one in doubts]
    return replace(
        result,
        findings=tuple(one for one in result.findings if one not in doubts),
        notes=(*result.notes, *existing.told(result.tools)),
        untested=tuple(untested),
    )


def _no_campaign(existing: Existing, result: CampaignResult) -> str:
    """Why a test proves nothing, or nothing."""
    for one in result.findings:
        if one.code == "AF900":
            return f"in a simulation it fails without any fault ({one.violation.sentence})"
    if not existing.passed:
        return "in a simulation it fails without any fault (its own assertions do not hold)"
    if any(text.startswith("AF801") for text in result.untested):
        return (
            "none of its tools is known: name one as tools=['package.module:function'], or by a "
            "line of agentfuzz_tools, or import its framework before"
        )
    return ""
