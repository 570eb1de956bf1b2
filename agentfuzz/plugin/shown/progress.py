"""The progress of a campaign: one line that is written over on a terminal, one a minute in CI.

Law: nothing with -q, nothing by a worker of xdist; on a terminal nothing is left of it, and what
pytest has written on its line stays. Where agents write between two lines themselves (-s), it is
as in CI. Made by the session around a campaign, which calls it after each run.
"""

import os
from contextlib import suppress
from typing import Any

import pytest

from agentfuzz.core import escaping
from agentfuzz.runtime.clock import Real
from agentfuzz.search.campaign import Campaign

OFTEN, SELDOM = 0.2, 60.0  # real seconds between two lines: on a terminal, and in a log
KEEP, BACK = b"\x1b7", b"\x1b8\x1b[K"  # keep the cursor's place; go back there and clear the line


class ProgressLine:
    """Shows where a campaign is, on the descriptor of a terminal or a log."""

    def __init__(self, config: pytest.Config, screen: int) -> None:
        self._writer: Any = None
        reporter = config.pluginmanager.getplugin("terminalreporter")
        quiet = config.get_verbosity() < 0 or hasattr(config, "workerinput") or reporter is None
        self._writer = None if quiet else reporter._tw
        self._screen = screen
        written_over = os.environ.get("TERM") != "dumb"  # which has no way back
        alone = config.getoption("capture", "no") != "no"  # nobody else writes meanwhile
        self._terminal = not quiet and os.isatty(screen) and written_over and alone
        self._every = OFTEN if self._terminal else SELDOM
        self._next = Real.monotonic() + self._every
        self._shown = False

    def __call__(self, campaign: Campaign) -> None:
        now = Real.monotonic()
        if self._writer is None or now < self._next:
            return
        self._next = now + self._every
        text = str(campaign.progress)
        if self._terminal:
            room = self._width - self._writer.width_of_current_line - 2
            if room > 0:
                shown = f" {text}"[:room].encode("utf-8", "replace")
                self._write((BACK if self._shown else KEEP) + shown)
                self._shown = True
        else:
            line = escaping.terminal(f"{campaign.nodeid}: {text}")
            self._write(f"\n{line}\n".encode("utf-8", "replace"))

    @property
    def _width(self) -> int:
        """Columns of the terminal: pytest takes one with less than forty for one with eighty."""
        width: int = self._writer.fullwidth
        with suppress(OSError):
            width = min(width, os.get_terminal_size(self._screen).columns or width)
        return width

    def close(self) -> None:
        """Nothing is left of it."""
        if self._shown:
            self._write(BACK)
            self._shown = False

    def _write(self, data: bytes) -> None:
        with suppress(OSError):
            os.write(self._screen, data)
