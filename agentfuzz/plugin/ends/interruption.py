"""Ctrl-C and SIGTERM: what was found so far is told, whichever process found it.

Law: the test that did not come to its end is
named with what it had found, nothing of it is run any more, and a worker of xdist leaves it in a
file for its controller; the test of one that does not react is named all the same. Called by the
session, and by the hooks of a worker.
"""

import json
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from agentfuzz.archive import crash_log
from agentfuzz.archive.transport import from_json, to_json
from agentfuzz.core import escaping
from agentfuzz.core.codec import dump
from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.secrets.redaction import redacted
from agentfuzz.runtime.clock import Real
from agentfuzz.search.campaign import Campaign

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SOON = 1.5  # real seconds until it is said which workers have not reacted yet
_PATIENCE = 5.0  # real seconds for the workers
_LEFT = "unfinished-{}.part"


@contextmanager
def undisturbed() -> Iterator[None]:
    """What is done in the block is done to its end: whoever is impatient has been heard."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [signal.signal(one, signal.SIG_IGN) for one in _SIGNALS]
    try:
        yield
    finally:
        for one, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(one, handler)


class Interrupted(BaseException):
    """Somebody ends a campaign in its middle; `result` is what it had found."""

    def __init__(self, result: CampaignResult) -> None:
        super().__init__("interrupted")
        self.result = result


def of(campaign: Campaign) -> Interrupted:
    """What there is of a campaign that was interrupted."""
    with undisturbed():
        return Interrupted(campaign.interrupted())


# Workers ----------------------------------------------------------------------------------


def leave(folder: Path, result: CampaignResult | None) -> None:
    """Leave the result of an unfinished test to the controller; None: there is none."""
    path = folder / _LEFT.format(os.getpid())
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".tmp")
        beside.write_text(dump(None if result is None else to_json(result)), encoding="utf-8")
        os.replace(beside, path)


def gather(folder: Path, workers: Sequence[int], config: pytest.Config) -> list[CampaignResult]:
    """Stop these workers, and take what they leave; of one that leaves nothing within five real
    seconds, the name of its test. Whose worker takes its time is told before."""
    for pid in workers:
        with suppress(OSError):
            os.kill(pid, signal.SIGTERM)
    found, waiting = [], set(workers)
    begun, told = Real.monotonic(), False
    while waiting and (passed := Real.monotonic() - begun) < _PATIENCE:
        if passed > _SOON and not told:
            told = True
            _say_who(folder, sorted(waiting), config)
        for pid in sorted(waiting):
            gone, path = not _lives(pid), folder / _LEFT.format(pid)
            with suppress(OSError, ValueError):
                left = json.loads(path.read_text(encoding="utf-8"))
                path.unlink()
                gone = True
                if left is not None:
                    found.append(from_json(left))
            if gone:
                waiting.remove(pid)
        Real.sleep(0.02)
    return found + [one for pid in sorted(waiting) if (one := _unheard(folder, pid)) is not None]


def _say_who(folder: Path, waiting: Sequence[int], config: pytest.Config) -> None:
    """Tell at once where workers were when the session was interrupted."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    for pid in waiting:
        left = crash_log.running(folder, pid)
        if left is not None and reporter is not None:
            text = (
                f"agentfuzz: interrupted in {left.nodeid}, under {left.plan}; its worker has not "
                f"reacted yet, and has {_PATIENCE:g} s for it"
            )
            reporter.write_line(escaping.terminal(redacted(text)))


def _unheard(folder: Path, pid: int) -> CampaignResult | None:
    """The campaign of a worker that does not react: its findings are lost with it."""
    left = crash_log.running(folder, pid)
    if left is None:
        return None
    return CampaignResult(
        nodeid=left.nodeid,
        scenario=left.scenario,
        runs=0,
        seconds=0.0,
        struck=0,
        stopped="interrupt",
        seed=0,
        notes=(
            f"the session was interrupted in {left.nodeid}, under {left.plan}; its worker did not "
            f"react within {_PATIENCE:g} s, and what it had found is lost",
        ),
    )


def _lives(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except (OSError, AttributeError):
        return False
