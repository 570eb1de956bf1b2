"""A run again, with other ids, where it failed at once and should not have.

Law: every run draws the same ids, and a registry of this process may have kept those of a run that
was cut off and never gave them back; a run is taken for another one only where its ids alone are
why it failed. Called by the simulation, for an agent that has run before.
"""

from collections.abc import Callable
from typing import Any

from agentfuzz.core.history import History
from agentfuzz.engine.ending import fails_at_once
from agentfuzz.runtime import leaks
from agentfuzz.runtime.isolation import Isolation
from agentfuzz.world.injector import Injector


def renewed(
    before: History, again: Callable[[], History], injector: Injector, isolation: Isolation
) -> History:
    """The run that should have been, if it is the ids: they are others from then on. Otherwise the
    run as it was, and the injector with its crossings."""

    def run(by: int) -> tuple[History, list[Any]]:
        injector.crossings.clear()
        isolation.renew(by)
        return again(), [*injector.crossings]

    crossed = [*injector.crossings]
    other, found = run(1)
    if fails_at_once(other):
        isolation.renew(-1)
    elif fails_at_once(run(-1)[0]):
        isolation.renew(1)
        leaks.kept("the ids of a run that did not end are refused to the next")
        before, crossed = other, found
    injector.crossings[:] = crossed
    return before
