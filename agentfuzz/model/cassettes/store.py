"""A cassette in memory: every recorded turn of a model, found by what was asked.

Law: a file is read and checked once, however many runs ask it, and never changes by being asked.
Called by scenarios, and by the cassette's model for every turn.
"""

import json
import os
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from agentfuzz.core.errors import CassetteMiss, SavedFileError, ScenarioError, near_miss
from agentfuzz.model.cassettes.decode import Undecodable, body_text, codec_of, turn_of
from agentfuzz.model.cassettes.document import Document, absolute, read
from agentfuzz.model.cassettes.match import Question, differences, question, shared
from agentfuzz.model.cassettes.plan import Recording, plan
from agentfuzz.model.cassettes.secrets import SecretFound, search
from agentfuzz.providers.turns import BadRequest, Kept, as_message
from agentfuzz.world.toolbox import DONE

NEAREST = 3  # recordings that a miss names
_KEEP = 16  # cassettes in memory
_cache: dict[str, tuple[tuple[int, int], "Cassette"]] = {}


class Cassette:
    """One recorded conversation (or several) of an agent with its model provider.

    `name` is the file's; `recordings` are its turns in order. Replies with an error status are
    left out: what goes wrong is the fault plan's business.
    """

    def __init__(self, name: str, recordings: Sequence[Recording]) -> None:
        self.name = name
        self.recordings = tuple(recordings)
        plan(self.recordings)
        self._found: dict[tuple[Any, ...], list[Recording]] = {}
        for one in self.recordings:
            self._found.setdefault(one.question.said, []).append(one)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Cassette":
        """The cassette of a file, read when it is new or has changed. Raises SavedFileError
        naming file and line (and SecretFound, which is one, for a file that holds a secret)."""
        file = absolute(path)
        try:
            found = os.stat(file)
            version = (found.st_mtime_ns, found.st_size)
        except OSError:
            version = (-1, -1)  # `read` says what is wrong
        known = _cache.get(str(file))
        if known is not None and known[0] == version:
            return known[1]
        cassette = cls.of(read(file))
        _cache.pop(str(file), None)
        while len(_cache) >= _KEEP:
            del _cache[next(iter(_cache))]
        _cache[str(file)] = (version, cassette)
        return cassette

    @classmethod
    def of(cls, document: Document) -> "Cassette":
        """The cassette of a document. Raises as `load` does."""
        hit = search(document.interactions)
        if hit is not None:
            line = document.line(hit.interaction, *hit.path[1:])
            raise SecretFound(
                f"{document.name}:{line}: {hit}. Revoke it, delete the file, and record it again "
                f"with --agentfuzz-record {document.name}."
            )
        found, kept = [], dict[str, Kept]()
        for i, one in enumerate(document.interactions):
            codec = codec_of(one["request"]["method"], one["request"]["uri"])
            if codec is not None and one["response"]["status"].get("code") == 200:
                found.append(_recording(document, i, one, codec, kept))
        if not found:
            raise document.error("holds no turn of a model")
        return cls(document.name, found)

    @property
    def offers_done(self) -> bool:
        """Whether the recorded agent had, or used, a done tool."""
        return any(
            DONE in (one.question.tools or ()) or any(c["name"] == DONE for c in one.calls)
            for one in self.recordings
        )

    def check(self, tools: Sequence[str]) -> None:
        """Raise ScenarioError when the recorded model calls a tool that the world lacks."""
        for one in self.recordings:
            offered = one.question.tools or ()  # what was not offered, the model made up
            for name in (call["name"] for call in one.calls if call["name"] in offered):
                if name not in tools and name != DONE:
                    raise ScenarioError(
                        f"the cassette {self.name} calls {name!r} (interaction {one.number}), "
                        f"which this world does not have ({', '.join(tools) or 'no tools'})."
                        f"{near_miss(name, tools)}"
                    )

    # Asking -------------------------------------------------------------------------------

    def find(self, asked: Question) -> list[Recording]:
        """The recordings of this very question, in order."""
        same = self._found.get(asked.said, [])
        if asked.tools is None:
            return same
        return [one for one in same if one.question.tools in (asked.tools, None)]

    def nearest(self, asked: Question) -> list[Recording]:
        """All recordings, the nearest first: as many turns of the model before it, then the most
        messages in common, then the most from the beginning, then the same tools."""

        def distance(one: Recording) -> tuple[int, int, int, bool, int]:
            common, first = shared(one.question, asked)
            apart = abs(one.question.turns - asked.turns)
            other = asked.tools is not None and one.question.tools != asked.tools
            return (apart, -common, -first, other, one.number)

        return sorted(self.recordings, key=distance)

    def turn(self, messages: Sequence[Mapping[str, Any]], tools: Any = None) -> dict[str, Any]:
        """The recorded turn for a request, with the ids of the recording. Raises CassetteMiss."""
        asked = question(messages, tools)
        found = self.find(asked)
        if not found:
            raise self.miss(asked)
        turn = found[0].turn
        return {**turn, "tool_calls": [dict(call) for call in turn["tool_calls"]]}

    def miss(self, asked: Question, *, stale: bool = False) -> CassetteMiss:
        """The error for a question that was never recorded: the nearest ones, and what differs.
        `stale`: it was asked before any fault, so the agent itself asks otherwise than then."""
        turns = asked.turns
        lines = [
            f"no recording in {self.name} fits this question to the model. It has "
            f"{len(asked.said)} messages, after {turns} turn{'s' * (turns != 1)} of the model; "
            "nearest:"
        ]
        if stale:
            lines.insert(0, f"the cassette {self.name} is stale: without any fault the agent asks")
            lines[0] += " what was not recorded."
        for one in self.nearest(asked)[:NEAREST]:
            common, _ = shared(one.question, asked)
            lines.append(
                f"  interaction {one.number} ({common} of {len(one.question.said)} messages the "
                "same)"
            )
            lines += [f"    {line}" for line in differences(one.question, asked)]
        why = (
            ""
            if stale
            else (
                "A changed context, as after a fault, needs "
                'on_miss="auto", on_miss="simulate" or on_miss="nearest"; a '
            )
        )
        lines.append(
            f"Nothing was asked over the network. {why or 'A '}changed agent or scenario needs a "
            f"new recording: --agentfuzz-record {self.name}"
        )
        return CassetteMiss("\n".join(lines))


def _recording(
    document: Document, i: int, one: Mapping[str, Any], codec: ModuleType, kept: dict[str, Kept]
) -> Recording:
    try:
        request = json.loads(body_text(one["request"]))
        if not isinstance(request, Mapping):
            raise Undecodable("the body is no JSON object")
        asked = codec.parse(request, kept)
    except (Undecodable, BadRequest, ValueError, RecursionError) as error:
        said = "the body is no JSON" if isinstance(error, ValueError) else str(error)
        raise _unread(document, i, "request", said) from None
    try:
        turn, name = turn_of(codec, one["response"])
    except Undecodable as error:
        raise _unread(document, i, "response", str(error)) from None
    if name:
        kept[name] = Kept([*asked.messages, as_message(turn)], asked.tools)
    asking = question(asked.messages, asked.tools)
    return Recording(i + 1, asking, turn)


def _unread(document: Document, i: int, part: str, why: str) -> SavedFileError:
    return document.error(f"interaction {i + 1}, {part}: {why}", i, part, "body")
