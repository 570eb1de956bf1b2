"""How a reply that is cut comes to its end.

Law: one word for each way, the plainest first; a loop that asks the model without a wire meets the
exception that a client would have come to. Called by the model, by the boundary of its turns and
by the wire's face, which makes each of them on its transport.
"""

from collections.abc import Mapping

from agentfuzz.core.errors import ModelError

CLOSED = "closed"
ENDINGS: Mapping[str, str] = {
    CLOSED: "the connection is closed, as after a whole reply",
    "reset": "the connection is reset",
    "error_event": "an error of the provider comes in the stream",
    "silence": "the connection stays open, and nothing more comes",
}
OVERLOADED = 529  # of an error that comes when the reply has begun
BROKE_OFF = "the model's API failed in the middle of its reply"


def broken(ending: str) -> Exception:
    """What a reply with this ending is for who waits for the whole of it."""
    match ending:
        case "reset":
            return ConnectionResetError("the connection was reset in the middle of the reply")
        case "error_event":
            return ModelError(f"{OVERLOADED} {BROKE_OFF}", OVERLOADED)
        case "silence":
            return TimeoutError("the model fell silent in the middle of its reply")
        case _:
            return ConnectionError("the model's reply broke off in the middle")
