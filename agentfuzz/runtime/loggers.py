"""The loggers of a process: what an agent changes at one is put back.

Law: a logger tells of its change before it happens, so that only those that were changed cost
anything; what changes a logger behind its back (`propagate`, a list of handlers) is seen when all
are compared. Used by the isolation.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

_SETTERS = ("setLevel", "addHandler", "removeHandler", "addFilter", "removeFilter")
State = tuple[int, bool, bool, tuple[Any, ...], tuple[Any, ...]]
_NEW: State = (logging.NOTSET, True, False, (), ())


class Loggers:
    """`changed` holds those that were, each as it was before."""

    def __init__(self) -> None:
        self.changed: dict[logging.Logger, State] = {}
        self._before: dict[logging.Logger, State] = {}

    def install(self) -> Callable[[], None]:
        """Let the loggers tell. Returns what puts the class back."""
        own = [(name, getattr(logging.Logger, name)) for name in _SETTERS]
        inherited = [name for name in _SETTERS if name not in vars(logging.Logger)]
        for name, real in own:
            setattr(logging.Logger, name, self._telling(real))
        self._before = {logger: _state(logger) for logger in _all()}

        def restore() -> None:
            for name, real in own:
                if name in inherited:
                    delattr(logging.Logger, name)
                else:
                    setattr(logging.Logger, name, real)

        return restore

    def _telling(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(real)
        def telling(logger: logging.Logger, *args: Any, **named: Any) -> Any:
            if logger not in self.changed:
                self.changed[logger] = _state(logger)
            return real(logger, *args, **named)

        return telling

    def put_back(self) -> None:
        """Those that have told are as they were."""
        for logger, state in self.changed.items():
            _write(logger, state)
        self.changed.clear()

    def put_all_back(self) -> None:
        """Every logger is as it was at first; a new one is as new."""
        for logger in _all():
            before = self._before.get(logger, _NEW)
            if _state(logger) != before:
                _write(logger, before)

    def stays(self) -> None:
        """What was changed by now is no agent's doing (an import's), and stays."""
        for logger in self.changed:
            self._before[logger] = _state(logger)
        self.changed.clear()


def _all() -> list[logging.Logger]:
    known = list(logging.root.manager.loggerDict.values())
    return [logging.root, *(one for one in known if isinstance(one, logging.Logger))]


def _state(logger: logging.Logger) -> State:
    return (
        logger.level,
        bool(logger.propagate),
        bool(logger.disabled),
        tuple(logger.handlers),
        tuple(logger.filters),
    )


def _write(logger: logging.Logger, state: State) -> None:
    logger.level, logger.propagate, logger.disabled = state[:3]
    logger.handlers[:] = state[3]
    logger.filters[:] = state[4]
    logger.manager._clear_cache()  # type: ignore[attr-defined]
