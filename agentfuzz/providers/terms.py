"""The terms of a request: how each protocol words what it offers the model.

Law: pure; what a request does not say has the provider's default, and what cannot be is refused by
its place. Called by the codecs, one function each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agentfuzz.providers.offer import ANY_OBJECT, Choice, Offer
from agentfuzz.providers.turns import BadRequest, Json, Message, field, objects

# Tools that the provider runs, as their types begin.
_SERVERS_OWN = ("web_search", "web_fetch", "code_execution", "tool_search", "mcp_toolset")
_OURS = (None, "function", "custom")


def of_chat(request: Mapping[str, Any], tools: Sequence[Message]) -> Offer:
    """The offer of a request to Chat Completions. Raises BadRequest."""
    longest = _count(request, "max_completion_tokens") or _count(request, "max_tokens")
    stops = request.get("stop") or ()
    offer = Offer(
        tuple(tools),
        answer=_format(request.get("response_format"), "json_schema", "response_format"),
        most_calls=1 if request.get("parallel_tool_calls") is False else None,
        longest=longest,
        stops=_texts((stops,) if isinstance(stops, str) else stops, "stop"),
        choices=_count(request, "n") or 1,
        early=("withheld",),
    )
    return _chosen(offer, request.get("tool_choice"), "allowed_tools")


def of_responses(request: Mapping[str, Any], tools: Sequence[Message]) -> Offer:
    """The offer of a request to Responses. Raises BadRequest."""
    text = field({"text": {}, **request}, "text", dict) if request.get("text") else {}
    offer = Offer(
        tuple(tools),
        answer=_format(text.get("format"), "", "text.format"),
        most_calls=1 if request.get("parallel_tool_calls") is False else None,
        longest=_count(request, "max_output_tokens"),
        early=("withheld",),
    )
    shown = objects(request.get("tools") or [], "tools")
    hosted = [one.get("name", one.get("type")) for one in shown if one.get("type") not in _OURS]
    return _chosen(_without(offer, hosted), request.get("tool_choice"), "")


def of_messages(request: Mapping[str, Any], tools: Sequence[Message]) -> Offer:
    """The offer of a request to Messages. Raises BadRequest."""
    choice = request.get("tool_choice") or {"type": "auto"}
    if not isinstance(choice, Mapping):
        raise BadRequest("is no object", "tool_choice")
    config = request.get("output_config") or {}
    asked = config.get("format") if isinstance(config, Mapping) else None
    place = "output_config.format" if asked else "output_format"
    offer = Offer(
        tuple(tools),
        answer=_format(asked or request.get("output_format"), "", place),
        most_calls=1 if choice.get("disable_parallel_tool_use") else None,
        longest=_count(request, "max_tokens"),
        stops=_texts(request.get("stop_sequences") or (), "stop_sequences"),
        early=("withheld", "paused"),
    )
    shown = objects(request.get("tools") or [], "tools")
    hosted = [one.get("name") for one in shown if str(one.get("type")).startswith(_SERVERS_OWN)]
    offer = _without(offer, hosted)
    kind = field(choice, "type", str, "tool_choice")
    if kind == "tool":
        name = field(choice, "name", str, "tool_choice")
        return _named(offer, [name], "required", "tool_choice.name")
    words: dict[str, Choice] = {"auto": "auto", "any": "required", "none": "none"}
    return _as(offer, words.get(kind), kind, "tool_choice.type")


def _chosen(offer: Offer, choice: Any, inner: str) -> Offer:
    """An OpenAI `tool_choice`; in Chat Completions what it allows lies within `inner`."""
    if choice is None:
        return offer
    if isinstance(choice, str):
        words: dict[str, Choice] = {"auto": "auto", "required": "required", "none": "none"}
        return _as(offer, words.get(choice), choice, "tool_choice")
    if not isinstance(choice, Mapping):
        raise BadRequest("is neither a text nor an object", "tool_choice")
    kind = field(choice, "type", str, "tool_choice")
    if kind == "allowed_tools":
        place = f"tool_choice.{inner}" if inner else "tool_choice"
        told = field(choice, inner, dict, "tool_choice") if inner else choice
        names = [_choice_of(one) for one in objects(told.get("tools") or [], f"{place}.tools")]
        mode = told.get("mode", "auto")
        if mode not in ("auto", "required"):
            raise BadRequest(f"{mode!r} is no mode", f"{place}.mode")
        return _named(offer, names, mode, f"{place}.tools")
    if kind in ("function", "custom"):
        return _named(offer, [_choice_of(choice)], "required", "tool_choice")
    return offer  # a tool that the provider runs


def _choice_of(choice: Mapping[str, Any]) -> str:
    inner = choice.get(str(choice.get("type")))
    told = inner if isinstance(inner, Mapping) else choice
    return str(told.get("name", told.get("type")))


def _named(offer: Offer, names: Sequence[str], choice: Any, place: str) -> Offer:
    """The offer with these of its tools alone."""
    known = [tool["name"] for tool in offer.tools or ()]
    for name in names:
        if name not in known:
            raise BadRequest(f"{name!r} is not among the tools of this request", place)
    left = offer.names or ()
    return _as(replace(offer, only=tuple(n for n in left if n in names)), choice, choice, place)


def _as(offer: Offer, choice: Choice | None, given: str, place: str) -> Offer:
    if choice is None:
        raise BadRequest(f"{given!r} is no choice of tools", place)
    return replace(offer, choice="auto" if choice == "required" and not offer.tools else choice)


def _without(offer: Offer, hosted: Sequence[Any]) -> Offer:
    """The offer without tools that the provider runs: a model of ours cannot."""
    if not hosted:
        return offer
    return replace(offer, only=tuple(name for name in offer.names or () if name not in hosted))


def _format(given: Any, inner: str, place: str) -> Mapping[str, Json] | None:
    """The schema that an answer must have. In Chat Completions it lies within `inner`."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise BadRequest("is no object", place)
    kind = field(given, "type", str, place)
    if kind == "json_object":
        return ANY_OBJECT
    if kind != "json_schema":
        return None
    where = f"{place}.{inner}" if inner else place
    told = field(given, inner, dict, place) if inner else given
    schema: Mapping[str, Json] = field({"schema": {}, **told}, "schema", dict, where)
    return schema


def _count(request: Mapping[str, Any], name: str) -> int | None:
    """A whole number from 1; what is none limits nothing, and whoever is strict refuses it."""
    found = request.get(name)
    return found if type(found) is int and found > 0 else None


def _texts(given: Any, place: str) -> tuple[str, ...]:
    if not isinstance(given, Sequence) or not all(isinstance(one, str) for one in given):
        raise BadRequest("is no list of texts", place)
    return tuple(one for one in given if one)
