"""What a cassette's model does with a question that nobody recorded: the words for it.

    auto        `simulate` once a fault has struck; before that `error`: the cassette is stale
    error       CassetteMiss ends the test
    nearest     the turn of the nearest recording
    simulate    a simulated model goes on from the nearest recording

Law: said here once, and cheap to import: a scenario checks the word when it is declared, long
before a cassette is read. Called by scenarios and by the cassette's model.
"""

from typing import Literal, get_args

from agentfuzz.core.errors import ScenarioError, near_miss

OnMiss = Literal["auto", "error", "nearest", "simulate"]
ON_MISS: tuple[str, ...] = get_args(OnMiss)


def checked(on_miss: str) -> str:
    """The word, if it is one. Raises ScenarioError."""
    if on_miss not in ON_MISS:
        raise ScenarioError(
            f"on_miss={on_miss!r}: say {', '.join(ON_MISS)}.{near_miss(str(on_miss), ON_MISS)}"
        )
    return on_miss
