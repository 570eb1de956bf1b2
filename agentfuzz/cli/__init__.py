"""`python -m agentfuzz COMMAND ...`: what is no option of pytest.

    mcp    one world of a scenario as an MCP server over stdio: see `agentfuzz.cli.mcp`
    merge  the shards of campaigns as one report: see `agentfuzz.cli.merge`

Law: a broken argument is one line on stderr and exit code 2. Called from the command line.
"""

import sys
from collections.abc import Sequence

USAGE = """\
usage: python -m agentfuzz mcp module:scenario [--plan PLAN] [--history FILE]
       python -m agentfuzz merge DIR... [-- PYTEST ARGUMENTS]"""


def main(arguments: Sequence[str]) -> int:
    """Run one command. Returns its exit code."""
    if arguments[:1] == ["mcp"]:
        from agentfuzz.cli import mcp

        return mcp.main(arguments[1:])
    if arguments[:1] == ["merge"]:
        from agentfuzz.cli import merge

        return merge.main(arguments[1:])
    helps = arguments[:1] in (["-h"], ["--help"])
    print(USAGE, file=sys.stdout if helps else sys.stderr)
    return 0 if helps else 2
