"""A kind of agent that `--agentfuzz-init` has no start for: what is said instead.

Law: the nearest name that it has is told, and so is the adapter of a framework that has one and no
start, with the page that shows it. Called by `start`.
"""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches

from agentfuzz.core.errors import AgentfuzzError, near_miss

PAGE = "docs/frameworks.md"
SAME = {  # what people call a kind otherwise
    "langchain": "langgraph",
    "claude": "anthropic",
    "gpt": "openai",
    "chatgpt": "openai",
    "asyncio": "async",
    "pydantic": "pydantic-ai",
}


def unknown(name: str, kinds: Collection[str], stories: Collection[str]) -> AgentfuzzError:
    """The error for a name that is neither."""
    from agentfuzz.adapters import contract

    adapters = {_bare(one): one for one in contract.names() if one.replace("_", "-") not in kinds}
    word = _bare(name)
    meant, same = _meant(word, adapters), {_bare(kind): kind for kind in kinds} | SAME
    known = () if meant and word not in same else (*kinds, *stories)
    nearest = near_miss(same.get(word, name), known)
    lists = (
        ("Kinds are", kinds),
        (f"Adapters without a start ({PAGE}) are", adapters.values()),
        ("Stories are", stories),
    )
    told = " ".join(f"{title}: {', '.join(sorted(names))}." for title, names in lists)
    said = "".join(map(_told, meant))
    return AgentfuzzError(f"there is no kind of agent and no story {name!r}.{nearest}{said} {told}")


def _meant(word: str, adapters: Mapping[str, str]) -> list[str]:
    """The names of the adapters that this may mean, of those by their bare names."""
    if word in adapters:
        return [adapters[word]]
    parts = [bare for bare in adapters if len(word) > 2 and (word in bare or bare in word)]
    return [adapters[bare] for bare in parts or get_close_matches(word, adapters, 1, 0.75)]


def _told(adapter: str) -> str:
    extra = adapter.replace("_", "-")
    return (
        f" {adapter} has an adapter and no start: {PAGE} shows it in ten lines"
        f" (pip install 'pytest-agentfuzz[{extra}]')."
    )


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
