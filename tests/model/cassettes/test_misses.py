"""What happens when nobody recorded the question: an error, the nearest, or a simulated model."""

import pickle
import re
from contextlib import suppress

import pytest

import agentfuzz
import agentfuzz.model.cassettes
from agentfuzz import CassetteMiss, run
from agentfuzz.core.errors import AgentfuzzError, ScenarioError
from agentfuzz.core.events import Called, ModelTurn
from agentfuzz.core.plan import FaultPlan
from agentfuzz.model.cassettes import Cassette
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.executors.recorded import read, written
from agentfuzz.search.outcome import Outcome
from agentfuzz.search.space import Space
from agentfuzz.wire import openai_client

from .agents import LINES, plain, talk, taped

TIMEOUT = "charge_card#1:once/timeout"


def calls(done):
    return [call.slot.name for call in done.history.of(Called)]


def test_a_miss_is_an_error_that_names_the_nearest_and_what_differs(tape, offline, simulation):
    """`error`: a question that was not recorded ends the campaign, and says why."""
    with pytest.raises(CassetteMiss) as missed:
        run(taped(tape(), "error"), plain, TIMEOUT, simulation=simulation)
    lines = str(missed.value).split("\n")
    assert lines[:3] == [
        "no recording in chat-False.yaml fits this question to the model. It has 3 messages, "
        "after 1 turn of the model; nearest:",
        "  interaction 2 (2 of 3 messages the same)",
        '    messages[2].content: recorded \'{"amount": 42, "charge_id": "ch_1"}\', asked '
        "'Error: charge_card timed out: no reply within 30 s'",
    ]
    assert str(missed.value).count("  interaction ") == 3
    assert 'on_miss="simulate"' in lines[-1]
    assert isinstance(missed.value, AgentfuzzError)


def test_a_miss_is_one_of_the_public_errors():
    """It stands in the one tree, under one name, and is exported like the others."""
    assert CassetteMiss.__module__ == "agentfuzz.core.errors"
    assert CassetteMiss.__bases__ == (AgentfuzzError,)
    assert "CassetteMiss" in agentfuzz.__all__
    assert agentfuzz.model.cassettes.CassetteMiss is CassetteMiss


def test_every_field_that_differs_is_named(tape, offline):
    """Role, text, calls, what a result answers, and tools."""
    cassette = Cassette.load(tape())
    asked = [
        {"role": "user", "content": "Charge order B99."},
        {
            "role": "assistant",
            "content": "Let me charge that.",
            "tool_calls": [
                {"id": "1", "name": "charge_card", "arguments": {"order_id": "A17", "amount": 43}}
            ],
        },
        {"role": "tool", "tool_call_id": "?", "content": '{"charge_id": "ch_1", "amount": 42}'},
        {"role": "user", "content": "Go on."},
    ]
    with pytest.raises(CassetteMiss) as missed:
        cassette.turn(asked, ["charge_card", "refund"])
    text = str(missed.value)
    assert "messages[0].content: recorded" in text
    assert "messages[1].tool_calls: recorded" in text
    assert '"amount": 42' in text
    assert '"amount": 43' in text
    assert "messages[2].tool_call_id: recorded call 1, asked no call" in text
    assert "messages[3]: asked user 'Go on.', not recorded" in text
    assert "tools: recorded charge_card, ship, asked charge_card, refund" in text


def test_the_model_keeps_the_miss_for_an_agent_that_swallows_it(tape, offline, simulation):
    """A loop that catches every exception cannot hide a miss from the run above it."""
    seen = []

    def swallows(world):
        seen.append(world.model)
        try:
            return plain(world)
        except Exception:
            return "All done!"

    run_it = taped(tape(), "error")
    with suppress(CassetteMiss):  # the run may look for it by itself
        run(run_it, swallows, TIMEOUT, simulation=simulation)
    assert isinstance(seen[-1].planner.missed, CassetteMiss)


def test_nearest_answers_with_the_turn_at_the_same_place(tape, offline, simulation):
    """As many turns before it, most messages shared: the recorded model ships uncharged."""
    done = run(taped(tape(), "nearest"), plain, TIMEOUT, simulation=simulation)
    assert calls(done) == ["charge_card", "ship"]
    assert done.history.ended.value == LINES[-1]["text"]


def test_simulate_goes_on_from_the_recording(tape, offline, simulation):
    """The failed call is made again, then the rest of the recorded plan, then its closing."""
    done = run(taped(tape(), "simulate"), plain, TIMEOUT, simulation=simulation)
    assert calls(done) == ["charge_card", "charge_card", "ship"]
    assert done.history.ended.value == LINES[-1]["text"]
    texts = [turn.text for turn in done.history.of(ModelTurn)]
    assert texts == ["Let me charge that.", None, None, LINES[-1]["text"]]


def test_by_itself_it_simulates_after_a_fault(tape, offline, simulation):
    """The default: under faults as `simulate`, to the last event."""
    alone = run(taped(tape()), plain, TIMEOUT, simulation=simulation)
    asked = run(taped(tape(), "simulate"), plain, TIMEOUT, simulation=simulation)
    assert alone.history.events == asked.history.events
    assert alone.history.questions == (4, 3)


def asks_otherwise(world):
    world.task = world.task.replace("ship", "send")
    return plain(world)


@pytest.mark.parametrize("plan", ["", "ship#1:once/timeout", TIMEOUT])
def test_a_stale_cassette_is_named(tape, offline, simulation, plan):
    """Before any fault nothing but the agent can have changed: what differs is told, and how to
    record it again; a plan whose faults come later changes nothing about that."""
    with pytest.raises(CassetteMiss) as missed:
        run(taped(tape()), asks_otherwise, plan, simulation=simulation)
    first, *_, last = lines = str(missed.value).split("\n")
    assert first == (
        "the cassette chat-False.yaml is stale: without any fault the agent asks what was not "
        "recorded."
    )
    assert any("then ship it." in line and "then send it." in line for line in lines)
    assert last.endswith("needs a new recording: --agentfuzz-record chat-False.yaml")
    assert "on_miss" not in last


def campaign(tape, on_miss, agent, simulation):
    space = Space(only=("timeout",))
    budget = Budget(depth=1, deep_runs=0)
    made = Campaign(taped(tape(), on_miss), agent, simulation, space=space, budget=budget)
    made.search()
    return made.result()


def test_a_campaign_counts_its_questions(tape, offline, simulation):
    """One line: how many the cassette answered, and what became of the others."""
    result = campaign(tape, "auto", plain, simulation)
    (line,) = [note for note in result.notes if "questions" in note]
    found = re.fullmatch(
        r"the cassette chat-False.yaml answered (\d+) of (\d+) questions; (\d+) were simulated",
        line,
    )
    assert found is not None
    answered, asked, missed = map(int, found.groups())
    assert 0 < answered == asked - missed < asked
    near = campaign(tape, "nearest", plain, simulation)
    assert any(note.endswith("were answered as the nearest") for note in near.notes)


def test_a_stale_cassette_that_goes_on(tape, offline, simulation):
    """Who has it simulated from the first question on is told that it is stale."""
    result = campaign(tape, "simulate", asks_otherwise, simulation)
    assert [note for note in result.notes if "is stale" in note] == [
        "the cassette chat-False.yaml is stale: the run without faults asks 3 questions that "
        "nobody recorded; record it again: --agentfuzz-record chat-False.yaml"
    ]
    assert not any("is stale" in note for note in campaign(tape, "auto", plain, simulation).notes)


def test_what_is_counted_goes_with_the_run(tape, offline, simulation):
    """In a run that another process made, and in one that lies in a file."""
    history = run(taped(tape()), plain, TIMEOUT, simulation=simulation).history
    assert pickle.loads(pickle.dumps(history)).questions == (4, 3)
    outcome = Outcome(history, [], (), 0.0)
    assert read(FaultPlan(), written(outcome, ())).history.questions == (4, 3)


def test_simulate_gives_up_honestly(tape, offline, simulation):
    """A tool that never answers is tried as often as model_behaviour say, then given up."""
    plan = " + ".join(f"charge_card#{n}:once/error" for n in (1, 2, 3))
    done = run(taped(tape(), "simulate"), plain, plan, simulation=simulation)
    assert calls(done) == ["charge_card"] * 3
    assert done.history.ended.value.startswith("I could not finish the task: charge_card")


def test_a_cassette_of_one_client_serves_another(tape, offline, simulation):
    """What the Anthropic client recorded, the OpenAI client asks for: the meaning is the same."""
    story = taped(tape("anthropic", True))
    done = run(
        story,
        lambda world: talk("responses", openai_client(world), world, True),
        simulation=simulation,
    )
    assert done.history.ended.value == LINES[-1]["text"]


def test_a_conversation_asked_to_go_on(fresh, offline, simulation, tape):
    """A new message of the user that nobody recorded starts the recorded plan over."""

    def asks_again(world):
        first = plain(world)
        turn = world.model(
            [
                {"role": "user", "content": world.task},
                {"role": "assistant", "content": first},
                {"role": "user", "content": "Are you sure? Continue."},
            ],
            world.tools,
        )
        return [call["name"] for call in turn["tool_calls"]]

    done = run(taped(tape(), "simulate"), asks_again, simulation=simulation)
    assert done.history.ended.value == ["charge_card"]


def test_words_and_tools_are_checked(tape, offline, simulation):
    """An unknown on_miss, and a recorded tool that the world lacks, are said before a run."""
    cassette = Cassette.load(tape())
    with pytest.raises(ScenarioError, match=r"on_miss='simulated'.*Did you mean 'simulate'"):
        run(taped(tape(), "simulated"), plain, simulation=simulation)
    with pytest.raises(ScenarioError, match=r"calls 'ship' .interaction 2.*charge_card, shipp"):
        cassette.check(["charge_card", "shipp"])
