"""The example database in which the saved counterexamples of a session are shared.

Law: Hypothesis is imported only where the setting is set, when the first `@fuzz` test runs; a name
that leads to no database is an error that says where it was looked for. Called by the findings.
"""

from pkgutil import resolve_name
from typing import TYPE_CHECKING

import pytest

from agentfuzz.archive.shared import Note
from agentfuzz.core.codec import described, message
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.plugin import settings

if TYPE_CHECKING:
    from hypothesis.database import ExampleDatabase

_ALONE = ("--agentfuzz-replay", "--agentfuzz-serve")  # what these run is named already


def opened(config: pytest.Config, note: Note) -> "ExampleDatabase | None":
    """The database that the setting names, or None where nothing is shared; where that may be an
    oversight, a line says so. Raises AgentfuzzError."""
    name = settings.database(config)
    if not name or any(config.getoption(one) is not None for one in _ALONE):
        return None
    found = _of_the_profile(note) if name == "hypothesis" else _named(name)
    from hypothesis.database import ExampleDatabase

    if found is None or isinstance(found, ExampleDatabase):
        return found
    raise AgentfuzzError(
        f"agentfuzz_database = {name} is {described(found)[:200]}, and no ExampleDatabase of "
        "Hypothesis: name one, as in DirectoryBasedExampleDatabase('examples'), or a function "
        "without parameters that returns one, or None to share nothing."
    )


def _of_the_profile(note: Note) -> object:
    """What Hypothesis' own tests use."""
    from hypothesis import settings as profile

    found = profile().database
    if found is None:
        note(
            [
                f"agentfuzz: the profile {profile.get_current_profile_name()!r} of Hypothesis has "
                "no database (that of a CI has none by itself): nothing is shared"
            ]
        )
    return found


def _named(name: str) -> object:
    try:
        found = resolve_name(name)
    except (ImportError, AttributeError) as error:
        raise AgentfuzzError(
            f"agentfuzz_database = {name} leads nowhere ({message(error)}). The module is imported "
            "as a test would import it: add its folder to pythonpath in the ini file."
        ) from error
    return found() if callable(found) else found
