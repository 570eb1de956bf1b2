"""Whatever a user calls his tools, keys and agents: a plan names it, and reads back as it was.

Law: the text of a plan is its identity; two addresses that differ have texts that differ, and no
name of one boundary stands for a crossing of another.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentfuzz import Completion, World, at_most_once, fuzz, run, scenario
from agentfuzz.archive.saved import load, save
from agentfuzz.archive.transport import from_json, to_json
from agentfuzz.core.codec import history_from_json, history_to_json
from agentfuzz.core.errors import PlanError
from agentfuzz.core.events import Committed, Crashed, Saved, Struck
from agentfuzz.core.faults import TABLES, Fault, Slot, Table
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign

# Any Unicode, lone surrogates among it, and what plans are made of.
ODD = ["done", "handoff", "a:b", "tool:a", "a b", "a#1", "a + b", "no faults", " ", "\n", "/", "=1"]
ODD += ["process:a#1:crash", "\ud83d\ude00", "@45", '"', "\\", "'", *TABLES]
NAMES = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=12)
NAMES |= st.sampled_from(ODD)
FAULTS = {name: st.sampled_from(table.all()) for name, table in TABLES.items()}


@st.composite
def parts(draw: st.DrawFn) -> tuple[Slot, Fault]:
    """A slot with any name and a fault of its boundary."""
    boundary = draw(st.sampled_from(sorted(TABLES)))
    fault = draw(FAULTS[boundary])._replace(variant=draw(st.integers(0, 3)))
    if fault.axes[0] == "late" and boundary == "tool":
        fault = fault._replace(latency=draw(st.none() | st.floats(0, 1e9)))
    name = "" if boundary == "all" else draw(NAMES)  # everything has no name
    return Slot(boundary, name, draw(st.integers(1, 99))), fault


@given(st.lists(parts(), max_size=4).map(FaultPlan))
def test_a_plan_reads_back(plan):
    """The text of a plan gives an equal plan, for every name that there is."""
    assert FaultPlan.parse(str(plan)) == plan
    assert str(FaultPlan.parse(str(plan))) == str(plan)
    str(plan).encode("utf-8")  # it can be written to a file, whatever is in it


@given(parts(), parts())
def test_two_addresses_have_two_texts(one, other):
    """No two slots are written alike."""
    assert (one[0] == other[0]) == (str(one[0]) == str(other[0]))


def story(name: str, effect: str = "payment"):
    """A tool and a store key of one name, of an agent that may crash."""

    @scenario(at_most_once(), task="Pay.", resume=True)
    def named(world: World) -> None:
        @world.tool(effect=effect, name=name)
        def pay() -> dict:
            return {"id": 1}

    return named


def agent(name: str):
    """Writes down that it has paid, under the name of the tool."""

    def pays(world: World) -> Completion:
        if name not in world.store:
            world.tools[name]()
            world.store[name] = "paid"
        return Completion.success()

    return pays


@pytest.mark.parametrize("name", ["sent:1", "process", "model", "end", "a + b", '"#1:', "\ud800"])
def test_a_store_key_and_a_tool_share_no_address(name):
    """The process dies at the save, not at the call, and the other way round."""
    at_save = FaultPlan({Slot("store", name, 1): Fault(("crash", "before"))})
    at_call = FaultPlan({Slot("process", name, 1): Fault(("crash", "before"))})
    for plan, paid in ((at_save, 2), (at_call, 1)):
        history = run(story(name), agent(name), str(plan)).history
        assert [event.slot for event in history.of(Crashed)] == [slot for slot, _ in plan]
        assert len(history.of(Committed)) == paid
        assert [event.slot.boundary for event in history.of(Saved)] == ["store"]


@pytest.mark.parametrize("name", ["sent:1", "process", "a + b", "#1:twice", "\ud800"])
def test_a_campaign_over_odd_names(name, tmp_path):
    """Found, shrunk, sent to another process and read back, with the name in it."""
    budget = Budget(max_seconds=600.0, deep_runs=20)
    with Simulation() as simulation:
        campaign = Campaign(story(name), agent(name), simulation, budget=budget)
        campaign.search()
        result = campaign.result()
    found = {finding.plan for finding in result.findings}
    assert FaultPlan({Slot("store", name, 1): Fault(("crash", "before"))}) in found
    again = from_json(to_json(result))
    assert [finding.plan for finding in again.findings] == [f.plan for f in result.findings]
    for finding in result.findings:
        assert load(save(tmp_path, finding)).plan == finding.plan
        history = history_from_json(history_to_json(finding.history))
        assert history.of(Struck) == finding.history.of(Struck)


def test_the_key_of_the_issue():
    """`world.store["sent:1"]` in a scenario with a restart, as a test that anybody might write."""

    @fuzz(story("pay"))
    def test(world):
        world.store["sent:1"] = True
        return Completion.success()

    test()


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ('"\\u{ffffffff}"#1:twice', r"cannot read the name in .*is no character"),
        ('"\\u{110000}"#1:twice', r"cannot read the name in .*is no character"),
        (f"a#{'9' * 5000}:twice", "cannot read"),
        (f"a#1:twice={'9' * 5000}", "cannot read"),
        ("a:b#1:twice", r"there is no boundary 'a'.*stands in quotes: \"a:b\"#1"),
        ("#1:twice", "there is no name before the #"),
        ('"a#1:twice', "cannot read"),
        (None, "a plan is a text or a FaultPlan, not NoneType"),
        (b"a#1:twice", "a plan is a text or a FaultPlan, not bytes"),
    ],
)
def test_what_is_no_plan(plan, message):
    """Each is an error that names the part, and the cure where there is one."""
    with pytest.raises(PlanError, match=message):
        FaultPlan.parse(plan)


def test_a_fault_has_a_name_that_a_plan_can_hold():
    """Digits too; what could not be read back is refused where it is made."""
    assert Table("x", (("no", "http_429"),)).all() == (Fault(("http_429",)),)
    for name in ("Http", "4xx", "a-b", ""):
        with pytest.raises(ValueError, match="which no plan can hold"):
            Table("x", (("no", name),))
