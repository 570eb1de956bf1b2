"""What happens when nobody recorded the question: an error, the nearest, or a simulated model."""

from contextlib import suppress

import pytest

from agentfuzz import Completion, run
from agentfuzz.cassettes import Cassette, CassetteMiss
from agentfuzz.errors import AgentfuzzError, ScenarioError
from agentfuzz.history import Called, ModelTurn
from agentfuzz.wire import openai_client

from .agents import LINES, plain, talk, taped
from .conftest import taken

TIMEOUT = "charge_card#1:once/timeout"


def calls(done):
    return [call.slot.name for call in done.history.of(Called)]


def test_a_miss_is_an_error_that_names_the_nearest_and_what_differs(tape, offline, simulation):
    """By default a question that was not recorded ends the campaign, and says why."""
    with pytest.raises(CassetteMiss) as missed:
        run(taped(tape()), plain, TIMEOUT, simulation=simulation)
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

    run_it = taped(tape())
    with suppress(CassetteMiss):  # the run may look for it by itself
        run(run_it, swallows, TIMEOUT, simulation=simulation)
    assert isinstance(seen[-1].missed, CassetteMiss)


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


def test_simulate_gives_up_honestly(tape, offline, simulation):
    """A tool that never answers is tried as often as manners say, then given up."""
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


def test_a_failed_call_of_the_recording_is_no_step_of_its_plan(fresh, simulation):
    """A recorded retry is manners: the plan has the call once."""
    call = ("c", "charge_card", {"order_id": "A17", "amount": "much"})
    good = ("d", "charge_card", {"order_id": "A17", "amount": 42})
    path = taken(
        fresh(),
        "chat",
        False,
        {"calls": [call]},
        {"calls": [call]},
        {"calls": [good]},
        {"text": "Charged."},
    )
    cassette = Cassette.load(path)
    steps = [[one.tool for one in step] for step in cassette.recordings[0].script.steps]
    assert steps == [["charge_card"], ["charge_card"]]
    assert run(taped(path), plain, simulation=simulation).history.ended.value == "Charged."


def test_parallel_calls_keep_their_turn(fresh, simulation):
    """Calls of one turn stay in one turn; results in another order mean the same."""
    one = ("c1", "charge_card", {"order_id": "A17", "amount": 42})
    two = ("c2", "ship", {"order_id": "A17"})
    path = taken(fresh(), "anthropic", True, {"calls": [one, two]}, {"text": "Both done."})
    done = run(taped(path, "simulate"), plain, simulation=simulation)
    assert [len(turn.calls) for turn in done.history.of(ModelTurn)] == [2, 0]

    def backwards(world):
        messages = [{"role": "user", "content": world.task}]
        turn = world.model(messages, world.tools)
        results = [
            {
                "role": "tool",
                "tool_call_id": made["id"],
                "content": '{"charge_id": "ch_1", "amount": 42}'
                if made["name"] == "charge_card"
                else '{"parcel": "p_1"}',
            }
            for made in turn["tool_calls"]
        ]
        return world.model([*messages, turn, *reversed(results)], world.tools)["content"]

    done = run(taped(path), backwards, simulation=simulation)
    assert done.history.ended.value == "Both done."


def test_a_recorded_done_call_closes_the_task(fresh, simulation):
    """The done tool of the recording is the closing of the plan, with its status."""
    end = ("c2", "done", {"status": "success", "handle": "ch_1"})
    charge = ("c1", "charge_card", {"order_id": "A17", "amount": 42})
    path = taken(fresh(), "chat", False, {"calls": [charge]}, {"calls": [end]}, {"text": "Bye."})
    cassette = Cassette.load(path)
    assert cassette.offers_done
    assert cassette.recordings[0].script.closing == Completion.success(handle="ch_1")
    assert [len(step) for step in cassette.recordings[0].script.steps] == [1]


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


def test_errors_of_the_provider_are_left_out(fresh, simulation):
    """A reply with an error status, or one that broke off, is no turn: only the good are kept."""
    charge = ("c1", "charge_card", {"order_id": "A17", "amount": 42})
    path = taken(
        fresh(),
        "chat",
        False,
        {"status": 500},
        {"calls": [charge]},
        {"status": 429},
        {"text": "Charged."},
        max_retries=2,
    )
    assert [one.number for one in Cassette.load(path).recordings] == [1, 2]
    assert run(taped(path), plain, simulation=simulation).history.ended.value == "Charged."


def test_words_and_tools_are_checked(tape, offline, simulation):
    """An unknown on_miss, and a recorded tool that the world lacks, are said before a run."""
    cassette = Cassette.load(tape())
    with pytest.raises(ScenarioError, match=r"on_miss='simulated'.*Did you mean 'simulate'"):
        run(taped(tape(), "simulated"), plain, simulation=simulation)
    with pytest.raises(ScenarioError, match=r"calls 'ship' .interaction 2.*charge_card, shipp"):
        cassette.check(["charge_card", "shipp"])
