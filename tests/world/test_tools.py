"""A tool is its function: the signature is the schema, and misuse is named at the declaration."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from agentfuzz.core.errors import InvalidArguments, UnknownTool
from agentfuzz.core.events import Called, Intent, Refused

from .stories import bare_world


class Address(BaseModel):
    street: str
    number: int = 1


@dataclass
class Parcel:
    weight: float


def charge(order_id: str, amount: int = 1): ...


def declared(fn: Callable[..., Any], **how: Any) -> Any:
    world = bare_world()
    world.tool(**how)(fn)
    return world.gateway.specs[how.get("name") or fn.__name__]


# schema


def test_the_schema_is_the_signature():
    """Types, required parameters and defaults; nothing else is allowed; the docstring is the
    description."""

    def charge(order_id: str, amount: int, note: str = "", split: bool = False):
        """Charge the card."""

    spec = declared(charge)
    assert spec.description == "Charge the card."
    assert spec.schema == {
        "type": "object",
        "properties": {
            "order_id": {"type": "string", "title": "Order Id"},
            "amount": {"type": "integer", "title": "Amount"},
            "note": {"type": "string", "title": "Note", "default": ""},
            "split": {"type": "boolean", "title": "Split", "default": False},
        },
        "required": ["order_id", "amount"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("hint", "part"),
    [
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (str | None, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (Annotated[int, Field(gt=0)], {"type": "integer", "exclusiveMinimum": 0}),
        (Annotated[int, ["unhashable"]], {"type": "integer"}),
        (Any, {}),
        (float, {"type": "number"}),
    ],
)
def test_the_schema_of_a_parameter(hint, part):
    """Whatever pydantic has a schema for may annotate a parameter."""

    def probe(value): ...

    probe.__annotations__ = {"value": hint}
    assert declared(probe).schema["properties"]["value"] == {**part, "title": "Value"}


def test_the_schema_of_models_and_dataclasses():
    """They are described under $defs, and arrive in the body as themselves."""

    def ship(to: Address, parcel: Parcel):
        return (to, parcel)

    world = bare_world()
    world.tool(ship)
    assert set(world.tools.ship.schema["$defs"]) == {"Address", "Parcel"}
    reply = world.tools.ship(to={"street": "Elm"}, parcel={"weight": 1})
    assert reply == (Address(street="Elm"), Parcel(1.0))


def test_a_tool_without_parameters():
    """An object with no properties."""

    def ping(): ...

    assert declared(ping).schema["properties"] == {}
    assert "required" not in declared(ping).schema


def test_an_idempotency_key_is_added():
    """dedup='key' adds the parameter; the body does not get it, unless it declares it."""

    def pay(order_id: str):
        return order_id

    def pay_with(order_id: str, idempotency_key: str | None = None):
        return idempotency_key

    world = bare_world()
    for fn in (pay, pay_with):
        world.tool(effect="payment", dedup="key")(fn)
        assert world.tools[fn.__name__].schema["properties"]["idempotency_key"]["default"] is None
    assert world.tools.pay(order_id="A17", idempotency_key="k") == "A17"
    assert world.tools.pay_with(order_id="A17", idempotency_key="k") == "k"


# arguments


def anything(text: str, number: int = 1, ratio: float = 0.5, tags: list[str] = []):  # noqa: B006
    return [text, number, ratio, tags]


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ({"text": "a"}, ["a", 1, 0.5, []]),
        ({"text": "a", "number": 7}, ["a", 7, 0.5, []]),
        ({"text": "a", "number": "7"}, ["a", 7, 0.5, []]),
        ({"text": "a", "number": 7.0}, ["a", 7, 0.5, []]),
        ({"text": "a", "ratio": 1}, ["a", 1, 1.0, []]),
        ({"text": "a", "ratio": 1.5, "tags": ["x"]}, ["a", 1, 1.5, ["x"]]),
    ],
)
def test_arguments_are_coerced_as_json_would_be(arguments, body):
    """The body gets its own types and its defaults; the history keeps what was sent."""
    world = bare_world()
    world.tool(anything)
    reply = world.tools.anything(**arguments)
    assert reply == body
    assert [type(part) for part in reply] == [type(part) for part in body]
    assert world.gateway.log[0].args == arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "text: Field required"),
        ({"text": 7}, "text: Input should be a valid string"),
        ({"text": "a", "number": "seven"}, "number: Input should be a valid integer"),
        ({"text": "a", "number": 7.5}, "number: Input should be a valid integer"),
        ({"text": "a", "tags": ["x", 1]}, "tags.1: Input should be a valid string"),
        ({"text": "a", "nmber": 7}, "nmber: Extra inputs are not permitted"),
    ],
)
def test_wrong_arguments_are_answered_as_a_backend_would(arguments, message):
    """400, naming the argument; the call is in the history, refused and without a delivery."""
    world = bare_world()
    world.tool(effect="note", scope=("text",))(anything)
    with pytest.raises(InvalidArguments, match=f"^anything: {message}") as caught:
        world.tools.anything(**arguments)
    assert caught.value.status == 400
    kinds = [type(event).__name__ for event in world.gateway.log]
    assert kinds == ["Called", "Refused", "Replied"]
    assert world.gateway.log[0].intent is None
    assert world.gateway.log[1].kind == "invalid_arguments"


def test_positional_arguments_have_names():
    """In the order of the signature."""
    world = bare_world()
    world.tool(anything)
    assert world.tools.anything("a", 2, ratio=1.0) == ["a", 2, 1.0, []]


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        (("a", 1, 0.5, [], "e"), {}, "argument 5: Extra inputs"),
        (("a",), {"text": "b"}, r"text \(again\): Extra inputs"),
    ],
)
def test_too_many_positional_arguments(args, kwargs, message):
    """One too many or one twice is refused like any other wrong call, and seen by the laws."""
    world = bare_world()
    world.tool(anything)
    with pytest.raises(InvalidArguments, match=message):
        world.tools.anything(*args, **kwargs)
    assert [type(event).__name__ for event in world.gateway.log] == ["Called", "Refused", "Replied"]


def test_the_scope_of_a_default():
    """An argument left out and its default given in full are one intent."""
    world = bare_world()

    @world.tool(effect="charge", scope=("order_id", "part"))
    def charge(order_id: str, part: int = 1): ...

    world.tools.charge(order_id="A17")
    world.tools.charge(order_id="A17", part=1)
    world.tools.charge(part="1", order_id="A17")
    intents = {event.intent for event in world.gateway.log if type(event) is Called}
    assert intents == {Intent("charge", (("order_id", "A17"), ("part", 1)))}


# the toolbox


def test_the_toolbox_is_a_mapping():
    """By attribute and by name; the done tool is there, and is named when the model has it."""
    world = bare_world()
    world.tool(charge)
    assert list(world.tools) == ["charge"]
    assert ("charge" in world.tools, "done" in world.tools, len(world.tools)) == (True, False, 1)
    assert world.tools["charge"].name == world.tools.charge.name == "charge"
    world.gateway.offers_done = True
    assert list(world.tools) == list(world.tools.aio) == ["charge", "done"]
    assert world.tools.done.schema["required"] == ["status"]


def test_an_unknown_tool():
    """By name it is answered as a backend would, and recorded; by attribute it is a typo."""
    world = bare_world()
    world.tool(charge)
    with pytest.raises(UnknownTool, match=r"no tool 'chrge'.*Did you mean 'charge'\?"):
        world.tools["chrge"]
    assert [e.kind for e in world.gateway.log if type(e) is Refused] == ["unknown_tool"]
    with pytest.raises(AttributeError, match=r"no tool 'chrge'.*Did you mean 'charge'\?"):
        _ = world.tools.chrge
    assert len(world.gateway.log) == 3


def test_a_toolbox_can_be_copied():
    """A copy is another hand on the same tools; what is no tool has no such name."""
    world = bare_world()
    world.tool(charge)
    for copied in (copy.copy(world.tools), copy.copy(world.tools.aio), copy.copy(world).tools):
        assert list(copied) == ["charge"]
    with pytest.raises(AttributeError, match="_nothing"):
        world.tools._nothing  # noqa: B018
