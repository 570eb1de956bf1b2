"""Recording: a real conversation with a model provider becomes a cassette, once.

Law: only requests to a model are kept, of them only what replay needs, and nothing is written
before it has been searched for secrets and read back; then it is written whole, for its owner
alone, and never over another file. A conversation that fails is not saved. vcrpy is imported
here and nowhere else. Called by users around a conversation, and by the door
`--agentfuzz-record`.
"""

import asyncio
import inspect
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from agentfuzz.core.errors import AgentfuzzError, SavedFileError
from agentfuzz.model.cassettes.decode import Undecodable, body_text, codec_of, header, turn_of
from agentfuzz.model.cassettes.document import absolute, dump, parse
from agentfuzz.model.cassettes.secrets import SecretFound, kept, search
from agentfuzz.model.cassettes.store import Cassette
from agentfuzz.runtime.clock import Clock, active_clock
from agentfuzz.world.injector import FromPlan
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.world import World


class Recorded:
    """What `record` yields: `turns` is how many turns were saved, once the block has ended."""

    turns = 0


Rewrite = Callable[[str], str]


@contextmanager
def record(path: str | os.PathLike[str], *, rewrite: Rewrite | None = None) -> Iterator[Recorded]:
    """Record every request to a model provider in the block, from any HTTP client that vcrpy
    knows, and save it to `path` (mode 0600) when the block ends well. `rewrite` is a function of
    each address and body, as text, to what is kept of it: a secret that has to be in the
    conversation is taken out there.

    Raises SavedFileError when the file exists or cannot be written, SecretFound when a secret
    stands in what would be saved (then nothing is), AgentfuzzError when no model was asked, or
    inside of a simulation.
    """
    if active_clock() is not None:
        raise AgentfuzzError("recording needs real time; record outside of a simulation.")
    file, recorded = absolute(path), Recorded()
    if os.path.lexists(file):
        raise SavedFileError(
            f"{file.name}: exists already; a recording overwrites nothing. Delete it to record "
            "the conversation again."
        )
    if not file.parent.is_dir():
        raise SavedFileError(f"{file.name}: its folder {file.parent.name!r} does not exist.")
    import vcr

    machine = vcr.VCR(
        record_mode=vcr.mode.ALL,
        decode_compressed_response=True,
        before_record_request=_of_a_model,
    )
    machine.register_persister(_Nowhere)
    with _quiet():
        with machine.use_cassette(str(file)) as cassette:
            yield recorded
        recorded.turns = _save(file, list(cassette.data), rewrite)


def record_run(scenario: Any, agent: Callable[[World], Any], path: str | os.PathLike[str]) -> int:
    """Run an agent once in a scenario's world, in real time and with its real model, and record
    it. Tools are the world's own, without faults; `world.recording` is true. The number of turns
    that were saved. Raises as `record` does, and whatever the agent raises."""
    gateway = LocalGateway(FromPlan(), Clock(), max_crossings=scenario.max_crossings, trace=False)
    world = World(scenario.task, gateway)
    world.recording = True
    scenario.build(world)
    with record(path, rewrite=scenario.rewrite) as recorded:
        answer = agent(world)
        if inspect.isawaitable(answer):
            asyncio.run(_awaited(answer))
    return recorded.turns


async def _awaited(answer: Any) -> Any:
    return await answer


class _Nowhere:
    """vcrpy's own loading and saving, which must not happen: what it holds is not clean yet."""

    @staticmethod
    def load_cassette(cassette_path: Any, serializer: Any) -> Any:
        from vcr.persisters.filesystem import CassetteNotFoundError

        raise CassetteNotFoundError

    @staticmethod
    def save_cassette(cassette_path: Any, cassette_dict: Any, serializer: Any) -> None:
        return None


def _of_a_model(request: Any) -> Any:
    return None if codec_of(request.method, request.uri) is None else request


@contextmanager
def _quiet() -> Iterator[None]:
    """vcrpy logs requests with their headers: not while real keys go by."""
    logger = logging.getLogger("vcr")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _save(file: Path, data: list[tuple[Any, Any]], rewrite: Rewrite | None) -> int:
    """Write what was recorded, clean and whole, or nothing."""
    interactions, left_out = [], 0
    for request, response in data:
        one = _clean(request, response, rewrite)
        if _is_turn(one):
            interactions.append(one)
        else:
            left_out += 1
    if not interactions:
        raise AgentfuzzError(
            f"{file.name}: not saved: the agent got no reply from a model provider ({left_out} "
            "failed or broke off). Recording needs the real client of the agent, with its key."
        )
    hit = search(interactions)
    if hit is not None:
        raise SecretFound(
            f"{file.name}: not saved, and nothing was written. {hit}. Keep it out of the "
            "conversation (take it from the environment inside of the tool), or take it out with "
            "@scenario(..., rewrite=function of a text); then record again."
        )
    text = dump(interactions)
    Cassette.of(parse(text, file.name))  # what cannot be replayed is not saved either
    _write(file, text.encode("utf-8"))
    return len(interactions)


def _clean(request: Any, response: Any, rewrite: Rewrite | None = None) -> dict[str, Any]:
    """One interaction as it is saved: bodies as text, headers by the allow-list."""

    def kept_of(text: Any) -> Any:
        return rewrite(text) if rewrite is not None and isinstance(text, str) else text

    given = {"headers": dict(request.headers), "body": request.body}
    status = response["status"]
    return {
        "request": {
            "method": request.method,
            "uri": kept_of(request.uri),
            "headers": kept(given["headers"]),
            "body": kept_of(_text(given)),
        },
        "response": {
            "status": {"code": status["code"], "message": status.get("message") or ""},
            "headers": kept(response["headers"]),
            "body": {"string": kept_of(_text(response))},
        },
    }


def _text(said: Any) -> Any:
    """A body as text; one that is none stays what it is, and the search refuses it."""
    try:
        return body_text(said)
    except Undecodable:
        body = said["body"]
        return body["string"] if isinstance(body, dict) else body


def _is_turn(one: dict[str, Any]) -> bool:
    """Whether a reply is a whole one: errors and broken streams are the fault plan's business."""
    codec = codec_of(one["request"]["method"], one["request"]["uri"])
    if codec is None or one["response"]["status"]["code"] != 200:
        return False
    if not isinstance(one["response"]["body"]["string"], str):
        return True  # cannot be searched: the search says so
    try:
        turn_of(codec, one["response"])
    except Undecodable:
        return not header(one["response"], "content-type").startswith("text/event-stream")
    return True


def _put(beside: str, file: Path) -> None:
    """Give a file its name; unlike a rename, a link never takes one that is in use."""
    try:
        os.link(beside, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        os.rename(beside, file)


def _write(file: Path, content: bytes) -> None:
    """Write a new file, whole or not at all, readable by its owner alone."""
    beside = ""
    try:
        handle, beside = tempfile.mkstemp(prefix=".agentfuzz-", suffix=".tmp", dir=file.parent)
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        _put(beside, file)
    except FileExistsError:
        raise SavedFileError(f"{file.name}: not saved: somebody else has written it.") from None
    except OSError as error:
        raise SavedFileError(f"{file.name}: not saved ({error.strerror}).") from error
    finally:
        if beside:
            with suppress(OSError):
                os.unlink(beside)
