"""Misuse that only pytest can see, and where it was.

Law: what cannot work is one message that names the place and the cure. Called by the session.
"""

import inspect
import traceback
from pathlib import Path

import pytest

from agentfuzz._fuzz import Fuzz
from agentfuzz.core.errors import AgentfuzzError, ScenarioError
from agentfuzz.core.locations import relative
from agentfuzz.runtime.user_code import is_own


def no_fixture_first(item: pytest.Function, given: Fuzz) -> None:
    """Raise ScenarioError where the first parameter, which is the world, has a fixture's name."""
    if given.existing is not None:
        return
    parameters = list(inspect.signature(given.function).parameters)[given.method :]
    first = parameters[0]
    if first == "world" or not item.session._fixturemanager.getfixturedefs(first, item):
        return
    written = ", ".join(["world", *parameters])
    raise ScenarioError(
        f"the first parameter of {given.function.__name__} is the world, and {first!r} is the name "
        f"of a fixture. Write def {given.function.__name__}({written}), or call the world world."
    )


def place(error: AgentfuzzError, root: Path) -> str:
    """The line of the user's own code that led to the error, if there is one."""
    frames = [
        (frame.f_code.co_filename, line, frame.f_code.co_name)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    users = [one for one in frames if not (is_own(one[0]) or one[0].startswith("<"))]
    if not users:
        return ""
    path, line, name = users[-1]
    return f"\n  {relative(f'{path}:{line} in {name}', root)}"
