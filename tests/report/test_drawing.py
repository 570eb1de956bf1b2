"""The picture of a sequence: lanes, and what goes from lane to lane."""

import re

import pytest

from agentfuzz.core.between import Acts, HandoffReceived, HandoffSent
from agentfuzz.core.events import Called, Committed, Delivered, Ended, Replied, Saved, Struck
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.history import History
from agentfuzz.core.lanes.sequence import rows
from agentfuzz.report.drawing import draw
from agentfuzz.report.drawing.shapes import Box, Drawing, Strip
from agentfuzz.telling.story import tell

from .log import ARGS, CHARGE, TOOLS
from .samples import ALL, cut_off


def drawn(name: str, verdict: str = "") -> Drawing:
    return draw(tell(ALL[name]).rows, verdict)


def lanes(drawing: Drawing) -> dict[str, float]:
    """Every lane and where it stands."""
    return {text.text: text.x for text in drawing.ground.texts if text.style == "lane"}


def paths(drawing: Drawing, style: str) -> list[tuple[Strip, list[float]]]:
    """The paths of a style with the numbers in them."""
    return [
        (strip, [float(number) for number in re.findall(r"-?[\d.]+", path.d)])
        for strip in drawing.strips
        for path in strip.paths
        if path.style == style
    ]


def words(strip: Strip) -> list[str]:
    return [text.text for text in strip.texts]


def test_a_lane_for_the_model_where_it_took_a_turn() -> None:
    """Model, agent, tools, backend, from left to right; without turns no lane of the model."""
    four, three = lanes(drawn("reworded")), lanes(drawn("double_charge"))
    assert list(four) == ["model", "agent", "tools (network)", "backend"]
    assert sorted(four.values()) == list(four.values())
    assert list(three) == list(four)[1:]
    turn = next(strip for strip in drawn("reworded").strips if strip.kind == "model")
    assert (turn.lines[0].x1, turn.lines[0].style) == (four["model"], "asked")


def test_a_lost_reply_ends_in_a_cross_between_the_lanes() -> None:
    drawing = drawn("double_charge")
    ((strip, (x, *_)),) = paths(drawing, "cross")
    stands = lanes(drawing)
    assert x + 5 == stands["tools (network)"]
    assert strip.lines[0].x1 == stands["backend"]
    assert "reply lost" in words(strip)


def test_a_lost_request_ends_in_a_cross_between_the_lanes() -> None:
    drawing = drawn("premature_success")
    ((strip, (x, *_)),) = paths(drawing, "cross")
    stands = lanes(drawing)
    assert x + 5 == stands["tools (network)"]
    assert strip.lines[0].x1 == stands["agent"]


def test_a_late_request_bends_from_where_it_was_sent_to_where_it_arrives() -> None:
    drawing = drawn("late_delivery")
    ((strip, numbers),) = paths(drawing, "way late")
    ((_, (*_, arrival)),) = [(one, tip[:2]) for one, tip in paths(drawing, "head late")]
    sent = next(one for one in drawing.strips if "under way" in words(one))
    assert numbers[0] == lanes(drawing)["agent"]
    assert _inside(numbers[1], sent)
    assert _inside(arrival, strip)
    assert arrival > numbers[1] + 100
    assert not sent.lines


def test_a_double_request_is_two_arrows_from_one_call() -> None:
    drawing = drawn("delivered_twice")
    first = next(strip for strip in drawing.strips if strip.kind == "call")
    ((second, numbers),) = paths(drawing, "way wrong")
    assert (first.lines[0].x1, first.lines[0].y1) == (numbers[0], numbers[1])
    assert _inside(numbers[-1], second)
    assert "again" in words(second)


def test_what_arrives_later_without_a_fault_is_one_arrow() -> None:
    """Another agent's step came in between: the call has no second arrow."""
    slot = Slot("tool", "charge_card", 1)
    events = [
        Called(0, 0.0, "call_1", slot, ARGS, None, CHARGE, None),
        Saved(1, 0.0, Slot("store", "cursor", 1), 1),
        Delivered(2, 0.0, "call_1", 1),
        Committed(3, 0.0, "charge-1", "call_1", 1, "charge_card", CHARGE, None, ARGS),
        Replied(4, 0.0, "call_1", "applied", True, "ok", None),
        Ended(5, 0.0, "returned", None, "", ""),
    ]
    drawing = draw(rows(History(events, TOOLS)))
    called, saved, arrived, _, _ = drawing.strips
    assert saved.kind == "save"
    assert not called.lines
    assert [numbers[1] for _, numbers in paths(drawing, "way solid")] == [called.area.y + 24]
    assert not any("again" in word for word in words(arrived))


def test_a_tool_of_the_process_itself_answers_from_its_own_lane() -> None:
    """Nothing went to the backend, and nothing comes from there."""
    slot = Slot("tool", "price", 1)
    events = [
        Called(0, 0.0, "call_1", slot, {}, None, None, None),
        Struck(1, 0.0, slot._replace(boundary="local"), Fault(("raises",))),
        Replied(2, 0.0, "call_1", "failed", True, None, "ValueError"),
        Ended(3, 0.0, "returned", None, "", ""),
    ]
    drawing = draw(rows(History(events, {})))
    there, back = (strip.lines[0] for strip in drawing.strips[:2])
    tools = lanes(drawing)["tools (network)"]
    assert (there.x2 + 2, back.x1) == (tools, tools)


def handed(fault: str, *arrivals: str) -> Drawing:
    """A handoff to billing under a fault, that arrived at these agents."""
    to = Slot("handoff", "billing", 1)
    events: list[object] = []

    def add(kind: type, *fields: object) -> None:
        events.append(kind(len(events), 0.0, *fields))

    add(Acts, "payments")
    add(Saved, Slot("store", "x", 1), 1)
    add(Acts, "billing")
    add(Saved, Slot("store", "y", 1), 1)
    add(Acts, "triage")
    add(HandoffSent, "handoff_1", to, "triage", "billing", "A17", 1, {}, {})
    add(Struck, to, Fault((fault, "intact")))
    for nth, agent in enumerate(arrivals, 1):
        add(Acts, agent)
        add(HandoffReceived, "handoff_1", nth, agent, 1, {}, "")
    add(Ended, "returned", None, "", "")
    return draw(rows(History(events, {})))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "arrivals", "styles"),
    [
        ("lost", (), ["broken"]),
        ("twice", ("billing", "billing"), ["solid", "wrong"]),
        ("late", ("billing",), ["late"]),
        ("misrouted", ("payments",), ["wrong"]),
    ],
)
def test_a_handoff_goes_from_line_to_line(fault: str, arrivals: tuple[str], styles: list[str]):
    """Lost with a cross, two from one, late, or at somebody else's."""
    drawing = handed(fault, *arrivals)
    across = [line for strip in drawing.strips for line in strip.lines]
    assert [line.style for line in across] == styles
    assert {(line.x1, line.y1) for line in across} == {(across[0].x1, across[0].y1)}
    assert len(paths(drawing, "cross")) == (fault == "lost")
    said = [word for strip in drawing.strips for word in words(strip)]
    assert ("gets handoff_1, meant for billing" in said) == (fault == "misrouted")


def test_an_effect_is_bound_to_its_twin() -> None:
    drawing = drawn("double_charge")
    ((strip, numbers),) = paths(drawing, "twins")
    first = next(one for one in drawing.strips if "effect 1" in words(one))
    assert _inside(numbers[1], strip)
    assert any(_inside(number - 6, first) for number in numbers)
    boxes = [box.style for one in drawing.strips for box in one.boxes]
    assert boxes == ["effect", "twin", "claim"]


def test_the_verdict_stands_below_what_proves_it() -> None:
    drawing = drawn("double_charge", "AF101 charged twice")
    (text,) = drawing.top.texts
    second = next(strip for strip in drawing.strips if "effect 2" in words(strip))
    after = drawing.strips[drawing.strips.index(second) + 1]
    assert second.area.y + second.area.height < text.y < after.area.y
    assert text.text == "AF101 charged twice"
    assert not drawn("double_charge").top.texts


@pytest.mark.parametrize("name", ALL)
def test_a_strip_for_each_row(name: str) -> None:
    """One below the other, numbered as the rows are, each with words of its own."""
    told = tell(ALL[name]).rows
    drawing = draw(told, "verdict")
    if len(told) <= 60:
        assert [strip.step for strip in drawing.strips] == [row.step for row in told]
    for strip, following in zip(drawing.strips, drawing.strips[1:], strict=False):
        assert strip.area.y + strip.area.height < following.area.y
        assert strip.words.startswith(f"Step {strip.step}: ")


@pytest.mark.parametrize("name", ALL)
def test_a_drawing_stays_inside_its_box(name: str) -> None:
    """Nothing is cut off at an edge."""
    drawing = draw(tell(ALL[name]).rows, "A verdict of many words, " * 9)
    boxes: list[Box] = [*drawing.bands, *drawing.top.boxes]
    boxes += [box for strip in drawing.strips for box in (strip.area, *strip.boxes)]
    for box in boxes:
        assert box.x >= 0
        assert box.x + box.width <= drawing.width
        assert box.y + box.height <= drawing.height


def test_a_long_run_is_drawn_in_part() -> None:
    drawing = draw(tell(cut_off(500)).rows, "verdict")
    assert len(drawing.strips) <= 60
    assert any("rows left out" in text.text for text in drawing.ground.texts)
    assert drawing.top.texts


def _inside(y: float, strip: Strip) -> bool:
    return strip.area.y <= y <= strip.area.y + strip.area.height
