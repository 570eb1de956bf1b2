"""The finder: where a text holds secrets, also those that are encoded in it.

Law: what is found is named by its place and its kind, never by its value. A text is searched as it
stands, and every word of it that reads as Base64, hexadecimal digits or percent signs is searched
once more as what it stands for. Called by the search of cassettes and by redaction.
"""

import base64
import binascii
import os
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from agentfuzz.core.secrets.patterns import ENVIRONMENT, FIELDS, FORMS, NO_VALUE, QUERY

SHORTEST = 8  # characters of a value of the environment that is looked for
_BASIC = re.compile(r"(?i)\bbasic\s+([A-Za-z0-9+/]{8,}={0,2})")
_IN_QUERY = re.compile(r"[?&]([\w-]{2,40})=([^&\s\"'<>#\\]{8,})")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}){8,}(?![0-9A-Fa-f])")
_PERCENT = re.compile(r"(?<![^\s\"'<>])[^\s\"'<>%]*(?:%[0-9A-Fa-f]{2}[^\s\"'<>%]*)+")
_SEARCHED = 1 << 20  # characters of one encoded word that are decoded


class Span(NamedTuple):
    """A secret in a text: from where to where, and what it looks like."""

    start: int
    end: int
    kind: str


def is_field(name: object) -> bool:
    """Whether the name of a field says that its value is a secret."""
    return str(name).lower().replace("-", "_") in FIELDS


class Finder:
    """What is looked for in one search: the forms, and the secrets of the environment of now."""

    def __init__(self) -> None:
        self._values = {
            value: name
            for name, value in sorted(os.environ.items())
            if len(value) >= SHORTEST and ENVIRONMENT.search(name) and not NO_VALUE.search(name)
        }

    def spans(self, text: str) -> Iterator[Span]:
        """Every secret of a text, in no order; they may overlap."""
        yield from self._plain(text)
        for pattern, decode in ((_BASE64, _of_base64), (_HEX, _of_hex), (_PERCENT, unquote)):
            for match in pattern.finditer(text):
                inner = decode(match[0][:_SEARCHED])
                if inner and inner != match[0]:
                    for found in self._plain(inner):
                        yield Span(*match.span(), found.kind)
                        break

    def kind(self, text: str) -> str:
        """What the text holds that is secret, or an empty string."""
        return next((span.kind for span in self.spans(text)), "")

    def _plain(self, text: str) -> Iterator[Span]:
        for kind, pattern in FORMS:
            for match in pattern.finditer(text):
                yield Span(*match.span("secret" if match.re.groups else 0), kind)
        for match in _BASIC.finditer(text):
            if ":" in _of_base64(match[1]):
                yield Span(*match.span(1), "a user name and password (Basic)")
        for match in _IN_QUERY.finditer(text):
            if match[1].lower() in QUERY:
                yield Span(*match.span(2), "a URL with a secret in its query")
        for value, name in self._values.items():
            at = text.find(value)
            while at >= 0:
                yield Span(at, at + len(value), f"the value of the environment variable {name}")
                at = text.find(value, at + len(value))


def _of_base64(word: str) -> str:
    """The text that a word stands for, or an empty one."""
    plain = word.rstrip("=").translate(_STANDARD)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""


def _of_hex(word: str) -> str:
    try:
        return bytes.fromhex(word).decode("utf-8")
    except ValueError:
        return ""


_STANDARD = str.maketrans("-_", "+/")
