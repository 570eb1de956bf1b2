"""`python -m agentfuzz COMMAND ...`: what is no option of pytest.

    mcp    one world of a scenario as an MCP server over stdio: see `agentfuzz.cli.mcp`

Law: a broken argument is one line on stderr and exit code 2. Called from the command line.
"""

import sys
from collections.abc import Sequence

USAGE = "usage: python -m agentfuzz mcp module:scenario [--plan PLAN] [--history FILE]"


def main(arguments: Sequence[str]) -> int:
    """Run one command. Returns its exit code."""
    if arguments[:1] == ["mcp"]:
        from agentfuzz.cli import mcp

        return mcp.main(arguments[1:])
    helps = arguments[:1] in (["-h"], ["--help"])
    print(USAGE, file=sys.stdout if helps else sys.stderr)
    return 0 if helps else 2
