"""Twins: the code of functions once more, with probes in it, and how it takes their place.

Law: a function gets a twin only if its source gives the very code that it has; it stays the object
that it was, with the same lines, and has its own code again in the end. A function whose code is
another one (changed since, or by somebody else's hook) is left alone. Made by the watch.

What may have rewritten a module when it was imported, as pytest does with tests, is done to the
twin as well: `rewrite` is given the module and a tree.
"""

import ast
import gc
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from agentfuzz.runtime.paths.branch import MARKER, Block, Found, planted
from agentfuzz.runtime.paths.sources import Source

Rewrite = Callable[[ModuleType, ast.Module, str], None]
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


def read(source: Source, rewrite: Rewrite, probe: Callable[[str], Any]) -> Read | None:
    """The twins of a source, whose probes call `probe` with their marks; None where there is
    nothing to probe, or its tree cannot be compiled."""
    plain, tree = ast.parse(source.text), ast.parse(source.text)
    found = planted(tree, source.file)
    if not found.branches:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # told when it was imported; and that a text is called
            codes = []
            for one in (plain, tree):
                rewrite(source.module, one, source.text)
                codes.append(compile(one, source.path, "exec", dont_inherit=True))
    except (SyntaxError, ValueError, RecursionError):
        return None
    own, probed = codes
    blocks: dict[int, list[Block]] = {}
    for block in found.blocks:
        blocks.setdefault(block.function, []).append(block)
    return Read(source, found, dict(_pairs(own, _filled(probed, probe))), blocks)


class Changed(NamedTuple):
    """A function that has the code of its twin, and the one that it had."""

    function: FunctionType
    own: CodeType
    probed: CodeType


def put_in(reads: Mapping[str, Read]) -> tuple[list[Changed], list[str]]:
    """Give every function that lives the probed code of its twin: which they are, and the files in
    which one has another code than its source says. `reads` are by the paths of their files."""
    changed: list[Changed] = []
    aside = set()
    for one in [one for one in gc.get_objects() if type(one) is FunctionType]:
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


def take_out(changed: Iterable[Changed]) -> None:
    """Give them their own again."""
    for function, own, probed in changed:
        if function.__code__ is probed:
            function.__code__ = own


def _pairs(own: CodeType, probed: CodeType) -> Iterator[tuple[_Place, Twin]]:
    """The code of each function in a module, and its twin."""
    both = zip(_codes(own), _codes(probed), strict=True)
    for one, other in both:
        yield (one.co_qualname, one.co_firstlineno), Twin(one, other)
        yield from _pairs(one, other)


def _codes(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _filled(code: CodeType, probe: Callable[[str], Any]) -> CodeType:
    """The same code, in which the marker is the probe."""
    consts = tuple(
        _filled(one, probe)
        if isinstance(one, CodeType)
        else probe
        if isinstance(one, str) and one == MARKER
        else one
        for one in code.co_consts
    )
    return code.replace(co_consts=consts)
