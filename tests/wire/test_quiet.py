"""Nothing is written on stderr, whatever a reply comes to and however a client goes away.

Law: a process in which every warning is shown, and which says what comes next and nothing else;
what it says on stderr, of a socket that is left open as of an exception that nobody hears, a user
would see in the middle of a report. One for all cases: to import the clients takes it longest.
"""

import subprocess
import sys
from pathlib import Path

import pytest

HEAD = """
import asyncio, gc, json, os, socket, ssl, struct, subprocess, sys, threading
import anthropic, openai
from agentfuzz import run, scenario
from agentfuzz.core.plan import FaultPlan
from agentfuzz.model.endings import ENDINGS
from agentfuzz.model.model_faults import KINDS
from agentfuzz.runtime.clock import Clock
from agentfuzz.wire import anthropic_client, async_anthropic_client, async_openai_client
from agentfuzz.wire import openai_client, serve
from agentfuzz.world.injector import FromPlan

TLS = ssl.create_default_context()  # each client would read all authorities anew

LONG = "The order is done. " * 9000  # more than a socket takes at once
USER = [{"role": "user", "content": "Pay."}]
ERRORS = (openai.APIError, anthropic.APIError, ConnectionError, OSError)
try:
    import httpx2
    ERRORS = (*ERRORS, httpx2.HTTPError)
except ImportError:
    pass
CUTS = ["cut", *(f"cut/{ending}" for ending in ENDINGS if ending != "closed")]
PLANS = ["", *(f"model#1:{kind}" for kind in (*KINDS, *CUTS[1:]))]

@scenario(task="Pay.", script=[("charge", {"order_id": "A17"}), "Paid."], max_crossings=999)
def paying(world):
    @world.tool(effect="charge", scope=("order_id",))
    def charge(order_id: str) -> str:
        return "ok"

@scenario(task="Tell.", script=[LONG], max_crossings=999)
def telling(world):
    pass

def world(story, plan=""):
    return story.world(FromPlan(FaultPlan.parse(plan)), Clock())

def plain(sdk):
    return sdk.DefaultHttpxClient(verify=TLS)

def chat(client, stream):
    return client.chat.completions.create(model="m", messages=USER, stream=stream)

def messages(client, stream):
    return client.messages.create(model="m", max_tokens=9, messages=USER, stream=stream)

def responses(client, stream):
    return client.responses.create(model="m", input="Pay.", stream=stream)
"""

CASES = {
    "every fault, in process": """
def agent(world):
    with openai_client(world, max_retries=0) as theirs, \\
            anthropic_client(world, max_retries=0) as others:
        for ask, client in ((chat, theirs), (responses, theirs), (messages, others)):
            for stream in (True, False):
                try:
                    made = ask(client, stream)
                    if stream:
                        list(made)
                except ERRORS:
                    pass

async def later(world):
    async with async_openai_client(world, max_retries=0) as theirs, \\
            async_anthropic_client(world, max_retries=0) as others:
        for ask, client in ((chat, theirs), (responses, theirs), (messages, others)):
            for early in (False, True):
                try:
                    async with await ask(client, True) as made:
                        async for event in made:
                            if early:
                                break
                except ERRORS:
                    pass

for plan in PLANS:
    run(paying, agent, plan)
    run(paying, later, plan)
""",
    "every fault, over a socket": """
for plan in PLANS:
    for stream in (True, False):
        with serve(world(paying, plan), hold=0.01) as urls:
            given = {"api_key": "k", "max_retries": 0}
            theirs = openai.OpenAI(base_url=urls.openai, http_client=plain(openai), **given)
            others = anthropic.Anthropic(
                base_url=urls.anthropic, http_client=plain(anthropic), **given
            )
            with theirs, others:
                for ask, client in ((chat, theirs), (responses, theirs), (messages, others)):
                    try:
                        made = ask(client, stream)
                        if stream:
                            list(made)
                    except ERRORS:
                        pass
""",
    "an async agent beside the server": """
async def agent(world):
    with serve(world, hold=0.01) as urls:
        own = openai.DefaultAsyncHttpxClient(verify=TLS)
        given = {"api_key": "k", "max_retries": 0, "http_client": own}
        async with openai.AsyncOpenAI(base_url=urls.openai, **given) as client:
            for early in (True, False):
                try:
                    async with await chat(client, True) as made:
                        async for event in made:
                            if early:
                                break
                except ERRORS:
                    pass
            asks = asyncio.ensure_future(chat(client, False))
            await asyncio.sleep(0)
            asks.cancel()
            await asyncio.gather(asks, return_exceptions=True)

for plan in ("", "model#1:timeout", "model#1:error", *(f"model#1:{cut}" for cut in CUTS)):
    run(paying, agent, plan)
    run(telling, agent, plan)
""",
    "clients that go away": '''
def asks(port, stream, read, reset):
    """Ask, read so many bytes of the answer, and go."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        body = json.dumps({"model": "m", "messages": USER, "stream": stream}).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\\r\\nhost: localhost:{port}\\r\\n"
            f"content-type: application/json\\r\\ncontent-length: {len(body)}\\r\\n\\r\\n"
        )
        client.sendall(head.encode() + body)
        if read:
            client.recv(read)
        if reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

def says(port, said, reset):
    """Say half of a request, or nonsense, and go."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(said)
        if reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

HALF = (
    b"", b"POST /v1", b"\\x16\\x03\\x01 no HTTP\\r\\n\\r\\n",
    b"POST /v1/chat/completions HTTP/1.1\\r\\nhost: localhost\\r\\ncontent-length: 99\\r\\n\\r\\n{",
)
for plan in ("", "model#1:error", "model#1:timeout", *(f"model#1:{cut}" for cut in CUTS)):
    for story in (paying, telling):
        for stream in (True, False):
            for read in (0, 10):
                for reset in (True, False):
                    with serve(world(story, plan), hold=0.01) as urls:
                        port = int(urls.anthropic.rpartition(":")[2])
                        try:
                            for _ in range(3):
                                asks(port, stream, read, reset)
                            for said in HALF:
                                says(port, said, reset)
                        except ConnectionError:
                            pass
''',
    "a process that is killed in the middle": '''
KILLED = """
import json, os, urllib.request
body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "?"}]})
head = {"content-type": "application/json"}
asked = urllib.request.Request(os.environ["URL"] + "/chat/completions", body.encode(), head)
urllib.request.urlopen(asked).read(10)
os.kill(os.getpid(), 9)
"""
for plan in ("", "model#1:cut/reset", "model#1:cut/silence"):
    with serve(world(telling, plan), hold=3600.0) as urls:
        env = {**os.environ, "URL": urls.openai}
        assert subprocess.run([sys.executable, "-c", KILLED], env=env).returncode == -9
''',
    "a run that is cut off": """
@scenario(task="Tell.", script=[LONG], max_crossings=3)
def short(world):
    pass

def agent(world):
    with serve(world) as urls:
        with openai.OpenAI(base_url=urls.openai, api_key="k", max_retries=0) as client:
            while True:
                for event in chat(client, True):
                    break

def crowd(world):
    with serve(world, hold=3600.0) as urls:
        port = int(urls.anthropic.rpartition(":")[2])
        for _ in range(20):
            socket.create_connection(("127.0.0.1", port)).close()

assert run(short, agent).history.ended.how == "cut_off"
for _ in range(10):
    run(short, crowd)
""",
}


@pytest.mark.slow
def test_nothing_on_stderr(tmp_path: Path) -> None:
    """Not a word but the names of the cases, nor on stdout."""
    says = [f"print({case!r}, file=sys.stderr){code}gc.collect()\n" for case, code in CASES.items()]
    script = tmp_path / "quiet.py"
    script.write_text(HEAD + "".join(says), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "always", str(script)],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.stderr.splitlines() == list(CASES)
    assert (done.stdout, done.returncode) == ("", 0)
