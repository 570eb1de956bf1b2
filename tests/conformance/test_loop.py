"""What `module:callable` is read as, and what is said where it is no loop."""

import importlib
import sys

import pytest

from agentfuzz import AgentfuzzError, run
from agentfuzz.conformance.loop import answer, loop, of
from agentfuzz.conformance.stories import ready, story
from agentfuzz.conformance.trial import trial
from agentfuzz.core.completion import Completion
from agentfuzz.core.events import Called, Done, Interrupted
from agentfuzz.core.verdict import HELD, VIOLATED
from agentfuzz.scenarios.charge_order import charge_order
from agentfuzz.search.budget import Budget

from . import loops


@pytest.mark.parametrize(
    "made",
    [
        loops.classic,
        loops.awaited,
        loops.swapped,
        loops.with_default,
        loops.called,
        loops.called.later,
        loops.called_later,
        loops.partly,
        loops.partly_later,
        loops.calls_later,
        loops.of_a_world,
    ],
    ids=lambda made: getattr(made, "__qualname__", type(made).__name__),
)
def test_every_shape_of_a_loop_runs(made):
    """Functions, objects and partials, sync and async, do the story's work."""
    found = of("mine:loop", made)
    history = run(charge_order, found.agent).history
    assert [one.slot.name for one in history.of(Called)] == ["find_order", "charge_card"]
    assert history.ended.how == "returned"
    assert len(history.ledger) == 1
    assert found.alone == (made is not loops.of_a_world)


def test_a_fuzz_test_is_the_function_below_it():
    """`@fuzz` hides the world; the loop is what it decorates."""
    from agentfuzz import fuzz

    found = of("mine:test", fuzz(charge_order)(loops.of_a_world))
    assert (found.agent, found.alone) == (loops.of_a_world, False)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "cannot read an empty name: say module:callable, as in mine:run, or the name of"),
        (":run", "say module:callable"),
        ("mine:", "cannot read 'mine:': say module:callable"),
        ("lang", "there is no adapter lang; there is: "),
        ("src/mine.py:run", "names a file: say mine:run."),
        ("mine.py:go", "names a file: say mine:go."),
        ("nowhere:run", "there is no module nowhere, neither in the folder of this call nor"),
        ("min:run", "Did you mean 'mine'?"),
        ("mine:runn", "mine has no runn. Did you mean 'run'? It has: run."),
        ("mine:run.foo", "mine:run has no foo. It has: no function."),
        ("mine:NUMBER", "mine:NUMBER is a int, and no loop: name a function run(task, tools, mo"),
        ("mine:Loop", "mine:Loop is a class, and no loop"),
        ("mine:story", "mine:story is a Scenario, and no loop"),
        ("mine:yields", "yields, and is never run to its end by a call"),
        ("mine:later", "yields, and is never run to its end by a call"),
        ("mine:two", "mine:two takes (task, tools): a loop is run(task, tools, model), or a"),
        ("mine:four", "takes (task, tools, model, store): a loop is run(task, tools, model)"),
        ("mine:keyword", "takes (*, job): a loop is run(task, tools, model)"),
        ("broken:run", "the module broken cannot be imported: ZeroDivisionError: division by zero"),
        ("broken:run", "(at broken.py:2)"),
        ("leaves:run", "the module leaves cannot be imported: SystemExit: 3"),
        ("typo:run", "the module typo cannot be imported: SyntaxError: "),
        ("needs:run", "the module needs cannot be imported: ModuleNotFoundError: No module named"),
    ],
)
def test_what_is_no_loop_names_the_place_and_the_cure(name, says, tmp_path, monkeypatch):
    """Not there, not importable, not callable, of another shape."""
    files = {
        "mine": (
            "from agentfuzz.scenarios.charge_order import charge_order as story\n"
            "NUMBER = 4\nclass Loop: pass\ndef run(task, tools, model): return 'x'\n"
            "def yields(task, tools, model): yield 1\n"
            "async def later(task, tools, model): yield 1\n"
            "def two(task, tools): ...\ndef four(task, tools, model, store): ...\n"
            "def keyword(*, job): ...\n"
        ),
        "broken": "def run(task, tools, model): ...\n1 / 0\n",
        "leaves": "raise SystemExit(3)\n",
        "typo": "def run(:\n",
        "needs": "import a_package_of_mine\n",
    }
    if name == "mine:runn":
        files["mine"] = "def run(task, tools, model): return 'x'\n"
    for stem, text in files.items():
        (tmp_path / f"{stem}.py").write_text(text)
        monkeypatch.delitem(sys.modules, stem, raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(AgentfuzzError) as error:
        loop(name, tmp_path)
    for stem in files:
        sys.modules.pop(stem, None)
    assert says in str(error.value)


def test_what_a_module_says_when_it_breaks_is_inert(tmp_path, monkeypatch):
    """The text of an exception moves no cursor."""
    (tmp_path / "hostile_module.py").write_text("raise ValueError('\\x1b[2J\\n::error::x')\n")
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(AgentfuzzError) as error:
        loop("hostile_module:run", tmp_path)
    assert "\x1b" not in str(error.value)
    assert "\n" not in str(error.value)


def test_what_a_loop_returns():
    """A completion, a dict with its words, a text; a dict with other words is no completion."""
    assert answer("done") == Completion.success(detail="done")
    assert answer(["a"]) == Completion.success(detail="['a']")
    assert answer(Completion.blocked()) == Completion.blocked()
    assert answer({"status": "blocked", "reason": "needs_input", "x": 1}) == Completion.blocked(
        reason="needs_input"
    )
    assert answer({"output": 3}).status == "success"
    assert answer({"status": "splendid"}) is None
    assert answer({"status": "success", "reason": "rate_limited"}) is None
    assert answer({"status": ["success"]}) is None
    assert answer(None) is None


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A distribution that publishes an adapter `some`, whose calls may wait for a person."""
    info = tmp_path / "some_loops-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-loops\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[agentfuzz.adapters]\nsome = some_loops:ADAPTER\n")
    (tmp_path / "some_loops.py").write_text(ADAPTER)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "some_loops", raising=False)
    yield tmp_path / "here"
    sys.modules.pop("some_loops", None)


def test_a_published_adapter_is_a_loop_by_its_name(published):
    """What a distribution publishes in the entry-point group is found, warmed and played."""
    found = loop("some", published)
    history = run(charge_order, found.agent).history
    assert found.alone
    assert len(history.ledger) == 1
    assert sys.modules["some_loops"].WARM == [1]
    keys = [call.key for call in history.of(Called) if call.slot.name == "charge_card"]
    assert keys[0], "each call has its id as key"
    assert [one.status for one in history.of(Done)][-1:] == ["success"]


def test_an_entrypoint_of_an_adapter_by_its_name(published):
    """`NAME:entrypoint`: another way into the framework, sync or async; one that it does not have
    is named beside those that it has."""
    assert not loop("some", published).awaits
    found = loop("some:later", published)
    assert (found.name, found.awaits) == ("some:later", True)
    assert len(run(charge_order, found.agent).history.ledger) == 1
    with pytest.raises(AgentfuzzError) as error:
        loop("some:latter", published)
    assert str(error.value) == (
        "the adapter some has no entrypoint 'latter'; it has run, later. Did you mean 'later'?"
    )


def test_a_module_of_the_folder_goes_before_an_adapter_of_its_name(published, monkeypatch):
    """Somebody's own `some.py` is what `some:run` names there."""
    published.mkdir()
    (published / "some.py").write_text("def run(task, tools, model): return 'mine'\n")
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert loop("some:run", published).agent is not None
    assert "some_loops" not in sys.modules
    sys.modules.pop("some")


def test_a_framework_that_pauses_asks_a_person(published, simulation):
    """In a story about approvals it is set up to wait for them, for the tools that the story's own
    agent asks for; a loop of its own kind that acts on a refusal is found there."""
    found = loop("some", published)
    made = ready(story("approve_payment"), found, simulation)
    assert made.why == ""
    played = run(made.scenario, made.agent, simulation=simulation).history
    assert len(played.of(Interrupted)) == len(played.ledger) == 2
    few = Budget(max_runs=200, max_seconds=300.0, depth=1, deep_runs=0)
    laws = ("approval_single_use('pay_invoice')", "one_decision_one_interrupt")
    kept = {
        one.law: one for one in trial(found, story("approve_payment"), simulation, budget=few).cells
    }
    assert [kept[law].status for law in laws] == [HELD, HELD]
    sys.modules["some_loops"].MINDS = False
    broken = {
        one.law: one for one in trial(found, story("approve_payment"), simulation, budget=few).cells
    }
    assert broken[laws[0]].status == VIOLATED
    assert broken[laws[0]].plan == "approval:pay_invoice#1:refused"


def test_a_framework_that_cannot_pause_is_not_blamed_for_it(published, simulation):
    """It says so, and the story is not applicable; every other one is."""
    module = sys.modules.get("some_loops") or importlib.import_module("some_loops")
    module.Some.pauses_for = False
    found = loop("some", published)
    assert ready(story("approve_payment"), found, simulation).why == (
        "its agent asks a person for an approval; this loop cannot"
    )
    assert ready(story("charge_order"), found, simulation).why == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["langgraph:functional", "openai_agents:stream"])
def test_what_real_frameworks_do_with_a_refusal_is_understood(name, tmp_path, simulation):
    """They tell their model that a person has refused, each in its own words, and it does not claim
    that the work is done."""
    made = ready(story("sign_document"), loop(name, tmp_path), simulation)
    assert made.why == ""
    found = run(made.scenario, made.agent, "approval:sign#1:refused", simulation=simulation)
    assert [one.code for one in found.violations if one.code != "AF101"] == []


ADAPTER = '''
import json
from agentfuzz.adapters.contract import Adapter, Ended, Pause

WARM, MINDS = [], True


def whole(setup):
    """The framework's loop; of a result whose calls wait, the rest of it."""
    tools = {one.name: one for one in ADAPTER.offered(setup)}
    first = {"messages": [{"role": "user", "content": setup.world.task}], "calls": []}
    state = setup.paused or first
    messages, said = state["messages"], setup.decisions
    while True:
        calls, state["calls"] = state["calls"], []
        for call in calls:
            refused = MINDS and said.get(call["id"]) is False
            text = "The tool call was denied." if refused else made(tools, call)
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
        turn = setup.world.model(messages, list(tools))
        messages.append(turn)
        state["calls"] = turn["tool_calls"]
        if not turn["tool_calls"]:
            return turn["content"]
        if any(call["name"] in setup.approvals for call in turn["tool_calls"]):
            return state


def made(tools, call):
    try:
        return json.dumps(tools[call["name"]].call(call["arguments"], call["id"]))
    except Exception as error:
        return f"Error: {error}"


async def later(setup):
    return whole(setup)


class Some(Adapter):
    name, package = "some", "some-loops"
    entrypoints = {"run": whole, "later": later}
    pauses_for = True

    def tool(self, bridge):
        return bridge

    def model(self, world, *, agent=None):
        return world.model

    def ended(self, result):
        return Ended(result)

    def pauses(self, result):
        if not isinstance(result, dict):
            return ()
        return tuple(Pause(call["id"], call["name"]) for call in result["calls"])

    def warm(self):
        WARM.append(1)


ADAPTER = Some()
'''
