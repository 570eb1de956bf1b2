"""How a reply ends that is cut, as the official clients see it, in process and over a socket.

Law: both doors end alike, as production does; a loop that takes half a stream for a whole one is
found under the ending that it does not see through, and an honest one is not.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from agentfuzz import FaultPlan, in_child, run, scenario
from agentfuzz.core.errors import CutOff
from agentfuzz.core.events import ModelTurn
from agentfuzz.engine.simulation import Simulation
from agentfuzz.model.endings import BROKE_OFF, ENDINGS
from agentfuzz.runtime.virtual_time import virtual_time
from agentfuzz.search.space import Space
from agentfuzz.wire import async_openai_client, http_client, openai_client, serve
from agentfuzz.wire.router import WireReply
from agentfuzz.world.injector import FromPlan
from search.support import hunt, shown

from . import streaming
from .parts import BOTH, CHAT, MESSAGES, RESPONSES, FakeWorld, data, says
from .test_conversations import DOORS, KINDS, PROTOCOLS, client
from .test_faults import ASKED, SDK, TURN

PATHS = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES}
CUT = {**BOTH, "content": "Now.", "stop": "cut"}
BROKEN = [ending for ending in ENDINGS if ending != "closed"]
# What a stream raises: type, and that of its cause; Anthropic's client lets the library's through.
RAISES: dict[tuple[str, str], tuple[type[Exception], type[Exception] | None]] = {
    ("openai", "reset"): (openai.APIConnectionError, httpx2.ReadError),
    ("openai", "error_event"): (openai.APIError, None),
    ("openai", "silence"): (openai.APITimeoutError, httpx2.ReadTimeout),
    ("anthropic", "reset"): (httpx2.ReadError, None),
    ("anthropic", "error_event"): (anthropic.APIStatusError, None),
    ("anthropic", "silence"): (httpx2.ReadTimeout, None),
}


HELD: dict[str, tuple[type[Exception], type[Exception] | None]] = {
    "openai": (openai.APIConnectionError, httpx2.RemoteProtocolError),
    "anthropic": (httpx2.RemoteProtocolError, None),
}


def asked(protocol: str, made: Any) -> Any:
    """A stream, read by nobody yet."""
    if protocol == "chat":
        return made.chat.completions.create(model="m", messages=ASKED, stream=True)
    if protocol == "responses":
        return made.responses.create(model="m", input="Pay.", stream=True)
    return made.messages.create(model="m", max_tokens=9, messages=ASKED, stream=True)


def meets(protocol: str, door: str, ending: str, made: Any) -> None:
    """Read a stream to its end, which raises what it should."""
    sdk = "anthropic" if protocol == "messages" else "openai"
    kind, cause = RAISES[sdk, ending]
    if ending == "silence" and door == "loopback":  # the server has less patience
        kind, cause = HELD[sdk]
    with pytest.raises(kind) as caught:
        list(asked(protocol, made))
    assert type(caught.value) is kind
    if cause is not None:
        assert type(caught.value.__cause__) is cause
    if ending == "error_event":
        assert BROKE_OFF in str(caught.value)


@PROTOCOLS
@KINDS
@DOORS
@pytest.mark.parametrize("ending", BROKEN)
def test_a_stream_that_breaks(
    protocol: str, kind: str, door: str, ending: str, time_of: Any, replies: list[WireReply]
) -> None:
    """The same events as of one that ends early and cleanly; then the client raises what it raises
    in production, after its read timeout where nothing more comes. A server that holds a silent
    connection drops it in the end, as a proxy would."""
    with time_of(door) as clock:
        world = FakeWorld(CUT, {**CUT, "ending": ending}, clock=clock)
        with client(world, protocol, kind, door, max_retries=0) as made:
            list(asked(protocol, made))
            meets(protocol, door, ending, made)
        if door == "in process":
            assert clock.now == (600.0 if ending == "silence" else 0.0)
    clean, broken = replies
    extra = {"chat": 1, "responses": 2, "messages": 1}[protocol] * (ending == "error_event")
    assert len(broken.chunks) == len(clean.chunks) + extra
    assert broken.ending == {"reset": "reset", "silence": "never"}.get(ending, "complete")


@PROTOCOLS
@KINDS
def test_a_client_with_less_patience_than_the_server(
    protocol: str, kind: str, replies: list[WireReply]
) -> None:
    """Over a socket its read timeout passes in real time, and is its own."""
    sdk = "anthropic" if protocol == "messages" else "openai"
    given: Any = {"max_retries": 0, "timeout": httpx2.Timeout(600.0, read=0.05)}
    world = FakeWorld({**CUT, "ending": "silence"})
    with client(world, protocol, kind, "loopback", hold=3600.0, **given) as made:
        with pytest.raises((RAISES[sdk, "silence"][0], SDK[protocol].APITimeoutError)):
            list(asked(protocol, made))


@PROTOCOLS
def test_every_event_before_the_end_arrives(protocol: str, replies: list[WireReply]) -> None:
    """A reset takes nothing with it that was sent before, also to a client that reads late."""
    long = says("x" * 200_000, stop="cut", ending="reset")
    world = FakeWorld(long)
    with serve(world) as urls:
        with httpx2.Client() as made:
            body = {"model": "m", "max_tokens": 9, "stream": True, "messages": ASKED}
            body = {**body, "input": "Pay."} if protocol == "responses" else body
            came: list[bytes] = []
            with made.stream("POST", urls.anthropic + PATHS[protocol], json=body) as reply:
                with pytest.raises(httpx2.ReadError):
                    came.extend(reply.iter_raw())
    assert b"".join(came) == replies[0].body


@PROTOCOLS
@KINDS
@pytest.mark.parametrize("ending", BROKEN)
def test_the_helpers_of_the_sdks_raise_as_well(
    protocol: str, kind: str, ending: str, replies: list[WireReply]
) -> None:
    """`stream()` gathers a message; it has none to give, and says so by the same exception."""
    sdk = "anthropic" if protocol == "messages" else "openai"
    with virtual_time() as clock:
        world = FakeWorld({**CUT, "ending": ending}, clock=clock)
        with client(world, protocol, kind, "in process", max_retries=0) as made:
            with pytest.raises(RAISES[sdk, ending][0]):
                TURN[protocol](made, "helper", ASKED)


@PROTOCOLS
@DOORS
def test_an_error_event_has_the_providers_form(
    protocol: str, door: str, replies: list[WireReply]
) -> None:
    """After 200 and half of the reply; Responses tell the failed response behind it."""
    world = FakeWorld({**CUT, "ending": "error_event"})
    with client(world, protocol, "sync", door, max_retries=0) as made:
        with pytest.raises(SDK[protocol].APIError):
            list(asked(protocol, made))
    last = [json.loads(data(event)) for event in replies[0].chunks]
    if protocol == "messages":
        assert last[-1]["type"] == "error"
        assert last[-1]["error"] == {"type": "overloaded_error", "message": BROKE_OFF}
    elif protocol == "chat":
        assert last[-1]["error"]["type"] == "server_error"
    else:
        assert [event["type"] for event in last[-2:]] == ["error", "response.failed"]
        assert [event["sequence_number"] for event in last] == list(range(len(last)))
        assert last[-1]["response"]["status"] == "failed"
        assert last[-1]["response"]["error"]["code"] == "server_error"


@PROTOCOLS
@KINDS
@DOORS
@pytest.mark.parametrize("ending", list(ENDINGS))
def test_a_plain_reply_ends_before_its_first_byte(
    protocol: str, kind: str, door: str, ending: str, time_of: Any, replies: list[WireReply]
) -> None:
    """What is no stream cannot end in its middle for a client that waits for all of it: it is
    closed, reset, an error, or silence."""
    sdk: Any = anthropic if protocol == "messages" else openai
    overloaded = sdk.OverloadedError if protocol == "messages" else sdk.InternalServerError
    raises = {
        "closed": (sdk.APIConnectionError, httpx2.RemoteProtocolError),
        "reset": (sdk.APIConnectionError, httpx2.ReadError),
        "error_event": (overloaded, type(None)),
        "silence": (sdk.APITimeoutError, httpx2.ReadTimeout),
    }
    if door == "loopback":  # the server has less patience
        raises["silence"] = raises["closed"]
    with time_of(door) as clock:
        world = FakeWorld({**CUT, "ending": ending}, clock=clock)
        with client(world, protocol, kind, door, max_retries=0) as made:
            with pytest.raises(raises[ending][0]) as caught:
                TURN[protocol](made, "plain", ASKED)
    assert type(caught.value) is raises[ending][0]
    assert type(caught.value.__cause__) is raises[ending][1]


# Who waits for ever ------------------------------------------------------------------------------

SILENT = {**CUT, "ending": "silence"}
OTHERS = httpx2.Timeout(5.0, read=None)  # of a network that is not there


@pytest.mark.parametrize(
    ("make", "who"),
    [
        (lambda world: openai_client(world, timeout=None), "openai.OpenAI"),
        (lambda world: openai_client(world, timeout=OTHERS), "openai.OpenAI"),
        (lambda world: _plain(world), "httpx2.Client"),
    ],
)
def test_without_a_timeout_a_silent_stream_hangs(make: Callable[[Any], Any], who: str) -> None:
    """A sync client is cut off as hung; the text names it, and the cure."""
    with virtual_time() as clock:
        made = make(FakeWorld(SILENT, clock=clock))
        with pytest.raises(CutOff, match="hung") as caught:
            list(asked("chat", made))
        assert clock.now == 0.0
    text = str(caught.value)
    assert f"{who} waits for the rest of a stream that never comes" in text
    assert f"as in {who.partition('.')[2]}(timeout=60)" in text


def test_only_the_read_timeout_passes() -> None:
    """Connecting, sending and waiting for a free connection take no time here."""
    with virtual_time() as clock:
        made = openai_client(
            FakeWorld(SILENT, clock=clock), timeout=httpx2.Timeout(1.0, read=7.0), max_retries=0
        )
        with pytest.raises(openai.APITimeoutError):
            list(asked("chat", made))
        assert clock.now == 7.0


@pytest.mark.parametrize("name", ["httpx2", "httpx"])
@pytest.mark.parametrize("ending", ["reset", "silence"])
def test_the_exceptions_are_those_of_the_library(name: str, ending: str) -> None:
    """Whichever a plain client belongs to."""
    library = pytest.importorskip(name)
    kind = library.ReadError if ending == "reset" else library.ReadTimeout
    with virtual_time() as clock:
        made = http_client(FakeWorld({**CUT, "ending": ending}, clock=clock), name)
        body = {"model": "m", "messages": ASKED, "stream": True}
        with made.stream("POST", CHAT, json=body) as reply:
            with pytest.raises(kind):
                reply.read()


def _plain(world: Any) -> Any:
    """The SDK on a client that is the user's own, without a timeout."""
    http = http_client(world, timeout=None)
    return openai.OpenAI(api_key="k", base_url=str(http.base_url) + "/v1", http_client=http)


@scenario(task="Say hello.", script=["Hello."])
def greeting(world: Any) -> None:
    pass


def test_an_async_client_waits_for_ever_and_is_named() -> None:
    """As AF203, with the client and the cure in the sentence; a deadline of the agent's own ends
    the wait in virtual time, and what was said of it is forgotten."""

    async def waits(world: Any) -> str:
        made = async_openai_client(world, timeout=None)
        async for _ in await asked("chat", made):
            pass
        return "Hello."

    async def with_a_deadline(world: Any) -> str:
        try:
            async with asyncio.timeout(30):
                return await waits(world)
        except TimeoutError:
            await asyncio.get_running_loop().create_future()
        return ""

    (found,) = run(greeting, waits, "model#1:cut/silence").violations
    assert found.code == "AF203"
    assert "openai.AsyncOpenAI waits for the rest of a stream that never comes" in found.sentence
    assert "AsyncOpenAI(timeout=60)" in found.sentence
    (other,) = run(greeting, with_a_deadline, "model#1:cut/silence").violations
    assert other.code == "AF203"
    assert "AsyncOpenAI" not in other.sentence


def test_an_async_agent_beside_the_server_hears_silence(simulation: Any) -> None:
    """It reads all that was sent, and then its read timeout passes, in virtual time."""

    async def agent(world: Any) -> list[Any]:
        read = 0
        with serve(world, hold=600.0) as urls:
            given: Any = {"base_url": urls.openai, "api_key": "k", "max_retries": 0}
            async with openai.AsyncOpenAI(**given, timeout=45.0) as made:
                try:
                    async for _ in await asked("chat", made):
                        read += 1
                except openai.APITimeoutError:
                    return [read, world.clock.now]
        return []

    plan = FromPlan(FaultPlan.parse("model#1:cut/silence"))
    runs = [simulation.execute(greeting, agent, plan) for _ in range(3)]
    assert [one.ended.value for one in runs] == [[4, pytest.approx(45.0, abs=1e-3)]] * 3
    assert runs[0].events == runs[1].events == runs[2].events


# Loops -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulation() -> Any:
    with Simulation() as made:
        yield made


def found_in(loop: type[streaming.Streams], simulation: Simulation) -> Any:
    space = Space(only=("cut",))
    return hunt(streaming.order(), lambda w: loop(w).run(), simulation, space=space, depth=2)


@pytest.mark.parametrize(
    ("loop", "found"),
    [
        (
            streaming.TakesTheEnd,
            [
                "AF208 charge: model#1:cut",
                "AF208 answer: model#2:cut",
                "AF208 shipment: model#1:cut=1",
                "AF419 conversation: model#1:cut + model#2:cut",
            ],
        ),
        (
            streaming.SwallowsResets,
            ["AF208 charge: model#1:cut/reset", "AF208 answer: model#2:cut/reset"],
        ),
        (
            streaming.SwallowsErrors,
            ["AF208 charge: model#1:cut/error_event", "AF208 answer: model#2:cut/error_event"],
        ),
        (
            streaming.SwallowsTimeouts,
            ["AF208 charge: model#1:cut/silence", "AF208 answer: model#2:cut/silence"],
        ),
        (streaming.Eager, ["AF208 charge: model#1:cut", "AF101 charge: model#1:cut"]),
    ],
)
def test_the_victim_of_an_ending(loop: Any, found: list[str], simulation: Simulation) -> None:
    """Each is found under the ending that it takes for the end of a whole reply."""
    assert sorted(shown(found_in(loop, simulation))) == sorted(found)


def test_the_survivor_of_every_ending(simulation: Simulation) -> None:
    """It asks again, with the same keys: nothing is found, and every ending struck."""
    result = found_in(streaming.Streams, simulation)
    assert shown(result) == []
    assert all(result.kinds[kind] for kind in ("cut", *(f"cut/{one}" for one in BROKEN)))
    assert not [text for text in result.untested if not text.startswith("AF804")]


@pytest.mark.parametrize("ending", BROKEN)
def test_equal_runs_have_equal_histories(ending: str, simulation: Simulation) -> None:
    """The same plan, the same history, to the turn that comes after the broken one; also where the
    agent is in a process of its own."""
    plan, story = f"model#2:cut/{ending}", streaming.order()

    def agent(world: Any) -> Any:
        return streaming.Streams(world).run()

    first, second, child = (
        run(story, one, plan, simulation=simulation).history
        for one in (agent, agent, in_child(agent))
    )
    assert first.events == second.events == child.events
    assert [turn.stop for turn in first.of(ModelTurn)] == ["tool_calls", "cut", "end"]
