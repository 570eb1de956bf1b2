"""The receipt of a handoff: what its sender can learn of it.

Law: it says what the receiver has made of it, and nothing of what happened on the way. Returned by
a world's `handoff`.
"""


class Receipt:
    """What the sender of a handoff has in its hands. `status` is `sent` until the receiver has
    `accepted` or `rejected` it (then `reason` says why); of two answers the first one holds."""

    __slots__ = ("id", "reason", "sender", "status", "to")

    def __init__(self, name: str, sender: str, to: str) -> None:
        self.id, self.sender, self.to = name, sender, to
        self.status = "sent"
        self.reason = ""

    def settle(self, status: str, reason: str) -> None:
        """The receiver has answered."""
        if self.status == "sent":
            self.status, self.reason = status, reason

    def __repr__(self) -> str:
        return f"<{self.id} to {self.to}: {self.status}>"
