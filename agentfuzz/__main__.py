"""`python -m agentfuzz`: the commands that are no pytest option. See `agentfuzz.cli`."""

import sys

from agentfuzz.cli import main

sys.exit(main(sys.argv[1:]))
