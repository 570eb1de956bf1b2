"""Saved counterexamples in an example database that others read and write as well.

Law: what is read there is the text of a saved counterexample of the very test that asks, or it
counts as nothing: bytes of strangers are checked as files are, and name no file. A database that
fails is one line and changes no verdict; `.agentfuzz` stays the first place. Called by the findings
of a session, before and after a campaign, never within one.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Protocol

from agentfuzz.archive.saved import Saved, read, text_of
from agentfuzz.core.codec import message
from agentfuzz.core.errors import AgentfuzzError, SavedFileError
from agentfuzz.core.escaping import visible
from agentfuzz.core.findings import CampaignResult, Counterexample
from agentfuzz.core.migrations import migrated
from agentfuzz.core.secrets.redaction import redacted

KEY = b"agentfuzz.saved/"  # and after it the nodeid of a test
MOST = 500  # values of one test that are looked at
LARGEST = 1_000_000  # bytes of one value
MESSAGE = 300  # characters
DIED = "AF902"  # a process that died did so on its machine: `.agentfuzz` alone has it

_SO = {
    "opened": "nothing is shared in this session",
    "read": "nothing is shared in this session",
    "written": "what is found or fixed from here on is not shared",
}
Note = Callable[[list[str]], None]


class Database(Protocol):
    """What Hypothesis calls an ExampleDatabase: a set of values for each key."""

    def fetch(self, key: bytes, /) -> Iterable[bytes]:
        """The values of a key, in any order."""

    def save(self, key: bytes, value: bytes, /) -> None:
        """Put a value in, unless it is there."""

    def delete(self, key: bytes, value: bytes, /) -> None:
        """Take a value out, if it is there."""


class Shared:
    """What a database has of the tests of one session. `opened` gives the database, or None where
    nothing is shared; it is called when a test asks for the first time."""

    def __init__(self, opened: Callable[[], Database | None], note: Note) -> None:
        self._opened, self._note = opened, note
        self._database: Database | None = None
        self._asked = self._read_only = False
        self._values: dict[str, dict[bytes, Saved]] = {}
        self._fixed: set[object] = set()

    def of(self, nodeid: str) -> list[Saved]:
        """What is shared of a test, each bug once. Raises AgentfuzzError where the setting names
        no database."""
        if not self._asked:
            self._open()
            self._asked = True
        if nodeid not in self._values:
            self._values[nodeid] = self._fetched(nodeid)
        found = {one.bug: one for one in self._values[nodeid].values() if one.code != DIED}
        return sorted(found.values(), key=lambda one: (one.id, str(one.plan)))

    def forget(self, fixed: Iterable[Saved]) -> None:
        """These are no longer there: `keep` will delete them."""
        self._fixed |= {one.bug for one in fixed}

    def keep(self, result: CampaignResult) -> None:
        """Put in what a test has found, and take out what is fixed, or what a search has found in
        another form."""
        there = self._values.pop(result.nodeid, {})
        key = key_of(result.nodeid)
        database = self._database
        if database is None or self._read_only:
            return
        self._read_only = True  # unless all of it works
        with self._failing("written"):
            for found in result.findings:
                if found.code != DIED and not any(_same(one, found) for one in there.values()):
                    database.save(key, text_of(found).encode())
            for value, one in there.items():
                alike = [each for each in result.findings if _alike(one, each)]
                older = alike and result.levels and not any(_same(one, each) for each in alike)
                if older or one.bug in self._fixed:
                    database.delete(key, value)
            self._read_only = False

    def _open(self) -> None:
        with self._failing("opened"):
            self._database = self._opened()

    def _fetched(self, nodeid: str) -> dict[bytes, Saved]:
        database, self._database = self._database, None  # unless it can be read
        found: dict[bytes, Saved] = {}
        if database is not None:
            with self._failing("read"):
                values = sorted(map(bytes, islice(database.fetch(key_of(nodeid)), MOST)))
                found = self._understood(nodeid, values)
                self._database = database
        return found

    def _understood(self, nodeid: str, values: list[bytes]) -> dict[bytes, Saved]:
        """What can be read of it; a line says what cannot."""
        found, wrong = {}, []
        for value in values:
            try:
                found[value] = _checked(value, nodeid)
            except SavedFileError as error:
                wrong.append(visible(str(error)[:MESSAGE]))
        if wrong:
            more = f", and {len(wrong) - 1} more like it" if len(wrong) > 1 else ""
            self._note([f"AF903 agentfuzz_database: {redacted(wrong[0])}{more}; left there"])
        return found

    @contextmanager
    def _failing(self, done: str) -> Iterator[None]:
        """Whatever the database raises is a line, but for misuse."""
        try:
            yield
        except AgentfuzzError:
            raise
        except Exception as error:
            said = redacted(f"{type(error).__name__}: {message(error, most=MESSAGE)}")
            so = _SO[done]
            self._note([f"agentfuzz: agentfuzz_database cannot be {done} ({said}): {so}"])


def key_of(nodeid: str) -> bytes:
    """Where the counterexamples of a test are."""
    return KEY + nodeid.encode("utf-8", "backslashreplace")


def _checked(value: bytes, nodeid: str) -> Saved:
    name = f"a value of {nodeid}"
    if len(value) > LARGEST:
        raise SavedFileError(f"{name}: is too large ({len(value):,} bytes)")
    found = read(value, name)
    if found.nodeid != nodeid:
        raise SavedFileError(f"{name}: {found.id} is of another test")
    return found


def _alike(one: Saved, finding: Counterexample) -> bool:
    """Whether both are of one law and subject."""
    bug = (finding.nodeid, finding.code, finding.violation.subject)
    return (one.nodeid, one.code, one.subject) == bug


def _same(one: Saved, finding: Counterexample) -> bool:
    """Whether both are one bug, perhaps in an older format."""
    return _alike(one, finding) and migrated(one.plan, finding.history.tools) == finding.plan
