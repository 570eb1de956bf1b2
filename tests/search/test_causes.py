"""Several causes of one law are several findings; one bug is one.

Law: a finding's identity is its code, its subject and its cause, which is the troubles of the
smallest plan with their places; one cause masks no other, and no page is told ten times.
"""

import pytest

from agentfuzz import Completion, FaultPlan, at_most_once, scenario, truthful
from agentfuzz.archive.saved import Saved
from agentfuzz.engine.simulation import Simulation
from agentfuzz.report.formats import terminal
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.found.kept import TOLD
from agentfuzz.search.space import Space
from agentfuzz.telling import story
from agentfuzz.telling.troubles import troubles_of

from .support import hunt, shown

DONE, BLOCKED = Completion.success(handle="h"), Completion.blocked()
FAULTS = (TimeoutError, ConnectionError)


@scenario(at_most_once("pay"), task="t", script=[("pay", {"n": 1}), "paid"])
def paying(world):
    @world.tool(effect="pay", scope=("n",))
    def pay(n: int) -> str:
        return "receipt"


def loop(world):
    messages = [{"role": "user", "content": "t"}]
    while True:
        turn = world.model(messages)
        messages.append(turn)
        if not turn["tool_calls"]:
            return turn["content"]
        for call in turn["tool_calls"]:
            try:
                text = world.call(call["name"], call["arguments"], asked=call["id"])
            except Exception as error:
                text = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})


def two_causes(world):
    """Calls again after a timeout; and after an empty answer begins from the beginning."""
    return loop(world) or loop(world)


ASKS_AGAIN = ("loop", "fan_out", "repeat", "drift", "duplicate_ids")


@pytest.fixture(scope="module")
def told(simulation):
    space = Space(exclude=(*ASKS_AGAIN, "twice", "truncated", "malformed"))
    return hunt(paying, two_causes, simulation, space=space)


def test_one_cause_masks_no_other(told):
    """A tool's timeout, and an empty answer of the model: two findings, each with an id."""
    assert shown(told) == ["AF101 pay: pay#1:once/timeout", "AF101 pay: model#2:empty"]
    assert len({found.id for found in told.findings}) == 2
    assert not any(control.broken for found in told.findings for control in found.controls)


def test_one_cause_is_told_once(told):
    """The other ways in which a reply was spoiled are a line of the finding, and a terminal has a
    block for each cause."""
    first, second = told.findings
    assert "pay#1:once/rate_limited" in first.alike
    assert (
        story.tell(first).controls[-1].startswith("Seen as well, not replayed: once/error, once/")
    )
    text = terminal.blocks(told.findings)
    assert text.count("AF101 pay ran 2x, expected 1") == 2
    assert story.tell(second).shrink.startswith("no smaller plan breaks it by this cause: all ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pay#1:once/timeout", "pay#3:once/hostile=2"),
        ("pay#1:lost/timeout", "pay#2:late/error@70"),
        ("model#1:repeat", "model#3:fan_out"),
        ("process:pay#1:crash/after", "store:cursor#1:crash"),
        ("schedule:pay#1:preempted", "schedule:look#2:preempted/after"),
        ("approval:pay#1:twice", "approval:pay#1:double_click"),
    ],
)
def test_the_same_trouble(one, other):
    assert troubles_of(FaultPlan.parse(one)) == troubles_of(FaultPlan.parse(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("model#1:mixed_done", "model#1:mixed_done=2"),
        ("pay#1:once/timeout", "look#1:once/timeout"),
        ("pay#1:once/timeout", "pay#1:twice"),
        ("pay#1:once/timeout", "pay#1:lost/timeout"),
        ("pay#1:once/timeout", "model#1:timeout"),
        ("model#1:repeat", "model#1:empty"),
        ("process:pay#1:crash", "process:pay#1:cancel"),
        ("approval:pay#1:twice", "approval:refund#1:twice"),
    ],
)
def test_another_trouble(one, other):
    assert troubles_of(FaultPlan.parse(one)) != troubles_of(FaultPlan.parse(other))


def test_what_has_a_known_cause_in_it_is_the_same_bug(simulation):
    """Any lost reply breaks it: no pair, and no second delivery with a lost reply, is told."""

    @scenario(at_most_once("pay"), task="t")
    def tools(world):
        @world.tool(effect="pay", scope=("n",))
        def pay(n: int) -> str:
            return "receipt"

    def retries(world):
        for _ in range(3):
            try:
                world.tools.pay(n=1)
                return DONE
            except FAULTS:
                continue
            except Exception:
                break
        return BLOCKED

    result = hunt(tools, retries, simulation, deep_runs=100)
    assert shown(result) == ["AF101 pay: pay#1:once/timeout", "AF102 pay: pay#1:twice"]


def test_a_cause_with_fewer_faults_is_not_lost_to_one_with_fewer_troubles(simulation):
    """Three lost requests break it; so does one of them beside a turn that is skipped."""

    @scenario(truthful(), task="t", script=[("pay", {"n": 1}), "paid"])
    def claims(world):
        @world.tool(effect="pay", scope=("n",), dedup="scope")
        def pay(n: int) -> str:
            return "receipt"

    def agent(world):
        lost = 0
        turn = world.model([{"role": "user", "content": "t"}])
        for _ in range(1 if not turn["tool_calls"] else 3):
            try:
                world.tools.pay(n=1)
                return BLOCKED
            except TimeoutError:
                lost += 1
            except Exception:
                return BLOCKED
        return DONE if lost == 3 or not turn["tool_calls"] else BLOCKED

    space = Space(only=("skip", "lost/timeout"))
    result = hunt(claims, agent, simulation, space=space, depth=3)
    assert shown(result) == [
        "AF301 claim: pay#1-3:lost/timeout",
        "AF301 claim: model#1:skip + pay#1:lost/timeout",
    ]


def test_five_are_told_and_the_others_counted(simulation):
    """Seven tools, and each lost reply makes it claim too much: no flood, and none forgotten."""
    names = [f"step{n}" for n in range(1, 8)]

    @scenario(truthful(postcondition=lambda history: False), task="t")
    def seven(world):
        for name in names:
            declare(world, name)

    def declare(world, name):
        @world.tool(effect=name, scope=("n",), dedup="scope", name=name)
        def step(n: int) -> str:
            return "ok"

    def agent(world):
        done = True
        for name in names:
            try:
                world.tools[name](n=1)
                done = False
            except TimeoutError:
                return DONE
            except Exception:
                pass
        return DONE if done else BLOCKED

    result = hunt(seven, agent, simulation, depth=1, deep_runs=0)
    claims = [found for found in result.findings if found.code == "AF301"]
    assert [str(found.plan) for found in claims] == [
        f"{name}#1:once/timeout" for name in names[:TOLD]
    ]
    (note,) = [note for note in result.notes if note.startswith("and ")]
    assert note == (
        "and 2 more causes of AF301 claim, not shown: step6#1:once/timeout, step7#1:once/timeout"
    )


def test_a_second_session_finds_no_more():
    """What another law says more exactly stays untold, also where another cause of the same law and
    subject was saved."""

    @scenario(at_most_once("pay"), task="Pay.")
    def shop(world):
        @world.tool(effect="pay", scope=("n",))
        def pay(n: int) -> dict:
            return {"ok": True}

    def agent(world):
        try:
            world.tools.pay(n=1)
        except Exception:
            return Completion.blocked()
        return Completion.success()

    saved, found = [], []
    for _ in range(3):
        with Simulation() as simulation:
            campaign = Campaign(shop, agent, simulation, budget=Budget(deep_runs=0))
            campaign.search(saved)
            findings = campaign.result().findings
        found.append([(cx.code, str(cx.plan)) for cx in findings])
        saved = [
            Saved(cx.id, cx.nodeid, cx.code, cx.violation.subject, cx.title, cx.plan, "")
            for cx in findings
        ]
    assert found[0] == found[1] == found[2]
    assert {"AF102", "AF105"} <= {code for code, _ in found[0]}
