"""What agents print and log in thousands of runs, kept out of the terminal.

Law: standard streams and logging are as before when the block ends. Called by the session around
a campaign; the single run without --agentfuzz prints what it likes. What must be seen whatever
captures (the last words of a process) goes to `terminal`.
"""

import io
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout

import pytest


class _Sink(io.TextIOBase):
    """Takes what agents print in thousands of runs, and keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)

    def writable(self) -> bool:
        return True


@contextmanager
def muted(config: pytest.Config) -> Iterator[None]:
    """Thousands of runs print and log nothing; the single run without --agentfuzz does."""
    level = logging.root.manager.disable
    with ExitStack() as stack:
        if config.getoption("capture", "no") != "no":
            stack.enter_context(redirect_stdout(_Sink()))
            stack.enter_context(redirect_stderr(_Sink()))
        logging.disable(logging.CRITICAL)
        stack.callback(logging.disable, level)
        yield


@contextmanager
def terminal(config: pytest.Config) -> Iterator[int]:
    """A descriptor of what standard error was before pytest captured it."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        file = os.dup(2)
    else:
        with capture.global_and_fixture_disabled():
            file = os.dup(2)
    try:
        yield file
    finally:
        os.close(file)
