"""Findings by cause: what is told once, and what is not."""

from dataclasses import replace

import pytest

from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.findings import Counterexample
from agentfuzz.core.plan import FaultPlan
from agentfuzz.report.formats import terminal
from agentfuzz.telling.block import again
from agentfuzz.telling.causes import Cause, causes, counted
from agentfuzz.telling.names import shortened

from .samples import ALL

ONE = ALL["double_charge"]


def finding(
    code: str, plan: str, nodeid: str = "tests/test_shop.py::test_a", **more: str
) -> Counterexample:
    """A finding of this law under this plan."""
    id = f"AF-{abs(hash((code, plan, nodeid, *more.values()))) % 16**12:012x}"
    violation = replace(ONE.violation, code=code, **more)
    return replace(ONE, id=id, plan=FaultPlan.parse(plan), nodeid=nodeid, violation=violation)


def told(*findings: Counterexample) -> list[list[str]]:
    """The codes of each cause."""
    return [[cx.code for cx in cause.findings] for cause in causes(findings)]


def test_the_laws_that_one_plan_breaks_are_one_cause() -> None:
    """The most concrete first: what happened in the world, before what was said of it."""
    plan = "charge#1:once/timeout"
    some = [finding(code, plan) for code in ("AF301", "AF106", "AF104", "AF101", "AF204", "AF402")]
    assert told(*some) == [["AF101", "AF104", "AF106", "AF402", "AF204", "AF301"]]
    (cause,) = causes(some)
    assert cause.breaks == "breaks 6 laws: AF101, AF104, AF106, AF402, AF204, AF301"
    assert counted(some) == "6 findings of 1 cause"
    assert len(cause.places) == 1


@pytest.mark.parametrize(
    "other",
    [
        finding("AF101", "refund#2:once/error"),  # another tool, another wording, another call
        finding("AF101", "charge#1:once/timeout", "tests/test_shop.py::test_b"),
        finding("AF101", "charge#1:once/timeout", "tests/test_shop.py::test_a[usd]"),
        finding("AF104", "charge#3:once/error"),  # another law of the same family, the same place
    ],
)
def test_the_same_cause_elsewhere_is_a_place_of_it(other: Counterexample) -> None:
    first = finding("AF101", "charge#1:once/timeout")
    (cause,) = causes([first, other])
    assert cause.lead is first
    assert [(one.nodeid, one.plan) for one in cause.places] == [
        (one.nodeid, str(one.plan)) for one in (first, other)
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("AF101", "charge#1:once/timeout"), ("AF101", "model#2:repeat")),
        (("AF101", "charge#1:once/timeout"), ("AF401", "find#1:once/timeout")),
        (("AF101", "charge#1:once/timeout"), ("AF201", "charge#1+:once/timeout")),
        (("AF101", "charge#1:once/timeout"), ("AF101", "charge#1:once/timeout + model#2:skip")),
        (("AF105", "model#1:empty"), ("AF204", "model#3:cut")),
        (("AF900", ""), ("AF906", "charge#1:once/timeout")),
        (("AF101", "charge#1:once/timeout"), ("AF904", "charge#1:once/timeout")),
    ],
)
def test_two_causes_are_two(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Another trouble, another law at another place, another family of laws."""
    assert told(finding(*one), finding(*other)) == [[one[0]], [other[0]]]
    assert counted([finding(*one), finding(*other)]) == "2 findings"


def test_another_function_of_the_agent_s_is_another_cause() -> None:
    """It is mended elsewhere. Where the place is not known, it makes no difference: what a
    framework's loop does is told with the first of its kind."""
    plan, other = "charge#1:once/timeout", "tests/test_shop.py::test_b"
    one, far = finding("AF101", plan), finding("AF101", plan, other)
    assert len(causes([one, replace(far, location="shop/agent.py:60 charge_order")])) == 1
    assert len(causes([one, replace(far, location="shop/agent.py:60 refund_order")])) == 2
    assert len(causes([one, replace(far, location="shop/other.py:31 charge_order")])) == 2
    nowhere = replace(far, location=None)
    apart = replace(far, id="AF-1", nodeid="tests/t.py::test_c", location="shop/other.py:3 refund")
    for some in ([nowhere, one, apart], [one, apart, nowhere], [apart, nowhere, one]):
        assert sorted(len(cause.findings) for cause in causes(some)) == [1, 2]
    assert len(causes([nowhere, replace(nowhere, id="AF-2", nodeid="tests/t.py::test_d")])) == 1


def test_a_framework_s_loop_and_a_loop_by_hand_are_two_at_two_effects() -> None:
    """Nothing says that what a framework's loop does to one is what a function does to another; in
    one test, or to one effect, it is told as one."""
    hand = finding("AF101", "charge#1:once/timeout")
    other = finding("AF101", "refund#1:once/timeout", "tests/t.py::test_graph", subject="refund")
    graph = replace(other, location=None)
    assert len(causes([hand, graph])) == 2
    same = finding("AF101", "charge#2:once/error", "tests/t.py::test_graph")
    assert len(causes([hand, replace(same, location=None)])) == 1
    assert len(causes([graph, replace(same, location=None)])) == 1
    elsewhere = replace(same, location=None, nodeid="tests/t.py::test_third")
    assert len(causes([graph, elsewhere])) == 2


def test_kinds_of_trouble_that_only_their_names_tell_apart_are_one_cause() -> None:
    """At one place, the agent did the same and the law says the same, numbers apart: a model that
    asks again in its second turn, and one that does when it has closed. Both plans are named."""
    one = finding("AF101", "model#2:repeat", sentence="asked 2 times (tc_2, tc_3)")
    other = finding("AF101", "model#3:mixed_done", sentence="asked 2 times (tc_2, tc_4)")
    (cause,) = causes([one, other])
    assert [place.plan for place in cause.places] == ["model#2:repeat", "model#3:mixed_done"]
    violation = other.violation
    for apart in (
        replace(other, violation=replace(violation, sentence="the agent called charge_card again")),
        replace(other, violation=replace(violation, hint="another cure")),
        replace(other, violation=replace(violation, subject="refund")),
        replace(other, history=ALL["late_delivery"].history),
        replace(other, nodeid="tests/test_shop.py::test_b"),
        replace(other, location="shop/agent.py:60 refund_order"),
        replace(other, plan=FaultPlan.parse("store:cursor#1:crash")),
        replace(other, plan=FaultPlan.parse("model#3:mixed_done + charge#1:lost/timeout")),
    ):
        assert len(causes([one, apart])) == 2


def test_plans_of_several_faults_that_share_a_trouble_are_one_in_the_same_words() -> None:
    """A call that cannot be is refused, and never mended: because the model closes, or because it
    believes another reply. Each of these by itself is nothing of it."""
    one = finding("AF401", "model#2:unknown_tool + model#3:skip")
    other = finding("AF401", "model#2:unknown_tool=1 + charge#1:lost/ambiguous")
    assert len(causes([one, other])) == 1
    words = replace(other.violation, sentence="another call was refused")
    for apart in (
        replace(other, violation=words),
        replace(other, nodeid="tests/test_shop.py::test_b"),
        replace(other, location="shop/agent.py:60 refund_order"),
        finding("AF401", "charge#1:lost/ambiguous"),
        finding("AF401", "find#1:once/timeout + charge#1:lost/ambiguous"),
    ):
        assert len(causes([one, apart])) == 2


def test_too_much_and_too_little_are_two() -> None:
    """One trouble, one test, one family of laws: an agent that does it again, and one that leaves
    it out."""
    plan, other = "model#3:mixed_done", "model#1:skip"
    much, little = finding("AF101", plan), finding("AF103", other)
    assert len(causes([much, little])) == 1
    none = replace(little, history=ALL["premature_success"].history)
    assert len(none.history.ledger) < len(none.baseline.ledger)
    assert len(causes([much, none])) == 2


def test_without_a_fault_only_the_same_bug_is_one() -> None:
    """Two tests whose plain runs fail need not fail for one reason."""
    a, b = "tests/test_shop.py::test_a", "tests/test_shop.py::test_b"
    assert told(finding("AF401", "", a, subject="x"), finding("AF401", "", b, subject="y")) == [
        ["AF401"],
        ["AF401"],
    ]
    assert told(finding("AF401", "", a), finding("AF401", "", b)) == [["AF401", "AF401"]]
    assert told(finding("AF900", "", a), finding("AF900", "", b)) == [["AF900"], ["AF900"]]


def test_every_finding_is_in_one_cause_however_they_come() -> None:
    some = [
        finding("AF101", "charge#1:once/timeout"),
        finding("AF104", "charge#1:once/timeout"),
        finding("AF101", "model#2:repeat"),
        finding("AF101", "refund#1:once/error", "tests/test_shop.py::test_b"),
        finding("AF104", "refund#1:once/error", "tests/test_shop.py::test_b"),
        finding("AF204", "model#1:empty"),
    ]
    there, back = causes(some), causes(some[::-1])
    assert {frozenset(one.codes) for one in there} == {frozenset(one.codes) for one in back}
    assert sorted(len(one.findings) for one in there) == [1, 1, 4]
    assert {cx.id for one in there for cx in one.findings} == {cx.id for cx in some}
    assert causes([*some, *some]) == there


def test_a_boundary_of_a_later_version_is_a_trouble_of_its_own() -> None:
    """A report tells what it cannot name."""
    plan = FaultPlan({Slot("teleport", "x", 1): Fault(("gone",))})
    assert len(causes([ONE, replace(ONE, id="AF-1", plan=plan)])) == 2


def test_a_block_says_what_else_is_broken_and_where() -> None:
    some = [
        finding("AF104", "charge#1:once/timeout", title="charge repeated blindly"),
        finding("AF101", "charge#1:once/timeout"),
        *(
            finding("AF101", "charge#1:once/timeout", f"tests/test_{n}.py::test_b")
            for n in range(9)
        ),
    ]
    text = terminal.blocks(some, width=100, at={cx.id: f"out/{cx.id}.html" for cx in some})
    assert text.count("\n\n  Breaks 2 laws: AF101, AF104.\n") == 1
    assert f"also     AF104 charge repeated blindly  {some[0].id}" in text
    assert f"places   tests/test_0.py::test_b  charge#1:once/timeout  AF101  {some[2].id}" in text
    assert "and 3 more, on the page" in text
    (cause,) = causes(some)
    short = again(cause, "tests/test_4.py::test_b", at=f"out/{cause.id}.html")
    assert "The same cause as in tests/test_shop.py::test_a, told there." in short
    assert f"replay   pytest --agentfuzz-replay {some[6].id}" in short
    assert short.endswith(f"\n  more     out/{cause.id}.html")
    assert "places" not in short, "it is met there once"
    assert "backend" not in short
    assert "took effect 2 times: the agent called charge_card" in short
    assert "hint" not in short, "the one that is told with the cause"


def test_a_test_that_breaks_another_law_has_its_own_sentence_and_hint() -> None:
    """What the lead says is of another law, another tool and another line: the short block says
    what is broken in this test."""
    lead = finding("AF101", "charge#1:once/timeout")
    also = finding("AF301", "charge#1:once/timeout")
    other = finding("AF301", "mail#1:once/timeout", "tests/test_b.py::test_b")
    words = replace(other.violation, sentence="It claims a mail.", hint="look the mail up")
    other = replace(other, violation=words)
    (cause,) = causes([lead, also, other])
    short = again(cause, other.nodeid)
    assert "\n  It claims a mail.\n" in short
    assert "\n  hint     look the mail up\n" in short


def test_a_block_names_every_place_of_its_own_test() -> None:
    """No other block does; of other tests some are enough."""
    some = [finding("AF101", f"tool{n}#1:once/timeout") for n in range(20)]
    some += [finding("AF101", "tool0#1:once/timeout", f"tests/test_{n}.py::b") for n in range(9)]
    (cause,) = causes(some)
    for text in (terminal.blocks(some, width=120), again(cause, some[0].nodeid, width=120)):
        assert [cx.id for cx in some[:20] if cx.id not in text] == []
    assert "and 3 more\n" in terminal.blocks(some, width=120), "no page is written"


def test_names_are_as_short_as_they_are_clear() -> None:
    """Two that differ stay two; in a small room what they have in common goes first."""
    assert shortened(["test_x.py::A::test_pay[a/b::c[0]]"]) == {
        "test_x.py::A::test_pay[a/b::c[0]]": "test_pay[a/b::c[0]]"
    }
    one, other = "a/test_x.py::test_pay", "b/test_x.py::test_pay"
    assert shortened([one]) == {one: "test_pay"}
    assert shortened([one, other]) == {one: one, other: other}
    assert shortened(["t.py::A::test", "t.py::B::test"]).keys() == {
        "t.py::A::test",
        "t.py::B::test",
    }
    assert list(shortened(["t.py::A::test", "t.py::B::test"]).values()) == ["A::test", "B::test"]
    long = [
        f"tests/test_of_the_shop.py::test_that_nothing_is_paid_twice[{n}]" for n in ("eur", "usd")
    ]
    short = shortened(long, 24)
    assert len(set(short.values())) == 2
    assert max(map(len, short.values())) <= 24
    assert [name[-5:] for name in short.values()] == ["[eur]", "[usd]"]


def test_a_cause_has_a_lead() -> None:
    """The page of a finding by itself is that of a cause with one."""
    assert Cause((ONE,)).id == ONE.id
    assert Cause((ONE,)).breaks == ""
