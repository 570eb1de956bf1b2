"""The watch: which error paths of one agent are entered in the runs of a campaign.

Law: it knows what its marks say and nothing else, so that marks which another process has made
count like its own; where no run was made here or there, it says nothing. Begun by the plugin for
the length of a test, put in by the maker once the agent has run, asked by the search.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any, NamedTuple
from weakref import ref

from agentfuzz.runtime.paths.branch import Branch
from agentfuzz.runtime.paths.functions import living
from agentfuzz.runtime.paths.marks import Marks
from agentfuzz.runtime.paths.sources import Files, made_of, sources
from agentfuzz.runtime.paths.twins import Changed, Read, Rewrite, put_in, read, turn
from agentfuzz.runtime.user_code import begins_run

Excluded = Callable[[str], set[int]]  # the lines of a file that its user leaves out of account
HIT = "h:"  # of a mark: a fault struck within the body of a `try`
_current: "list[Watch]" = []


def current() -> "Watch | None":
    """The watch of the test that is running, if its agent can be watched."""
    return None if given_up() else _current[-1] if _current else None


def given_up() -> bool:
    """Whether the agent of the test that is running cannot be watched without a difference."""
    return bool(_current) and _current[-1].given_up


class Known(NamedTuple):
    """An error path of a function that the agent has called: where it is, and what stands there."""

    file: str
    source: str
    branch: Branch


class Watch:
    """One for a whole session. `rewrite` does to a tree what was done to its module when that was
    imported; `excluded` says which lines of a file nobody wants to hear of; `aside` are files of
    whose functions nothing is known."""

    def __init__(self, root: Path, rewrite: Rewrite, excluded: Excluded) -> None:
        self.marks = Marks()
        self.aside: list[str] = []
        self.hits: set[tuple[object, ...]] = set()  # of strikes, those that are among the marks
        self._root, self._rewrite, self._excluded = root, rewrite, excluded
        self._files: Files = {}
        self._all: dict[str, Read | None] = {}  # by path, of any campaign
        self._reads: dict[str, Read] = {}  # of this one
        self._living: dict[str, list[ref[FunctionType]]] = {}  # by path
        self._changed: list[Changed] = []
        self._on = True
        self.given_up = False

    def put_in(self, *agents: Any) -> None:
        """From now on runs of these agents leave marks."""
        if self._reads:
            return
        for source in sources(agents, self._root, self._files):
            if source.path not in self._all:
                self._all[source.path] = read(source, self._rewrite, self.marks)
            found = self._all[source.path]
            if found is not None:
                self._reads[source.path] = found
        self._look()
        known = [one() for path in self._reads for one in self._living[path]]
        known += [one for one in made_of(agents) if isinstance(one, FunctionType)]
        functions = {id(one): one for one in known if one is not None}
        self._changed, self.aside = put_in(self._reads, functions.values())

    def _look(self) -> None:
        """What functions live in the files that are new. Once a file: what is made of them later
        is made by functions with probes, or lies in the hands of an agent, or is missed."""
        new = {path: one for path, one in self._reads.items() if path not in self._living}
        self._living.update((path, []) for path in new)
        modules = {path: one.source.module for path, one in new.items()}
        lines = {path: one.blocks for path, one in new.items()}
        for one in living(modules, lines) if new else ():
            self._living[one.__code__.co_filename].append(ref(one))

    @property
    def changes(self) -> bool:
        """Whether runs of the agent are otherwise made as they would be."""
        return bool(self._changed)

    @contextmanager
    def turned(self, on: bool) -> Iterator[None]:
        """In this block runs leave marks, or every function has its own code."""
        before, self._on = self._on, on
        turn(self._changed, probed=on)
        try:
            yield
        finally:
            self._on = before
            turn(self._changed, probed=before)

    def give_up(self) -> None:
        """The agent of this test is not watched any more: it comes out otherwise."""
        self.take_out()
        self.given_up = True

    def take_out(self) -> None:
        """Every function has its own code again."""
        turn(self._changed, probed=False)
        self._changed, self.aside, self._reads = [], [], {}
        self.forget()

    def forget(self) -> None:
        """Nothing was seen."""
        self.marks.forget()
        self.hits.clear()

    def within(self) -> list[str]:
        """The `try` bodies that are at work, by their marks."""
        reads, marks = self._reads, []
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            code = frame.f_code
            found = reads.get(code.co_filename)
            if found is not None:
                line = frame.f_lineno
                blocks = found.blocks.get(code.co_firstlineno, ())
                marks += [one.mark for one in blocks if one.first <= line <= one.last]
            elif code.co_name == "execute" and begins_run(code):
                break
            frame = frame.f_back
        return marks

    def add(self, marks: Iterable[str]) -> None:
        """Marks of runs that were made elsewhere, or of strikes."""
        self.marks.update(dict.fromkeys(marks, True))

    @property
    def known(self) -> Iterator[Known]:
        """The error paths of the functions that the agent has called, in the order of files and
        lines; but what its user leaves out of account."""
        for one in sorted(self._reads.values(), key=lambda one: one.source.file):
            called = [each for each in one.found.branches if each.function in self.marks]
            left = self._excluded(one.source.path) if called else set()
            lines = one.source.text.split("\n")  # as Python counts them
            for branch in sorted(called, key=lambda each: (each.line, each.what)):
                if branch.line not in left:
                    yield Known(one.source.file, lines[branch.line - 1].strip(), branch)


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """In this block it is the current one, and is taken out at its end."""
    _current.append(watch)
    try:
        yield
    finally:
        _current.pop()
        watch.take_out()
        watch.given_up = False
