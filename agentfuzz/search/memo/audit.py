"""The audit: which answers of a memo are made again by the real agent.

Law: the first three, and of every forty after them one, drawn by the seed: never less than one in
fifty. Asked by the memo for each answer.
"""

from random import Random

FIRST = 3  # answers, which are all made again
BLOCK = 40  # answers, of which one is


class Audit:
    """`made` counts the answers that were made again."""

    def __init__(self, seed: int) -> None:
        self.made = 0
        self._random = Random(seed)
        self._answers = 0
        self._next = 0

    def wanted(self) -> bool:
        """Whether this answer is made again."""
        place = self._answers - FIRST
        self._answers += 1
        if place >= 0 and place % BLOCK == 0:
            self._next = place + self._random.randrange(BLOCK)
        wanted = place < 0 or place == self._next
        self.made += wanted
        return wanted
