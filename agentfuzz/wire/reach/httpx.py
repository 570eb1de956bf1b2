"""httpx and httpx2: where their transports of a network begin.

Law: every client of the library comes by here, and proxies and mounts as well; a transport of the
user's own (a mock) does not. Put in by `patches`.
"""

from collections.abc import Iterator
from functools import wraps
from typing import Any

from agentfuzz.core.errors import NetworkRefused
from agentfuzz.wire.client import Transport
from agentfuzz.wire.reach.seam import Seam
from agentfuzz.wire.reach.worlds import reached


def seams(library: Any) -> Iterator[Seam]:
    """What is patched in httpx or httpx2."""

    def transport(request: Any, client: str) -> Transport | None:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            face: Any = reached(request.method, url.host, port, url.raw_path.decode("ascii"))
        except NetworkRefused as refused:
            raise library.ConnectError(str(refused), request=request) from refused
        return None if face is None else Transport(face, library, f"{library.__name__}.{client}")

    def sync(real: Any) -> Any:
        @wraps(real)
        def handle_request(self: Any, request: Any) -> Any:
            ours = transport(request, "Client")
            return real(self, request) if ours is None else ours.handle_request(request)

        return handle_request

    def asynchronous(real: Any) -> Any:
        @wraps(real)
        async def handle_async_request(self: Any, request: Any) -> Any:
            ours = transport(request, "AsyncClient")
            if ours is None:
                return await real(self, request)
            return await ours.handle_async_request(request)

        return handle_async_request

    yield Seam(library.HTTPTransport, "handle_request", sync)
    yield Seam(library.AsyncHTTPTransport, "handle_async_request", asynchronous)
