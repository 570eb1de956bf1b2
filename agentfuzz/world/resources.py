"""What a world shows to clients of MCP beside its tools: resources and prompts.

Law: both are reading tools that no model is offered. Who reads a resource, or asks for a prompt,
calls it, so that all that may strike a reading tool may strike it, and the history tells it.
Declared by scenario authors, shown by the MCP face.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar, overload
from urllib.parse import unquote

from agentfuzz.core.errors import ScenarioError, near_miss
from agentfuzz.world.declaration import Declaration
from agentfuzz.world.tools import ToolSpec

F = TypeVar("F", bound=Callable[..., Any])
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")
_HOLE = re.compile(r"\{([^{}]*)\}")


class Resource(NamedTuple):
    """What is read under a URI, or under each URI of a template; `name` and `mime` are what lists
    say of it. The URI, as it is declared, is the name of its tool."""

    uri: str
    name: str
    mime: str
    pattern: re.Pattern[str] | None = None  # of a template

    def arguments(self, uri: str) -> dict[str, str] | None:
        """What a URI says to a template; None: it is no URI of this resource."""
        if self.pattern is None:
            return {} if uri == self.uri else None
        found = self.pattern.fullmatch(uri)
        return found and {name: unquote(value) for name, value in found.groupdict().items()}


class OfServers:
    """What a world has for clients of MCP. Nothing else sees it."""

    _local: Any  # the gateway of this leg
    _resources: tuple[Resource, ...] = ()
    _prompts: Mapping[str, str] = {}  # the names of their tools

    def resource(self, uri: str, *, mime: str = "text/plain") -> Callable[[F], F]:
        """Declare a typed function as what is read under a URI, `"shop://terms"`, or under each of
        a template, `"shop://orders/{order_id}"`, whose names are the function's parameters.

        It returns a text; a dict `{"text": ...}` or `{"blob": ...}` (base64), with a `mimeType` or
        without one; a list of such; or any other value, which is sent as JSON. Each read by a
        client of MCP (`agentfuzz.wire.mcp`) is a call of a reading tool of this name.

        Raises ScenarioError for what is no URI, and for parameters that are not the template's.
        """
        if not isinstance(uri, str) or not _SCHEME.match(uri):
            raise ScenarioError(
                f"world.resource({_named(uri)}): this is no URI; write "
                "@world.resource('shop://terms')."
            )
        place = f"world.resource({uri!r})"
        if not mime or not isinstance(mime, str):
            raise ScenarioError(f"{place}: mime={mime!r} is no type; write 'text/plain'.")
        names = _names(uri, place)

        def declares(function: F) -> F:
            spec = self._declared(place, uri, function)
            if set(spec.names) != set(names) or len(names) != len(set(names)):
                raise ScenarioError(
                    f"{place}: its names are {', '.join(names) or 'none'}, and the function's "
                    f"parameters {', '.join(spec.names) or 'none'}; make them the same."
                )
            made = Resource(uri, function.__name__, mime, _pattern(uri) if names else None)
            self._resources = (*self._resources, made)
            return function

        return declares

    @overload
    def prompt(self, function: F, /) -> F: ...
    @overload
    def prompt(self, /, *, name: str | None = None) -> Callable[[F], F]: ...
    def prompt(self, function: Any = None, /, *, name: str | None = None) -> Any:
        """Declare a typed function as a prompt that a client of MCP can ask for. Its parameters are
        the prompt's arguments; those of a few values (`Literal`) are completed, and so are those of
        resource templates.

        It returns a text, said by the user, or a list of `{"role": ..., "content": ...}`, whose
        contents are texts or blocks of the protocol.
        """

        def declares(function: F) -> F:
            label = getattr(function, "__name__", "") if name is None else name
            place = f"world.prompt({label!r})"
            if not label or not isinstance(label, str):
                raise ScenarioError(f"{place}: this is no name; write name='charge'.")
            tool = f"prompt:{label}"
            self._declared(place, tool, function)
            self._prompts = {**self._prompts, label: tool}
            return function

        if function is None:
            return declares
        if not inspect.isroutine(function):
            raise ScenarioError(
                f"world.prompt({_named(function)}): this is no function; write "
                "@world.prompt(name='charge') above one."
            )
        return declares(function)

    def _declared(self, place: str, name: str, function: Callable[..., Any]) -> ToolSpec:
        if not inspect.isroutine(function):
            raise ScenarioError(f"{place}: {_named(function)} is no function; wrap it in one.")
        if name in self._local.specs:
            raise ScenarioError(f"{place} is declared twice; leave one of them out.")
        self._local.declare(Declaration(name=name, offered=False), function)
        spec: ToolSpec = self._local.specs[name]
        return spec


def resources(world: OfServers) -> tuple[Resource, ...]:
    """The resources and templates of a world, as they were declared."""
    return world._resources


def prompts(world: OfServers) -> Mapping[str, str]:
    """The tools behind the prompts of a world."""
    return world._prompts


def read_as(world: OfServers, uri: str) -> tuple[Resource, dict[str, str]] | str:
    """The resource that a URI names, with its arguments; else why there is none."""
    for one in sorted(world._resources, key=lambda one: one.pattern is not None):
        given = one.arguments(uri)
        if given is not None:
            return one, given
    known = [one.uri for one in world._resources]
    return f"Unknown resource: {uri}{near_miss(uri, known)}"


def _named(given: object) -> str:
    if not callable(given):
        return repr(given)
    return str(getattr(given, "__name__", f"a {type(given).__name__}"))


def _names(uri: str, place: str) -> list[str]:
    """The names of a template. Raises ScenarioError for braces that are none."""
    names: list[str] = _HOLE.findall(uri)
    wrong = [name for name in names if not name.isidentifier()]
    if wrong or set(_HOLE.sub("", uri)) & set("{}"):
        said = f"{{{wrong[0]}}}" if wrong else "a brace by itself"
        raise ScenarioError(
            f"{place}: {said} is no name of a parameter; write {{order_id}}, which stands for one "
            "part of a path. Nothing else of RFC 6570 is read."
        )
    if "}{" in uri:
        raise ScenarioError(
            f"{place}: nothing says where one name ends and the next begins; put something "
            "between them, as in {a}/{b}."
        )
    return names


def _pattern(uri: str) -> re.Pattern[str]:
    """The URIs of a template: each name stands for some characters of one part of a path."""
    parts = _HOLE.split(uri)
    holes = [f"(?P<{name}>[^/?#]+)" for name in parts[1::2]]
    texts = [re.escape(text) for text in parts[0::2]]
    return re.compile("".join(text + hole for text, hole in zip(texts, [*holes, ""], strict=True)))
