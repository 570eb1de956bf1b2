"""Requests of the three providers in a few words, and what is refused of them.

Law: a refusal is what stands in the error body: its words, its place and its code. Called by the
tests of the rules.
"""

from typing import Any

from agentfuzz.providers import anthropic, openai_chat, openai_responses, strict
from agentfuzz.providers.turns import Kept

CODECS: dict[str, Any] = {c.PATH: c for c in (openai_chat, openai_responses, anthropic)}


def refused(
    path: str,
    request: dict[str, Any],
    kept: dict[str, Kept] | None = None,
    doubled: frozenset[str] = frozenset(),
) -> Any:
    """The words, the place and the code of a refusal; None where the request is taken."""
    known = kept or {}
    try:
        strict.check(path, CODECS[path].parse(request, known), known, doubled)
    except strict.Refusal as no:
        return str(no), no.place, no.code
    return None
