"""placeholder"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Guess(NamedTuple):
    effect: str | None
    scope: tuple[str, ...] | None
    transport: str
    origins: tuple[str, ...]


READ = set(
    "get list lookup find search check read fetch status show display describe extract balance availability details info query view tell count is has".split()
)


def guess(
    name: str,
    parameters: Sequence[str],
    *,
    hints: Mapping[str, Any] | None = None,
    remote: bool = False,
) -> Guess:
    words = re.split(r"_+", name)
    reads = bool(READ & set(words))
    return Guess(
        None if reads else words[0],
        None if reads else tuple(parameters),
        "guessed" if remote else "local",
        ("a word in its name",),
    )
