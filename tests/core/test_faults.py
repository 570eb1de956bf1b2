"""Slots, faults and plans: the text is the identity, simplest first, errors name the cure."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentfuzz.core.errors import PlanError
from agentfuzz.core.faults import FOR_GOOD, TABLES, Fault, Slot, covers, rank
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.selection import select

TOOL = TABLES["tool"]
MODEL = TABLES["model"]

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,20}", fullmatch=True) | st.sampled_from(
    ["model", "tool", "handoff"]
)
NTHS = st.integers(1, 10**6)
TOOL_SLOTS = st.builds(Slot, st.just("tool"), NAMES, NTHS)
MODEL_SLOTS = st.builds(Slot, st.just("model"), st.just("") | NAMES, NTHS)


def faults(table):
    def vary(fault):
        late = fault.axes[0] == "late"
        latency = st.none() | st.integers(0, 86_400).map(float) if late else st.none()
        return st.tuples(st.just(fault.axes), st.integers(0, 99), latency).map(lambda t: Fault(*t))

    return st.sampled_from(table.default()).flatmap(vary)


def apart(parts):
    """Of these, some last, unless another one lies within them."""
    plan = FaultPlan((slot, fault) for slot, fault, _ in parts)
    for slot, fault, last in parts:
        lasts = fault._replace(until=FOR_GOOD if last == FOR_GOOD else last and slot.nth + last)
        if not any(covers(slot, lasts, other) for other, _ in plan if other != slot):
            plan = plan.with_(slot, lasts)
    return plan


LASTS = st.sampled_from([0, 0, 1, 7, FOR_GOOD])
PLANS = st.lists(
    st.tuples(TOOL_SLOTS, faults(TOOL), LASTS) | st.tuples(MODEL_SLOTS, faults(MODEL), LASTS),
    max_size=5,
).map(apart)


@given(plan=PLANS)
@settings(max_examples=100, derandomize=True, database=None, deadline=None)
def test_every_plan_of_default_faults_comes_back_from_its_text(plan):
    """The text of a plan is the plan."""
    again = FaultPlan.parse(str(plan))
    assert again == plan
    assert (hash(again), str(again), len(again)) == (hash(plan), str(plan), len(plan))


@pytest.mark.parametrize(
    "text",
    [
        "no faults",
        "charge_card#1:once/timeout",
        "lookup#4:twice",
        "model#2:reword=7",
        "ship#1:late/timeout@45",
        "ship#1:late/error@0.5",
        "charge_card#1:once/timeout + lookup#4:twice/hostile=2",
        "model:planner#3:no_done + charge_card#1:lost/error",
        "tool:model#1:twice",
    ],
)
def test_the_canonical_text_is_kept(text):
    """What a report prints is what a person pastes back."""
    plan = FaultPlan.parse(text)
    assert str(plan) == text
    assert repr(plan) == f"FaultPlan.parse({text!r})"
    assert FaultPlan.parse(plan) is plan


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", "no faults"),
        ("  b#1:twice+a#2:lost/timeout ", "a#2:lost/timeout + b#1:twice"),
        ("a#1:twice/intact", "a#1:twice"),
        ("tool:a#1:twice=0", "a#1:twice"),
        ("a#10:twice + a#9:twice", "a#9:twice + a#10:twice"),
        ("model#1:skip + a#1:twice", "model#1:skip + a#1:twice"),
    ],
)
def test_other_ways_of_writing_a_plan(text, canonical):
    """Spaces, order and neutral endings do not matter."""
    assert str(FaultPlan.parse(text)) == canonical


def test_a_plan_is_immutable():
    """`with_` and `without` answer a new plan; the same slot is replaced."""
    slot, empty = Slot("tool", "a", 1), FaultPlan()
    twice, timeout = Fault(("twice", "intact")), Fault(("once", "timeout"))
    plan = empty.with_(slot, twice)
    assert (len(empty), plan.get(slot), empty.get(slot)) == (0, twice, None)
    assert list(plan.with_(slot, timeout)) == [(slot, timeout)]
    assert plan.without(slot) == empty
    assert plan.without(Slot("tool", "b", 1)) == plan


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_simplest_first(table):
    """Faults on one axis come before faults on two, and each axis keeps its own order."""
    ranks = [rank(table, fault.axes) for fault in table.all()]
    assert ranks == sorted(ranks)
    assert len(set(table.all())) == len(table.all())
    assert table.neutral not in [fault.axes for fault in table.all()]
    assert [fault for fault in table.all() if fault.axes not in table.off] == list(table.default())


def test_the_simplest_tool_faults():
    """A reply lost in a timeout is the first of all; a lie of the backend is off by default."""
    first = [str(fault) for fault in TOOL.all()[:3]]
    assert first == ["once/timeout", "once/error", "once/rate_limited"]
    assert len(TOOL.all()) == 4 * 11 - 1
    assert len(TOOL.default()) == 4 * 11 - 1 - 10 - 3 - 4
    assert "lost" not in {str(fault) for fault in TOOL.default()}
    first = [str(fault) for fault in MODEL.default()[:4]]
    assert first == ["reword", "no_done", "skip", "repeat"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("charge_card", "cannot read 'charge_card'"),
        ("a#0:twice", "cannot read 'a#0:twice'"),
        ("a#0:twice", "The first crossing is #1."),
        ("a#-1+:twice", "The first crossing is #1."),
        ("a#1:twice +", "there is no fault after one of the +"),
        ("a#1:twice + + b#1:twice", "there is no fault before one of the +"),
        ("+ a#1:twice", "there is no fault before one of the +"),
        ("a#1+:unauthorized", "Did you mean 'lost/unauthorized'?"),
        ("a#1:timeout", "Did you mean 'once/timeout'?"),
        ("a#1:lost/twice", "Did you mean 'twice'?"),
        ("a#1:late@1e400", "so many seconds are no number"),
        ("tol:a#1:twice", "there is no boundary 'tol'. Did you mean 'tool'?"),
        ("a#1:once/timeout/late", "a tool fault has at most 2 parts"),
        ("child:a#1:late/late", "a child fault has one part"),
        ("model#1:skip/skip", "'skip' is none of closed, reset, error_event, silence."),
        ("a#1:once/timout", "'timout' is none of intact, timeout"),
        ("a#1:once/timout", "Did you mean 'timeout'?"),
        ("a#1:twise", "Did you mean 'twice'?"),
        ("model#1:rewrd", "Did you mean 'reword'?"),
        ("a#1:once", "'a#1:once' is no fault at all; leave it out."),
        ("model#1:as_planned", "is no fault at all"),
        ("a#1:twice@45", "only a late delivery has a latency"),
        ("a#1:twice + a#1:lost/error", "the slot a#1 is named twice"),
    ],
)
def test_a_plan_that_cannot_be_read(text, message):
    """The error names the part that is wrong, and the nearest right word."""
    with pytest.raises(PlanError) as caught:
        FaultPlan.parse(text)
    assert message in str(caught.value)


def test_select_everything():
    """Nothing said: the default faults."""
    for table in TABLES.values():
        assert select(table) == table.default()


def texts(found):
    return [str(fault) for fault in found]


def test_select_only():
    """`only` keeps what it names, as an axis value or as a whole text."""
    assert texts(select(TOOL, only=("once/timeout", "twice/error"))) == [
        "once/timeout",
        "twice/error",
    ]
    assert all("timeout" in fault.axes for fault in select(TOOL, only=("timeout",)))
    assert len(select(TOOL, only=("timeout",))) == 4
    assert select(TOOL, only=("reword",)) == ()
    assert texts(select(MODEL, only=("reword", "twice"))) == ["reword"]


def test_a_word_means_all_tables_that_have_it():
    """`late` is a tool's, an approval's, a handoff's and a child's; `late/timeout` a tool's."""

    def meant(word):
        return {name for name, table in TABLES.items() if select(table, only=(word,))}

    assert meant("late") == {"tool", "approval", "handoff", "child"}
    assert meant("late/timeout") == {"tool"}


def test_select_exclude():
    """`exclude` drops what it names, and wins over `only`."""
    assert not any("twice" in fault.axes for fault in select(TOOL, exclude=("twice",)))
    assert select(MODEL, exclude=("twice",)) == MODEL.default()
    assert texts(select(MODEL, exclude=("reword", "no_done")))[:2] == ["skip", "repeat"]
    left = select(TOOL, only=("timeout",), exclude=("late", "once/timeout"))
    assert texts(left) == ["lost/timeout", "twice/timeout"]


def test_select_adds_what_is_off_by_default():
    """`faults` adds a lie of the backend: phantom success."""
    added = select(TOOL, faults=("lost",))
    assert set(texts(added)) - set(texts(TOOL.default())) == {"lost"}
    assert texts(select(TOOL, faults=("lost/hostile",), only=("hostile",))) == [
        "once/hostile",
        "lost/hostile",
        "twice/hostile",
    ]


@pytest.mark.parametrize("option", ["faults", "only", "exclude"])
def test_select_of_an_unknown_word(option):
    """A word that names no fault of any table is an error with the near miss."""
    with pytest.raises(PlanError, match=r"'timout' names no fault\. Did you mean 'timeout'\?"):
        select(TOOL, **{option: ("timout",)})


def test_select_by_the_long_form():
    """`lost/intact`, as the documentation writes it, names the phantom success too."""
    assert select(TOOL, faults=("lost/intact",)) == select(TOOL, faults=("lost",))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0"), (0.5, "0.5"), (100.0, "100"), (1e6, "1000000"), (86_400.25, "86400.25")],
)
def test_a_latency_of_any_size_comes_back(seconds, text):
    """A plan's text keeps a latency to the millisecond, without an exponent."""
    plan = FaultPlan([(Slot("tool", "a", 1), Fault(("late", "timeout"), 0, seconds))])
    assert str(plan) == f"a#1:late/timeout@{text}"
    assert FaultPlan.parse(str(plan)) == plan


@pytest.mark.parametrize("seconds", [0.00001, 1 / 3, 44.9999])
def test_a_finer_latency_is_rounded(seconds):
    """What a millisecond cannot say is lost once, and then the text stays what it is."""
    plan = FaultPlan([(Slot("tool", "a", 1), Fault(("late", "timeout"), 0, seconds))])
    assert str(FaultPlan.parse(str(plan))) == str(plan)
