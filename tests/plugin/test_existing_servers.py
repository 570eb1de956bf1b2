"""Tests that exist and start a server in another process: each run has one, and waits for it."""

import socket
import sys
from pathlib import Path

import pytest

from .conftest import Project

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/net/tcp").exists(), reason="this system does not tell who listens"
    ),
]

SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

x = sum(i * i for i in range(1_000_000))  # it takes a while to come up
paid = []


class Till(BaseHTTPRequestHandler):
    def do_POST(self):
        paid.append(self.rfile.read(int(self.headers["content-length"])).decode())
        said = json.dumps({"charges": len(paid)}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args):
        pass


HTTPServer(("127.0.0.1", int(sys.argv[1])), Till).serve_forever()
"""
APPLICATION = """
import json, time, urllib.request


class Till:
    def __init__(self, url):
        self.url = url

    def charge_card(self, order_id: str) -> dict:
        asked = urllib.request.Request(self.url, order_id.encode())
        return json.loads(urllib.request.urlopen(asked).read())


def checkout(till, order_id):
    for _ in range(3):
        try:
            return till.charge_card(order_id)["charges"]
        except (TimeoutError, ConnectionError):
            time.sleep(1)
"""
TEST = """
import socket, subprocess, sys, time
import pytest
from app import Till, checkout

PORT = {port}


@pytest.fixture
def till():
    server = subprocess.Popen([{python!r}, "server.py", str(PORT)])
    {waits}
    yield Till(f"http://127.0.0.1:{{PORT}}")
    server.kill()
    server.wait()


def test_charge(till):
    assert checkout(till, "A17") == 1
"""
NAPS = "time.sleep(2)"
LOOKS = """for _ in range(50):
        try:
            socket.create_connection(("127.0.0.1", PORT)).close()
            break
        except OSError:
            time.sleep(0.1)
    else:
        raise RuntimeError("the server does not come up")"""
INI = """
[pytest]
agentfuzz_tools =
    app:Till.charge_card: effect=charge scope=order_id transport=at_most_once
"""


@pytest.mark.parametrize("waits", [NAPS, LOOKS], ids=["naps", "looks"])
def test_a_server_of_each_run_is_waited_for(project: Project, waits: str) -> None:
    """Whether the test sleeps until it is there, or looks; and what its client does is found."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    project.file("server.py", SERVER)
    project.file("app.py", APPLICATION)
    project.file("pytest.ini", INI)
    project.file("test_app.py", TEST.format(port=port, python=sys.executable, waits=waits))
    done = project.run(
        *("--agentfuzz-existing=test_app.py", "--agentfuzz-depth=1", "--agentfuzz-max-runs=10")
    )
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["AF105 charge_card ran 2x, fault-free 1x"])
