"""How a value may stand in a text: what can be recognised of a reply in other words.

Law: pure functions of a JSON value; nothing is guessed of a text that was cut. Asked by the laws
that compare what was answered with what was shown or said.
"""

import json
from collections.abc import Iterator, Mapping

from agentfuzz.core.events import Json

CUT = 500  # characters of a message that a history keeps


def forms(body: Json) -> tuple[str, ...]:
    """How a reply may stand in a message: as text, as JSON, as Python writes it."""
    if isinstance(body, str):
        return (body.strip()[:CUT],)
    written = json.dumps(body, ensure_ascii=False)
    return (
        written[:CUT],
        json.dumps(body, ensure_ascii=False, sort_keys=True)[:CUT],
        str(body)[:CUT],
    )


def leaves(body: Json) -> Iterator[str]:
    """The texts and numbers in a reply: what can be recognised of it in other words."""
    if isinstance(body, Mapping):
        for item in body.values():
            yield from leaves(item)
    elif isinstance(body, (list, tuple)):
        for item in body:
            yield from leaves(item)
    elif isinstance(body, str):
        yield from [body.strip()] if body.strip() else ()
    elif body is not None and not isinstance(body, bool):
        yield str(body)


def words_of(value: Json) -> list[str]:
    """Everything that an answer says, as texts."""
    return list(leaves(value))
