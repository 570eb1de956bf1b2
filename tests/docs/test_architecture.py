"""docs/architecture.md walks through the code as it is: the modules of its walks are traced."""

import re
import sys

from agentfuzz import Completion, at_most_once, fuzz, scenario
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.phases.systematic import Level
from agentfuzz.world import injector
from agentfuzz.world.backend import Backend
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
AGENTS_SIDE = ["world.toolbox", "world.local"]  # told in the second walk
MODULE = re.compile(r"`((?:plugin|search|engine|archive|report|wire|model|world|core)\.[a-z_.]+)`")


def walk(name):
    """The modules of a walk, in order."""
    text = re.search(rf"<!-- walk: {name} -->\n(.*?)<!-- end walk -->", TEXT, re.DOTALL)
    return re.findall(r"^\d+\. `([a-z_.]+)`", text[1], re.MULTILINE)


@scenario(at_most_once("charge"), task="Charge order A17.")
def charge_order(world):
    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str) -> str:
        return "ok"


@fuzz(charge_order)
def clerk(world):
    """What is traced is a run of this one."""
    try:
        world.tools.charge_card(order_id="A17")
    except Exception:
        return Completion.blocked(reason="outcome_unknown")
    return Completion.success()


def stack(depth=2):
    """The modules of agentfuzz on the stack, outermost first, each once."""
    frame, found = sys._getframe(depth), []
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith("agentfuzz."):
            found.append(name.removeprefix("agentfuzz."))
        frame = frame.f_back
    return list(dict.fromkeys(reversed(found)))


def spy(monkeypatch, owner, name, seen):
    """Note the stack of each call of a method."""
    original = getattr(owner, name)

    def noted(self, *args):
        seen.append(stack())
        return original(self, *args)

    monkeypatch.setattr(owner, name, noted)


def asks(plan, seen):
    """What an injector asks of a plan, who notes the stack."""

    def strikes(slot):
        seen.append(stack())
        return plan.get(slot)

    return strikes


def traced(monkeypatch):
    """What is on the stack when a plan is made, when it is asked, and when an effect commits."""
    from agentfuzz.engine.simulation import Simulation

    made, asked, committed = [], [], []
    spy(monkeypatch, Level, "_children", made)
    monkeypatch.setattr(injector, "lookup", lambda plan: asks(plan, asked))
    spy(monkeypatch, Backend, "_committed", committed)
    with Simulation() as simulation:
        agent = clerk.agentfuzz.agent()
        budget = Budget(max_runs=6)
        Campaign(charge_order, agent, simulation, budget=budget).search()
    return made[-1], asked[-1], committed[-1]


def test_a_plan_takes_the_way_that_is_told(monkeypatch):
    """From the option to the ledger: the modules of the walk, in order; at most nine between."""
    made, asked, committed = traced(monkeypatch)
    told = walk("plan")
    assert told[:2] == ["plugin.hooks", "plugin.session"]  # pytest, which is not run here
    assert (
        made == told[2:5] == ["search.campaign", "search.phases.levels", "search.phases.systematic"]
    )
    down = [name for name in committed if name not in (*AGENTS_SIDE, "_fuzz")]
    assert [
        name for name in told[2:] if name not in ("search.phases.systematic", "world.injector")
    ] == down
    assert "world.lane" in asked
    assert told.index("world.injector") == told.index("world.lane") + 1
    assert len(told) - 2 <= 9


def test_a_call_takes_the_way_that_is_told(monkeypatch):
    """From the agent's hand to the ledger."""
    _, asked, committed = traced(monkeypatch)
    told = walk("call")
    here = committed[committed.index("world.toolbox") :]
    assert [name for name in told if name != "world.injector"] == here
    assert asked[asked.index("world.toolbox") :] == told[: told.index("world.injector")]


def test_every_module_that_is_named_exists():
    """No walk leads through a house that is gone."""
    for name in sorted(set(MODULE.findall(TEXT))):
        place = ROOT / "agentfuzz" / name.replace(".", "/")
        assert place.with_suffix(".py").exists() or place.is_dir(), name
