"""The words that a user gives a loop, and whose each of them is.

Law: a word goes to the one that knows it, and is taken away for all others. Called by adapters,
whose users write the words of an agent, of its runner and of its client side by side.
"""

from collections.abc import Iterable
from typing import Any

CLIENT = ("max_retries", "timeout")  # the words of a provider's client


def taken(options: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Those of the options that have one of these names, which are taken out of them."""
    known = frozenset(names)
    return {name: options.pop(name) for name in list(options) if name in known}
