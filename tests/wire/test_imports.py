"""What is imported when, in a process of its own."""

import subprocess
import sys


def test_an_sdk_is_imported_when_its_client_is_made() -> None:
    """Naming the wire imports no SDK, no HTTP library and no server."""
    code = (
        "import sys; from agentfuzz.wire import openai_client, serve; "
        "print({'openai', 'anthropic', 'httpx', 'httpx2', 'uvicorn', 'mcp'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_codecs_stand_alone() -> None:
    """The providers' protocols need nothing of agentfuzz, and nothing that is not of Python."""
    code = """
import sys
before = set(sys.modules)
from agentfuzz.providers import anthropic, openai_chat, openai_responses
new = set(sys.modules) - before
theirs = {name for name in new if name.partition(".")[0] not in sys.stdlib_module_names}
print(*sorted(theirs - {"agentfuzz", "agentfuzz.providers"}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        f"agentfuzz.providers.{name}"
        for name in (
            *("anthropic", "offer", "openai_chat", "openai_items", "openai_responses"),
            *("terms", "turns"),
        )
    ]


def test_an_sdk_may_be_imported_first_in_a_simulation() -> None:
    """Frozen dates in the types of an SDK are no trouble, also in what it imports lazily."""
    code = """
from agentfuzz.runtime.virtual_time import virtual_time
from agentfuzz.wire import anthropic_client, openai_client

with virtual_time():
    world = FakeWorld(says("a"), says("b"), says("c"))
    user = [{"role": "user", "content": "x"}]
    made = anthropic_client(world)
    made.messages.create(model="m", max_tokens=1, messages=user)
    made.beta.messages.create(model="m", max_tokens=1, messages=user)
    openai_client(world).responses.create(model="m", input="x")
"""
    subprocess.run([sys.executable, "-c", FAKES + code], check=True)


FAKES = """
class FakeWorld:
    def __init__(self, *lines):
        from agentfuzz.runtime.clock import Clock
        self.clock, self.model, self.lines = Clock(), self, list(lines)
        self.gateway, self.outside = self, {}
    def went_out(self, name):
        pass
    def turn(self, messages, tools, ids="", stream=False):
        return self.lines.pop(0)
says = lambda text: {"content": text, "tool_calls": [], "stop": "end"}
"""
