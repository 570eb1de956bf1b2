"""A run and a history tell themselves: what `print` shows is what a terminal shows of a finding."""

import io
import sys

import pytest

from agentfuzz import Completion, Run, World, at_most_once, exactly_once, run, scenario, truthful
from agentfuzz.core.history import History
from agentfuzz.core.lanes import layout
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import HELD, VIOLATED, Verdict, Violation
from agentfuzz.engine.simulation import Simulation
from agentfuzz.report.formats import terminal
from agentfuzz.search.campaign import Budget, Campaign
from report.hostile import PAYLOADS, poisoned
from report.samples import ALL

TIMEOUT = "charge_card#1:once/timeout"


@scenario(exactly_once("charge"), truthful(), task="Charge A17.")
def charge_order(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str) -> dict[str, str]:
        return {"charge_id": "ch_1"}


def billing(world: World) -> Completion:
    """Tries again after a timeout."""
    for _ in range(2):
        try:
            world.tools.charge_card(order_id="A17")
        except TimeoutError:
            continue
        return Completion.success(handle="ch_1")
    return Completion.blocked(reason="outcome_unknown")


class Stream(io.StringIO):
    """A stdout with an encoding."""

    def __init__(self, encoding: str | None) -> None:
        super().__init__()
        self.said = encoding

    @property
    def encoding(self) -> str | None:  # type: ignore[override]
        return self.said


def printed(value: object, monkeypatch: pytest.MonkeyPatch, encoding: str | None = "utf-8") -> str:
    """What `print` writes to a stdout of this encoding."""
    stream = Stream(encoding)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        print(value)
    return stream.getvalue()


def test_where_something_broke_the_story_is_the_block_of_a_finding() -> None:
    """Headline, sentence, fault, sequence, contrast, hint: what a terminal shows of the finding,
    with the laws that held instead of what only a saved one can offer."""
    story = run(charge_order, billing, TIMEOUT).story()
    assert story.split("\n") == [
        "AF101 charge_card ran 2x, expected 1",
        "",
        "  charge(order_id='A17') took effect 2 times: the agent called charge_card",
        "  again.",
        "",
        "  fault    call 1 of charge_card: delivered once, reply lost in a timeout",
        "             charge_card#1:once/timeout",
        "           Without it: 1 charge (checked).",
        "",
        "     time  agent                         backend",
        "     0.0s  charge_card#1        ------>  commit charge-1  effect 1",
        "  !  0.0s                          x---  reply lost",
        "    30.0s  TimeoutError",
        "    30.0s  charge_card#2        ------>  commit charge-2  effect 2 = same intent",
        '    30.0s  {"charge_id": "ch... <------  ok',
        "    30.0s  done success (completed)",
        "",
        "  same     arguments order_id='A17'",
        "  differs  call id (call_1, call_2); neither sent an idempotency key",
        "  says     success after 2 calls",
        "  world    charge(order_id='A17') happened 2 times",
        "  held     survives",
        "           assertions_hold",
        "           bounded",
        "           truthful",
        "           same_arguments(strict=False)",
        "  untested valid_calls",
        "",
        "  hint     look up before calling again, or give charge_card an idempotency key",
        "  more     pytest --agentfuzz-explain AF101",
    ]
    with Simulation() as simulation:
        campaign = Campaign(charge_order, billing, simulation, budget=Budget(depth=1, deep_runs=0))
        campaign.search()
        found = campaign.result().findings
    block = terminal.blocks([next(cx for cx in found if str(cx.plan) == TIMEOUT)]).split("\n")
    lines = story.split("\n")
    own = [line for line in lines if line not in block]
    said = [line.split()[0] for line in own]
    laws = ["held", "assertions_hold", "bounded", "truthful", "same_arguments(strict=False)"]
    assert said == ["Without", *laws, "untested"]
    assert [line for line in lines if line in block] == [line for line in block if line in lines]


def test_where_nothing_broke_it_is_the_sequence_and_what_held() -> None:
    """With the fault, what the world holds, and which laws this run said nothing about."""
    story = run(charge_order, billing, "charge_card#1:once/ambiguous").story()
    assert story.split("\n") == [
        "nothing broke",
        "",
        "  fault    call 1 of charge_card: delivered once, reply does not say whether it",
        "           was done",
        "             charge_card#1:once/ambiguous",
        "           Without it: 1 charge (checked).",
        "",
        "    time  agent                  backend",
        "    0.0s  charge_card#1 ------>  commit charge-1  effect 1",
        '  ! 0.0s  "accepted"    <~~~~~~  reply ambiguous',
        "    0.0s  done success (completed)",
        "",
        "  world    1 charge",
        "  held     survives",
        "           assertions_hold",
        "           bounded",
        "           exactly_once('charge')",
        "           truthful",
        "           at_most_once",
        "           replay_transparency",
        "           same_arguments(strict=False)",
        "  untested valid_calls",
    ]
    clean = run(charge_order, billing).story()
    assert "  fault    none\n" in clean
    assert "Without it" not in clean


def test_what_else_broke_is_a_line_and_a_fault_that_did_not_strike_is_said() -> None:
    """Such a run is no evidence."""
    done = run(charge_order, billing, f"{TIMEOUT} + charge_card#9:twice")
    also = Violation(
        code="AF301", subject="x", title="claims what is not", sentence="", says="", world="",
        witness=(), hint="",
    )  # fmt: skip
    more = Run(
        done.history,
        done.plan,
        (*done.verdicts, Verdict("truthful", VIOLATED, (also,))),
        done.baseline,
    )
    story = more.story()
    assert "\n  Nothing happened at charge_card#9: this run is no evidence.\n" in story
    assert "\n  also     AF301 claims what is not\n" in story
    assert "Without them: 1 charge (checked)." in story


def test_print_tells_the_story_and_repr_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(charge_order, billing, TIMEOUT)
    assert printed(done, monkeypatch) == f"{done.story()}\n"
    assert repr(done) == f"<Run under {TIMEOUT}: {len(done.history)} events, AF101>"
    assert repr(run(charge_order, billing)).endswith(" events, nothing broke>")
    assert repr(done.history) == f"<History of {len(done.history)} events, returned>"
    assert repr(History([])) == "<History of 0 events, not ended>"


def test_a_history_prints_as_its_whole_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lanes of the story, and nothing left out of a long one."""
    done = run(charge_order, billing, TIMEOUT)
    text = printed(done.history, monkeypatch).rstrip("\n")
    assert text in done.story()
    assert text.startswith("     time  agent")

    def thirty(world: World) -> None:
        for n in range(30):
            world.tools.charge_card(order_id=str(n))

    long = run(charge_order, thirty).history
    assert len(str(long).split("\n")) == 1 + 2 * 30 + 1
    assert str(History([])) == "no events"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", None])
def test_where_stdout_shows_ascii_alone_nothing_else_is_printed(
    monkeypatch: pytest.MonkeyPatch, encoding: str | None
) -> None:
    """A name in another script stands as its escapes there, and as itself in UTF-8."""

    def agent(world: World) -> str:
        return "bezahlt \u6771\u4eac"

    done = run(charge_order, agent)
    for value in (done, done.history):
        text = printed(value, monkeypatch, encoding)
        assert text.isascii()
        assert r"\u6771" in text
        assert "\u6771\u4eac" in printed(value, monkeypatch, "UTF-8")
    assert done.story(ascii_only=True).isascii()


@pytest.mark.parametrize("width", [10, 40, 80, 120])
def test_no_line_is_wider_than_asked_for(width: int) -> None:
    """40 columns are the least; what is pasted is one line."""
    *lines, pasted = run(charge_order, billing, TIMEOUT).story(width=width).split("\n")
    assert max(map(layout.cells, lines)) <= max(width, 40)
    assert pasted == "  more     pytest --agentfuzz-explain AF101"


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_what_is_printed_moves_no_cursor_and_gives_no_orders(
    payload: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text of agents, tools and laws is untrusted: printed, every character of it can be seen, and
    no line is a command of a CI runner."""
    cx = poisoned(payload)
    verdicts = (Verdict(payload, VIOLATED, (cx.violation,)), Verdict(payload, HELD))
    done = Run(cx.history, FaultPlan(cx.plan), verdicts, cx.baseline)
    held = Run(cx.history, ALL["two_faults"].plan, verdicts[1:], cx.baseline)
    for value in (done, held, cx.history, cx.baseline):
        for line in printed(value, monkeypatch).split("\n"):
            assert line.isprintable(), line
            assert not line.lstrip().startswith("::")
            assert "##[" not in line
            assert "##vso[" not in line
        assert repr(value).isprintable()


def test_at_most_once_is_told_of_a_loop_of_ones_own() -> None:
    """A scenario without a model and without a task tells its run as well."""

    @scenario(at_most_once())
    def bare(world: World) -> None:
        @world.tool
        def look(x: int) -> int:
            return x

    story = run(bare, lambda world: world.tools.look(x=3)).story()
    assert "look#1" in story
    assert "  world    no effect\n" in story
