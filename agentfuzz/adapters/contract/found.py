"""Adapters by name: those that come with agentfuzz, and those that others publish.

Law: a framework is imported when its adapter is asked for by name, never before. Called by the
plugin and by tools.
"""

import os
from importlib import import_module
from importlib.metadata import entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

from agentfuzz.adapters.contract.adapter import Adapter
from agentfuzz.core.errors import AgentfuzzError, near_miss

GROUP = "agentfuzz.adapters"
_HERE = "agentfuzz.adapters"


def names() -> list[str]:
    """The names of all adapters, whether or not their frameworks are installed."""
    return sorted({*_bundled(), *(one.name for one in entry_points(group=GROUP))})


def found(name: str) -> Adapter:
    """The adapter of this name, quiet and warm. Raises AgentfuzzError where there is none, or where
    its framework is not installed, or too old, and says what to install."""
    published = {one.name: one for one in entry_points(group=GROUP)}
    known = names()
    if name not in known:
        raise AgentfuzzError(
            f"there is no adapter {name!r}; there is {', '.join(known)}.{near_miss(name, known)}"
        )
    try:
        adapter: Any = (
            published[name].load()
            if name in published
            else import_module(f"{_HERE}.{name}").ADAPTER
        )
    except ImportError as error:
        raise AgentfuzzError(
            f"the adapter {name} cannot be imported ({error}): pip install "
            f"'pytest-agentfuzz[{name.replace('_', '-')}]', or a newer version of what it adapts."
        ) from error
    made: Adapter = adapter() if isinstance(adapter, type) else adapter
    if made.needs and not SpecifierSet(made.needs).contains(version(made.package), True):
        raise AgentfuzzError(
            f"the adapter {name} needs {made.package}{made.needs}; installed is {release(made)}."
        )
    os.environ.update(made.quiet)
    made.warm()
    return made


def release(adapter: Adapter) -> str:
    """The distribution that an adapter adapts, with its version: `openai-agents 0.24.0`."""
    return f"{adapter.package} {version(adapter.package)}"


def _bundled() -> list[str]:
    """Those in this package that say so: files, and rooms by their table of contents."""
    spec = find_spec(_HERE)
    assert spec is not None
    folders = [Path(one) for one in spec.submodule_search_locations or ()]
    homes = {file.stem: file for folder in folders for file in folder.glob("[a-z]*.py")}
    rooms = {file.parent.name: file for folder in folders for file in folder.glob("*/__init__.py")}
    every = {**homes, **rooms}.items()
    return sorted(name for name, file in every if "\nADAPTER = " in file.read_text("utf-8"))
