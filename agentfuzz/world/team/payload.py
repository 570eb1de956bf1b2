"""What a handoff says: a typed payload, and the claims in it with their sources.

Law: whatever a receiver may not have to guess is a field of its own: the task and its version, who
is to own it, the facts that must arrive as they are, what was found and where, what was done
already, what is open. Source: essay 5, "Designing Reliable Handoffs". Users may hand over a model
or a dict of their own instead.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agentfuzz.core.codec import message, plain
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Json

CARRY = "carry"


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
    """A payload on its way: as JSON, with its type, so that what arrives can be checked."""

    __slots__ = ("carry", "given", "json", "kind", "task", "version")

    def __init__(self, payload: Any, carry: Mapping[str, Any] | None) -> None:
        self.given = payload
        self.kind: Any = None  # what has a `model_validate`
        if isinstance(payload, BaseModel):
            self.kind = type(payload)
            self.json: Json = plain(payload.model_dump(mode="json"))
        elif isinstance(payload, (Mapping, str, list, tuple)):
            self.json = plain(payload)
        else:
            raise ScenarioError(
                f"a handoff of {plain(payload)!r}: hand over agentfuzz.Payload(task=...), a "
                "pydantic model of your own, a dict, or a text."
            )
        said = self.json if isinstance(self.json, dict) else {}
        version = said.get("version")
        self.task = str(said.get("task", ""))
        self.version = version if type(version) is int else 0
        own = said.get(CARRY)
        found = carry if carry is not None else own if isinstance(own, dict) else {}
        self.carry: dict[str, Json] = {str(name): plain(value) for name, value in found.items()}

    def problem(self, arrived: Json) -> str:
        """Why what arrived is not of the type that was sent, or an empty string: its model says
        so, or, of a dict, its fields and their types."""
        if self.kind is not None:
            try:
                self.kind.model_validate(arrived)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                return f"{'.'.join(map(str, first['loc'])) or 'payload'}: {first['msg']}"[:200]
            except Exception as error:  # a validator of the user's own
                return message(error)[:200]
            return ""
        if type(arrived) is not type(self.json):
            return f"a {type(arrived).__name__} instead of a {type(self.json).__name__}"
        if isinstance(arrived, dict):
            for name, value in self.json.items():
                if name not in arrived:
                    return f"{name}: missing"
                if type(arrived[name]) is not type(value):
                    return f"{name}: a {type(arrived[name]).__name__}"
            extra = [name for name in arrived if name not in self.json]
            if extra:
                return f"{extra[0]}: not known"
        return ""


def skimmed(text: str, most: int = 400) -> str:
    """What a reader with a short attention keeps of a text: its two ends, `most` characters of
    them. Source: essay 5, after "lost in the middle" (Liu et al., 2023)."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} [...] {text[-half:]}"
