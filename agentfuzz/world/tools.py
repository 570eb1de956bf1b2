"""Tools: what a scenario declares about a function, and how a call's arguments are checked.

Law: a tool is a plain typed function plus its effect, its business scope and how its backend
deduplicates; its schema is its signature. Called by the world when a scenario declares a tool
and at every call. Pydantic is asked only when arguments are not already exactly of the
declared plain types. A function that takes `**arguments: Anything` takes any.
"""

import inspect
import typing
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from agentfuzz.core.codec import _AT, scope_value
from agentfuzz.core.errors import InvalidArguments, ScenarioError, near_miss
from agentfuzz.core.events import Called, Intent, Json, made
from agentfuzz.core.faults import Slot
from agentfuzz.core.history import ToolFacts
from agentfuzz.world.declaration import DEDUPS, GROUPS, Declaration
from agentfuzz.world.usual import At, Usual

KEY = "idempotency_key"
KNOWN = 256  # calls of a tool of which it is known how they go
_EXACT = frozenset({str, int, float, bool})


class Anything:
    """The annotation of `**arguments` of a tool whose parameters somebody else knows."""


class ToolSpec:
    """The declaration of one tool, derived from its function's signature."""

    def __init__(self, fn: Callable[..., Any], name: str, declared: Declaration) -> None:
        effect, scope, dedup, undoes = declared[1:5]
        transport = declared.transport
        self.name = name
        self.effect = effect
        self.dedup = dedup
        self.description = inspect.getdoc(fn) or ""
        self.is_async = inspect.iscoroutinefunction(fn)
        self.undoes = undoes
        self._annotations, self._defaults, self.open = _parameters(fn, name)
        derived = scope is None and effect is not None
        if derived:
            scope = tuple(name for name in self._annotations if name != KEY)
        self.scope: tuple[str, ...] = scope or ()
        self.observed = declared.observed
        self.offered = declared.offered
        self.facts = ToolFacts(
            name, effect, self.scope, dedup, undoes, derived=derived, observed=declared.observed
        )
        self.own_key = KEY in self._annotations
        if dedup == "key" and not self.own_key:
            self._annotations[KEY] = str | None
            self._defaults[KEY] = None
        self.names = tuple(self._annotations)
        exact = {name: _kinds(hint) for name, hint in self._annotations.items() if _kinds(hint)}
        required = [name for name in self.names if name not in self._defaults]
        # The quick path: all required parameters, nothing else, each exactly of a plain type.
        self.quick = exact if all(name in exact for name in required) else {}
        self.required = frozenset(required)
        self.fewest = len(required)
        self.keyed = dedup == "key"
        self.recognises = dedup != "none"
        self.strips = self.keyed and not self.own_key
        self.slots: list[Slot] = []
        self.usual: dict[At, Usual] = {}
        self._check(fn, transport)
        self.remote = transport != "local"
        self.group = GROUPS[transport][effect is None]  # of its crossings

    def _check(self, fn: Callable[..., Any], transport: str) -> None:
        place = f"tool {self.name!r}"
        if transport not in GROUPS:
            raise ScenarioError(
                f"{place}: transport={transport!r} is none of {', '.join(GROUPS)}."
                f"{near_miss(str(transport), GROUPS)}"
            )
        if self.dedup not in DEDUPS:
            raise ScenarioError(f"{place}: dedup={self.dedup!r} is none of {', '.join(DEDUPS)}.")
        if self.effect is None and (self.scope or self.dedup != "none"):
            raise ScenarioError(
                f"{place} declares scope or dedup but no effect; a tool without an effect only "
                "reads. Say @world.tool(effect='...')."
            )
        if not all(_is_exact(hint) for name, hint in self._annotations.items() if name != KEY):
            assert self.schema is not None, "a signature without a schema has raised"
        if self.observed and self.dedup == "key" and not self.own_key:
            raise ScenarioError(
                f"{place}: with observe= the backend under test is your own, so a repeat has to be "
                f"recognised by its body; give the function the parameter `{KEY}: str | None = "
                "None`, or leave dedup='key' out."
            )
        for name in self.scope:
            if name not in self._annotations and not self.open:
                hint = near_miss(name, self._annotations)
                raise ScenarioError(
                    f"{place}: scope names {name!r}, which is no parameter of it "
                    f"({', '.join(self._annotations) or 'it has none'}).{hint}"
                )

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """One mapping of a call's positional and keyword arguments. One too many, or one given
        twice, gets a name that the backend refuses."""
        if not args:
            return kwargs
        given = dict(zip(self.names, args, strict=False))
        for number, value in enumerate(args[len(self.names) :], len(self.names) + 1):
            given[f"argument {number}"] = value
        for name, value in kwargs.items():
            given[f"{name} (again)" if name in given else name] = value
        return given

    def intent(self, bound: Mapping[str, Any]) -> Intent | None:
        """What a call with these validated arguments is meant to cause, or None: it reads."""
        if self.effect is None:
            return None
        names = bound if self.open and self.facts.derived else self.scope
        scope = [(name, scope_value(self.value(bound, name))) for name in names]
        return made(Intent, (self.effect, tuple(scope)))  # type: ignore[no-any-return]

    def value(self, bound: Mapping[str, Any], name: str) -> Any:
        """The value of a parameter in a call with these validated arguments."""
        return bound.get(name, self._defaults.get(name))

    def for_body(self, bound: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments that the function itself takes: no key that it did not declare."""
        if self.dedup != "key" or self.own_key or KEY not in bound:
            return bound
        return {name: value for name, value in bound.items() if name != KEY}

    def taken(self, arguments: Mapping[str, Any]) -> Intent | bool | None:
        """The intent of a call whose arguments need neither validation nor a longer look: they are
        exactly of the declared plain types, and small. True: it reads. None: not so simple."""
        quick = self.quick
        for name, value in arguments.items():
            kind = type(value)
            if type(name) is not str or kind not in quick.get(name, ()):
                return None
            if kind is str:
                if len(value) > 63 or not value.isascii() or _AT in value:
                    return None
            elif kind is int:
                if value.bit_length() > 63:
                    return None
            elif kind is float:
                return None
        if len(arguments) < self.fewest or not self.required <= arguments.keys():
            return None
        if self.effect is None:
            return True
        try:
            scope = tuple([(name, arguments[name]) for name in self.scope])
        except KeyError:  # a default
            return None
        return made(Intent, (self.effect, scope))  # type: ignore[no-any-return]

    def learnt(self, at: At, arguments: Mapping[str, Any]) -> Usual | None:
        """What is usual from now on at this place, where a call comes with these arguments; None
        if they need validation, or a longer look."""
        intent = self.taken(arguments)
        if intent is None:
            return None
        nth, seq, now, call, asked = at
        slot, key = self.slot(nth), arguments.get(KEY) if self.keyed else None
        meant = None if intent is True else intent
        fields = (seq, now, call, slot, dict(arguments), key, meant, None, asked)
        if len(self.usual) >= KNOWN:
            self.usual.clear()
        found = self.usual[at] = Usual(made(Called, fields), self.place(slot), self.group)
        return found

    def slot(self, nth: int) -> Slot:
        """The slot of its nth call."""
        slots = self.slots
        while len(slots) <= nth:
            slots.append(Slot("tool", self.name, len(slots)))
        return slots[nth]

    def place(self, slot: Slot) -> Slot:
        """Where a fault of one of its calls has its address."""
        return slot if self.remote else slot._replace(boundary="local")

    def validate(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments as the backend understands them. Raises InvalidArguments (400)."""
        quick = self.quick
        for name, value in arguments.items():
            if type(value) not in quick.get(name, ()):
                break
        else:
            if self.required <= arguments.keys():
                return arguments
        return self._validate(arguments)

    def _validate(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        from pydantic import ValidationError

        try:
            found: Mapping[str, Any] = self._adapter.validate_python(dict(arguments))
            return found
        except ValidationError as error:
            parts = [
                f"{'.'.join(map(str, part['loc'])) or 'arguments'}: {part['msg']}"
                for part in error.errors(include_url=False, include_input=False)
            ]
            raise InvalidArguments(f"{self.name}: {'; '.join(parts)}") from None

    @cached_property
    def _adapter(self) -> Any:
        from typing import NotRequired

        from pydantic import ConfigDict, TypeAdapter
        from typing_extensions import TypedDict

        fields: dict[str, Any] = {
            name: NotRequired[hint] if name in self._defaults else hint
            for name, hint in self._annotations.items()
        }
        make: Any = TypedDict
        shape = make(self.name, fields)
        shape.__pydantic_config__ = ConfigDict(extra="allow" if self.open else "forbid")
        return TypeAdapter(shape)

    @cached_property
    def schema(self) -> dict[str, Json]:
        """The JSON schema of the arguments: an object with `properties` and `required`."""
        try:
            schema: dict[str, Json] = self._adapter.json_schema()
        except Exception as error:
            raise ScenarioError(
                f"tool {self.name!r}: its signature has no JSON schema: {error}"
            ) from error
        schema.pop("title", None)
        schema.setdefault("properties", {})
        for name, value in self._defaults.items():
            if value is None or isinstance(value, (str, int, float, bool)):
                schema["properties"][name].setdefault("default", value)
        return schema


def _kinds(hint: object) -> frozenset[type]:
    """The types of which a value needs no validation."""
    if hint == str | None:
        return frozenset({str, type(None)})
    return frozenset({hint}) if _is_exact(hint) else frozenset()  # type: ignore[arg-type]


def _is_exact(hint: object) -> bool:
    return isinstance(hint, type) and hint in _EXACT  # other annotations need not be hashable


def _parameters(fn: Callable[..., Any], name: str) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """The annotations and defaults of a function's parameters; whether it takes any other."""
    try:
        signature = inspect.signature(fn)
        hints = typing.get_type_hints(fn, include_extras=True)
    except (TypeError, ValueError, NameError) as error:
        raise ScenarioError(
            f"tool {name!r}: its signature cannot be read ({error}); wrap it in a plain function "
            "with annotated parameters."
        ) from error
    annotations: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    anything = False
    for parameter in signature.parameters.values():
        if parameter.annotation is Anything:
            anything = True
            continue
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ScenarioError(
                f"tool {name!r}: the parameter {parameter} has no place in a JSON schema; use "
                "named parameters."
            )
        annotations[parameter.name] = hints.get(parameter.name, Any)
        if parameter.default is not parameter.empty:
            defaults[parameter.name] = parameter.default
    return annotations, defaults, anything
