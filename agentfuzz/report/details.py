"""Details of a campaign for `-vv`: how often each law, fault kind and tool came into play.

Law: every count is one of the result's own. Called by the pytest session.
"""

from agentfuzz.core import escaping
from agentfuzz.core.findings import CampaignResult


def details(result: CampaignResult) -> list[str]:
    """Lines with one table of laws, one of fault kinds and one of tools."""
    from tabulate import tabulate

    laws = [
        [escaping.terminal(name), count.held, count.violated, count.not_exercised]
        for name, count in result.laws.items()
    ]
    kinds = [[escaping.terminal(kind), count] for kind, count in result.kinds.items()]
    tools = [[escaping.terminal(name), count] for name, count in result.tools.items()]
    lines = ["", escaping.terminal(f"{result.nodeid}: {result.clean}")]
    for rows, headers in (
        (laws, ["law", "held", "violated", "not exercised"]),
        (kinds, ["fault", "struck"]),
        (tools, ["tool", "called"]),
    ):
        if rows:
            lines += ["", *tabulate(rows, headers, disable_numparse=True).splitlines()]
    return lines
