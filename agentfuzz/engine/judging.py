"""A law that runs code of the user's own: asked under the watchdog.

Law: a law (or a scenario) that spins, exits or interrupts is an error that names it, and nobody's
verdict; a real Ctrl-C stays one. agentfuzz's own laws are asked directly. Called for the laws of a
scenario, and by the simulation.
"""

from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

from agentfuzz.core.codec import message
from agentfuzz.core.errors import CutOff, ScenarioError
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, Invariant
from agentfuzz.invariants.queries.outline import Resting
from agentfuzz.runtime.user_code import is_own
from agentfuzz.runtime.watchdog import Watchdog, current


def watched(law: Invariant) -> Invariant:
    """The same law; if it runs code of the user's, it is asked under the watchdog."""
    if _is_own(law.check):
        return law
    return replace(law, check=partial(asked, law.name, law.check))


def _is_own(value: Any) -> bool:
    """Whether nothing of it is a function of the user's, as far as one can see."""
    if isinstance(value, Resting):
        return _is_own(value.check)
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
    watchdog = current()

    def verdict() -> tuple[Violation, ...] | None:
        found = check(history, baseline)
        return None if found is None else tuple(found)

    if watchdog is None or watchdog.active:
        return verdict()
    try:
        return watchdog.watched(verdict)
    except BaseException as error:
        blame(f"law {name}", error, watchdog)


def blame(what: str, error: BaseException, watchdog: Watchdog) -> NoReturn:
    """Raise an error of the user's own code that is no agent; in place of one that would end
    pytest, or that nobody would understand, a ScenarioError."""
    if not isinstance(error, CutOff) and (isinstance(error, Exception) or watchdog.interrupted):
        raise error
    raise ScenarioError(
        f"the {what} {ended(error, watchdog)}. A scenario declares tools, and a law returns what "
        "is wrong; neither ends a run, or pytest."
    ).with_traceback(error.__traceback__) from error


def ended(error: BaseException, watchdog: Watchdog) -> str:
    """How code of the user's own has ended, in words."""
    if isinstance(error, CutOff):
        return f"never ends: it was cut off in {error.detail} after {watchdog.patience:g} s"
    return f"raised {type(error).__name__}: {watchdog.watched(partial(message, error))}"
