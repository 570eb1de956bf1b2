"""The linter sees every import of the package, but for the few that are named here.

Law: what is imported is imported by a statement, so that floors and circles are what
`.importlinter` and `make house` say. A lazy table of contents says under TYPE_CHECKING what it
loads by name.
"""

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

PACKAGE = Path(__file__).parent.parent / "agentfuzz"
# What is imported by name, and why no statement can do it: file, function, way.
ALLOWED = {
    "__init__.py __getattr__ import_module": "lazy: starting pytest imports no more than it needs",
    "adapters/__init__.py __getattr__ import_module": "lazy: a framework is imported when named",
    "adapters/contract/found.py found import_module": "the same",
    "adapters/google_adk/adapter.py GoogleADK find_spec": "what this release of it has",
    "adapters/google_adk/adapter.py <module> importlib.util": "the same",
    "adapters/google_adk/adapter.py <module> importlib.util.find_spec": "the same",
    "adapters/contract/found.py _bundled find_spec": "where the adapters lie",
    "adapters/contract/found.py <module> importlib.util": "the same",
    "adapters/contract/found.py <module> importlib.util.find_spec": "the same",
    "adapters/contract/found.py names entry_points": "those that others publish",
    "adapters/contract/found.py found entry_points": "the same",
    "model/cassettes/__init__.py __getattr__ import_module": "lazy: replay imports no recorder",
    "wire/__init__.py __getattr__ import_module": "lazy: naming the wire imports no server",
    "wire/client.py _client import_module": "the SDK of a client, openai or anthropic, by name",
    "wire/reach/patches.py <module> importlib.machinery": "what loads a library in a block",
    "wire/reach/patches.py <module> importlib.machinery.SourceFileLoader": "the same",
    "wire/reach/patches.py put_in SourceFileLoader": "the same",
    "wire/reach/patches.py _then_patching exec_module": "the same",
    "wire/client.py _library import_module": "whichever HTTP library is installed",
    "runtime/imports.py <module> importlib.machinery": "the loaders, which are timed",
    "runtime/imports.py <module> SourceFileLoader": "one of them",
    "runtime/surroundings.py <module> builtins": "what an agent may replace there is put back",
    "world/taps/sessions.py __init__ import_module": "the MCP SDK, and its types",
    "engine/existing.py <module> importlib.util": "whether there is such a module",
    "engine/existing.py <module> importlib.util.find_spec": "the same",
    "engine/existing.py _is_there find_spec": "the same",
    "runtime/detours.py _stub exec": "a stub with the parameters of the user's own function",
    "runtime/detours.py _stub compile": "the same",
    "runtime/paths/twins.py read compile": "the user's own function, with probes in it",
    "world/taps/surface.py _at import_module": "the user's own module, by the place of a tap",
    "world/taps/decorators.py _noting import_module": "the user's framework, by its decorator",
    "conformance/loop.py _imported import_module": "the user's own loop, from the command line",
    "conformance/stories.py modules import_module": "the bundled stories, which are files",
    "plugin/database.py <module> pkgutil": "what an ini file names, by its place",
    "plugin/database.py <module> pkgutil.resolve_name": "the same",
    "plugin/database.py _named resolve_name": "the same",
    "cli/mcp.py _scenario import_module": "the user's own module, from the command line",
}

# Whatever imports or runs code that is not in sight, by the name under which it is known.
WAYS = {
    *("__import__", "__builtins__", "import_module", "reload", "entry_points"),
    *("find_spec", "spec_from_file_location", "spec_from_loader", "module_from_spec"),
    *("exec_module", "load_module", "SourceFileLoader", "resolve_name", "run_module", "run_path"),
    *("import_plugin", "pytest_plugins", "importorskip"),
}
BUILTINS = {"exec", "eval", "compile"}  # by themselves: `re.compile` runs nothing
LIBRARIES = {
    *("runpy", "pkgutil", "imp", "zipimport", "pydoc", "builtins", "_imp", "code", "codeop"),
    *("importlib.util", "importlib.machinery", "importlib._bootstrap", "importlib.abc"),
    *("_frozen_importlib", "_frozen_importlib_external"),
}


def ways(source: str, own: str, modules: set[str]) -> Iterator[str]:
    """`function way` for each import of a source that no statement says. `own` is its module,
    `modules` are all of the package: the name of one in a text may be imported by whoever reads
    it, and is none of this module's business unless it lies in it."""
    tree = ast.parse(source)
    lines = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
    said = {id(value) for value in lines if isinstance(value, ast.Constant)}  # docstrings
    inside: list[tuple[ast.AST, str]] = [(tree, "<module>")]
    while inside:
        node, scope = inside.pop()
        if id(node) in said:
            continue
        for way in _ways(node):
            yield f"{scope} {way}"
        if isinstance(node, ast.Constant) and node.value in modules - {own, *_above(own)}:
            yield f"{scope} {node.value!r}"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            scope = node.name
        inside += [(child, scope) for child in ast.iter_child_nodes(node)]


def _above(module: str) -> Iterator[str]:
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


def _ways(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (each.name for each in node.names if _runs(each.name))
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if _runs(module):
            yield module
        for each in node.names:
            if _runs(f"{module}.{each.name}"):
                yield f"{module}.{each.name}"
            elif each.name == "*" and module.startswith("importlib"):
                yield f"{module}.*"
            elif each.name in WAYS and each.asname not in (None, each.name):
                yield f"{each.name} as {each.asname}"
    elif isinstance(node, ast.Name) and node.id in WAYS | BUILTINS:
        yield node.id
    elif isinstance(node, ast.Attribute) and node.attr in WAYS:
        yield node.attr
    elif isinstance(node, ast.Constant) and node.value in ("import_module", "__import__"):
        yield f"{node.value!r}"
    elif isinstance(node, ast.Subscript | ast.Call) and _takes_a_module(node):
        yield "sys.modules"


def _runs(module: str) -> bool:
    return any(f"{module}.".startswith(f"{library}.") for library in LIBRARIES)


def _takes_a_module(node: ast.Subscript | ast.Call) -> bool:
    """`sys.modules["agentfuzz..."]`, or `.get` of it: what somebody else has imported."""
    if isinstance(node, ast.Subscript):
        table, keys = node.value, [node.slice]
    else:
        table, keys = getattr(node.func, "value", node), node.args[:1]
    if not (isinstance(table, ast.Attribute) and table.attr == "modules"):
        return False
    parts = (part for key in keys for part in ast.walk(key))
    return any(str(getattr(part, "value", "")).startswith("agentfuzz") for part in parts)


def modules() -> dict[str, Path]:
    """Every module of the package and its file."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def test_every_import_is_a_statement() -> None:
    """No file of the package imports what the linter cannot see, but for those that are listed;
    and nothing is listed that is not there."""
    every = modules()
    found = {
        f"{path.relative_to(PACKAGE).as_posix()} {way}"
        for name, path in every.items()
        for way in ways(path.read_text(encoding="utf-8"), name, set(every))
    }
    assert found == set(ALLOWED)


@pytest.mark.parametrize("file", [key.split()[0] for key in ALLOWED if "__getattr__" in key])
def test_a_lazy_table_of_contents_shows_what_it_loads(file: str) -> None:
    """Every public name of a lazy `__init__` is imported under TYPE_CHECKING, where the linter and
    the type checker see it, and is the thing that the name gives."""
    name = ".".join(("agentfuzz", *Path(file).parts[:-1]))
    package = importlib.import_module(name)
    seen: dict[str, str] = {}
    for node in ast.parse((PACKAGE / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            for each in node.body:
                assert isinstance(each, ast.ImportFrom)
                assert each.module is not None
                seen |= {alias.name: each.module for alias in each.names}
    assert sorted(seen) == sorted(package.__all__)
    for public, module in seen.items():
        try:
            given = getattr(package, public)
        except ModuleNotFoundError as missing:
            if str(missing.name).startswith("agentfuzz"):
                raise
            continue  # an adapter, whose framework is not installed here
        assert given is getattr(importlib.import_module(module), public), public


def test_every_library_has_its_room() -> None:
    """Whatever is imported and neither Python's nor agentfuzz's own is told by a contract of
    `.importlinter` where it belongs, but for what is used everywhere."""
    graph = grimp.build_graph(
        "agentfuzz",
        include_external_packages=True,
        exclude_type_checking_imports=False,
        cache_dir=None,
    )
    theirs = {name for name in graph.modules if name.partition(".")[0] != "agentfuzz"}
    everywhere = {"pydantic", "pydantic_core", "typing_extensions"}
    lines = (PACKAGE.parent / ".importlinter").read_text(encoding="utf-8").splitlines()
    told = {line.removeprefix("protected_modules =").strip() for line in lines}
    assert theirs - sys.stdlib_module_names - everywhere <= told


@pytest.mark.parametrize(
    ("source", "way"),
    [
        ("def f():\n    import_module('yaml')", "f import_module"),
        ("from importlib import import_module as load", "<module> import_module as load"),
        ("from agentfuzz.wire.client import import_module as load", "<module> import_module as"),
        ("import importlib as i\nclass A:\n    x = i.import_module('y')", "A import_module"),
        ("load = getattr(i, 'import_module')", "<module> 'import_module'"),
        ("from importlib import *", "<module> importlib.*"),
        ("from importlib import util", "<module> importlib.util"),
        ("import importlib.util", "<module> importlib.util"),
        ("__import__('agentfuzz.' + name)", "<module> __import__"),
        ("__builtins__['__imp' + 'ort__']", "<module> __builtins__"),
        ("async def f():\n    import runpy as r", "f runpy"),
        ("from pkgutil import iter_modules", "<module> pkgutil"),
        ("import pydoc", "<module> pydoc"),
        ("exec('import agentfuzz.plugin')", "<module> exec"),
        ("eval(compile(text, '', 'eval'))", "<module> eval"),
        ("for one in entry_points(group='a'):\n    one.load()", "<module> entry_points"),
        ("sys.modules['agentfuzz.plugin.' + x]", "<module> sys.modules"),
        ("sys.modules['agentfuzz.plugin.session']", "<module> sys.modules"),
        ("sys.modules.get(f'agentfuzz.{x}')", "<module> sys.modules"),
        ("_HOME = {'World': 'agentfuzz.world.world'}", "<module> 'agentfuzz.world.world'"),
    ],
)
def test_what_hides_an_import_is_seen(source: str, way: str) -> None:
    """Every way round the statement, under whatever name."""
    found = list(ways(source, "agentfuzz.core.codec", {"agentfuzz.world.world"}))
    assert any(each.startswith(way) for each in found), found


@pytest.mark.parametrize(
    "source",
    [
        "from importlib.resources import files\nfiles('agentfuzz.core')",
        "import importlib.metadata\nimportlib.metadata.version('pytest')",
        "import re\nre.compile('x')",
        "def f():\n    import agentfuzz.world.world",
        "sys.modules.get('trio')",
        '"""agentfuzz.core"""\ndef f():\n    """import_module"""',
    ],
)
def test_what_hides_nothing_is_left_alone(source: str) -> None:
    """Imports by statement, and names of one's own room."""
    assert list(ways(source, "agentfuzz.core.codec", {"agentfuzz.core", "agentfuzz.core.x"})) == []
