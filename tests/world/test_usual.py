"""What is usual is looked at each time: a call that goes otherwise is written down as it went."""

from contextlib import suppress
from enum import StrEnum
from typing import Any

import pytest

from agentfuzz import Completion, World, run, scenario
from agentfuzz.core.codec import digest
from agentfuzz.core.errors import InvalidArguments
from agentfuzz.core.events import Called, Committed, Replied
from agentfuzz.core.history import History
from agentfuzz.world import local
from agentfuzz.world.calls import Calls
from agentfuzz.world.lane import Lane

SAID: dict[str, Any] = {}  # what the tool says next


class Field(StrEnum):
    """Names of fields that are no plain text."""

    PAID = "paid"


@scenario()
def shop(world: World) -> None:
    """A tool that only reads, and one that pays."""

    @world.tool
    def look(order: str, cents: int = 1) -> Any:
        if SAID.get("late"):
            world.clock.advance(1.0)
        if SAID.get("within"):
            world.tools.pay(order="B2")
        return SAID["look"]

    @world.tool(effect="payment", scope=("order",), dedup="scope")
    def pay(order: str) -> Any:
        return SAID["pay"]


def both(*calls: tuple[str, dict[str, Any]], **said: Any) -> History:
    """The history of these calls by the lane, which is that of the general way."""
    SAID.clear()
    SAID.update({"look": {"paid": 1}, "pay": {"ok": True}} | said)

    def agent(world: World) -> Completion:
        for name, arguments in calls:
            world.tools[name](**arguments)
        return Completion.success()

    found = []
    for way in (Calls, Lane):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(local, "Lane", way)
            found.append(run(shop, agent).history)
    assert digest(found[0]) == digest(found[1])
    return found[1]


class Same(str):
    """A name that says it is every other one, and breaks what compares it."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("code of the agent's runs")

    __hash__ = str.__hash__


class Asked(dict[str, Any]):
    """Arguments that say they are like all others."""

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


LOOK, PAY = ("look", {"order": "A1"}), ("pay", {"order": "A1"})


def test_the_same_again_is_the_same_event():
    """Nothing is made anew where nothing is new."""
    first, second = both(LOOK, PAY), both(LOOK, PAY)
    events = zip(first.events, second.events, strict=True)
    kinds = (Called, Committed, Replied)
    assert all(one is other for one, other in events if type(one) in kinds)


@pytest.mark.parametrize(
    "said",
    [
        {"look": {"paid": True}},
        {"look": {"paid": 1.0}},
        {"look": {"paid": 2}},
        {"look": {Field.PAID: 1}},
        {"look": {"paid": 1, "more": [1]}},
        {"look": [1]},
        {"pay": {"ok": False}},
        {"late": True},
        {"within": True},
    ],
)
def test_a_reply_that_is_another_one(said: dict[str, Any]):
    """By its types, its fields, or what came between; and after it all is as usual."""
    usual, other = both(LOOK, PAY), both(LOOK, PAY, **said)
    assert digest(usual) != digest(other)
    assert digest(both(LOOK, PAY)) == digest(usual)


def test_the_order_of_what_is_given_and_said():
    """Equal objects are told in the order in which they came."""
    for names in (("order", "cents"), ("cents", "order")):
        given = {name: {"order": "A1", "cents": 2}[name] for name in names}
        said = dict.fromkeys(reversed(names), 1)
        history = both(("look", given), look=said)
        assert (*history.of(Called)[0].args,) == names
        assert (*history.of(Replied)[0].body,) == names[::-1]


@pytest.mark.parametrize("given", [{Field.PAID: "A1"}, Asked(order="B2"), {Same("order"): "A1"}])
def test_arguments_that_are_no_plain_ones(given: Any):
    """What they are called, and what holds them, is told as it is, and not asked."""

    def agent(world: World) -> Completion:
        with suppress(TypeError, InvalidArguments):
            world.call("look", given)
        return Completion.success()

    SAID.clear()
    SAID["look"] = {"paid": 1}
    found = []
    for way in (Lane, Calls, Lane):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(local, "Lane", way)
            run(shop, lambda world: str(world.call("look", {"order": "A1"})))
            found.append(digest(run(shop, agent).history))
    assert found[0] == found[1] == found[2]


def test_a_reply_with_names_of_its_own():
    """Types come before names: no code of the agent's runs."""
    both(LOOK, PAY, look={"order": 1})
    body = both(LOOK, PAY, look={Same("order"): 1}).of(Replied)[0].body
    assert [*body] == ["<Same 'order'>"]


@pytest.mark.parametrize(("kind", "field"), [(Called, "args"), (Replied, "body")])
def test_who_changes_a_history_changes_that_one(kind: Any, field: str):
    """What has become of an event is not believed."""
    getattr(both(LOOK, PAY).of(kind)[0], field)["more"] = 1
    again = both(LOOK, PAY)
    assert again.of(Called)[0].args == {"order": "A1"}
    assert again.of(Replied)[0].body == {"paid": 1}


def test_after_so_many_it_begins_again(monkeypatch: pytest.MonkeyPatch):
    """What is kept of a tool is bounded."""
    monkeypatch.setattr("agentfuzz.world.tools.KNOWN", 2)
    calls = [("look", {"order": f"A{number}"}) for number in range(5)]
    history = both(*calls)
    assert [call.args for call in history.of(Called)] == [arguments for _, arguments in calls]
