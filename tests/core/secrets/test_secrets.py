"""Secrets are found in whatever form, and nothing else is; what is told of a campaign has marks in
their place."""

import json
from typing import Any, NamedTuple

import pytest

from agentfuzz.core.events import Called, Ended, Intent, Replied
from agentfuzz.core.faults import Slot
from agentfuzz.core.history import History
from agentfuzz.core.secrets.finder import Finder
from agentfuzz.core.secrets.redaction import redacted

from .canaries import ENVIRONMENT, INNOCENT, SECRETS


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def test_there_are_many_kinds() -> None:
    """As many as any list that we know, and more."""
    assert len(SECRETS) >= 80


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found_and_taken_out(name: str) -> None:
    """In a text, and in JSON inside of a text; its kind is told, and not its value."""
    text, secret = SECRETS[name]
    kind = Finder().kind(text)
    assert kind
    assert secret not in kind
    for told in (redacted(text), redacted(json.dumps({"a": [text]}))):
        assert secret not in told
        assert "[redacted 1: " in told


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_none_is_left_alone(text: str) -> None:
    """The very text comes back."""
    assert redacted(text) is text


def test_one_secret_has_one_mark() -> None:
    """So that one can see whether a key is the same from attempt to attempt."""
    (_, one), (_, two) = SECRETS["openai"], SECRETS["github"]
    first, again, other = redacted([one, one, two])
    assert first == again != other
    assert first == "[redacted 1: a provider key (sk-)]"


def test_what_a_field_is_called_says_that_it_is_secret() -> None:
    """By its whole name, whatever it looks like."""
    told = redacted(
        {"password": "swordfish", "page_token": "swordfish", "Client-Secret": "1234567"}
    )
    assert told == {
        "password": "[redacted 1: a secret by its name]",
        "page_token": "swordfish",
        "Client-Secret": "[redacted 2: a secret by its name]",
    }


class Pair(NamedTuple):
    left: Any
    right: Any


def test_containers_keep_their_kind() -> None:
    """Tuples, named ones too; what holds no secret is the very object."""
    secret = SECRETS["openai"][1]
    assert redacted(Pair((1, None), {"a": True})) == Pair((1, None), {"a": True})
    told = redacted(Pair((secret,), [secret]))
    assert type(told) is Pair
    assert told.left == ("[redacted 1: a provider key (sk-)]",)
    clean = Pair(("a",), ["b"])
    assert redacted(clean) is clean


def test_a_history_is_told_without_them() -> None:
    """In arguments, keys, replies and endings; places and numbers stay."""
    secret = SECRETS["stripe live"][1]
    mark = "[redacted 1: a Stripe key]"
    intent = Intent("charge", (("card", secret),))
    slot = Slot("tool", "charge", 1)
    events = (
        Called(0, 0.0, "call_1", slot, {"card": secret}, secret, intent, None),
        Replied(1, 0.0, "call_1", "applied", True, {"ok": [f"used {secret}"]}, None),
        Ended(2, 0.0, "returned", {"handle": secret}, "", ""),
    )
    told = redacted(History(events))
    assert secret not in repr(told.events)
    call, reply, ended = told.events
    assert (call.key, call.intent.scope, call.slot) == (mark, (("card", mark),), slot)
    assert reply.body == {"ok": [f"used {mark}"]}
    assert ended.value == {"handle": mark}
