"""Twins: the code of functions once more, with probes in it, and how it takes their place.

Law: a function gets a twin only if its source gives the very code that it has; it stays the object
that it was, with the same lines, and has its own code again in the end. A function whose code is
another one (changed since, or by somebody else's hook) is left alone. Made by the watch.

What may have rewritten a module when it was imported, as pytest does with tests, is done to the
twin as well: `rewrite` is given the module and a tree.
"""

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import NamedTuple

from agentfuzz.runtime.paths.branch import MARKER, Block, Found, planted
from agentfuzz.runtime.paths.marks import Marks
from agentfuzz.runtime.paths.sources import Source

Rewrite = Callable[[ModuleType, ast.Module, str], bool]  # whether it has changed it
_Place = tuple[str, int]  # of a code: its qualified name and its first line


class Twin(NamedTuple):
    """The code of a function, and the same with probes."""

    own: CodeType
    probed: CodeType


class Read(NamedTuple):
    """A source that was read: what it holds, the twins of its functions by their places, and its
    `try` bodies by the first lines of those."""

    source: Source
    found: Found
    twins: dict[_Place, Twin]
    blocks: dict[int, list[Block]]


def read(source: Source, rewrite: Rewrite, marks: Marks) -> Read | None:
    """The twins of a source, whose probes look into `marks`; None where there is nothing to probe,
    or its tree cannot be compiled."""
    tree = ast.parse(source.text)
    found = planted(tree, source.file)
    if not found.branches:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # told when it was imported; and that a text is called
            plain: str | ast.Module = source.text
            if rewrite(source.module, tree, source.text):
                plain = ast.parse(source.text)
                rewrite(source.module, plain, source.text)
            own, probed = (
                compile(one, source.path, "exec", dont_inherit=True) for one in (plain, tree)
            )
    except (SyntaxError, ValueError, RecursionError):
        return None
    blocks: dict[int, list[Block]] = {}
    for block in found.blocks:
        blocks.setdefault(block.function, []).append(block)
    return Read(source, found, dict(_pairs(own, _filled(probed, marks))), blocks)


class Changed(NamedTuple):
    """A function that has the code of its twin, and the one that it had."""

    function: FunctionType
    own: CodeType
    probed: CodeType


def put_in(
    reads: Mapping[str, Read], functions: Iterable[FunctionType]
) -> tuple[list[Changed], list[str]]:
    """Give these functions the probed code of their twins: which they are, and the files in which
    one has another code than its source says. `reads` are by the paths of their files."""
    changed: list[Changed] = []
    aside = set()
    for one in functions:
        code = one.__code__
        read = reads.get(code.co_filename)
        if read is None:
            continue
        twin = read.twins.get((code.co_qualname, code.co_firstlineno))
        if twin is not None and code in (twin.own, twin.probed):  # made by one that had probes
            changed.append(Changed(one, code if code == twin.own else twin.own, twin.probed))
            one.__code__ = twin.probed
        elif code.co_firstlineno in read.blocks:
            aside.add(read.source.file)
    return changed, sorted(aside)


def turn(changed: Iterable[Changed], *, probed: bool) -> None:
    """Give them the code of their twins, or their own, where they have the other."""
    for function, own, other in changed:
        old, new = (own, other) if probed else (other, own)
        if function.__code__ is old:
            function.__code__ = new


def _pairs(own: CodeType, probed: CodeType) -> Iterator[tuple[_Place, Twin]]:
    """The code of each function in a module, and its twin."""
    both = zip(_codes(own), _codes(probed), strict=True)
    for one, other in both:
        yield (one.co_qualname, one.co_firstlineno), Twin(one, other)
        yield from _pairs(one, other)


def _codes(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _filled(code: CodeType, marks: Marks) -> CodeType:
    """The same code, in which the table of marks stands for the marker."""
    consts = tuple(
        _filled(one, marks)
        if isinstance(one, CodeType)
        else marks
        if isinstance(one, str) and one == MARKER
        else one
        for one in code.co_consts
    )
    return code.replace(co_consts=consts)
