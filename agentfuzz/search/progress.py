"""Progress: where a campaign is, in one line.

Law: it is told after each run that counts, costs next to nothing where nobody looks, and decides
nothing. Made by the campaign, shown by the doors.
"""

from typing import NamedTuple


class Progress(NamedTuple):
    """`done` runs of `total` in this phase (None: not known), `findings` so far (before they are
    shrunk and confirmed), runs a real second since the campaign began, and the real seconds that
    are `left` at most."""

    phase: str
    done: int
    total: int | None
    findings: int
    rate: float
    left: float

    def __str__(self) -> str:
        whole = "" if self.total is None else f"/{max(self.total, self.done):,}"
        rest = self.left
        if self.total is not None and self.rate > 0:
            rest = min(rest, max(self.total - self.done, 0) / self.rate)
        found = f"{self.findings} finding{'s' * (self.findings != 1)}"
        return (
            f"{self.phase}: {self.done:,}{whole}, {found}, {self.rate:,.0f} runs/s, {_time(rest)}"
        )


def _time(seconds: float) -> str:
    if seconds == float("inf"):
        return "no limit"
    minutes, rest = divmod(int(seconds) + 1, 60)
    return f"{minutes} min {rest} s left" if minutes else f"{rest} s left"
