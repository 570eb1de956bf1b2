"""What an exception means that leaves a test: an assertion that failed, or that the test is over.

Law: an assertion counts as the test's own where the test's own file raised it, or a file whose
asserts the test framework rewrites; what fails inside of the agent's modules, of a library or of a
tool's body is how the run ended. The framework's exceptions are handed in: the engine knows none.
Asked by the simulation when a leg raised.
"""

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from types import CodeType, FrameType, MethodType
from typing import Any, NamedTuple

from agentfuzz.core.codec import message
from agentfuzz.core.errors import InvariantViolated
from agentfuzz.runtime.user_code import is_simulated, is_users

_REWRITTEN = "@pytest_ar"  # what pytest puts into a module whose asserts it rewrites
_LONG = 2_000  # characters of an explanation
_SOURCE = 300  # characters of a statement


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The exceptions of a test framework: `leave` (skip, xfail, exit) end a test at once, `fail`
    says that it failed, whoever raises it. Where the test `stays` to confirm what it found, to be
    left is how a run ended, and no more."""

    leave: tuple[type[BaseException], ...] = ()
    fail: tuple[type[BaseException], ...] = ()
    stays: bool = False

    def leaving(self, error: BaseException) -> BaseException | None:
        """The exception by which a test is left, out of any group that holds it."""
        if self.stays or not self.leave:
            return None
        return next((one for one in leaves(error) if isinstance(one, self.leave)), None)

    def ordinary(self, error: BaseException) -> bool:
        """Whether to raise this is an ordinary way to end a run."""
        return isinstance(error, (Exception, *self.leave))

    def assertion(self, error: BaseException, agent: object) -> "Assertion | None":
        """The assertion of the test that failed, if this is one. `agent` is the function that was
        run: its file is the test's own."""
        for one in leaves(error):
            if isinstance(one, self.leave):
                continue
            said = isinstance(one, self.fail)
            if said or (isinstance(one, AssertionError) and not isinstance(one, InvariantViolated)):
                place = _place(one, _file(agent), anywhere=said)
                if place is not None:
                    return Assertion(one, *_words(*place), message(one, _LONG))
        return None


class Assertion(NamedTuple):
    """A failed assertion: the function and the source of its statement, and what it says."""

    error: BaseException
    function: str
    source: str
    text: str


def leaves(error: BaseException) -> Iterator[BaseException]:
    """An exception, or those that a task group has gathered."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from leaves(one)
    else:
        yield error


def frames(error: BaseException) -> list[tuple[FrameType, int]]:
    """The frames that an exception went through, outermost first, each with its line."""
    found, trace = [], error.__traceback__
    while trace is not None:
        found.append((trace.tb_frame, trace.tb_lineno))
        trace = trace.tb_next
    return found


def hidden(frame: FrameType) -> bool:
    """Whether a frame is a helper's that asserts for its caller, by its own word: unittest's and
    pytest's ways to say so."""
    outer = frame.f_globals
    return bool(
        frame.f_locals.get("__tracebackhide__")
        or outer.get("__tracebackhide__")
        or "__unittest" in outer
        or str(outer.get("__name__")).startswith("unittest.")
    )


def _place(error: BaseException, home: str, *, anywhere: bool) -> tuple[CodeType, int] | None:
    """Where a test's own assertion stands; None for one that is not the test's."""
    inner = [(frame, line) for frame, line in frames(error) if not hidden(frame)]
    if anywhere:
        inner = [one for one in inner if is_users(one[0].f_code.co_filename)] or inner
    elif any(is_simulated(frame.f_code.co_filename) for frame, _ in inner):
        return None  # a tool's body: its refusal
    if not inner:
        return None
    frame, line = inner[-1]
    path = frame.f_code.co_filename
    own = path == home or (is_users(path) and _REWRITTEN in frame.f_globals)
    return (frame.f_code, line) if own or anywhere else None


def _file(agent: Any) -> str:
    """The file of a function, which may be wrapped, bound or partial, or of a callable object."""
    for _ in range(20):
        inner = getattr(agent, "__wrapped__", None)
        if isinstance(agent, partial):
            inner = agent.func
        elif isinstance(agent, MethodType):
            inner = agent.__func__
        elif inner is None and not hasattr(agent, "__code__"):
            inner = vars(type(agent)).get("__call__")
        if inner is None or inner is agent:
            break
        agent = inner
    return str(getattr(getattr(agent, "__code__", None), "co_filename", ""))


def _words(code: CodeType, line: int) -> tuple[str, str]:
    return code.co_qualname.replace("<locals>.", ""), _statement(code, code.co_filename, line)


@lru_cache(maxsize=512)
def _statement(code: CodeType, path: str, line: int) -> str:
    """The source of the statement at a line, on one line; of a compound one, its head."""
    linecache.checkcache(path)  # an editor may be at it while a session lives on
    lines = linecache.getlines(path)
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return " ".join("".join(lines[line - 1 : line]).split())
    found: Any = None
    for node in ast.walk(tree):  # outermost first
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0):
            found = node
    if found is None:
        return ""
    text = ast.get_source_segment("".join(lines), found) or ""
    if body := getattr(found, "body", None):
        text = "".join(lines[found.lineno - 1 : max(body[0].lineno - 1, found.lineno)])
    return " ".join(text.split())[:_SOURCE]
