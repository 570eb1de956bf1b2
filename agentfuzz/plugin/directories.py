"""The temporary directories that fixtures make for one run (`tmp_path`, `tmp_path_factory`).

Law: every run finds them at the same paths, and empty; those of the last run stay, to be looked at.
Two processes share none. Used by `each_run` when it sets up.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Directories:
    """Of one test, if anything of it makes some."""

    def __init__(self, item: Any) -> None:
        used = "tmp_path_factory" in {
            *item._fixtureinfo.names_closure,
            *item._request._fixture_defs,
        }
        self._factory = getattr(item.config, "_tmp_path_factory", None) if used else None
        self._name = f"{item.originalname[:30]}-runs"
        self._own: tuple[int, Path] | None = None  # of which process

    @contextmanager
    def of_a_run(self) -> Iterator[None]:
        """What is made in the block is made for a run, in place of what was made for the last."""
        factory = self._factory
        if factory is None:
            yield
            return
        if self._own is None or self._own[0] != os.getpid():
            self._own = os.getpid(), factory.mktemp(self._name)
        own = self._own[1]
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir(mode=0o700, exist_ok=True)
        numbers = getattr(factory, "_next_number", {})  # since pytest 9.1
        before = factory._basetemp, dict(numbers)
        factory._basetemp = own
        numbers.clear()
        try:
            yield
        finally:
            factory._basetemp = before[0]
            numbers.clear()
            numbers.update(before[1])
