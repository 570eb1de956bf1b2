"""What OpenAI's server has stored, and who asks for it: responses, conversations, their items.

Law: what was stored is shown as it was said, under ids that are the same in every run, and what was
deleted is gone for later requests, too. A response in the background is queued, in progress for who
looks once, and then done. Kept by the face, which counts each request as a crossing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from agentfuzz.providers import openai_responses
from agentfuzz.providers.openai_items import show
from agentfuzz.providers.openai_stored import created, missing, page, stored
from agentfuzz.providers.turns import (
    Asked,
    BadRequest,
    Json,
    Kept,
    Message,
    Refusal,
    Stamp,
    tokens,
)
from agentfuzz.providers.turns import field as field_of

_UNDER_WAY = ("queued", "in_progress")


@dataclass
class _Response:
    """One that was stored. `items` are what it was made from; `state` is what it is until it is
    done."""

    whole: Message
    items: list[Message]
    state: str = ""

    def shown(self) -> Message:
        """It as it is now."""
        if not self.state:
            return self.whole
        unsaid: Message = {
            "output": [],
            "usage": None,
            "completed_at": None,
            "incomplete_details": None,
        }
        return {**self.whole, **unsaid, "status": self.state}


@dataclass
class _Conversation:
    created: int
    metadata: Json = field(default_factory=dict)
    items: list[Message] = field(default_factory=list)


class Stored:
    """The store of one face. `kept` is what its model would be shown of each reply and each
    conversation."""

    def __init__(self, kept: dict[str, Kept]) -> None:
        self._kept = kept
        self._responses: dict[str, _Response] = {}
        self._conversations: dict[str, _Conversation] = {}
        self._gone: set[str] = set()

    def check(self, asked: Asked) -> None:
        """Raises Refusal for a request that goes on with what was deleted."""
        if asked.conversation in self._gone:
            raise missing("Conversation", asked.conversation)

    def keep(self, asked: Asked, whole: Message, stamp: Stamp) -> Message:
        """Store a reply, and what it was made from. Returns what its client is shown of it."""
        talk = self._conversations.get(asked.conversation)
        if talk is None and asked.conversation:
            talk = self._conversations[asked.conversation] = _Conversation(stamp.created)
        before = self._responses.get(str(asked.after))
        earlier = [*before.items, *before.whole["output"]] if before else []
        if talk is not None:
            earlier = list(talk.items)
        given = stored(asked.request.get("input"), self._known(), stamp)
        made = _Response(whole, [*earlier, *given])
        if asked.request.get("background") and not asked.stream:
            made.state = "queued"
        if talk is not None:
            talk.items += [*given, *whole["output"]]
        if asked.request.get("store") is not False:
            self._responses[whole["id"]] = made
        return made.shown()

    def _known(self) -> dict[str, Message]:
        said = [item for one in self._responses.values() for item in one.whole["output"]]
        said += [item for talk in self._conversations.values() for item in talk.items]
        return {item["id"]: item for item in said}

    def answer(self, method: str, path: str, given: Mapping[str, Any], stamp: Stamp) -> Json | None:
        """Answer a request; None: there is no such endpoint. Raises BadRequest."""
        place, _, text = path.partition("?")
        query = dict(parse_qsl(text))
        match method, *(unquote(part) for part in place.split("/")[2:]):
            case "POST", "responses", "input_tokens":
                asked = openai_responses.parse({"model": "", **given}, self._kept)
                counted, _ = tokens(asked, {"content": None, "tool_calls": []})
                return {"object": "response.input_tokens", "input_tokens": counted}
            case "POST", "responses", _:
                return None
            case _, "responses", name, *rest:
                return self._of_response(method, name, rest, query)
            case "POST", "conversations":
                return self._begin(given, stamp)
            case _, "conversations", name, *rest:
                return self._of_conversation(method, name, rest, {**query, **given}, stamp)
        return None

    def _of_response(
        self, method: str, name: str, rest: list[str], query: Mapping[str, str]
    ) -> Json | None:
        if name not in self._responses:
            raise missing("Response", name)
        found = self._responses[name]
        match method, *rest:
            case ("GET",):
                if query.get("stream") == "true":
                    raise BadRequest("a stream is given once; retrieve the whole", "stream")
                found.state = "in_progress" if found.state == "queued" else ""
                return found.shown()
            case ("DELETE",):
                del self._responses[name]
                self._kept.pop(name, None)
                return {"id": name, "object": "response", "deleted": True}
            case "POST", "cancel":
                return self._cancel(found)
            case "GET", "input_items":
                return page(found.items, query)
        return None

    def _cancel(self, found: _Response) -> Json:
        if not found.whole["background"]:
            raise Refusal("Cannot cancel a synchronous response.")
        if found.state in _UNDER_WAY:
            self._unsay(found.whole)
            found.whole = {**found.whole, "status": "cancelled", "output": [], "completed_at": None}
            found.state = ""
        return found.whole

    def _unsay(self, whole: Message) -> None:
        """Nobody goes on from what was not said."""
        kept = self._kept[whole["id"]]
        self._kept[whole["id"]] = replace(kept, messages=kept.messages[:-1], items={})
        name = (whole.get("conversation") or {}).get("id")
        if name in self._conversations:
            talk = self._conversations[name]
            talk.items = [item for item in talk.items if item not in whole["output"]]
            self._shows(name, talk)

    def _begin(self, given: Mapping[str, Any], stamp: Stamp) -> Json:
        name = stamp.id("conv_")
        items = created(given.get("items") or [], self._known(), stamp)
        talk = _Conversation(stamp.created, _metadata(given), items)
        self._conversations[name] = talk
        self._shows(name, talk)
        return _told(name, talk)

    def _of_conversation(
        self, method: str, name: str, rest: list[str], given: Mapping[str, Any], stamp: Stamp
    ) -> Json | None:
        if name not in self._conversations:
            raise missing("Conversation", name)
        talk = self._conversations[name]
        match method, *rest:
            case ("GET",):
                return _told(name, talk)
            case ("POST",):
                talk.metadata = _metadata(given)
                return _told(name, talk)
            case ("DELETE",):
                del self._conversations[name]
                self._kept.pop(name, None)
                self._gone.add(name)
                return {"id": name, "object": "conversation.deleted", "deleted": True}
            case "GET", "items":
                return page(talk.items, given)
            case "POST", "items":
                added = created(given.get("items"), self._known(), stamp)
                talk.items += added
                self._shows(name, talk)
                return page(added, {"order": "asc", "limit": "100"})
            case "GET" | "DELETE", "items", item:
                return self._of_item(method, name, item)
        return None

    def _of_item(self, method: str, name: str, item: str) -> Json:
        talk = self._conversations[name]
        found = next((one for one in talk.items if one["id"] == item), None)
        if found is None:
            raise missing("Item", item)
        if method == "GET":
            return found
        talk.items.remove(found)
        self._shows(name, talk)
        return _told(name, talk)

    def _shows(self, name: str, talk: _Conversation) -> None:
        """What the model will be shown of a conversation whose items are others now."""
        messages: list[Message] = []
        for nth, item in enumerate(talk.items):
            show(item, messages, f"items[{nth}]", self._kept)
        was = self._kept.get(name, Kept([], []))
        self._kept[name] = replace(was, messages=messages)


def _metadata(given: Mapping[str, Any]) -> Json:
    return field_of(given, "metadata", dict) if given.get("metadata") else {}


def _told(name: str, talk: _Conversation) -> Json:
    return {
        "id": name,
        "object": "conversation",
        "created_at": talk.created,
        "metadata": talk.metadata,
    }
