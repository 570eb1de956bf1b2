"""What `module:callable` is read as, and what is said where it is no loop."""

import sys

import pytest

from agentfuzz import AgentfuzzError, run
from agentfuzz.conformance.loop import answer, loop, of
from agentfuzz.core.completion import Completion
from agentfuzz.core.events import Called, Done
from agentfuzz.scenarios.charge_order import charge_order

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
        ("mine:", "say module:callable"),
        ("lang", "there is no adapter lang; there is: "),
        ("src/mine.py:run", "names a file: say mine:run."),
        ("mine.py:go", "names a file: say mine:go."),
        ("nowhere:run", "there is no module nowhere, neither in the folder of this call nor"),
        ("min:run", "Did you mean 'mine'?"),
        ("mine:runn", "mine has no runn. Did you mean 'run'? It has: run."),
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


def test_a_published_adapter_is_a_loop_by_its_name(tmp_path, monkeypatch):
    """What a distribution publishes in the entry-point group is found, warmed and played."""
    info = tmp_path / "some_loops-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-loops\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[agentfuzz.adapters]\nsome = some_loops:ADAPTER\n")
    (tmp_path / "some_loops.py").write_text(ADAPTER)
    monkeypatch.syspath_prepend(tmp_path)
    found = loop("some", tmp_path)
    history = run(charge_order, found.agent).history
    assert found.alone
    assert len(history.ledger) == 1
    assert sys.modules["some_loops"].WARM == [1]
    keys = [call.key for call in history.of(Called) if call.slot.name == "charge_card"]
    assert keys[0], "each call has its id as key"
    assert [one.status for one in history.of(Done)][-1:] == ["success"]


ADAPTER = '''
import json
from agentfuzz.adapters.contract import Adapter, Ended

WARM = []


def whole(setup):
    """The framework's loop."""
    tools = {one.name: one for one in ADAPTER.offered(setup)}
    messages = [{"role": "user", "content": setup.world.task}]
    while True:
        turn = setup.world.model(messages, list(tools))
        messages.append(turn)
        if not turn["tool_calls"]:
            return turn["content"]
        for call in turn["tool_calls"]:
            said = json.dumps(tools[call["name"]].call(call["arguments"], call["id"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": said})


class Some(Adapter):
    name, package = "some", "some-loops"
    entrypoints = {"run": whole}

    def tool(self, bridge):
        return bridge

    def model(self, world, *, agent=None):
        return world.model

    def ended(self, result):
        return Ended(result)

    def warm(self):
        WARM.append(1)


ADAPTER = Some()
'''
