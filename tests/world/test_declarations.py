"""What cannot be a tool is named when it is declared; what can is derived once."""

import functools
from collections.abc import Callable
from typing import Any

import pytest

from agentfuzz import FaultPlan, run, scenario
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Struck
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.world.declaration import Declaration
from agentfuzz.world.specs import spec_of

from .stories import bare_world


def declared(fn: Callable[..., Any], **how: Any) -> Any:
    world = bare_world()
    world.tool(**how)(fn)
    return world.gateway.specs[how.get("name") or fn.__name__]


def anything(text: str, number: int = 1, ratio: float = 0.5, tags: list[str] = []):  # noqa: B006
    return [text, number, ratio, tags]


# what cannot be a tool


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda *items: 0, r"the parameter \*items has no place"),
        (lambda **options: 0, r"the parameter \*\*options has no place"),
        (lambda order_id, /: 0, r"the parameter order_id has no place"),
        (print, r"the parameter \*args has no place|cannot be read"),
        (dict, "cannot be read|has no place"),
        (functools.partial(anything, "a"), "wrap it in a plain function"),
    ],
    ids=["args", "kwargs", "positional only", "builtin", "class", "partial"],
)
def test_a_signature_that_is_no_schema(fn, message):
    """Refused at the declaration, with the parameter named and the cure."""
    with pytest.raises(ScenarioError, match=message):
        bare_world().tool(name="broken")(fn)


class Handle:
    pass


@pytest.mark.parametrize("hint", [Handle, list[Handle], Callable[[], None]])
def test_an_annotation_without_a_schema(hint):
    """Refused at the declaration too, not at the first call in some later run."""

    def probe(value): ...

    probe.__annotations__ = {"value": hint}
    with pytest.raises(ScenarioError, match=r"tool 'probe': its signature has no JSON schema"):
        bare_world().tool(probe)


def test_an_annotation_that_names_nothing():
    """A forward reference to nowhere is the scenario's mistake."""

    def probe(value): ...

    probe.__annotations__ = {"value": "Nowhere"}
    with pytest.raises(ScenarioError, match=r"cannot be read.*Nowhere"):
        bare_world().tool(probe)


def charge(order_id: str, amount: int = 1): ...


@pytest.mark.parametrize(
    "name", ["model", "process", "handoff", "a b", "a#1", "a+b", "a:b", '"', "é\n"]
)
def test_a_tool_may_have_any_name(name):
    """Whatever it is called, a plan can name it and strikes it."""

    @scenario()
    def story(world):
        @world.tool(effect="payment", name=name)
        def pay():
            return {}

    plan = FaultPlan({Slot("tool", name, 1): Fault(("lost", "timeout"))})
    assert FaultPlan.parse(str(plan)) == plan
    history = run(story, lambda world: world.tools[name](), str(plan)).history
    assert [event.slot for event in history.of(Struck)] == [Slot("tool", name, 1)]
    assert not history.ledger


def test_a_spec_is_derived_again_when_its_defaults_are_others():
    """One function, declared in one way; what it takes when nothing is given has changed."""
    declared = Declaration(effect="charge", scope=("order_id",))
    before = spec_of(charge, declared)
    assert spec_of(charge, declared) is before
    old, charge.__defaults__ = charge.__defaults__, (7,)
    try:
        after = spec_of(charge, declared)
    finally:
        charge.__defaults__ = old
    assert before.schema["properties"]["amount"]["default"] == 1
    assert after.schema["properties"]["amount"]["default"] == 7
    assert spec_of(charge, declared).schema == before.schema


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"effect": "c", "scope": ("ordr_id",)}, "'ordr_id'.*Did you mean 'order_id'?"),
        ({"effect": "c", "scope": "order_id"}, r"write scope=\('order_id',\)"),
        ({"scope": ("order_id",)}, "declares scope or dedup but no effect"),
        ({"dedup": "key"}, "declares scope or dedup but no effect"),
        ({"effect": "c", "dedup": "keys"}, "dedup='keys' is none of none, key, scope"),
        ({"name": "done"}, "bears the name of the done tool"),
    ],
)
def test_a_declaration_that_cannot_work(how, message):
    """The error says which tool, what is wrong, and the nearest right word."""
    with pytest.raises(ScenarioError, match=message):
        bare_world().tool(**how)(charge)


def test_two_tools_of_one_name():
    """The second is refused; name= gives it another."""
    world = bare_world()
    world.tool(charge)
    with pytest.raises(ScenarioError, match="'charge' is declared twice"):
        world.tool(charge)
    world.tool(name="charge-2.eu")(charge)
    assert list(world.tools) == ["charge", "charge-2.eu"]


# derived once


def test_one_function_is_derived_once():
    """A world is built for every run, its schemas are not."""

    def build():
        world = bare_world()

        @world.tool
        def lookup(order_id: str): ...

        return world.gateway.specs["lookup"]

    assert build() is build()


def test_one_def_may_stand_for_many_tools():
    """A factory's functions share their code; annotations and defaults are each one's own."""

    def make(hint, default):
        def probe(value=default): ...

        probe.__annotations__ = {"value": hint}
        return probe

    first, second = declared(make(int, 1)), declared(make(str, "a"))
    assert first.schema["properties"]["value"]["type"] == "integer"
    assert second.schema["properties"]["value"] == {
        "type": "string",
        "default": "a",
        "title": "Value",
    }


def test_one_wrapper_may_stand_for_many_tools():
    """A decorator's wrapper is the same code around every function."""

    def logged(fn):
        @functools.wraps(fn)
        def wrapper(*args, **kwargs):
            return fn(*args, **kwargs)

        return wrapper

    def one(order_id: str): ...

    def other(customer: int): ...

    other.__name__ = "one"
    assert list(declared(logged(one)).schema["properties"]) == ["order_id"]
    assert list(declared(logged(other)).schema["properties"]) == ["customer"]


def test_a_run_notices_new_defaults(simulation):
    """One function, declared in one way in two runs of one simulation; meanwhile its defaults have
    changed: the schema that an agent is offered is that of today."""

    def offered() -> Any:
        found = []
        story = scenario()(lambda world: world.tool(charge))
        run(story, lambda world: found.append(world.tools.charge.schema), simulation=simulation)
        return found[-1]["properties"]["amount"]["default"]

    old = charge.__defaults__
    try:
        assert offered() == 1
        charge.__defaults__ = (7,)
        assert offered() == 7
    finally:
        charge.__defaults__ = old
