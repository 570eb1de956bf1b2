"""Commands: what is typed to see a finding again, and to keep it.

Law: each line can be pasted as it is, at pytest's rootdir. What a regression test found is in no
saved file: the test itself brings it back, and keeps it. Called by all that tells a finding.
"""

from shlex import quote

from agentfuzz.core.findings import REGRESSION, Counterexample


def saved(cx: Counterexample) -> bool:
    """Whether it is, or will be, a saved counterexample that its id names."""
    return cx.phase != REGRESSION


def replay(cx: Counterexample) -> str:
    """What shows it again."""
    return f"pytest --agentfuzz-replay {cx.id}" if saved(cx) else f"pytest {quote(cx.nodeid)}"


def keep(cx: Counterexample) -> str:
    """What makes a test of it; empty where it is one."""
    return f"pytest --agentfuzz-export {cx.id}" if saved(cx) else ""
