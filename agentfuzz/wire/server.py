"""The server: a world's faces on loopback, for agents in other processes and other languages.

Law: the world is asked by one request at a time, however many connections there are; the server
lives on a real event loop in a thread of its own, whatever a simulation has made of time; when
the block ends, thread, sockets and connections are gone. Called as `world.serve()`, by agents
under test, inside a simulation or without one.

    with serve(world) as urls:
        subprocess.run(["node", "agent.js"], env={**os.environ, "OPENAI_BASE_URL": urls.openai})

Real seconds pass for whoever calls over a socket. So a reply that never comes is held for `hold`
seconds at most, or until the client goes away, and then dropped; and an answer that asks for a
pause (429, 5xx) says `retry-after-ms: 1`, which the official SDKs heed before everything else.
"""

import asyncio
import socket
import threading
from _thread import allocate_lock, get_ident
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from agentfuzz.core.errors import AgentfuzzError, CutOff
from agentfuzz.providers.turns import dump
from agentfuzz.wire import guard
from agentfuzz.wire.ending import Line
from agentfuzz.wire.quick import RealLoop, quick, tracked, under_way
from agentfuzz.wire.router import WireReply, face_of

HOLD = 2.0  # real seconds
STOP = 60.0  # real seconds until a server that does not stop is an error
LOOKS = 20  # turns of the server's loop; six lie between a connection and a request under way
_MCP = "/mcp"


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the faces are. `openai` ends in /v1, as its SDKs want a base URL; `mcp` is None
    where the MCP SDK is not installed."""

    openai: str
    anthropic: str
    mcp: str | None


@contextmanager
def serve(
    world: Any, *, hold: float = HOLD, hurry: bool = True, strict: bool = True
) -> Iterator[Urls]:
    """Serve a world on a free port of 127.0.0.1 while the block runs.

    `hold` is how long a reply that never comes keeps its connection, in real seconds; `hurry`
    says whether clients are told to retry at once; `strict=False` takes also what a provider
    would refuse. What goes wrong in the thread is raised here at
    the end of the block: CutOff, once the run's budget is used up and every connection is
    dropped; and what is no fault of the agent (a scenario's own mistake), which its client sees
    as a 500. Raises AgentfuzzError when uvicorn is not installed.
    """
    try:
        import uvicorn
        from uvicorn.protocols.http.h11_impl import H11Protocol
    except ImportError as error:
        raise AgentfuzzError(f"serve() needs uvicorn ({error}): pip install uvicorn.") from error
    listener = socket.create_server(("127.0.0.1", 0))
    # asyncio sets it for sockets that say TCP, which this one does not: every answer would wait.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = _App(world, hold, hurry, strict)
    thread = _Thread(uvicorn, H11Protocol, app, listener)
    thread.start()
    world.clock.partners.append(thread)
    try:
        yield Urls(f"{base}/v1", base, f"{base}{_MCP}" if app.mcp else None)
    finally:
        world.clock.partners.remove(thread)
        thread.stop()
        listener.close()
    if app.errors:
        raise app.errors[0]


def _mcp_app(world: Any, host: Any) -> Any:
    """The MCP face, if the SDK that it needs is installed."""
    try:
        from agentfuzz.wire.mcp import mount
    except ImportError:
        return None
    return mount(world, host)


class _App:
    """The ASGI app: the face, and the MCP app beside it."""

    def __init__(self, world: Any, hold: float, hurry: bool, strict: bool) -> None:
        self.mcp = _mcp_app(world, self)
        self.errors: list[BaseException] = []
        self.closing = asyncio.Event()
        self.open: dict[tuple[str, int], asyncio.Transport] = {}
        self.clock = world.clock
        self.busy = 0  # requests that somebody waits for with reason
        self._face = face_of(world)
        self._hold = hold
        self._hurry = hurry
        self._strict = strict

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        asks = scope["method"] != "GET"  # else a stream, which is never over
        self.busy += asks
        try:
            await self._served(scope, receive, send)
        finally:
            self.busy -= asks

    async def _served(self, scope: Any, receive: Any, send: Any) -> None:
        line = Line(self.open.get(tuple(scope["client"] or ())), receive, send)
        try:
            guard.check(scope)
            body = await guard.body(receive)
        except guard.Gone:
            return
        except guard.Refused as refused:
            reply = self._refuse(scope, refused)
        else:
            if self.mcp is not None and _is_mcp(scope):
                await self.mcp(scope, guard.again(body, receive), line.send)
                return
            reply = self._answer(scope, body)
        if reply.streamed or reply.ending == "complete":
            await line.reply(reply, self._headers(reply))
        if reply.ending == "never":
            await self._silent(line)
        if reply.ending in ("reset", "never") or (reply.ending == "cut" and not reply.streamed):
            await line.drop(reset=reply.ending == "reset")

    def _headers(self, reply: WireReply) -> list[tuple[bytes, bytes]]:
        headers = {**reply.headers}
        if self._hurry and (reply.status == 429 or reply.status >= 500):
            headers["retry-after-ms"] = "1"
        if reply.ending == "cut":
            headers["connection"] = "close"
        elif not reply.streamed:
            headers["content-length"] = str(len(reply.body))
        return [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ]

    def _answer(self, scope: Any, body: bytes) -> WireReply:
        return self._asked(
            lambda: self._face.answer(
                scope["method"], scope["path"], _headers(scope), body, is_strict=self._strict
            )
        )

    def _refuse(self, scope: Any, refused: guard.Refused) -> WireReply:
        """What the guard says; the connection ends with it, whatever is still on its way."""
        if refused.strange:
            text = dump({"error": {"message": str(refused), "type": "agentfuzz_error"}})
            reply = WireReply(refused.status, {"content-type": "application/json"}, (text,))
        else:
            reply = self._asked(
                lambda: self._face.refuse(
                    scope["path"], _headers(scope), refused.status, str(refused)
                )
            )
        chunks = (guard.rpc_error(refused),) if _is_mcp(scope) else reply.chunks
        return replace(reply, headers={**reply.headers, "connection": "close"}, chunks=chunks)

    def _asked(self, answer: Callable[[], WireReply]) -> WireReply:
        try:
            return answer()
        except CutOff as cut:  # from now on nobody answers
            self.errors.append(cut)
            return WireReply(0, ending="cut")
        except BaseException as error:
            self.errors.append(error)
            text = f"{type(error).__name__}: {error}"
            return WireReply(
                500,
                {"content-type": "application/json", "x-should-retry": "false"},
                (dump({"error": {"message": text, "type": "agentfuzz_error"}}),),
            )

    async def _silent(self, line: Line) -> None:
        self.busy -= 1
        try:
            await line.silence(self.closing, self._hold)
        finally:
            self.busy += 1

    async def silence(self, receive: Any) -> None:
        """Nothing, until the client goes away, the patience ends, or the server stops."""
        await self._silent(Line(None, receive, None))

    async def idle(self, work: Awaitable[Any]) -> Any:
        """What the client owes an answer to, once it has been asked."""
        asked = await under_way(work, LOOKS)
        self.busy -= 1
        try:
            return await asked
        finally:
            self.busy += 1

    async def drop(self, scope: Any, receive: Any) -> None:
        """Close the connection with nothing sent."""
        await Line(self.open.get(tuple(scope["client"] or ())), receive, None).drop(reset=False)


def _is_mcp(scope: Any) -> bool:
    return f"{scope['path']}/".startswith(f"{_MCP}/")


def _headers(scope: Any) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


class _Thread:
    """The thread that the server lives in."""

    def __init__(self, uvicorn: Any, protocol: Any, app: _App, listener: socket.socket) -> None:
        self._app = app
        self._ready = allocate_lock()  # no `Event`: the gate would look for it in slices of time
        self._ready.acquire()
        self._failed: list[BaseException] = []
        self._loop: RealLoop | None = None
        self._config = uvicorn.Config(
            app,
            http=tracked(protocol, app),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            date_header=False,
            server_header=False,
        )
        self._server = quick(uvicorn.Server, app, self._ready)(self._config)
        self._listener = listener
        self.port = int(listener.getsockname()[1])
        self.thread = threading.Thread(target=self._run, name="agentfuzz-serve", daemon=True)

    def start(self) -> None:
        """Return as soon as the server takes requests."""
        self.thread.start()
        self._ready.acquire()
        if self._failed:
            self.thread.join()
            raise self._failed[0]

    def owes(self) -> bool:
        """Whether a request is being answered, or has come in: the server looks at its connections
        a few times, and says."""
        said, loop = allocate_lock(), self._loop
        said.acquire()
        found = [False]

        def looks(times: int) -> None:
            found[0] = self._app.busy > 0
            if times and not found[0]:
                assert loop is not None, "it is running"
                loop.call_soon(looks, times - 1)
            else:
                said.release()

        try:
            assert loop is not None, "a server that has started has a loop"
            loop.call_soon_threadsafe(looks, LOOKS)
        except RuntimeError:  # it is closed already
            return False
        said.acquire(True, STOP)
        return found[0]

    def stop(self) -> None:
        """Return when thread, sockets and connections are gone."""
        loop = self._loop
        assert loop is not None, "a server that has started has a loop"
        with suppress(RuntimeError):  # its loop is closed already
            loop.call_soon_threadsafe(self._app.closing.set)
        self.thread.join(STOP)
        if self.thread.is_alive():
            raise AgentfuzzError(f"the server of serve() did not stop within {STOP:g} s.")

    def _run(self) -> None:
        self._loop = loop = RealLoop()
        clock, ident = self._app.clock, get_ident()
        clock.guests.add(ident)  # tools that wait do it in the time of their world
        try:
            loop.run_until_complete(self._server.serve(sockets=[self._listener]))
            loop.run_until_complete(loop.shutdown_asyncgens())
        except BaseException as error:
            self._failed.append(error)
        finally:
            clock.guests.discard(ident)
            loop.close()
            with suppress(RuntimeError):  # it was ready
                self._ready.release()
