"""A recorded conversation is a model: offline, under every tool fault, the same every time."""

import json
import os

import pytest

from agentfuzz import run
from agentfuzz.core.codec import dump, history_to_json
from agentfuzz.core.events import Called, ModelTurn, Struck
from agentfuzz.model.cassettes import Cassette
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.space import Space
from agentfuzz.wire import anthropic_client, openai_client
from tests.extent import some

from .agents import LINES, PROTOCOLS, plain, plain_async, talk, taped

TAPES = [(protocol, stream) for protocol in PROTOCOLS for stream in (False, True)]


def live(protocol, stream):
    """The recorded agent on the world's own client."""
    make = anthropic_client if protocol == "anthropic" else openai_client
    return lambda world: talk(protocol, make(world), world, stream)


@pytest.mark.parametrize(("protocol", "stream"), TAPES)
def test_the_recording_says_what_the_provider_said(tape, protocol, stream, offline):
    """Whole or streamed, in every protocol, the turns are those of the provider."""
    cassette = Cassette.load(tape(protocol, stream))
    told = [
        (one.turn["content"], [(c["name"], c["arguments"]) for c in one.turn["tool_calls"]])
        for one in cassette.recordings
    ]
    assert told == [
        (line.get("text"), [(name, arguments) for _, name, arguments in line.get("calls", ())])
        for line in LINES
    ]
    assert [one.turn["stop"] for one in cassette.recordings] == ["tool_calls", "tool_calls", "end"]


@pytest.mark.parametrize(("protocol", "stream"), TAPES)
def test_the_recorded_agent_replays_to_the_end(tape, protocol, stream, offline, simulation):
    """Without faults every question is one that was recorded, and each is answered as then."""
    path = tape(protocol, stream)
    done = run(taped(path), live(protocol, stream), simulation=simulation)
    assert done.history.ended.value == "Charged and shipped order A17."
    assert [call.slot.name for call in done.history.of(Called)] == ["charge_card", "ship"]
    assert not done.violations


@pytest.mark.parametrize(("protocol", "stream"), some(TAPES, 2))
def test_a_whole_campaign_finds_the_double_charge(tape, protocol, stream, offline, simulation):
    """A loop without a key charges twice when the recorded model tries again after a timeout."""
    story = taped(tape(protocol, stream), "simulate")
    campaign = Campaign(
        story,
        plain if protocol == "chat" else live(protocol, stream),
        simulation,
        space=Space(only=("timeout", "error", "twice")),
        budget=Budget(depth=1, max_seconds=600, deep_runs=0),
    )
    campaign.search()
    found = {(one.code, one.violation.subject): one for one in reversed(campaign.result().findings)}
    assert str(found["AF101", "charge"].plan) == "charge_card#1:once/timeout"


@pytest.mark.parametrize("agent", [plain, plain_async])
def test_every_single_fault_has_an_answer(tape, agent, offline, simulation):
    """Under every plan with one fault, of tools and of the model, the run ends, and the double
    charge is found in sync and async loops alike."""
    campaign = Campaign(
        taped(tape(), "simulate"),
        agent,
        simulation,
        budget=Budget(depth=1, max_seconds=600, deep_runs=0),
    )
    campaign.search()
    result = campaign.result()
    assert ("AF101", "charge") in {(one.code, one.violation.subject) for one in result.findings}
    assert result.levels[0].done == result.levels[0].total
    assert {"repeat", "truncated", "once/timeout"} <= {k for k, n in result.kinds.items() if n}


def test_the_tape_is_read_once_for_a_campaign(tape, offline, simulation, monkeypatch):
    """However many runs ask, the file is opened once; a changed file is read again."""
    import agentfuzz.model.cassettes.store as store

    opened = []
    read = store.read
    monkeypatch.setattr(store, "read", lambda path: opened.append(path) or read(path))
    path = tape()
    store._cache.clear()
    for _ in range(20):
        run(taped(path, "nearest"), plain, "charge_card#1:once/error", simulation=simulation)
    assert len(opened) == 1
    os.utime(path, ns=(1, 1))
    Cassette.load(path)
    assert len(opened) == 2


@pytest.mark.parametrize("plan", ["", "charge_card#1:once/timeout", "model#1:repeat"])
def test_replays_are_the_same_byte_for_byte(tape, plan, offline, simulation):
    """The same plan writes the same history, in the same process and from the file again."""
    import agentfuzz.model.cassettes.store as store

    texts = set()
    for _ in range(3):
        done = run(taped(tape(), "simulate"), plain, plan, simulation=simulation)
        texts.add(dump(history_to_json(done.history)))
        store._cache.clear()
    assert len(texts) == 1


def test_ids_are_fresh_in_every_turn(tape, offline, simulation):
    """A call that is made again has an id of its own, and none of the recording's."""
    done = run(
        taped(tape(), "simulate"), plain, "charge_card#1:once/timeout", simulation=simulation
    )
    ids = [call[0] for turn in done.history.of(ModelTurn) for call in turn.calls]
    assert len(ids) == len(set(ids)) == 3
    assert not {"call_1", "call_2"} & set(ids)
    assert [str(s.slot) for s in done.history.of(Struck)] == ["charge_card#1"]


def test_meaning_counts_and_nothing_else(tape, offline):
    """Key order, ids, spelled numbers, blanks in JSON and the order of tools are no difference."""
    cassette = Cassette.load(tape())
    call = {"id": "other", "name": "charge_card", "arguments": {"amount": 42.0, "order_id": "A17"}}
    messages = [
        {"content": "Charge order A17, 42.00 EUR, then ship it.", "role": "user"},
        {"role": "assistant", "content": "Let me charge that.", "tool_calls": [call]},
        {
            "role": "tool",
            "tool_call_id": "other",
            "content": '{"amount":42,\n "charge_id":"ch_1"}',
        },
    ]
    assert cassette.turn(messages, ["ship", "charge_card"])["tool_calls"][0]["name"] == "ship"
    spoken = {"id": "x", "function": {"name": "charge_card", "arguments": json.dumps(CALL)}}
    messages[1]["tool_calls"] = [spoken]
    messages[2]["tool_call_id"] = "x"
    assert cassette.turn(messages, [{"name": "charge_card"}, {"function": {"name": "ship"}}])
    assert cassette.turn(messages)


CALL = {"amount": 42, "order_id": "A17"}
