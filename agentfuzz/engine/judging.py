"""A law that runs code of the user's own: asked under the watchdog.

Law: a law that spins, exits or interrupts is an error that names it, and nobody's verdict; a real
Ctrl-C stays one. agentfuzz's own laws are asked directly. Called for the laws of a scenario.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from agentfuzz.core.errors import CutOff, ScenarioError
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, Invariant
from agentfuzz.runtime import watchdog as watchdogs
from agentfuzz.runtime.user_code import is_own


def watched(law: Invariant) -> Invariant:
    """The same law; if it runs code of the user's, it is asked under the watchdog."""
    if _is_own(law.check):
        return law
    return replace(law, check=partial(asked, law.name, law.check))


def _is_own(value: Any) -> bool:
    """Whether nothing of it is a function of the user's, as far as one can see."""
    code = getattr(value, "__code__", None)
    if code is not None:
        cells = getattr(value, "__closure__", None) or ()
        return is_own(code.co_filename) and all(_is_own(cell.cell_contents) for cell in cells)
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_own, value))
    if isinstance(value, dict):
        return all(map(_is_own, value.values()))
    return not callable(value) or isinstance(value, type)


def asked(
    name: str, check: Check, history: History, baseline: History | None
) -> tuple[Violation, ...] | None:
    """What a law says. Raises ScenarioError for one that never says it."""
    watchdog = watchdogs.current()

    def verdict() -> tuple[Violation, ...] | None:
        found = check(history, baseline)
        return None if found is None else tuple(found)

    if watchdog is None or watchdog.active:
        return verdict()
    try:
        return watchdog.watched(verdict)
    except CutOff as cut:
        raise ScenarioError(
            f"the law {name} never ends: it was cut off in {cut.detail} after "
            f"{watchdog.patience:g} s. A law reads a history, and returns what is wrong with it."
        ) from None
    except Exception:
        raise
    except BaseException as error:
        if watchdog.interrupted:
            raise
        raise ScenarioError(
            f"the law {name} raised {type(error).__name__}. A law returns None, an empty list, or "
            "what is wrong; it ends neither a run nor pytest."
        ) from error
