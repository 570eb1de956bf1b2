"""LangSmith's tracing, which wants the network.

Law: where it was on, it is switched off in this process, once something of a world is there. Called
by the langgraph adapter.
"""

import langsmith
from langsmith.utils import tracing_is_enabled


def switch_off() -> None:
    """Silence what the framework does on its own."""
    if tracing_is_enabled():
        langsmith.configure(enabled=False)
