"""The protocol over HTTP, as bytes: versions, sessions, cursors, errors, who may ask."""

import http.client
import threading
from typing import Any

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")

from importlib.metadata import version

from agentfuzz import World, scenario
from agentfuzz.core.events import Called, Replied

from .raw import HELLO, Raw, answer, served

MODERN = "2026-07-28"
META = "io.modelcontextprotocol/"
ENVELOPE = {"_meta": {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": {}}}


@scenario(max_crossings=100)
def many(world: World) -> None:
    for nth in range(120):

        @world.tool(name=f"look_{nth}")
        def look() -> str:
            """Look."""
            return "seen"

    @world.tool(effect="charge", scope=("order_id",))
    def charge(order_id: str) -> str:
        """Charge."""
        return "ok"


def test_versions_are_agreed_on_and_the_server_says_who_it_is() -> None:
    """A version that the server does not know gets its own latest one with a handshake."""

    def talk(url: str) -> list[Any]:
        agreed = [Raw(url).opened(v) for v in ("2024-11-05", "2025-11-25", "1999-01-01")]
        _, said = Raw(url).post("initialize", HELLO)
        return [*agreed, said["result"]["serverInfo"]]

    found, _ = served(many, "", talk)
    assert found[:3] == ["2024-11-05", "2025-11-25", "2025-11-25"]
    assert found[3] == {"name": "agentfuzz", "version": version("pytest-agentfuzz")}


def test_sessions_are_numbered_ended_and_unknown() -> None:
    """Ids are the same in every run; after DELETE, and for an id that never was, it is 404."""

    def talk(url: str) -> list[Any]:
        first, second = Raw(url), Raw(url)
        first.opened()
        second.opened()
        names = [one.headers["mcp-session-id"] for one in (first, second)]
        deleted = first.ask("DELETE").status
        gone = first.post("ping")
        alive = second.post("ping")
        unknown = Raw(url).post("ping", mcp_session_id="session-99")
        missing = Raw(url).post("ping")
        return [names, deleted, gone[0], gone[1]["error"]["code"], alive, unknown[0], missing[0]]

    for _ in range(2):
        found, _ = served(many, "", talk)
        alive = (200, {"jsonrpc": "2.0", "id": 1, "result": {}})
        assert found == [["session-1", "session-2"], 200, 404, -32600, alive, 404, 400]


def test_a_get_opens_the_stream_of_a_session() -> None:
    """Its headers come at once; a second one is refused."""

    def talk(url: str) -> list[Any]:
        client = Raw(url)
        client.opened()
        stream = client.ask("GET")
        return [stream.status, stream.headers["content-type"], client.ask("GET").status]

    assert served(many, "", talk)[0] == [200, "text/event-stream", 409]


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("nothing/known", None, -32601),
        ("resources/list", None, -32601),
        ("tools/call", {}, -32602),
        ("tools/call", {"name": "nothing"}, -32602),
        ("tools/list", {"cursor": "tool-7"}, -32602),
        ("tools/list", {"cursor": 50}, -32602),
    ],
)
def test_what_is_wrong_has_the_code_of_the_protocol(method: str, params: Any, code: int) -> None:
    """In both eras: an error with the id of the request, in the later one with its status."""

    def talk(url: str) -> list[Any]:
        client = Raw(url)
        client.opened()
        _, early = client.post(method, params, id=7)
        name = {"mcp_name": params["name"]} if params and "name" in params else {}
        late = Raw(url).post(
            method,
            {**(params or {}), **ENVELOPE},
            id=7,
            mcp_protocol_version=MODERN,
            mcp_method=method,
            **name,
        )
        return [early["id"], early["error"]["code"], late[1]["id"], late[0]]

    status = 404 if code == -32601 else 400
    found, _ = served(many, "", talk)
    assert found[:3] == [7, code, 7]
    assert found[3] == status


def test_a_wrong_version_in_the_header_is_refused() -> None:
    """400, whatever the session."""

    def talk(url: str) -> list[int]:
        client = Raw(url)
        client.opened()
        return [client.post("ping", mcp_protocol_version=v)[0] for v in ("1999-01-01", "?")]

    assert served(many, "", talk)[0] == [400, 400]


def test_a_long_list_comes_in_pages() -> None:
    """Each page names the next one, and together they are all tools, once each."""

    def talk(url: str) -> list[list[str]]:
        client, pages, cursor = Raw(url), [], None
        client.opened()
        while True:
            _, said = client.post("tools/list", {} if cursor is None else {"cursor": cursor})
            pages.append([tool["name"] for tool in said["result"]["tools"]])
            cursor = said["result"].get("nextCursor")
            if cursor is None:
                return pages

    pages, _ = served(many, "", talk)
    assert [len(page) for page in pages] == [50, 50, 21]
    names = [name for page in pages for name in page]
    assert names == [*(f"look_{nth}" for nth in range(120)), "charge"]


def test_who_may_not_ask_is_refused_in_json_rpc() -> None:
    """Another host, a web page, another content type: before anything is read."""

    def talk(url: str) -> list[tuple[int, int]]:
        client = Raw(url)
        client.opened()
        found = []
        for header, value in (
            ("host", "evil.example"),
            ("origin", "http://evil.example"),
            ("content_type", "text/plain"),
        ):
            status, said = client.post("ping", **{header: value})
            assert (said["jsonrpc"], said["id"]) == ("2.0", None)
            found.append((status, said["error"]["code"]))
        return found

    assert served(many, "", talk)[0] == [(421, -32600), (403, -32600), (415, -32600)]


def test_a_call_that_is_cancelled_may_still_take_effect() -> None:
    """`notifications/cancelled` ends the wait; what was under way arrives all the same."""

    def talk(url: str) -> Any:
        client = Raw(url)
        client.opened()
        found: list[Any] = []

        def call() -> None:
            given = {"name": "charge", "arguments": {"order_id": "A17"}}
            found.append(client.post("tools/call", given, id=5))

        waiting = threading.Thread(target=call)
        waiting.start()
        while not found:  # it is not known when the call has come in
            client.post("notifications/cancelled", {"requestId": 5}, id=None)
        waiting.join()
        return found[0][1]["error"]["code"]

    code, history = served(many, "charge#1:late/timeout@45", talk)
    assert code == -32800
    assert [reply.outcome for reply in history.of(Replied)] == ["unknown"]
    assert [(effect.tool, effect.t) for effect in history.ledger] == [("charge", 45.0)]


def raw_call(client: Raw) -> http.client.HTTPResponse:
    call = {"name": "charge", "arguments": {"order_id": "A17"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    return client.ask("POST", body)


@pytest.mark.parametrize(
    ("ending", "kind"), [("=1", "text/event-stream"), ("=2", "application/json")]
)
def test_a_reply_that_ends_in_the_middle(ending: str, kind: str) -> None:
    """It has begun, as a stream of events or as JSON, and then the connection is closed."""

    def talk(url: str) -> list[Any]:
        client = Raw(url)
        client.opened()
        response = raw_call(client)
        assert response.headers["content-type"] == kind
        with pytest.raises(http.client.IncompleteRead) as caught:
            response.read()
        assert b'{"jsonrpc":"2.0","result":' in caught.value.partial
        return [response.status, answer(raw_call(client))["result"]["content"][0]["text"]]

    found, history = served(many, f"charge#1:once/error{ending}", talk)
    assert found == [200, "ok"]
    assert len(history.ledger) == 2


@pytest.mark.parametrize("plan", ["once/error", "once/timeout", "lost/error"])
def test_a_reply_that_is_lost_is_lost_before_its_headers(plan: str) -> None:
    """Not one byte: at once, or when the server has held the connection long enough."""

    def talk(url: str) -> None:
        client = Raw(url)
        client.opened()
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            raw_call(client)

    _, history = served(many, f"charge#1:{plan}", talk, hold=0.1)
    assert [reply.outcome for reply in history.of(Replied)] == ["unknown"]
    assert len(history.ledger) == plan.startswith("once")


def test_a_lost_session_is_not_found_until_another_one_is_opened() -> None:
    """The call does not reach its tool."""

    def talk(url: str) -> list[Any]:
        client = Raw(url)
        client.opened()
        lost, again = raw_call(client), raw_call(client)
        codes = [answer(one)["error"]["code"] for one in (lost, again)]
        other = Raw(url)
        other.opened()
        text = answer(raw_call(other))["result"]["content"][0]["text"]
        return [lost.status, again.status, codes, other.headers["mcp-session-id"], text]

    found, history = served(many, "mcp:call#1:session_lost", talk)
    assert found == [404, 404, [-32600, -32600], "session-2", "ok"]
    assert len(history.of(Called)) == len(history.ledger) == 1
