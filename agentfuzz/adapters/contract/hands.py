"""An HTTP client of a world, in the hands of one of several agents.

Law: whoever a request comes from acts while it is answered, and no longer. Called by adapters whose
frameworks take a client.
"""

from importlib.metadata import version
from typing import Any

from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.wire.client import async_http_client
from agentfuzz.world.world import World


def hands_of(world: World, agent: str | None, library: str = "") -> Any:
    """An async client of this library (`httpx`, `httpx2`; left out: of the one that the installed
    openai SDK uses), whose requests are those of this agent (None: of whoever acts)."""
    if not library:
        library = "httpx2" if int(version("openai").partition(".")[0]) >= 3 else "httpx"
    client = async_http_client(world, library)
    acting, carry = performing(world, agent), client.send

    async def send(request: Any, **words: Any) -> Any:
        with acting():
            return await carry(request, **words)

    client.send = send
    return client
