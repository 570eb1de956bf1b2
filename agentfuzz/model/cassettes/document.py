"""The file of a cassette: vcrpy's YAML, read within limits, every place of it with its line.

Law: a hostile or broken file costs milliseconds and constructs nothing but texts, numbers, lists
and mappings; each error names file and line and says what to do. Called by the store, and by
recording, which reads back what it is about to write.

Two numbers stand in it. `version` is vcrpy's, and its last line: a file that lacks it has been cut
off. `agentfuzz` is the version of what agentfuzz keeps in it; 1 is that of a file without, as
0.1.0 and vcrpy itself write it.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agentfuzz.core import migrations
from agentfuzz.core.errors import SavedFileError

MAX_BYTES = 16_000_000
MAX_DEPTH = 50
MAX_VALUES = 200_000  # with every alias counted as what it stands for
MAX_ALIASES = 1_000
VERSION = 1
OURS = 1
AGAIN = "Delete it and record it again with --agentfuzz-record"

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = type(
    "_Dumper",
    (getattr(yaml, "CSafeDumper", yaml.SafeDumper),),
    {"ignore_aliases": lambda self, data: True},
)


@dataclass(frozen=True, slots=True)
class Document:
    """A cassette file as data; `name` is what errors call it."""

    name: str
    interactions: list[Mapping[str, Any]]
    node: Any

    def line(self, *path: str | int) -> int:
        """The line (from 1) of a value below `interactions`, or of what it would be in."""
        node = self.node
        for part in ("interactions", *path):
            found = None
            if isinstance(node.value, list) and isinstance(part, int):
                found = node.value[part] if part < len(node.value) else None
            elif isinstance(node.value, list):
                pairs = [pair for pair in node.value if isinstance(pair, tuple)]
                found = next((value for key, value in pairs if key.value == part), None)
            if found is None:
                break
            node = found
        return int(node.start_mark.line) + 1

    def error(self, message: str, *path: str | int) -> SavedFileError:
        """An error at a place of the file."""
        return SavedFileError(f"{self.name}:{self.line(*path)}: {message}. {AGAIN} {self.name}.")


def read(path: Path) -> Document:
    """Read a cassette file. Raises SavedFileError naming file and line, and the cure."""
    name = path.name
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise SavedFileError(f"{name}: is no file. Name the cassette's YAML file.")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise SavedFileError(
            f"{name}: there is no such cassette. Record it: pytest --agentfuzz-record {name}"
        ) from None
    except OSError as error:
        raise SavedFileError(f"{name}: cannot be read ({error.strerror}).") from error
    if len(content) > MAX_BYTES:
        raise SavedFileError(
            f"{name}: is larger than {MAX_BYTES // 1_000_000} MB, which no conversation is. "
            "Name another file, or record a shorter conversation."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _broken(name, line, "is no UTF-8") from None
    return parse(text, name)


def parse(text: str, name: str) -> Document:
    """The data of a cassette's text. Raises SavedFileError as `read` does."""
    if not text.strip():
        raise _broken(name, 1, "is empty")
    loader = None
    try:
        _bounded(text, name)
        loader = _Loader(text)
        node = loader.get_single_node()
        data = loader.construct_document(node)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _broken(name, line, f"is no YAML ({error.reason})") from None
    except yaml.constructor.ConstructorError as error:
        said = f"is refused: {error.problem}"
        raise _broken(name, _line(error.problem_mark), said) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _broken(name, _line(mark), f"is no YAML ({error.problem})") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise _broken(name, 1, f"is no cassette ({type(error).__name__})") from None
    finally:
        if loader is not None:
            loader.dispose()
    return _shaped(data, node, text, name)


def dump(interactions: list[dict[str, Any]]) -> str:
    """The text of a cassette that vcrpy reads as well."""
    made: str = yaml.dump(
        {"agentfuzz": OURS, "interactions": interactions, "version": VERSION},
        Dumper=_Dumper,
        allow_unicode=True,
    )
    return made


def _bounded(text: str, name: str) -> None:
    """Raise SavedFileError for a text that is small and would not stay so."""
    sizes: dict[str, int] = {}
    inside: list[list[Any]] = [[0, None]]  # values so far, and the anchor, of what is open
    aliases = 0
    for event in yaml.parse(text, Loader=_Loader):
        kind, line = type(event).__name__, _line(event.start_mark)
        if kind in ("SequenceStartEvent", "MappingStartEvent"):
            inside.append([1, event.anchor])
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            count, anchor = inside.pop()
            if anchor is not None:
                sizes[anchor] = count
            inside[-1][0] += count
        elif kind == "ScalarEvent":
            if event.anchor is not None:
                sizes[event.anchor] = 1
            inside[-1][0] += 1
        elif kind == "AliasEvent":
            aliases += 1
            inside[-1][0] += sizes.get(event.anchor, MAX_VALUES)
        if len(inside) > MAX_DEPTH:
            raise _broken(name, line, f"is nested deeper than {MAX_DEPTH}")
        if inside[-1][0] > MAX_VALUES:
            raise _broken(name, line, f"stands for more than {MAX_VALUES:,} values")
        if aliases > MAX_ALIASES:
            raise _broken(name, line, f"has more than {MAX_ALIASES:,} aliases")


def _shaped(data: Any, node: Any, text: str, name: str) -> Document:
    if isinstance(data, list) and data and isinstance(data[0], Mapping) and "request" in data[0]:
        raise _broken(name, 1, "is a cassette of an old vcrpy, without a version")
    if not isinstance(data, Mapping) or "interactions" not in data:
        raise SavedFileError(
            f"{name}:1: is no cassette (no interactions). Name the YAML file that "
            "--agentfuzz-record wrote."
        )
    interactions = data["interactions"]
    found = Document(name, interactions, node)
    if not isinstance(interactions, list):
        raise found.error("interactions is no list")
    if "version" not in data:
        line = text.count("\n") + 1
        raise _broken(name, line, "is cut off: its last line, the version, is missing")
    if type(data["version"]) is not int or data["version"] != VERSION:
        given = data["version"]
        told = given if isinstance(given, (int, float)) else "no number"
        place = f"{name}:{_line_of(node, 'version')}"
        raise SavedFileError(
            f"{place}: has format version {told}; this agentfuzz reads version {VERSION}. "
            "It may come from a newer vcrpy: update agentfuzz, or record it again."
        )
    try:
        migrations.version(data.get("agentfuzz", 1), OURS, "cassette format")
    except SavedFileError as error:
        place = f"{name}:{_line_of(node, 'agentfuzz')}"
        raise type(error)(f"{place}: {error}, or record it again.") from None
    for i, one in enumerate(interactions):
        for part, fields in _FIELDS.items():
            said = one.get(part) if isinstance(one, Mapping) else None
            if not isinstance(said, Mapping):
                raise found.error(f"interaction {i + 1} has no {part}", i)
            for field, kind in fields.items():
                if not isinstance(said.get(field), kind):
                    raise found.error(f"interaction {i + 1} has no {part}.{field}", i, part)
    return found


_FIELDS: Mapping[str, Mapping[str, type]] = {
    "request": {"method": str, "uri": str, "headers": Mapping},
    "response": {"status": Mapping, "headers": Mapping, "body": Mapping},
}


def _broken(name: str, line: int, what: str) -> SavedFileError:
    return SavedFileError(f"{name}:{line}: {what}. {AGAIN} {name}.")


def _line_of(node: Any, name: str) -> int:
    """The line of a key at the top."""
    return next((_line(key.start_mark) for key, _ in node.value if key.value == name), 1)


def _line(mark: Any) -> int:
    return 1 if mark is None else int(mark.line) + 1


def absolute(path: str | os.PathLike[str]) -> Path:
    """A path that does not change with the working directory."""
    return Path(os.path.abspath(path))
