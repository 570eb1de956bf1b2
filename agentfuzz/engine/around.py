"""Around a run: what a test has of its own to set up before it and to take down after it.

Law: it happens outside of the agent's run and inside its time: at the instant at which every run
begins, with the same randomness; whatever it changes of the process is how the run finds it, and
its network, threads and processes are nobody's escape. What fails or never ends in it is a
FixtureError, never the agent's. Entered by the simulation, around every run there is.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from agentfuzz.core.errors import FixtureError
from agentfuzz.runtime.isolation import Isolation
from agentfuzz.runtime.watchdog import Watchdog

Around = Callable[[], AbstractContextManager[object]]


@contextmanager
def entered(around: Around, isolation: Isolation, watchdog: Watchdog) -> Iterator[None]:
    """What happens in the block has been set up, and is taken down after it. Raises FixtureError;
    but what the block raises itself comes first."""
    manager = around()
    _watched(manager.__enter__, watchdog)
    isolation.accept()
    try:
        yield
    except BaseException as error:
        left = error
        watchdog.clear_up(lambda: manager.__exit__(type(left), left, left.__traceback__))
        isolation.accept()
        raise
    _watched(lambda: manager.__exit__(None, None, None), watchdog)
    isolation.accept()


def _watched(work: Callable[[], object], watchdog: Watchdog) -> None:
    try:
        watchdog.watched(work)
    except BaseException as error:  # perhaps a group of what its parts made of being cut off
        if watchdog.interrupted or not watchdog.spun:
            raise
        raise FixtureError(
            f"what each_run= renews never ended: it was cut off in {watchdog.spun} after "
            f"{watchdog.patience:g} s. Around a run time is virtual: nothing that began before the "
            "campaign (an event loop, a thread) sees it pass"
        ).with_traceback(error.__traceback__) from error
