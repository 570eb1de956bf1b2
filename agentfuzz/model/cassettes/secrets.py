"""Secrets: which headers a cassette may keep, and the search of everything else for secrets.

Law: what is found is named by its place and its kind, never by its value; the same search runs
before a cassette is written and whenever one is loaded. A body is searched as text, as JSON (and
JSON inside of its strings), and as a stream put together again, because a provider cuts a key
into pieces that look like nothing. Called by recording and by the store.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from agentfuzz.core.errors import SavedFileError
from agentfuzz.core.secrets.finder import Finder, is_field
from agentfuzz.core.secrets.patterns import QUERY
from agentfuzz.model.cassettes.decode import Undecodable, body_text, events, is_stream

KEPT_HEADERS = ("accept", "content-type")  # what replay and a reader of the file need
# Headers that carry a secret whatever its form: never kept, and refused in a file made elsewhere.
SECRET_HEADERS = frozenset(
    (
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "cookie",
        "set-cookie",
        "x-auth-token",
        "x-amz-security-token",
        "ocp-apim-subscription-key",
    )
)
_NAME = re.compile(r"[A-Za-z_][\w-]{0,40}")
_DEEP = 4  # JSON inside a string inside JSON: a body, a call's arguments, and one more


class SecretFound(SavedFileError):
    """A secret stands where a cassette would keep it."""


class Hit(NamedTuple):
    """Where a secret is: the interaction (from 0), the place in it for a person, what it looks
    like, and the path of the nearest value of the file."""

    interaction: int
    place: str
    kind: str
    path: tuple[str | int, ...]

    def __str__(self) -> str:
        return f"interaction {self.interaction + 1}, {self.place}: looks like {self.kind}"


def kept(headers: Mapping[str, Any]) -> dict[str, list[str]]:
    """The headers that a cassette keeps, in order of their names."""
    found: dict[str, list[str]] = {}
    for name, value in headers.items():
        if str(name).lower() in KEPT_HEADERS:
            found.setdefault(str(name).lower(), []).extend(_values(value))
    return dict(sorted(found.items()))


def search(interactions: Sequence[Mapping[str, Any]]) -> Hit | None:
    """The first secret of a cassette, or None."""
    secrets = _Search()
    for i, one in enumerate(interactions):
        for part in ("request", "response"):
            for place, kind, path in secrets.message(one[part]):
                return Hit(i, f"{part}.{place}", kind, (i, part, *path))
    return None


Found = tuple[str, str, tuple[str | int, ...]]


class _Search:
    """One search of a cassette."""

    def __init__(self) -> None:
        self._finder = Finder()

    def message(self, said: Mapping[str, Any]) -> Iterator[Found]:
        for name, value in said["headers"].items():
            if str(name).lower() in SECRET_HEADERS:
                yield f"headers.{_named(name)}", "a credential", ("headers", name)
            for text in (str(name), *_values(value)):
                if kind := self.text(text):
                    yield f"headers.{_named(name)}", kind, ("headers", name)
        for field in ("method", "uri"):
            if kind := self.uri(str(said.get(field, ""))):
                yield field, kind, (field,)
        status = said.get("status")
        if isinstance(status, Mapping) and (kind := self.text(str(status.get("message")))):
            yield "status.message", kind, ("status",)
        try:
            text = body_text(said)
        except Undecodable as error:
            yield "body", f"what cannot be searched: {error}", ("body",)
            return
        for place, kind in self.body(text, is_stream(said, text)):
            yield f"body{place}", kind, ("body",)
        rest = {k: v for k, v in said.items() if k not in ("headers", "body", "uri", "method")}
        for place, kind in self.tree(rest, "", 0):
            yield place.lstrip("."), kind, ()

    def uri(self, text: str) -> str:
        for name, value in parse_qsl(urlsplit(text).query):
            if name.lower() in QUERY and value:
                return f"a secret in the query ({_named(name)})"
        return self.text(text)

    def body(self, text: str, streamed: bool) -> Iterator[tuple[str, str]]:
        if streamed:
            pieces: dict[str, list[str]] = {}
            for n, event in enumerate(events(text)):
                yield from self.tree(event, f" event {n + 1}", 0)
                for place, piece in _leaves(event, ""):
                    pieces.setdefault(place, []).append(piece)
            for place, parts in pieces.items():
                if kind := self.text("".join(parts)):
                    yield f" events{place}, put together", kind
        else:
            found = _json(text)
            if found is not None:
                yield from self.tree(found, "", 0)
        if kind := self.text(text):
            yield "", kind

    def tree(self, value: Any, place: str, deep: int) -> Iterator[tuple[str, str]]:
        if isinstance(value, Mapping):
            for name, item in value.items():
                if kind := self.text(str(name)):
                    yield f"{place} (a name in it)", kind
                where = f"{place}.{_named(name)}"
                if is_field(name) and isinstance(item, str) and len(item) >= 6:
                    yield where, "a secret by its name"
                yield from self.tree(item, where, deep)
        elif isinstance(value, list):
            for i, item in enumerate(value):
                yield from self.tree(item, f"{place}[{i}]", deep)
        elif isinstance(value, str):
            inner = _json(value) if deep < _DEEP else None
            if inner is not None:
                yield from self.tree(inner, place, deep + 1)
            if kind := self.text(value):
                yield place, kind

    def text(self, text: str) -> str:
        """What the text holds that is secret, or an empty string."""
        return self._finder.kind(text)


def _leaves(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """The texts of one event, each with a place that is the same in every event of its kind."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _leaves(item, f"{place}.{_named(name)}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _leaves(item, f"{place}[{i}]")
    elif isinstance(value, str):
        yield place, value


def _json(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _values(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _named(name: Any) -> str:
    text = str(name)
    return text if _NAME.fullmatch(text) else "<name>"
