"""What a model says and is shown, in histories told by hand: `tell(shows(user()), asks("tc_1"),
under("tc_1", charged()), says("Done."), done())`.

Law: a turn of the model is one step, and so is the input before it. Called by the tests of the
laws, beside `histories`.
"""

from typing import Any

from agentfuzz.core.events import Called, ModelInput, ModelTurn, Shown
from agentfuzz.core.faults import Slot
from invariants.histories import Step, Story


def turn() -> Step:
    return lambda story: story.add(
        ModelTurn, Slot("model", "", len(story.of(ModelTurn)) + 1), 1, "text", (), "end"
    )


def asks(*calls: Any, text: str | None = None, stop: str = "tool_calls", tokens: int = 0) -> Step:
    """A turn of the model that asks for calls: ids (of charging order A17), or (id, tool,
    arguments)."""
    made = tuple(
        (one, "charge_card", {"order_id": "A17"}) if isinstance(one, str) else one for one in calls
    )

    def step(story: Story) -> None:
        slot = Slot("model", "", len(story.of(ModelTurn)) + 1)
        story.add(ModelTurn, slot, 1, text, made, stop, tokens)

    return step


def says(text: str, stop: str = "end", tokens: int = 0) -> Step:
    return asks(text=text, stop=stop, tokens=tokens)


def shows(*messages: Shown) -> Step:
    """What the model is shown before its next turn."""

    def step(story: Story) -> None:
        story.add(ModelInput, Slot("model", "", len(story.of(ModelTurn)) + 1), messages)

    return step


def user(text: str = "Charge order A17.") -> Shown:
    return Shown("user", text, (), None)


def wants(*calls: str, text: str = "") -> Shown:
    """The message of an assistant's turn that asked for these ids."""
    return Shown("assistant", text, calls, None)


def gets(call: str | None, text: str = "ok") -> Shown:
    """The message of a result of this id."""
    return Shown("tool", text, (), call)


def under(asked: str, step: Step) -> Step:
    """The step, whose calls the model asked for under this id."""

    def with_id(story: Story) -> None:
        start = len(story.events)
        step(story)
        for at, event in enumerate(story.events[start:], start):
            if type(event) is Called:
                story.events[at] = event._replace(asked=asked)

    return with_id
