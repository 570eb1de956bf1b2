"""What one test tells for all others of the session: that a tool has no deduplication (AF102).

Law: a request that is delivered twice takes effect twice in every test that uses such a tool,
whatever its loop does; the first one in this process tells it, with all that the ledger's laws say
under the same plan, and fails; in the others it is counted, and all else is told. Called by the
session after a campaign; a replay and a regression test tell what they were made for.

Two tools are the same one if their bodies are the same code under the same name, in whatever
scenario. A tool whose backend does recognise a repeat was called without what it is recognised by:
that is the loop's own bug, and told each time.
"""

import inspect
from dataclasses import replace

from agentfuzz.core.findings import CampaignResult, Counterexample
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.scenario import Scenario
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.injector import FromPlan
from agentfuzz.world.world import World, inside

TWICE = "AF102"
_PURE = ("twice", "intact")
_OF_THE_LEDGER = "AF1"  # the family of codes that a second effect may break


class Told:
    """The tools of which this process has told it, each with the test that did."""

    def __init__(self) -> None:
        self._by: dict[object, str] = {}

    def once(
        self, result: CampaignResult, scenario: Scenario, *, alone: bool = False
    ) -> tuple[CampaignResult, list[Counterexample]]:
        """The result without what another test has told, and what was taken out. A test that is
        expected to fail is `alone`: it tells all of its own, and tells it for no other."""
        world: World | None = None
        mine: set[str] = set()
        told: dict[str, str] = {}
        plans: set[FaultPlan] = set()
        again: list[Counterexample] = []
        for cx in result.findings:
            tool = _undeduplicated(cx)
            if not tool:
                continue
            world = world or scenario.world(FromPlan(), Clock())
            identity = _identity(world, tool)
            teller = result.nodeid if alone else self._by.setdefault(identity, result.nodeid)
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
        return replace(result, findings=left, told=told), again


def _undeduplicated(cx: Counterexample) -> str:
    """The tool without deduplication to which this delivered twice, or an empty string."""
    if cx.code != TWICE:
        return ""
    commit = next(one for one in cx.history.ledger if one.seq in cx.violation.witness)
    return commit.tool if cx.history.tools[commit.tool].dedup == "none" else ""


def _nothing_else(plan: FaultPlan) -> bool:
    """Whether a plan only delivers twice, of which an agent sees nothing at all."""
    return all(slot.boundary == "tool" and fault.axes == _PURE for slot, fault in plan)


def _identity(world: World, tool: str) -> object:
    """What makes two tools the same one."""
    body = inside(world).calls.functions[tool]
    code = getattr(inspect.unwrap(body), "__code__", None)
    place = type(body) if code is None else (code.co_filename, code.co_firstlineno)
    return tool, world.gateway.specs[tool].effect, place
