"""A report format: everything that the writer has to know about it, in one record.

Law: a format is a file beside this one with a module-level `FORMAT`, which `make generate` finds;
the writer knows no format by name. Its functions get what a campaign found and give the whole text
of a file; they read the same `Story`, add nothing to it, and escape every text of an agent by their
own rule (`core.escaping`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agentfuzz.core.findings import CampaignResult, Counterexample


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `name` is its word; `suffix` ends the names of its files (`.html`).

    `finding` makes the file of one finding, named by its id; `session` makes the one file of a
    session, out of its results and pytest's exit code, if that is known; a format has one of them
    or both. `stem` names the session's file: `index` for people, `report` for machines; no finding
    is ever called that. `order` is its place among the formats.
    """

    name: str
    suffix: str
    finding: Callable[[Counterexample], str] | None = None
    session: Callable[[Sequence[CampaignResult], int | None], str] | None = None
    stem: str = "index"
    order: int = 100
