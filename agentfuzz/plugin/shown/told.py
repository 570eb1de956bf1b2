"""What one test tells for all others of the session: that a tool has no deduplication (AF102).

Law: a request that is delivered twice takes effect twice in every test that uses such a tool,
whatever its loop does; the first one tells it, with all that the ledger's laws say under the same
plan, and fails; in the others it is counted, and all else is told. Of several processes each
settles its own tests, and the one that gathers their reports those of all: the first to arrive
tells it. Called by the session after a campaign, and for each report; a replay and a regression
test tell what they were made for.

Two tools are the same one if their bodies are the same code under the same name, in whatever
scenario. A tool whose backend does recognise a repeat was called without what it is recognised by:
that is the loop's own bug, and told each time.
"""

import inspect
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from agentfuzz.archive.transport import from_json, to_json
from agentfuzz.core.codec import dump
from agentfuzz.core.findings import CampaignResult, Counterexample
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.scenario import Scenario
from agentfuzz.plugin import reruns
from agentfuzz.plugin.findings import ELSEWHERE, Broken, Findings
from agentfuzz.plugin.reporting import Reporting
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.injector import FromPlan
from agentfuzz.world.world import World, inside

TWICE = "AF102"
TOOLS = pytest.StashKey[dict[str, str]]()  # of a test: its tools that others may tell, by name
_PURE = ("twice", "intact")
_OF_THE_LEDGER = "AF1"  # the family of codes that a second effect may break


class Told:
    """The tools of which it was told here, each with the test that did."""

    def __init__(self) -> None:
        self._by: dict[str, str] = {}

    def once(
        self, result: CampaignResult, tools: Mapping[str, str], *, alone: bool = False
    ) -> tuple[CampaignResult, list[Counterexample]]:
        """The result without what another test has told, and what was taken out; `tools` says what
        each tool is. A test that is expected to fail is `alone`: it tells all of its own, and tells
        it for no other."""
        mine: set[str] = set()
        told: dict[str, str] = {}
        plans: set[FaultPlan] = set()
        again: list[Counterexample] = []
        for cx in result.findings:
            tool = _undeduplicated(cx)
            if not tool:
                continue
            teller = result.nodeid
            if not alone:
                teller = self._by.setdefault(tools[tool], teller)
            if teller != result.nodeid:
                told[f"{TWICE} {tool}"] = teller
            elif tool not in mine:
                mine.add(tool)
                continue
            again.append(cx)
            if _nothing_else(cx.plan):
                plans.add(cx.plan)
        again += [
            cx
            for cx in result.findings
            if cx.plan in plans and cx.code.startswith(_OF_THE_LEDGER) and cx not in again
        ]
        left = tuple(cx for cx in result.findings if cx not in again)
        return replace(result, findings=left, told={**result.told, **told}), again

    def gather(self, report: Any, findings: Findings, reporting: Reporting) -> None:
        """Take out of a report what one of another process has told. If nothing is left, the test
        passes."""
        tools = getattr(report, "agentfuzz_tools", {})
        if not tools or not report.failed:
            return
        result, again = self.once(from_json(json.loads(report.agentfuzz)), tools)
        if not again:
            return
        findings.retract(again)
        report.agentfuzz = dump(to_json(result), in_order=True)
        others = reruns.of_others(report.user_properties)
        report.user_properties[:] = [*others, *reporting.properties(result)]
        if result.new:
            more = [text for text in report.agentfuzz_after if ELSEWHERE not in text]
            failed = findings.failure(result, more, reporting.pages([result]))
            assert isinstance(failed, Broken)
            report.agentfuzz_after = failed.after
            findings.show(report, failed)
        else:
            del report.agentfuzz_after
            report.outcome, report.longrepr = "passed", None


def tools_of(result: CampaignResult, scenario: Scenario) -> dict[str, str]:
    """What the tools are to which a result shows a request delivered twice, by their names."""
    names = dict.fromkeys(filter(None, map(_undeduplicated, result.findings)))
    if not names:
        return {}
    world = scenario.world(FromPlan(), Clock())
    return {name: _identity(world, name) for name in names}


def _undeduplicated(cx: Counterexample) -> str:
    """The tool without deduplication to which this delivered twice, or an empty string."""
    if cx.code != TWICE:
        return ""
    commit = next(one for one in cx.history.ledger if one.seq in cx.violation.witness)
    return commit.tool if cx.history.tools[commit.tool].dedup == "none" else ""


def _nothing_else(plan: FaultPlan) -> bool:
    """Whether a plan only delivers twice, of which an agent sees nothing at all."""
    return all(slot.boundary == "tool" and fault.axes == _PURE for slot, fault in plan)


def _identity(world: World, tool: str) -> str:
    """What makes two tools the same one, in whatever process."""
    body = inside(world).calls.functions[tool]
    code = getattr(inspect.unwrap(body), "__code__", None)
    kind = type(body)
    place = f"{kind.__module__}.{kind.__qualname__}"
    if code is not None:
        place = f"{code.co_filename}:{code.co_firstlineno}"
    return f"{tool} {world.gateway.specs[tool].effect} {place}"
