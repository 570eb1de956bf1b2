"""A child process that an agent has forked, and that comes back from its leg.

Law: nothing of the campaign goes on in it: it ends at once, as a script of the agent's would have
ended. Where nothing was forked, it is one look at a flag. `stop` is called by the simulation
when an agent has returned or raised.
"""

import os
import sys

forked = False  # in this process, or in one that it comes from


def _note() -> None:
    global forked
    forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note)


def stop(home: int) -> None:
    """End this process if it is not `home` any more: with the status that the exception, if there
    is one on its way, would give a script."""
    if os.getpid() == home:
        return
    error = sys.exception()
    if isinstance(error, SystemExit):
        code = error.code
        os._exit(code & 0xFF if isinstance(code, int) else int(code is not None))
    os._exit(int(error is not None))
