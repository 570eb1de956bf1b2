"""A script is data: calls, parallel calls, references, and a closing that comes last."""

import json

import pytest
from pydantic import BaseModel

from agentfuzz import Completion, World, call, ref, scenario
from agentfuzz.core.errors import ScenarioError
from agentfuzz.model.script import Value, parse, resolve


class Total(BaseModel):
    total: int


def shop(world: World) -> None:
    @world.tool
    def find(order_id: str):
        return {"order_id": order_id, "total": 42, "lines": [{"sku": "x"}]}

    @world.tool(effect="payment", scope=("order_id",))
    def pay(order_id: str, amount: int = 0):
        return {"receipt": "r1"}


def story(*script, **how):
    return scenario(task="Pay A17.", script=list(script), **how)(shop)


FIND = ("find", {"order_id": "A17"})
PAY = call("pay", order_id="A17", amount=ref("find", "total"))
PAID = "Paid A17."
BOTH = story(FIND, PAY, PAID)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (ref("find", "total"), 42),
        (ref("find", "lines", 0, "sku"), "x"),
        (ref("find", "lines", 1), None),
        (ref("find", "nothing"), None),
        (ref("find", "total", "deeper"), None),
        (ref("lost"), None),
        (ref("text"), None),
        ({"a": [ref("find", "total"), 1]}, {"a": [42, 1]}),
    ],
)
def test_a_reference_to_what_is_not_there_is_null(value, found):
    """A model that cannot read a value still calls."""
    replies = {"find": json.dumps({"total": 42, "lines": [{"sku": "x"}]}), "text": "no JSON"}
    assert resolve(value, replies) == found


@pytest.mark.parametrize(
    ("items", "steps", "closing"),
    [
        ([], 0, "Done."),
        ("All quiet.", 0, "All quiet."),
        ([FIND], 1, "Done."),
        ([FIND, [PAY, FIND], PAID], 2, PAID),
        ([Completion.success()], 0, Completion.success()),
        ([FIND, {"total": 42}], 1, Value({"total": 42})),
        ([Total(total=42)], 0, Value({"total": 42})),
        ([FIND, [1, 2]], 1, Value([1, 2])),
        ([[{"sku": "x"}]], 0, Value([{"sku": "x"}])),
        ([[]], 1, "Done."),
    ],
)
def test_a_script_as_it_may_be_written(items, steps, closing):
    """Calls, lists of calls, and a closing that may be left out."""
    script = parse(items)
    assert (len(script.steps), script.closing) == (steps, closing)
    assert script.closes_with_tool is isinstance(closing, Completion)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([PAID, FIND], r"script\[0\].*must come last"),
        ([Completion.success(), PAID], r"script\[0\].*must come last"),
        (7, r"script=7 is no list of calls; write \["),
        ([FIND, 7], r"script\[1\]: 7 is no call; write"),
        ([("find",)], r"script\[0\]: \('find',\) is no call"),
        ([("find", ["A17"])], r"script\[0\]: .* is no call"),
        ([{"total": 42}, FIND], r"script\[0\]: .* closes the task and must come last"),
        ([["find", {"order_id": "A17"}]], r"script\[0\]: 'find' is no call"),
        ([[FIND, "text"]], r"script\[0\]: 'text' is no call"),
    ],
)
def test_a_script_that_cannot_be_read(items, message):
    """The error names the item and how to write it."""
    with pytest.raises(ScenarioError, match=message):
        parse(items)


def test_a_script_that_calls_an_unknown_tool(play):
    """Said before anything is judged, with the near miss."""
    with pytest.raises(ScenarioError, match=r"calls 'fnd'.*Did you mean 'find'\?"):
        play(story(("fnd", {}), PAID), lambda world: world.model([]))


def test_a_scenario_without_a_script(play):
    """There is no model, and the error shows how to get one."""
    with pytest.raises(ScenarioError, match=r"has no model; give it a script"):
        play(scenario()(shop), lambda world: world.model([]))
