"""The one-shot options: explain a code, begin with a test, try a loop, export and replay.

Law: nothing is ever overwritten, and every answer names the next command. Called by the plugin.
"""

import ast
import re
from keyword import iskeyword
from pathlib import Path
from shlex import quote
from typing import Any

import pytest

from agentfuzz.archive.saved import Saved, load, load_all
from agentfuzz.archive.saved import find as named
from agentfuzz.core import codes
from agentfuzz.core.codec import described
from agentfuzz.core.errors import AgentfuzzError, near_miss
from agentfuzz.core.escaping import visible
from agentfuzz.plugin.actions import start
from agentfuzz.plugin.findings import SAVED

_SET_UP = ("setup_module", "teardown_module", "setup_function", "teardown_function")


def main(config: pytest.Config) -> int | None:
    """Answer an option that needs no tests, or prepare one that does (then None)."""
    try:
        code = config.getoption("--agentfuzz-explain")
        if code is not None:
            print(codes.listing() if code == "list" else codes.page(code.upper()))
            return 0
        kind, ci = config.getoption("--agentfuzz-init"), config.getoption("--agentfuzz-ci")
        if not (kind is None and ci is None):
            return start.init(config, kind, ci)
        if config.getoption("--agentfuzz-loop") is not None:
            from agentfuzz.plugin.actions import conformance

            return conformance.main(config)
        export, replay = (config.getoption(f"--agentfuzz-{name}") for name in ("export", "replay"))
        found = find(config, replay if export is None else export)
        if _no_paths(config):
            config.args[:] = sorted({_path(config, saved) for saved in found})
        if export is not None:
            # one process collects, and nothing runs (options of xdist, if it is there)
            config.option.numprocesses, config.option.dist, config.option.tx = 0, "no", []
        return None
    except AgentfuzzError as error:
        raise pytest.UsageError(str(error)) from error


def _path(config: pytest.Config, saved: Saved) -> str:
    """Where the test of a saved counterexample lies. Raises AgentfuzzError outside of rootdir: a
    file that came from elsewhere runs nothing there."""
    root = config.rootpath.resolve()
    file = (root / saved.nodeid.partition("::")[0]).resolve()
    if not file.is_relative_to(root):
        raise AgentfuzzError(
            f"{visible(saved.id)} names the test {visible(saved.nodeid[:200])}, which lies outside "
            f"of {root}: nothing of it was run. Call pytest where that test is, or name the "
            "test on the command line."
        )
    if not file.exists():
        raise AgentfuzzError(
            f"{visible(saved.id)} names the test {visible(saved.nodeid[:200])}, and {root} has no "
            "such file: nothing was run. Name on the command line what was named when it was found."
        )
    return f"{config.rootpath}/{saved.nodeid}"


def _no_paths(config: pytest.Config) -> bool:
    """Whether the command line names no test to look in."""
    return config.args_source is not pytest.Config.ArgsSource.ARGS


def find(config: pytest.Config, wanted: str) -> list[Saved]:
    """The saved counterexamples of an id (or the beginning of one), a file, or `all`. Raises
    AgentfuzzError if none."""
    if not wanted:
        raise AgentfuzzError(
            "--agentfuzz-replay and --agentfuzz-export need an id (AF-...), a file, or all."
        )
    if wanted.endswith(".json"):
        return [load(Path(wanted))]
    folder = config.rootpath / SAVED
    saved, notes = load_all(folder)
    found = named(saved, wanted)
    if wanted != "all" and len(found) > 1:
        raise AgentfuzzError(
            f"{wanted!r} is the beginning of several ids: {', '.join(one.id for one in found)}."
        )
    if not found:
        ids = [one.id for one in saved]
        told = "; ".join(notes) if notes else f"saved are: {', '.join(ids) or 'none'}"
        raise AgentfuzzError(
            f"no saved counterexample {wanted!r} in {SAVED}/ ({told}).{near_miss(wanted, ids)} "
            "Find counterexamples with pytest --agentfuzz."
        )
    return found


def keep_replayed(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect every test that has nothing to replay."""
    nodeids = {one.nodeid for one in find(config, config.getoption("--agentfuzz-replay"))}
    kept = [item for item in items if item.nodeid in nodeids]
    dropped = [item for item in items if item.nodeid not in nodeids]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def export(session: pytest.Session) -> None:
    """Write the regression test of a saved counterexample beside the test that found it."""
    config = session.config
    try:
        for saved in find(config, config.getoption("--agentfuzz-export")):
            item = next((item for item in session.items if item.nodeid == saved.nodeid), None)
            if item is None:
                raise AgentfuzzError(
                    f"{saved.id} was found by {saved.nodeid}, which is not collected any more."
                )
            if hasattr(getattr(item, "obj", None), "agentfuzz"):
                _write(config, saved, item)
            else:
                _keep(config, saved, item)
    except AgentfuzzError as error:
        raise pytest.UsageError(str(error)) from error


def _keep(config: pytest.Config, saved: Saved, item: pytest.Item) -> None:
    """Say how a test that exists keeps what it has found: no other test is written of it."""
    path = start.from_here(config, config.rootpath / SAVED / f"{saved.id}.json")
    print(f"\n{visible(item.nodeid)} is its own regression test: campaigns try {saved.id} first")
    if item.get_closest_marker("agentfuzz") is None:
        print("mark it with @pytest.mark.agentfuzz, so that it is a campaign wherever they run")
    print(f"next: git add -f {quote(path)}")


def _write(config: pytest.Config, saved: Saved, item: Any) -> None:
    word = re.sub(r"\W+", "_", saved.id.lower())
    path = Path(item.path).parent / f"test_{word}.py"
    shown = start.from_here(config, path)
    try:
        text = regression_test(saved, item, word)
        ast.parse(text, shown)
    except (SyntaxError, ValueError) as error:
        raise AgentfuzzError(
            f"{saved.id}: {visible(item.nodeid)} cannot be called from another module ({error}); "
            "nothing was written."
        ) from error
    try:
        start.whole(path, text)
    except FileExistsError:
        print(f"\n{shown} exists, left alone")
        return
    except OSError as error:
        raise AgentfuzzError(f"{shown} cannot be written: {error.strerror}") from error
    print(f"\nwrote {shown}: red while the bug lives, green after the fix")
    print(f"next: pytest {quote(shown)}; git add {quote(shown)}")


def regression_test(saved: Saved, item: Any, word: str) -> str:
    """The source of a regression test. Raises AgentfuzzError for a test that cannot be called
    from another module. Nothing of a saved file gets into it as code."""
    own = item.cls.__qualname__ if item.cls is not None else item.originalname
    first, *inner = own.split(".")
    target = ".".join([f"_{first}", *inner])
    if item.cls is not None:
        target += f"().{item.originalname}"
    names = {f"_{first}": first, **{name: name for name in _fixtures(item)}}
    extra = "".join(f",\n    {name}={value!r}" for name, value in _parameters(item).items())
    title = visible(f"{saved.code} {saved.title}").replace("\\", "/").replace('"', "'")
    return (
        f'"""{title}. Red while the bug lives, green after the fix.\n\n'
        f'Written by: pytest --agentfuzz-export {saved.id}\n"""\n\n'
        + _imports(item, names)
        + f"test_{word} = regression(\n"
        f"    {target},\n"
        f"    plan={str(saved.plan)!r},\n"
        f"    code={saved.code!r}{extra},\n"
        f")\n"
    )


def _imports(item: Any, names: dict[str, str]) -> str:
    """How another module gets at these names of a test's module: by an import, or from its file
    where the name of the module is none that Python can write or find."""
    module, ours = item.module.__name__, "from agentfuzz import regression\n\n"
    if item.config.option.importmode != "importlib":
        if all(part.isidentifier() and not iskeyword(part) for part in module.split(".")):
            lines = [
                f"from {module} import {theirs}{'' if mine == theirs else f' as {mine}'}"
                for mine, theirs in names.items()
            ]
            return "".join(f"{line}  # noqa: F401\n" for line in lines) + f"\n{ours}"
        load = f"from importlib import import_module\n\n{ours}_module = import_module({module!r})\n"
    else:
        file = Path(item.path).name
        load = (
            "from importlib.util import module_from_spec, spec_from_file_location\n"
            f"from pathlib import Path\n\n{ours}"
            f"_file = Path(__file__).with_name({file!r})\n"
            f"_spec = spec_from_file_location({module!r}, _file)\n"
            "_module = module_from_spec(_spec)\n_spec.loader.exec_module(_module)\n"
        )
    return load + "".join(f"{mine} = _module.{name}\n" for mine, name in names.items()) + "\n"


def _fixtures(item: Any) -> list[str]:
    """What the exported test needs of the module of its test: fixtures and set-up functions."""
    found = [one for ones in item._fixtureinfo.name2fixturedefs.values() for one in ones]
    for one in found:
        if "::" in one.baseid:
            name = "setup_method or setup_class" if "_xunit_" in one.argname else one.argname
            raise AgentfuzzError(
                f"{item.nodeid} needs {name} of its class, which an exported test cannot use; "
                "make it a fixture outside the class (or in conftest.py)."
            )
    functions = {id(one.func) for one in found}
    return sorted(
        name
        for name, value in vars(item.module).items()
        if id(getattr(value, "__wrapped__", None)) in functions or name in _SET_UP
    )


def _parameters(item: Any) -> dict[str, Any]:
    """The values that parametrize gave the test (a parametrized fixture stays a fixture)."""
    if not hasattr(item, "callspec"):
        return {}
    direct: set[str] = set()
    for mark in item.iter_markers("parametrize"):
        names = mark.args[0] if mark.args else mark.kwargs["argnames"]
        names = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)
        indirect = mark.args[2] if len(mark.args) > 2 else mark.kwargs.get("indirect", False)
        if indirect is not True:
            direct |= set(names) - set(indirect or ())
    values = {n: v for n, v in item.callspec.params.items() if n in direct}
    for name, value in values.items():
        if not _literal(value):
            raise AgentfuzzError(
                f"{item.nodeid}: the parameter {name} = {described(value)} cannot be written as "
                "Python; parametrize by a name or number and build the object in the test."
            )
    return values


def _literal(value: object) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except Exception:  # a repr that raises, or is no literal
        return False
