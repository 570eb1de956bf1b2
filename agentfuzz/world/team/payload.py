"""What a handoff says: a typed payload, and the claims in it with their sources.

Law: whatever a receiver may not have to guess is a field of its own: the task and its version, who
is to own it, the facts that must arrive as they are, what was found and where, what was done
already, what is open. Source: essay 5, "Designing Reliable Handoffs". Users may hand over a model
or a dict of their own instead.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agentfuzz.core.codec import dump, message, plain
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Json

CARRY = "carry"
_SCALARS = frozenset({str, int, float, bool, type(None)})
NOTHING: dict[str, Json] = {}  # shared by all that carries no facts; nobody writes into it


class Claim(BaseModel):
    """Something that was found: which `item`, its `value`, and the id of the result that it rests
    on (`source`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item: str
    value: Any = None
    source: str = ""


class Payload(BaseModel):
    """A handoff as the receiver should get it.

    `task` names what is handed over and `version` (from 1) the how-manieth state of it; `owner` is
    who has it from now on; `carry` are the facts that must arrive as they are; `claims` what was
    found, with sources; `effects` the ids of what has been done for the task; `questions` what is
    open; `text` is prose, on which nothing should rest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str = Field(min_length=1)
    version: int = Field(default=1, ge=1)
    owner: str = ""
    carry: dict[str, Any] = Field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    effects: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    text: str = ""


class Sent:
    """A payload on its way, as it was when it was sent: as JSON, with its type, so that what
    arrives can be checked. `json` is what the history tells of it; `whole` is all of it, where that
    is too large for a history. Both belong to the world: a receiver gets a copy."""

    __slots__ = ("carry", "given", "json", "kind", "task", "version", "whole")

    def __init__(self, payload: Any, carry: Mapping[str, Any] | None) -> None:
        self.given = payload
        self.kind: Any = None  # what has a `model_validate`
        self.carry = NOTHING
        if type(payload) is not dict and isinstance(payload, BaseModel):
            dumped = _dumped(payload)
            said = plain(dumped)
            if not _problem_of(type(payload), dumped):  # else it is known by its fields
                self.kind = type(payload)
        else:
            dumped, said = payload, plain(payload)
        self.json: Json = said
        self.whole: Json = said if _equal(said, dumped) else _whole(dumped)
        if type(said) is not dict:
            said = {}
        version, task = said.get("version"), said.get("task", "")
        self.task = task if type(task) is str else dump(task)
        self.version = version if type(version) is int else 0
        if carry is None:
            carry = said.get(CARRY)
        elif not isinstance(carry, Mapping):
            raise ScenarioError(f"carry={plain(carry)!r}: write facts by name, as a dict.")
        if carry and isinstance(carry, Mapping):
            self.carry = {str(name): plain(value) for name, value in carry.items()}

    def problem(self, arrived: Json) -> str:
        """Why what arrived is not of the type that was sent, or an empty string: its model says
        so, or, of a dict, its fields and their types. What was sent is."""
        if arrived is self.json:
            return ""
        if self.kind is not None:
            return _problem_of(self.kind, arrived)
        if not _alike(arrived, self.json):
            return f"{_a(arrived)} instead of {_a(self.json)}"
        if isinstance(arrived, dict):
            for name, value in self.json.items():
                if name not in arrived:
                    return f"{name}: missing"
                if not _alike(arrived[name], value):
                    return f"{name}: {_a(arrived[name])}"
            extra = [name for name in arrived if name not in self.json]
            if extra:
                return f"{extra[0]}: not known"
        return ""

    def read(self, arrived: Json) -> Any:
        """What arrived as the object that was sent: this one, or another of its type. Raises
        ValueError (a pydantic ValidationError) for what is not of this type."""
        if arrived is self.json:
            now = _dumped(self.given) if isinstance(self.given, BaseModel) else self.given
            if _equal(self.whole, now) or plain(now) == self.json:
                return copied(self.given)
            return rebuilt(self.given, own(self.whole))  # its sender has changed it since
        arrived = own(arrived)
        if self.kind is not None:
            return self.kind.model_validate(arrived)
        problem = self.problem(arrived)
        if problem:
            raise ValueError(f"not as it should be: {problem}")
        return rebuilt(self.given, arrived)


def own(arrived: Json) -> Json:
    """What arrived as its receiver has it."""
    if type(arrived) is dict and _SCALARS.issuperset(map(type, arrived.values())):
        return arrived.copy()
    return deepcopy(arrived)


def copied(given: Any) -> Any:
    """A payload as another one who gets it has it: whatever either does with it is his own. What
    cannot be copied is handed on as it is."""
    if not (isinstance(given, (dict, list, BaseModel)) or is_dataclass(given)):
        return given
    try:
        return deepcopy(given)
    except Exception:
        return given


def rebuilt(given: Any, arrived: Json) -> Any:
    """What arrived as an object like the one that was sent, if it still can be one."""
    kind = type(given)
    try:
        if isinstance(given, BaseModel):
            return kind.model_validate(arrived)
        if is_dataclass(given) and isinstance(arrived, dict):
            return kind(**arrived)
    except (ValueError, TypeError):
        return arrived
    return arrived


def _dumped(payload: BaseModel) -> Json:
    try:
        return payload.model_dump(mode="json", by_alias=True, round_trip=True)
    except Exception as error:  # a field that is no JSON, a serializer of the user's own
        raise ScenarioError(
            f"a handoff of {type(payload).__name__}, which cannot be written as JSON "
            f"({type(error).__name__}: {message(error)[:120]}); a handoff is a message."
        ) from error


def _equal(said: Json, value: Any) -> bool:
    """Whether nothing of a value was left out, or written otherwise."""
    try:
        return bool(said == value)
    except Exception:  # an array has no answer to that
        return False


def _whole(value: Any, within: tuple[int, ...] = ()) -> Json:
    """A value as JSON, like `plain`, but however long its texts and lists are."""
    if type(value) is str:
        return plain(value) if len(value) <= 4096 else value.encode("utf-8", "replace").decode()
    if id(value) in within or len(within) == 20:
        return plain(value)
    within = (*within, id(value))
    if is_dataclass(value) and not isinstance(value, type):
        value = {one.name: getattr(value, one.name, None) for one in fields(value)}
    if isinstance(value, dict):
        names = [name if type(name) is str else next(iter(plain({name: 0}))) for name in value]
        return {name: _whole(one, within) for name, one in zip(names, value.values(), strict=True)}
    if isinstance(value, (list, tuple)):
        return [_whole(one, within) for one in value]
    return plain(value)


def _problem_of(kind: type[BaseModel], arrived: Json) -> str:
    try:
        kind.model_validate(arrived)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'payload'}: {first['msg']}"[:200]
    except Exception as error:  # a validator of the user's own
        return message(error)[:200]
    return ""


def _alike(one: Json, other: Json) -> bool:
    """Of one JSON type, in which there is one kind of number."""
    numbers = (int, float)
    return type(one) is type(other) or (type(one) in numbers and type(other) in numbers)


def _a(value: Json) -> str:
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def skimmed(text: str, most: int = 400) -> str:
    """What a reader with a short attention keeps of a text: its two ends, `most` characters of
    them. Source: essay 5, after "lost in the middle" (Liu et al., 2023)."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} [...] {text[-half:]}"
