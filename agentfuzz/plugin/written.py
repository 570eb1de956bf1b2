"""The reports of a session, put on disk.

Law: a disk that is full or a folder that cannot be written is one line, and no verdict is lost by
it. Called by the session when it ends.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from agentfuzz.core.findings import CampaignResult
from agentfuzz.report import write


def written(
    root: Path, folder: Path, results: Sequence[CampaignResult], exit_code: int | None
) -> tuple[str, list[str]]:
    """Write them into this folder: the path of the index as it is shown, and a line for what could
    not be written."""
    shown = os.path.relpath(folder, root).replace(os.sep, "/")
    try:
        write.write(folder, results, exit_code=exit_code)
    except OSError as error:
        return "", [f"agentfuzz: report not written ({error.strerror or error}): {shown}"]
    return f"{shown}/index.html", []
