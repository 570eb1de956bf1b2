"""A report format: everything that the writer has to know about it, in one record.

Law: a format is a file beside this one with a module-level `FORMAT`, which `make generate` finds;
the writer knows no format by name. Its functions get what a campaign found and give the whole text
of a file; they read the same `Story`, add nothing to it, and escape every text of an agent by their
own rule (`core.escaping`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agentfuzz.core.findings import CampaignResult, Counterexample
from agentfuzz.report.account import Account
from agentfuzz.telling.causes import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format. `name` is its word, `order` its place among the others, `default` whether it is
    written without being asked for; `where` names an environment variable that asks for it where it
    is `true`.

    `cause` makes the page of one cause, for people; `finding` the file of one finding, for
    machines: an id (of a cause, its lead's) and `suffix` (`.html`). `session` makes the one file of
    a session, `index`, out of what it tells. `lines` are for the log of a CI, `appended` what is
    added to the file that the environment variable `to` names, in so many bytes. `properties` are
    what a test's report carries (JUnit), in full where the format is asked for by name. A format
    has one of them or more.
    """

    name: str
    cause: Callable[[Cause], str] | None = None
    finding: Callable[[Counterexample, Account], str] | None = None
    suffix: str = ""
    session: Callable[[Account], str] | None = None
    index: str = ""
    lines: Callable[[Account], Sequence[str]] | None = None
    appended: Callable[[Account, int], str] | None = None
    to: str = ""
    properties: Callable[[CampaignResult, bool], list[tuple[str, str]]] | None = None
    default: bool = False
    where: str = ""
    order: int = 100
