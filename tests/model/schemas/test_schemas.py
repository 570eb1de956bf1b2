"""Values of JSON schemas: they fit, by another validator's word, and are always the same."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter

from agentfuzz import Completion
from agentfuzz.model.schemas.fits import fits
from agentfuzz.model.schemas.pattern import matching
from agentfuzz.model.schemas.value import NoValue, value_of

jsonschema = pytest.importorskip("jsonschema")


def valid(value: Any, schema: Any) -> bool:
    """What the reference implementation says."""
    return bool(jsonschema.Draft202012Validator(schema).is_valid(value))


class Colour(Enum):
    RED, BLUE = "red", "blue"


class Node(BaseModel):
    name: str
    children: list["Node"]
    parent: "Node | None" = None


class Chain(BaseModel):
    next: "Chain | None"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: Annotated[int, Field(ge=1, le=9)]


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: Annotated[list[str], Field(min_length=2)]


class Order(BaseModel):
    id: UUID
    at: datetime
    day: date
    took: timedelta
    total: Decimal
    colour: Colour
    note: str | None
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{4}$")]
    pets: Annotated[list[Annotated[Cat | Dog, Field(discriminator="kind")]], Field(min_length=1)]
    pair: tuple[int, str]
    some: dict[str, int]
    unique: Annotated[set[int], Field(min_length=3)]
    share: Annotated[float, Field(gt=0, lt=1)]
    step: Annotated[int, Field(ge=7, multiple_of=5)]
    deep: dict[str, list[int | None]] = {}


TYPES: list[Any] = [
    *(int, float, str, bool, None, list[int], dict[str, int], date, datetime, UUID, Colour),
    *(Node, Chain, Cat, Dog, Order, Completion, Cat | Dog, tuple[int, str, bool], Any),
    Annotated[str, Field(min_length=3, max_length=5)],
    Annotated[list[Colour], Field(min_length=2)],
    Annotated[set[str], Field(min_length=30)],
    Annotated[int, Field(lt=-3)],
    Annotated[float, Field(gt=0.1, lt=0.2)],
    Annotated[str, Field(pattern=r"^(?:GET|POST) /[a-z]+(\?q=\w+)?$")],
    Literal["a", 1, None],
]


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_a_value_of_a_python_type(kind: Any) -> None:
    """It fits by both validators, and pydantic reads it, with and without words to say."""
    adapter = TypeAdapter(kind)
    schema = adapter.json_schema()
    for text in ("", "I could not do it, so there is nothing to tell."):
        made = value_of(schema, text)
        assert valid(made, schema)
        assert fits(made, schema)
        assert made == value_of(schema, text)
        adapter.validate_python(made)


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({}, ""),
        (True, ""),
        ({"enum": ["b", "a"], "type": "string"}, "b"),
        ({"const": 7}, 7),
        ({"type": ["null", "string"]}, None),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "integer", "minimum": 3, "multipleOf": 4}, 4),
        ({"type": "number", "minimum": 0.5}, 0.5),
        ({"minLength": 2}, "aa"),
        ({"minItems": 2, "items": {"const": 1}}, [1, 1]),
        ({"uniqueItems": True, "minItems": 2, "items": {"enum": [1, 2]}}, [1, 2]),
        ({"prefixItems": [{"const": 1}, {"const": 2}], "minItems": 3}, [1, 2, ""]),
        ({"contains": {"const": 5}}, [5]),
        ({"required": ["b", "a"], "properties": {"a": {"type": "null"}}}, {"a": None, "b": ""}),
        ({"minProperties": 1, "properties": {"a": {"type": "null"}}}, {"a": None}),
        ({"minProperties": 2, "additionalProperties": {"const": 1}, "type": "object"}, None),
        ({"properties": {"a": {}}, "dependentRequired": {"a": ["b"]}, "required": ["a"]}, None),
        ({"patternProperties": {"^x-": {"const": 1}}, "minProperties": 1}, {"x-": 1}),
        ({"anyOf": [False, {"const": 2}]}, 2),
        ({"oneOf": [{"type": "integer"}, {"minimum": 2}], "type": "number"}, None),
        ({"allOf": [{"minimum": 2}, {"type": "integer"}, {"minimum": 5}]}, 5),
        ({"allOf": [{"enum": [1, 2]}, {"enum": [2, 3]}]}, 2),
        ({"allOf": [{"type": "number"}, {"type": "integer"}], "minimum": 1}, 1),
        (
            {
                "allOf": [
                    {"properties": {"a": {"type": "string"}}, "required": ["a"]},
                    {"properties": {"a": {"minLength": 1}}, "required": ["a"]},
                ]
            },
            {"a": "a"},
        ),
        ({"not": {"const": ""}, "minLength": 0, "anyOf": [{}, {"minLength": 1}]}, "a"),
        ({"if": {"const": ""}, "then": False, "else": {"minLength": 1}, "type": "string"}, "a"),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"const": 1}}}, 1),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, {}),
    ],
    ids=str,
)
def test_the_simplest(schema: Any, made: Any) -> None:
    """What is required and nothing more, the first and the nearest to 0."""
    found = value_of(schema)
    assert valid(found, schema)
    assert made is None or found == made


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"anyOf": [False]},
        {"allOf": [{"type": "string"}, {"type": "null"}]},
        {"properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"properties": {"a": False}, "required": ["a"]},
        {"additionalProperties": False, "minProperties": 1, "type": "object"},
        {"uniqueItems": True, "minItems": 3, "items": {"type": "boolean"}},
        {"pattern": "(?=b)a"},
        {"type": "integer", "minimum": 1, "maximum": 0},
    ],
    ids=str,
)
def test_no_value_is_said_by_name(schema: Any) -> None:
    """A schema without a value ends, with its own error."""
    with pytest.raises(NoValue):
        value_of(schema)


def test_words_are_said_where_there_is_room_for_them() -> None:
    """A text without a form of its own says what there is to say, as far as it may be long."""
    schema = {
        "properties": {
            "why": {"type": "string"},
            "short": {"type": "string", "maxLength": 3},
            "at": {"type": "string", "format": "date"},
        },
        "required": ["why", "short", "at"],
    }
    assert value_of(schema, "It broke.") == {"why": "It broke.", "short": "It ", "at": "2025-01-01"}


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"^a+$", r"^[^a-z]{3,}$", r"^\d{3}-\d{4}$", r"^(foo|bar)+$", r"a|b", r"^$", r"\bword\b"),
        *(r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$", r"^(?P<y>\d{4})-(?:0[1-9]|1[0-2])$"),
        *(r"^[]a]$", r"^[\w-]*$", r"^x{2}$", r"^.{0,5}$", r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$"),
        *(r"^a??b+?$", r"^\S+$", r"^[^\s]+$", r"(", r"^\$\d+\.\d\d$"),
    ],
)
def test_a_text_of_a_pattern(pattern: str) -> None:
    """The text is matched; an expression that is none raises."""
    if pattern == "(":
        with pytest.raises(ValueError, match="no text is known"):
            matching(pattern)
    else:
        assert re.search(pattern, matching(pattern)) is not None


SCALARS = st.one_of(
    st.builds(
        lambda kind, low, size: {"type": kind, "minimum": low, "maximum": low + size},
        st.sampled_from(["integer", "number"]),
        st.integers(-5, 5),
        st.integers(0, 3),
    ),
    st.builds(
        lambda least, more: {"type": "string", "minLength": least, "maxLength": least + more},
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    st.sampled_from(
        [{"type": "boolean"}, {"type": "null"}, {"enum": ["x", 1]}, {"const": [1]}, {}, True]
    ),
)


def nested(inner: Any) -> Any:
    names = st.sampled_from("abc")
    return st.one_of(
        st.builds(
            lambda parts, needed, more: {
                "type": "object",
                "properties": parts,
                "required": sorted(needed & parts.keys()),
                "additionalProperties": more,
            },
            st.dictionaries(names, inner, max_size=3),
            st.sets(names),
            st.booleans(),
        ),
        st.builds(
            lambda items, least: {"type": "array", "items": items, "minItems": least},
            inner,
            st.integers(0, 2),
        ),
        st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda one: {"allOf": [one], "title": "t"}, inner),
        st.sampled_from([{"$ref": "#/$defs/d"}, {"items": {"$ref": "#/$defs/d"}}]),
    )


PARTS = st.recursive(SCALARS, nested, max_leaves=8)
SCHEMAS = st.builds(lambda part, d: {"allOf": [part], "$defs": {"d": d}}, PARTS, SCALARS)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text("ab", max_size=3)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=6,
)


@given(SCHEMAS, st.sampled_from(["", "Done."]))
@settings(max_examples=300)
def test_values_of_drawn_schemas(schema: Any, text: str) -> None:
    """Whatever a schema of these is like, its value fits."""
    made = value_of(schema, text)
    assert valid(made, schema)


@given(SCHEMAS, VALUES)
@settings(max_examples=300)
def test_what_fits_is_valid(schema: Any, value: Any) -> None:
    """Both validators say the same."""
    assert fits(value, schema) == valid(value, schema)
