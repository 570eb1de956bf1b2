"""Functions: those that live of some files, whoever holds them.

Law: first along what the modules of these files hold, which is cheap, and finds what `gc.freeze`
has set apart; then, where that may have missed one, by a look at all that there is: where it met no
function of a line that the source has, or somebody else holds its code as well. Nothing is asked of
what lies on the way, so that nobody notices. Called by the watch, once a file.
"""

import gc
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

MOST = 20_000  # things that are met on the way
_MANY = (list, tuple, dict, set, frozenset)
_NO_WAY = (ModuleType, CodeType, FrameType, str, bytes, int, float, bool, type(None))


def living(modules: Mapping[str, ModuleType], lines: Mapping[str, Collection[int]]) -> Any:
    """Every function of the files of these modules, by their paths. `lines`: where those begin that
    are looked for."""
    found = list(_along(modules))
    if not _all_of(found, lines):
        every = [one for one in gc.get_objects() if type(one) is FunctionType]
        found += [one for one in every if one.__code__.co_filename in modules]
    return {id(one): one for one in found}.values()


def _along(modules: Mapping[str, ModuleType]) -> Iterator[FunctionType]:
    """The functions that these modules lead to, through no other module and no class of one."""
    names = {module.__name__ for module in modules.values()}
    coming: list[Any] = [module.__dict__ for module in modules.values()]
    known = set(map(id, coming))
    while coming and len(known) < MOST:
        functions = [one for one in coming if type(one) is FunctionType]
        yield from (one for one in functions if one.__code__.co_filename in modules)
        known.update(id(one.__globals__) for one in functions)
        held = {id(one): one for one in gc.get_referents(*coming)}
        coming = [one for key, one in held.items() if key not in known and _leads(one, names)]
        known.update(held)


def _leads(one: Any, names: Collection[str]) -> bool:
    kind = type(one)
    if kind in _MANY and len(one) > MOST:
        return False
    if issubclass(kind, type):
        return type.__getattribute__(one, "__module__") in names
    return not issubclass(kind, _NO_WAY)


def _all_of(found: Iterable[FunctionType], lines: Mapping[str, Collection[int]]) -> bool:
    """Whether these are all: each line has its function, and of each code that begins there, or
    makes such functions, it is known who holds it: functions and the code around it."""
    codes, holders = _codes(found)
    wanted = {(path, line) for path, its in lines.items() for line in its}
    if not wanted <= {(code.co_filename, code.co_firstlineno) for code in codes.values()}:
        return False
    alone = _counted({0: object()})[0]
    return all(
        count - alone == holders[key] or not _makes(codes[key], wanted)
        for key, count in _counted(codes).items()
    )


def _makes(code: CodeType, wanted: Collection[tuple[str, int]]) -> bool:
    return (code.co_filename, code.co_firstlineno) in wanted or any(
        _makes(one, wanted) for one in code.co_consts if type(one) is CodeType
    )


def _codes(found: Iterable[FunctionType]) -> tuple[dict[int, CodeType], dict[int, int]]:
    """The codes of functions and those within them, and how many of these hold each."""
    codes: dict[int, CodeType] = {}
    holders: dict[int, int] = {}
    coming = [one.__code__ for one in found]
    while coming:
        code = coming.pop()
        holders[id(code)] = holders.get(id(code), 0) + 1
        if id(code) not in codes:
            codes[id(code)] = code
            coming += [one for one in code.co_consts if type(one) is CodeType]
    return codes, holders


def _counted(held: Mapping[int, object]) -> dict[int, int]:
    return {key: sys.getrefcount(one) for key, one in held.items()}
