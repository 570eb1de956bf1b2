"""The frontier of a campaign: where the level ends that a budget did not let it finish.

Law: what is kept is one place in one level of one test, with a fingerprint of all that the level
depends on; under another fingerprint it means nothing, and the level begins anew. A file is
replaced whole, and a broken one is none. Called by the campaign. They live in `.agentfuzz/`.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from agentfuzz.archive.saved import store
from agentfuzz.core import migrations
from agentfuzz.core.codec import dump
from agentfuzz.core.errors import SavedFileError

SCHEMA, VERSION = "agentfuzz.frontier", 1


class Place(NamedTuple):
    """A plan of a level: the number of its parent, its own among the plans of that, and its own in
    the order of the whole level."""

    parent: int = 0
    child: int = 0
    number: int = 0


FIRST = Place()


@dataclass(frozen=True, slots=True)
class Frontier:
    """Where the next session goes on, and what earlier ones did: `done` plans in so many
    `sessions`, and so many `rows` of the covering array that comes before the level."""

    fingerprint: str
    place: Place = FIRST
    done: int = 0
    sessions: int = 0
    rows: int = 0


def path_of(folder: Path, nodeid: str) -> Path:
    """The file of a test."""
    name = sha256(nodeid.encode("utf-8", "backslashreplace")).hexdigest()[:10]
    return folder / f"frontier-{name}.json"


def load(path: Path, fingerprint: str) -> Frontier:
    """What is kept under a fingerprint, or the beginning."""
    if not path.is_file():  # a pipe would be waited for, a device never ends
        return Frontier(fingerprint)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        migrations.schema(data, SCHEMA, VERSION)
        parent, child, number = data["place"]
        told = (data["done"], data["sessions"], data.get("rows", 0))
        counts = (parent, child, number, *told)
        counted = all(type(one) is int and one >= 0 for one in counts)
        if counted and data["fingerprint"] == fingerprint and number >= max(parent, child):
            return Frontier(fingerprint, Place(parent, child, number), *told)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SavedFileError):
        pass
    return Frontier(fingerprint)


def save(path: Path, nodeid: str, frontier: Frontier) -> None:
    """Keep it; in a folder that cannot be written nothing is kept."""
    data = {"schema": f"{SCHEMA}/{VERSION}", "nodeid": nodeid, **asdict(frontier)}
    with suppress(OSError):
        store(path, dump(data, indent=1) + "\n")


def forget(path: Path) -> None:
    """The level is finished."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
