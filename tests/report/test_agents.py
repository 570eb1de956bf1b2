"""Several agents in a report: whose line it is, and a lane for each agent that matters."""

from agentfuzz.core.between import Acts, Finished, HandoffReceived, HandoffSent, Joined
from agentfuzz.core.events import (
    Called,
    Committed,
    Delivered,
    Done,
    Ended,
    Intent,
    Replied,
    Resumed,
    Struck,
)
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.history import History, ToolFacts
from agentfuzz.core.lanes.sequence import rows
from agentfuzz.core.lanes.words import life_words
from agentfuzz.invariants.queries.teams import agent_of
from agentfuzz.report.drawing import draw
from agentfuzz.report.drawing.lanes import acting

SLOT, TO = Slot("tool", "refund", 1), Slot("handoff", "billing", 1)
INTENT = Intent("refund", (("order_id", "A17"),))


def told(*middle, crowd=0):
    """Triage hands over to billing, which refunds; `crowd` other agents act before."""
    events = []

    def add(kind, *fields):
        events.append(kind(len(events), 0.0, *fields))

    for n in range(crowd):
        add(Acts, f"other_{n}")
        add(Called, f"x_{n}", Slot("tool", "look", n + 1), {}, None, None, None)
        add(Delivered, f"x_{n}", 1)
        add(Replied, f"x_{n}", "applied", True, "ok", None)
    add(Acts, "triage")
    add(HandoffSent, "handoff_1", TO, "triage", "billing", "A17", 1, {}, {})
    add(Struck, TO, Fault(("twice", "intact")))
    add(Acts, "billing")
    add(HandoffReceived, "handoff_1", 1, "billing", 1, {}, "")
    add(Called, "call_1", SLOT, {"order_id": "A17"}, None, INTENT, None)
    add(Acts, "triage")
    add(Delivered, "call_1", 1)
    add(Committed, "refund-1", "call_1", 1, "refund", INTENT, None, {})
    add(Replied, "call_1", "applied", True, "ok", None)
    add(Ended, "returned", None, "", "")
    tools = {name: ToolFacts(name, None, (), "none") for name in ("refund", "look")}
    return History(events, tools)


def test_a_line_says_whose_it_is():
    """A call and what comes of it are its caller's, whoever acts by then."""
    whose = [(row.who, row.agent) for row in rows(told())]
    assert whose == [
        ("triage", "triage: hands A17 version 1 to billing"),
        ("billing", "billing: gets handoff_1"),
        ("billing", "billing: refund#1"),
        ("billing", 'billing: "ok"'),
        ("", "return null"),
    ]


def test_what_is_the_runs_own_bears_no_name():
    """The answer that was returned, the end, a leg that begins; what an agent does is still its."""
    told = [
        Acts(0, 0.0, "worker"),
        Done(1, 0.0, "tool", "success", "completed", None, ""),
        Resumed(2, 0.0, "back", 2),
        Called(3, 0.0, "call_1", SLOT, {}, None, None, None),
        Done(4, 1.0, "return", "success", "completed", None, ""),
        Ended(5, 2.0, "returned", None, "", ""),
    ]
    history = History(told, {})
    assert [(row.who, row.agent) for row in rows(history)] == [
        ("worker", "worker: done success (completed)"),
        ("", "the leg that was waiting goes on (leg 2)"),
        ("worker", "worker: refund#1"),
        ("", "done success (completed)"),
        ("", "end of the run"),
    ]
    whose = [agent_of(history, event) for event in history.events]
    assert whose == ["worker", "worker", "", "worker", "", ""]


def test_the_words_of_agents():
    """A child is cancelled, and a task that is a list has no name."""
    named = (TO, "a", "b", "['x']", 0)
    assert life_words(Finished(0, 0.0, "kid", "cancelled", None)) == "was cancelled"
    assert life_words(Finished(0, 0.0, "kid", "returned", 1)) == "has returned"
    joined = Joined(0, 0.0, "kid", "lead", "cancelled")
    assert life_words(joined) == "learns that kid was cancelled"
    sent = HandoffSent(0, 0.0, "handoff_1", *named, {"task": ["x"]}, {})
    assert life_words(sent) == "hands a task to b"
    assert life_words(sent._replace(task="x", payload={"task": "x"})) == "hands x to b"
    assert life_words(sent._replace(task="17", payload={"task": 17})) == "hands 17 to b"


def test_the_fault_of_a_handoff_is_at_its_line():
    """Where it was sent, with the fault beside it."""
    sent = rows(told())[0]
    assert (sent.mark, sent.note, sent.passes) == (True, "twice", "handoff_1")


def test_one_lane_each():
    """Names at the heads of the lanes and not before each line; the handoff is an arrow."""
    drawing = draw(rows(told()))
    lanes = {text.text: text.x for text in drawing.ground.texts}
    assert list(lanes) == ["triage", "billing", "tools (network)", "backend"]
    texts = [text.text for strip in drawing.strips for text in strip.texts]
    assert not any(text.startswith(("triage:", "billing:")) for text in texts)
    across = [(line.x1, line.x2) for strip in drawing.strips for line in strip.lines]
    assert (lanes["triage"], lanes["billing"] - 5) in across


def test_only_the_lanes_that_matter():
    """Of thirty agents those of the fault and of what the verdict rests on, and a few others."""
    history = told(crowd=30)
    witness = [event.seq for event in history.of(Committed)]
    found = rows(history, witness)
    assert len(acting(found)) == 5
    assert acting(found)[-2:] == ["triage", "billing"]
    texts = [text.text for text in draw(found).ground.texts]
    assert "and 54 rows of other agents, all in the table" in texts


def test_one_agent_has_the_lane_that_it_always_had():
    """A run with one name, or none, is drawn as ever: one lane called agent."""
    calls = (Called, Delivered, Committed, Replied, Ended)
    nobody = [event for event in told().events if isinstance(event, calls)]
    one = [Acts(0, 0.0, "billing"), *nobody]
    for events in (nobody, one):
        heads = [text.text for text in draw(rows(History(events, {}))).ground.texts]
        assert heads == ["agent", "tools (network)", "backend"]
