"""Strict: what real providers refuse of requests that can be read, in their own words.

    openai_chat, openai_responses, anthropic    the rules of each
    refusal                                     what they share: values out of their range

Law: pure; a request is refused where its provider is known to refuse it, and taken wherever that
is not known: a false refusal is worse than a missing one. Called by the wire's face, where it is
strict. Source: the errors that users of each API report, word for word.
"""

from collections.abc import Mapping, Set

from agentfuzz.providers import anthropic as messages
from agentfuzz.providers import openai_chat as chat
from agentfuzz.providers import openai_responses as responses
from agentfuzz.providers.strict import anthropic, openai_chat, openai_responses
from agentfuzz.providers.turns import Asked, Kept, Refusal

__all__ = ["Refusal", "check"]

_RULES = {
    chat.PATH: openai_chat.check,
    responses.PATH: openai_responses.check,
    messages.PATH: anthropic.check,
}


def check(
    path: str, asked: Asked, kept: Mapping[str, Kept], doubled: Set[str] = frozenset()
) -> None:
    """Raises Refusal where the provider of this path would refuse what was asked. `doubled` are ids
    of calls that it gave twice itself: who does that takes them twice."""
    before = kept[asked.after].messages if asked.after is not None else []
    _RULES[path](asked, before, doubled)
