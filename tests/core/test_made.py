"""`made(Kind, (...))` is `Kind(...)` without a frame, and without a check: here is the check."""

import ast
import importlib
from pathlib import Path

import agentfuzz

HOME = Path(agentfuzz.__file__).parent


def records():
    """Every call of `made` with a name and fields in sight: file, name, how many fields."""
    for path in sorted(HOME.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for name, count in within(function):
                    yield path, name, count


def within(function):
    """Those of one function."""
    nodes = list(ast.walk(function))
    written = {
        target.id: node.value
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in nodes:
        named = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "made"
        if named and len(node.args) == 2:
            kind, fields = node.args
            if isinstance(fields, ast.Name):
                fields = written.get(fields.id)
            if isinstance(kind, ast.Name) and isinstance(fields, ast.Tuple):
                starred = any(isinstance(each, ast.Starred) for each in fields.elts)
                yield kind.id, None if starred else len(fields.elts)


def test_every_record_gets_all_of_its_fields():
    """As many as it has: a tuple that is too short is found at the next line that replaces one."""
    found = 0
    for path, name, count in records():
        module = ".".join(("agentfuzz", *path.relative_to(HOME).with_suffix("").parts))
        kind = getattr(importlib.import_module(module), name, None)
        if kind is None or count is None:
            continue
        found += 1
        assert count == len(kind._fields), f"{path.name}: {name}"
    assert found >= 15
