"""The time of a session: how much of it each campaign may take.

Law: what is left of the session's time is shared out evenly among the campaigns that are still to
come, so that what one of them did not need serves those after it. Asked by the session before each
campaign.
"""

import os

import pytest

from agentfuzz.plugin.settings import setting
from agentfuzz.runtime.clock import Real


class Allowance:
    """The clock starts with the first campaign. `bound` is the option that bounds the last one."""

    def __init__(self, config: pytest.Config) -> None:
        self._campaign: float = setting(config, "max-time")
        self._session: float = setting(config, "session-time")
        self._workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        self._began: float | None = None
        self.bound = "--agentfuzz-max-time"

    def of(self, item: pytest.Item) -> float:
        """Real seconds for the campaign of this test: at most those of one campaign, and its share
        of what is left of the session's."""
        if not self._session:
            return self._campaign
        if self._began is None:
            self._began = Real.monotonic()
        rest = max(self._session - (Real.monotonic() - self._began), 0.0)
        items = item.session.items
        coming = sum("agentfuzz" in one.keywords for one in items[items.index(item) :])
        share = rest * self._workers / max(coming, 1)
        own = self._campaign <= min(share, rest)
        self.bound = f"--agentfuzz-{'max' if own else 'session'}-time"
        return min(self._campaign, share, rest)
