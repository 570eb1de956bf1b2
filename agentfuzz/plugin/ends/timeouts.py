"""A timeout of pytest-timeout that strikes in a campaign.

Law: it ends the campaign as Ctrl-C does, and the test alone: the test fails by it, with what was
found by then; no agent sees it, and none can take it for its own. A method that ends the process
would take with it what was found, so that the other one is used for these tests where there is one.
Called by the hooks and by the session.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from agentfuzz.core.findings import CampaignResult
from agentfuzz.plugin.ends.sigterm import as_ctrl_c
from agentfuzz.plugin.findings import Failed

THEIRS = "pytest_timeout"
_CURE = (
    "Give the campaign more time (--timeout, @pytest.mark.timeout) or less to do "
    "(--agentfuzz-max-time, max_runs=)."
)
_STRUCK = pytest.StashKey[str]()


def instead_of_a_thread(item: pytest.Item, settings: Any) -> bool | None:
    """Set the timer of this test by a signal where a thread was to end the process; None where
    there is no need."""
    if settings.method != "thread" or not hasattr(signal, "setitimer"):
        return None
    other = settings._replace(method="signal")
    return bool(item.ihook.pytest_timeout_set_timer(item=item, settings=other))


@contextmanager
def minded(item: pytest.Item) -> Iterator[None]:
    """In the block, a timeout of the test ends what goes on with KeyboardInterrupt."""
    item.stash.setdefault(_STRUCK, "")
    theirs = signal.getsignal(signal.SIGALRM) if hasattr(signal, "SIGALRM") else None
    if not callable(theirs) or getattr(theirs, "__module__", "") != THEIRS:
        yield
        return

    def strike(signum: int, frame: Any) -> None:
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            return  # the session ends already
        try:
            theirs(signum, frame)
        except pytest.fail.Exception as failed:
            item.stash[_STRUCK] = str(failed)
            as_ctrl_c(signum, frame)

    signal.signal(signal.SIGALRM, strike)
    try:
        yield
    except KeyboardInterrupt:  # between two runs
        if not item.stash[_STRUCK]:
            raise
        raise failure(item) from None
    finally:
        signal.signal(signal.SIGALRM, theirs)


def struck(item: pytest.Item, result: CampaignResult) -> CampaignResult | None:
    """What is told of a campaign that a timeout has ended; None where it was another that did."""
    said = item.stash[_STRUCK]
    if not said:
        return None
    note = f"{result.nodeid}: {said} It had made {result.runs:,} runs. {_CURE}"
    return replace(result, stopped="timeout", notes=(*result.notes[:-1], note))


def failure(item: pytest.Item) -> Failed:
    """How the test fails in which nothing else was found."""
    said = item.stash[_STRUCK]
    return Failed(said.rstrip("."), f"{said} {_CURE}")
