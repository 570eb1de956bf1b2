"""What the agent said, against what the world holds.

Law: the words of the law that was broken come first; where it only says that no completion came,
the customer was told something all the same, and that is quoted. Pure; called by the story.
"""

from agentfuzz.core.events import ModelTurn
from agentfuzz.core.history import History

_QUOTE = 90  # characters


def says(said: str, history: History) -> str:
    """What a law says that the agent said; with what the customer was told, if it only says that
    no completion came."""
    told = _told(history)
    if not told or (said and not said.startswith("no completion")):
        return said
    return f"{said}; {told}" if said else told


def _told(history: History) -> str:
    """What the customer was told, where no completion came: the text that was returned, else the
    last that the model said."""
    if history.claim or (ended := history.ended) is None or ended.how != "returned":
        return ""
    said = [turn.text for turn in history.of(ModelTurn) if turn.text]
    text = ended.value if isinstance(ended.value, str) else said[-1] if said else ""
    text = " ".join(text.split())
    return f'the customer was told "{text[:_QUOTE]}{"..." * (len(text) > _QUOTE)}"' if text else ""
