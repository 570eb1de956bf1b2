"""The public surface: what is exported, with its signature and its docstring, and nothing else.

Law: a user who types `help(...)` or `dir(...)` meets what is his, in words; docs/api.md says the
same (`tests/test_generated.py` keeps it so).
"""

import inspect
import os
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import pytest

import agentfuzz
from agentfuzz import events, strategies, wire

API = (Path(__file__).parent.parent / "docs" / "api.md").read_text(encoding="utf-8")
NAMES = [name for name in agentfuzz.__all__ if name not in agentfuzz._MODULES]
WORLD = {
    *("task", "tools", "model", "has_model", "state", "store", "clock", "tool", "tap", "raise_as"),
    *("call", "acall", "serve", "saving", "request_approval", "cancelled", "inbox", "leg", "why"),
    *("decision", "trigger_id", "recording", "gateway", "data", "resource", "prompt"),
    *(
        "agent",
        "agents",
        "acting",
        "spawn",
        "aspawn",
        "handoff",
        "ahandoff",
        "inbox_of",
        "answered",
        "handoff_of",
    ),
    *("handoff_over", "shared", "claim", "decision_on"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_told(name):
    """It has a docstring, a signature, and its place in docs/api.md."""
    value = getattr(agentfuzz, name)
    text = inspect.getdoc(value)
    assert text
    assert not text[0].islower()
    assert not re.match(r"[A-Z]\d+[,: ]", text), "opens with what holds, not with a number"
    if not (inspect.isclass(value) and issubclass(value, BaseException)):
        inspect.signature(value)
    assert f"### `{name}`" in API


def test_nothing_else_is_public():
    """`dir` is the list of exports; a name that is none of them is an AttributeError."""
    assert sorted(dir(agentfuzz)) == sorted([*agentfuzz.__all__, "__version__"])
    with pytest.raises(AttributeError, match="no attribute 'progress'"):
        agentfuzz.progress  # noqa: B018
    theirs = [*NAMES, *events.__all__, *strategies.__all__, *wire.__all__]
    assert not re.findall(r"### `(?!" + "|".join(theirs) + "`)", API)


def test_a_world_shows_what_is_the_users():
    """Agents and scenario authors see these, and no machinery."""
    seen = []
    story = agentfuzz.scenario()(lambda world: None)
    agentfuzz.run(story, seen.append)
    assert {name for name in dir(seen[0]) if not name.startswith("_")} == WORLD
    assert "events" not in vars(seen[0])


@pytest.mark.parametrize("law", ["exactly_once", "limits_hold", "no_stuck_repeats"])
def test_the_help_of_a_law(law):
    """It shows the parameters and what comes of it, and opens with what holds."""
    shown = pydoc.plain(pydoc.render_doc(getattr(agentfuzz, law)))
    first = shown.splitlines()[2]
    assert first.startswith(f"{law}(")
    assert first.endswith("Invariant")
    assert len(inspect.signature(getattr(agentfuzz, law)).parameters) == first.count(":")


def test_the_events_are_public_and_complete():
    """A law of one's own finds every event, each with its fields and its docstring."""
    from agentfuzz.core.events import EVENTS

    assert set(EVENTS) <= set(events.__all__)
    for name in events.__all__:
        assert (getattr(events, name).__doc__ or "").strip() or name == "Event"


def test_a_law_of_ones_own():
    """Written with what is public alone."""

    @agentfuzz.scenario(task="Pay.")
    def pay_once(world):
        @world.tool(effect="payment", scope=("order",))
        def pay(order: str) -> dict:
            return {"id": 1}

    @agentfuzz.invariant
    def paid_before_noon(history: agentfuzz.History):
        late = [e for e in history.of(events.Committed) if e.t > 12 * 3600]
        return [f"{e.tool} at {e.t}" for e in late] if history.ledger else None

    done = agentfuzz.run(pay_once, lambda world: world.tools.pay("A17"))
    assert paid_before_noon(done.history).status == "HELD"
    assert paid_before_noon(agentfuzz.History([])).status == "NOT_EXERCISED"


USERS = """
from agentfuzz import Completion, FaultPlan, History, Run, World, at_most_once, exactly_once
from agentfuzz import fuzz, invariant, limits_hold, run, scenario
from agentfuzz.events import Committed


@scenario(at_most_once("mail"), exactly_once("mail"), limits_hold(turns=3), task="Tell.")
def story(world: World) -> None:
    @world.tool(effect="mail", scope=("to",))
    def send(to: str) -> str:
        return "sent"


@invariant
def few(history: History) -> list[str]:
    return [event.tool for event in history.of(Committed)]


@fuzz(story)
def test_it(world: World) -> Completion:
    return Completion.success()


done: Run = run(story, lambda world: None, FaultPlan.parse("send#1:twice"))
print(done.story(), few(done.history).status)
exactly_once(5)
"""


@pytest.mark.slow
def test_a_users_file_is_typed(tmp_path):
    """`mypy --strict` takes what users write, and refuses a law with a wrong parameter."""
    file = tmp_path / "users.py"
    file.write_text(USERS)
    root = Path(agentfuzz.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(file)],
        cwd=root,  # by what `make check` has read already
        env={**os.environ, "MYPYPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stdout.splitlines() if "users.py" in line]
    assert [line.partition("error: ")[2] for line in errors] == [
        'Argument 1 to "__call__" of "Law" has incompatible type "int"; expected "str"  [arg-type]'
    ], done.stdout
