"""Branches: the error paths in a source, and where a probe has to stand to see them entered.

Law: an error path is the body of an `except` or a `finally`, the `else` of a `try`, a branch (`if`,
`match`, a loop) within a handler, the second round of a loop over attempts, and what comes when
such a loop has no attempts left; in functions only. A loop is one over attempts if success leaves
it and some handler in it does not. Called by the twins, which make code of it.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

MARKER = "agentfuzz.runtime.paths: here"  # the table of marks, until it is put in
# The first letter of a mark says what was seen.
CALLED, TRIED, TAKEN, BEGUN, ROUND = "c:", "t:", "p:", "b:", "r:"
AGAIN = "second round"
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_SILENT = (ast.Global, ast.Nonlocal)  # no instruction stands for these
_TRIES: tuple[type, ...] = (ast.Try, ast.TryStar)


class Block(NamedTuple):
    """The body of a `try`: its mark, the first line of its function's code, and its own lines."""

    mark: str
    function: int
    first: int
    last: int


class Branch(NamedTuple):
    """An error path: its mark; that of its function; those of the `try` bodies that lead to it; and
    that of the path around it, empty for none."""

    mark: str
    line: int
    what: str
    function: str
    tries: tuple[str, ...]
    around: str


class Found(NamedTuple):
    """What a source holds."""

    branches: list[Branch]
    blocks: list[Block]


class _Scope(NamedTuple):
    """Where a statement stands: in which function (its mark and first line), within a handler or
    not, in which path, and which `try` bodies led here."""

    function: str = ""
    line: int = 0
    handler: bool = False
    around: str = ""
    tries: tuple[str, ...] = ()


def planted(tree: ast.Module, file: str) -> Found:
    """The error paths of a module, in whose tree the probes stand from now on."""
    planter = _Planter(file)
    planter.statements(tree.body, _Scope())
    return planter.found


class _Planter:
    def __init__(self, file: str) -> None:
        self.file = file
        self.found = Found([], [])
        self.attempts: set[int] = set()  # lines at which a `with` enters one

    def statements(self, body: list[ast.stmt], scope: _Scope) -> None:
        """Plant in a list of statements, which is changed."""
        planted: list[ast.stmt] = []
        after = ""
        for one in body:
            if after:
                planted.append(_probe(after, one))
                after = ""
            if isinstance(one, _LOOPS) and scope.function and _over_attempts(one):
                planted.append(_probe(self._mark(BEGUN, one.lineno, AGAIN), one))
                follows = body[body.index(one) + 1 :]
                if follows and not one.orelse and _runs_out(one):
                    line = _first(follows).lineno
                    after = self._branch("after the loop", line, scope, _tries_of(one))
            self._statement(one, scope)
            planted.append(one)
        body[:] = planted

    def _statement(self, one: ast.stmt, scope: _Scope) -> None:
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._function(one)
        elif isinstance(one, ast.ClassDef):
            self.statements(one.body, _Scope())
        elif isinstance(one, _TRIES):
            self._try(one, scope)
        elif isinstance(one, _LOOPS):
            self._loop(one, scope)
        elif isinstance(one, ast.If):
            self._if(one, scope)
        elif isinstance(one, ast.Match):
            for case in one.cases:
                self._part(case.body, case.pattern.lineno, scope)
        elif isinstance(one, (ast.With, ast.AsyncWith)) and one.lineno in self.attempts:
            self._block(one, scope)
        elif isinstance(one, (ast.With, ast.AsyncWith)):
            self.statements(one.body, scope)

    def _function(self, one: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        line = min([one.lineno, *(each.lineno for each in one.decorator_list)])
        mark = self._mark(CALLED, line, one.name)
        known = len(self.found.branches)
        self.statements(one.body, _Scope(mark, line))
        if any(branch.function == mark for branch in self.found.branches[known:]):
            place = 1 if ast.get_docstring(one, clean=False) is not None else 0
            one.body.insert(place, _probe(mark, _first(one.body[place:])))

    def _try(self, one: Any, scope: _Scope) -> None:
        if not scope.function:
            for part in (
                one.body,
                *(each.body for each in one.handlers),
                one.orelse,
                one.finalbody,
            ):
                self.statements(part, scope)
            return
        within = scope._replace(tries=(self._block(one, scope),))
        for handler in one.handlers:
            taken = self._branch("except", handler.lineno, within)
            self._with(taken, handler.body, within._replace(handler=True, around=taken))
        for what, body in (("else of try", one.orelse), ("finally", one.finalbody)):
            if body:
                taken = self._branch(what, _first(body).lineno, within)
                self._with(taken, body, scope._replace(around=taken))

    def _block(self, one: Any, scope: _Scope) -> str:
        """The body of a `try`, or of an attempt: its mark."""
        mark, first = self._mark(TRIED, one.lineno), one.body[0]
        self.found.blocks.append(Block(mark, scope.line, first.lineno, one.body[-1].end_lineno))
        self._with(mark, one.body, scope)
        return mark

    def _loop(self, one: Any, scope: _Scope) -> None:
        attempts = bool(scope.function) and _over_attempts(one)
        if attempts:
            self.attempts |= {each.lineno for each in _entered(one)}
            mark = self._branch(AGAIN, one.lineno, scope, _tries_of(one), ROUND)
            self._with(mark, one.body, scope)
        elif scope.handler:
            self._part(one.body, one.lineno, scope)
        else:
            self.statements(one.body, scope)
        if one.orelse and attempts:
            line = _first(one.orelse).lineno
            taken = self._branch("else of the loop", line, scope, _tries_of(one))
            self._with(taken, one.orelse, scope._replace(around=taken))
        else:
            self.statements(one.orelse, scope)

    def _if(self, one: ast.If, scope: _Scope) -> None:
        self._part(one.body, one.lineno, scope)
        chained = len(one.orelse) == 1 and isinstance(one.orelse[0], ast.If)
        if chained or not one.orelse:
            self.statements(one.orelse, scope)
        else:
            self._part(one.orelse, _first(one.orelse).lineno, scope, "else in a handler")

    def _part(
        self, body: list[ast.stmt], line: int, scope: _Scope, what: str = "branch in a handler"
    ) -> None:
        """The body of a branch, which is a path of its own within a handler."""
        if not scope.handler:
            self.statements(body, scope)
            return
        taken = self._branch(what, line, scope)
        self._with(taken, body, scope._replace(around=taken))

    def _with(self, mark: str, body: list[ast.stmt], scope: _Scope) -> None:
        """A body that begins with a probe."""
        place = _first(body)
        self.statements(body, scope)
        body.insert(0, _probe(mark, place))

    def _mark(self, kind: str, line: int, what: str = "") -> str:
        return f"{kind}{self.file}:{line} {what}".rstrip()

    def _branch(
        self,
        what: str,
        line: int,
        scope: _Scope,
        tries: tuple[int, ...] = (),
        kind: str = TAKEN,
    ) -> str:
        mark = self._mark(kind, line, what)
        given = tuple(self._mark(TRIED, each) for each in tries) or scope.tries
        self.found.branches.append(Branch(mark, line, what, scope.function, given, scope.around))
        return mark


def _probe(mark: str, at: ast.stmt) -> ast.stmt:
    """A statement on the line on which this one begins: it asks the table for the mark, or, where
    nothing is to be decided, writes it down: without any frame or call that a tracer could see."""
    decorated = getattr(at, "decorator_list", None)
    asks = mark[:2] not in (TRIED, TAKEN)
    cell = ast.Subscript(
        ast.Constant(MARKER), ast.Constant(mark), ast.Load() if asks else ast.Store()
    )
    written = ast.Expr(cell) if asks else ast.Assign([cell], ast.Constant(True))
    probe = ast.copy_location(written, decorated[0] if decorated else at)
    probe.end_lineno, probe.end_col_offset = probe.lineno, probe.col_offset
    return ast.fix_missing_locations(probe)


def _first(body: Sequence[ast.stmt]) -> ast.stmt:
    """The first statement of a body that is executed at all."""
    return next((one for one in body if not _silent(one)), body[0])


def _silent(one: ast.stmt) -> bool:
    return isinstance(one, _SILENT) or (isinstance(one, ast.AnnAssign) and one.value is None)


N = TypeVar("N", bound=ast.AST)


def _own(
    body: Iterable[ast.AST], *, loops: bool = True, handlers: bool = True
) -> Iterator[ast.AST]:
    """The nodes of these statements, but those of further functions and classes; and of further
    `loops` and of `handlers`, if they are asked for."""
    for one in body:
        yield one
        skipped = isinstance(one, _SCOPES) or (not loops and isinstance(one, _LOOPS))
        if not skipped and (handlers or not isinstance(one, ast.ExceptHandler)):
            yield from _own(ast.iter_child_nodes(one), loops=loops, handlers=handlers)


def _over_attempts(loop: Any) -> bool:
    """Whether a loop goes round again because something failed: an attempt that succeeds leaves it,
    and some handler does not. In a loop over things to do no success of one of them leaves it."""
    if _entered(loop):
        return True
    tries: list[Any] = [one for one in _own(loop.body, loops=False) if isinstance(one, _TRIES)]
    if all(_leaves(handler.body) for one in tries for handler in one.handlers):
        return False
    tried = [part for one in tries for part in (*one.body, *one.orelse)]
    named = (
        {one.id for one in ast.walk(loop.target) if isinstance(one, ast.Name)}
        if (isinstance(loop, (ast.For, ast.AsyncFor)))
        else set()
    )
    used = any(isinstance(one, ast.Name) and one.id in named for one in _own(tried))
    within = tried if used else loop.body
    return any(isinstance(one, ast.Return) for one in _own(within, handlers=False)) or any(
        isinstance(one, ast.Break) for one in _own(within, loops=False, handlers=False)
    )


def _entered(loop: Any) -> list[ast.stmt]:
    """The attempts of a library: `for attempt in retrying: with attempt: ...`."""
    if not isinstance(getattr(loop, "target", None), ast.Name):
        return []
    name = loop.target.id
    return [
        one
        for one in loop.body
        if isinstance(one, (ast.With, ast.AsyncWith))
        and any(getattr(item.context_expr, "id", "") == name for item in one.items)
    ]


def _leaves(body: Sequence[ast.stmt]) -> bool:
    """Whether a handler always leaves the loop: by its last statement, without a `continue`."""
    if any(isinstance(one, ast.Continue) for one in _own(body, loops=False)):
        return False
    last = body[-1]
    if isinstance(last, ast.If) and last.orelse:
        return _leaves(last.body) and _leaves(last.orelse)
    return isinstance(last, (ast.Raise, ast.Return, ast.Break))


def _runs_out(loop: Any) -> bool:
    """Whether what follows a loop is executed only when there are no attempts left."""
    endless = isinstance(loop, ast.While) and isinstance(loop.test, ast.Constant)
    retrying = not any(isinstance(one, ast.Return) for one in _own(loop.body, handlers=False))
    breaks = any(isinstance(one, ast.Break) for one in _own(loop.body, loops=False))
    return not (endless or retrying or breaks)


def _tries_of(loop: Any) -> tuple[int, ...]:
    """The lines of the `try` statements of a loop, or of its attempts."""
    tries = [one for one in _own(loop.body, loops=False) if isinstance(one, _TRIES)]
    return tuple(one.lineno for one in (*_entered(loop), *tries))  # type: ignore[attr-defined]
