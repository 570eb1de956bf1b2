"""What the agents in JavaScript need: their packages, and one process that lives for a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.installed import installed_for
from tests.node.worker import Worker

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def folder(request: pytest.FixtureRequest) -> Path:
    """The JavaScript of this folder with its packages installed."""
    return installed_for(request.config, HERE)


@pytest.fixture(scope="module")
def worker(folder: Path) -> Iterator[Worker]:
    """A process that runs any of the clients."""
    with Worker(folder) as running:
        yield running
