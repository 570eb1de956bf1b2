"""Loops against the corpus: one that waits for receipts is unmoved by any wording."""

import pytest

from agentfuzz.core.events import Called, Committed, Done, ModelTurn
from agentfuzz.engine.simulation import Simulation
from agentfuzz.engine.single import run
from agentfuzz.model.closings import CLOSINGS, SIZE, TRIED, classic_detector, closing
from agentfuzz.scenarios import resolve_ticket
from agentfuzz.world.injector import FromPlan

STORY = resolve_ticket.resolve_ticket
# Every fifth of the corpus: a step that is prime to the number of languages meets all of them.
SAMPLE = (*range(TRIED), *range(TRIED, SIZE, 5))


class Reworded:
    """A world whose model closes with the text given; all else is the world's own."""

    def __init__(self, world, text):
        self._world, self._text = world, text

    def __getattr__(self, name):
        return getattr(self._world, name)

    def model(self, messages, tools=None):
        turn = self._world.model(messages, tools)
        return turn if turn["tool_calls"] else {**turn, "content": self._text}


def acts(history):
    """What the agent did and claimed."""
    return [event for event in history.events if type(event) in (Called, Committed, Done)]


def runs(agent, indices):
    """(text, history) of the agent in the ticket scenario, for each closing."""
    with Simulation() as simulation:
        for index in indices:
            text = closing(index).text
            yield (
                text,
                simulation.execute(
                    STORY, lambda world, text=text: agent(Reworded(world, text)), FromPlan()
                ),
            )


def test_the_sample_is_broad():
    """All languages, both answers."""
    found = [closing(index) for index in SAMPLE]
    assert len({each.language for each in found}) == 8
    assert {each.done for each in found} == {True, False}
    assert len(found) > 2_000


def test_receipts_are_unmoved_by_any_wording():
    """The same calls, keys, effects and completion, whatever the words and the language."""
    plain = acts(run(STORY, resolve_ticket.reads_receipts).history)
    assert {type(event) for event in plain} == {Called, Committed, Done}
    for text, history in runs(resolve_ticket.reads_receipts, SAMPLE):
        assert acts(history) == plain, text


def test_a_reader_of_prose_follows_the_words():
    """It runs the finished task again exactly when its detector does not know the words."""
    for text, history in runs(resolve_ticket.reads_prose, SAMPLE[::21]):
        assert len(history.ledger) == (1 if classic_detector(text) else 3), text


@pytest.mark.parametrize("variant", range(TRIED))
def test_receipts_are_unmoved_by_the_fault(variant):
    """The same through the reword fault and its plan text."""
    plain = run(STORY, resolve_ticket.reads_receipts)
    found = run(STORY, resolve_ticket.reads_receipts, f"model#3:reword={variant}")
    found.check()
    assert found.history.of(ModelTurn)[-1].text == CLOSINGS[variant]
    assert [event[2:] for event in acts(found.history)] == [
        event[2:] for event in acts(plain.history)
    ]
    assert found.history.claim == "success"
