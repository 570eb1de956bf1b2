"""The door: `--agentfuzz-record` writes what `scenario(cassette=...)` replays."""

import os
import subprocess
import sys

import pytest

import agentfuzz

from .agents import LINES, plain, shop
from .conftest import KEY
from .provider import Provider

FILE = """
import json
from agentfuzz import exactly_once, fuzz, scenario
from agentfuzz.wire import openai_client

@scenario(exactly_once("charge"), task="Charge A17.", cassette="tapes/shop.yaml", on_miss={miss!r})
def shop(world):
    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str, amount: int):
        return {{"charge_id": "ch_1"}}

    @world.tool
    def ship(order_id: str):
        return {{"parcel": "p_1"}}

@fuzz(shop, only=["timeout"])
def test_agent(world):
    client = openai_client(world, max_retries=0)
    messages = [{{"role": "user", "content": world.task}}]
    tools = [
        {{"type": "function", "function": {{"name": n, "parameters": world.tools[n].schema}}}}
        for n in world.tools
    ]
    while True:
        said = client.chat.completions.create(model="m", messages=messages, tools=tools)
        message = said.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            return message.content
        for call in message.tool_calls:
            try:
                given = json.loads(call.function.arguments)
                text = json.dumps(world.call(call.function.name, given, asked=call.id))
            except Exception as error:
                text = f"Error: {{error}}"
            messages.append({{"role": "tool", "tool_call_id": call.id, "content": text}})

@fuzz(scenario(script=["Hello."])(lambda world: None))
def test_other(world):
    return world.model([], [])["content"]
"""


def door(folder, *args, url="http://127.0.0.1:9/v1"):
    """pytest in a process of its own, with no other plugin."""
    env = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": url,
        "COLUMNS": "80",
    }
    command = [sys.executable, "-m", "pytest", "-p", "agentfuzz.plugin", "-q", *args]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_recorded_once_then_fuzzed_offline(tmp_path):
    """Recording runs the tests of that cassette alone; replay needs no provider; a miss is an
    error that no agent and no client can hide."""
    (tmp_path / "tapes").mkdir()
    (tmp_path / "test_shop.py").write_text(FILE.format(miss="simulate"))
    missing = door(tmp_path, "-k", "agent")
    assert "shop.yaml: there is no such cassette. Record it" in missing.stdout
    with Provider(*LINES) as provider:
        record = ("--agentfuzz-record", "tapes/shop.yaml")
        done = door(tmp_path, *record, url=f"{provider.url}/v1")
    assert "1 passed, 1 skipped" in done.stdout, done.stdout
    assert "recorded 3 turns of a model in tapes/shop.yaml" in done.stdout
    assert KEY not in (tmp_path / "tapes" / "shop.yaml").read_text()
    again = door(tmp_path, *record)
    assert again.returncode == 1
    assert "shop.yaml: exists already" in again.stdout
    clean = door(tmp_path)
    assert "2 passed" in clean.stdout, clean.stdout
    found = door(tmp_path, "--agentfuzz", "--agentfuzz-depth=1", "-k", "agent")
    assert "AF101" in found.stdout, found.stdout
    (tmp_path / "test_shop.py").write_text(FILE.format(miss="error"))
    missed = door(tmp_path, "--agentfuzz", "--agentfuzz-depth=1", "-k", "agent")
    assert missed.returncode == 1
    assert "CassetteMiss: no recording in shop.yaml fits this question" in missed.stdout


def test_a_scenario_says_one_model_and_a_known_word():
    """A script and a cassette together, or an unknown on_miss, are refused at once."""
    with pytest.raises(agentfuzz.ScenarioError, match="give one"):
        agentfuzz.scenario(script=["Hi."], cassette="x.yaml")
    with pytest.raises(agentfuzz.ScenarioError, match="Did you mean 'nearest'"):
        agentfuzz.scenario(cassette="x.yaml", on_miss="nearst")


def test_a_scenario_is_declared_without_reading_a_cassette():
    """Its words are checked at once; YAML and vcrpy are imported when they are needed."""
    code = (
        "import sys; from agentfuzz import scenario; "
        "scenario(cassette='x.yaml', on_miss='nearest')(print); "
        "print({'yaml', 'vcr', 'agentfuzz.model.cassettes.model'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_swallowed_miss_is_raised_by_the_run(tape, offline, simulation):
    """A loop that catches everything cannot end a run well after a miss."""

    def swallows(world):
        try:
            return plain(world)
        except Exception:
            return "All done!"

    story = agentfuzz.scenario(task=shop.task, cassette=tape(), on_miss="error")(shop.build)
    with pytest.raises(agentfuzz.CassetteMiss):
        agentfuzz.run(story, swallows, "charge_card#1:once/timeout", simulation=simulation)
