"""A session as the formats get it.

Law: frozen data, and all that a format may know beside the findings themselves. Built by the doors,
read by every format.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agentfuzz.core.findings import CampaignResult
from agentfuzz.report.places import Places
from agentfuzz.telling.causes import Cause, Place, apart, causes


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a session tells: its results, pytest's exit code if that is known, and where the files
    of the project lie in its repository."""

    results: Sequence[CampaignResult]
    exit_code: int | None = None
    places: Places = field(default_factory=Places)

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The findings by what makes the agent fail."""
        return causes([cx for result in self.results for cx in result.findings])

    @property
    def apart(self) -> tuple[Cause, ...]:
        """The causes as a CI compares them with those of another commit: what is in another file,
        or about another subject, is one of its own."""
        return tuple(part for one in self.causes for part in apart(one, self._where))

    def _where(self, place: Place) -> tuple[str, str]:
        first = place.findings[0]
        return self.places.of(first).path, first.violation.subject
