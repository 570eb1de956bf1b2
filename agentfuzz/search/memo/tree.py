"""The tree: all tapes of an agent, laid over one another.

Law: after the same beginnings and the same replies there is one next action, or the agent is not
one to be remembered (`Parted`). Filled by the memo from tapes, followed by the walker.
"""

from typing import Any

from agentfuzz.search.memo.tape import End, Leg, Seen, Step

MOST = 20_000  # actions: memory does not grow with the number of runs


class Parted(Exception):
    """An agent did something else after the very same replies."""


class Node:
    """A place in a tree: the next action or the end, and where each reply leads."""

    __slots__ = ("end", "next", "step")

    def __init__(self) -> None:
        self.step: Step | None = None
        self.end: End | None = None
        self.next: dict[Seen, Node] = {}

    def put(self, step: Step | None, end: End | None) -> None:
        """This comes next. Raises Parted."""
        if self.step is None and self.end is None:
            self.step, self.end = step, end
        elif _told(self.step, self.end) != _told(step, end):
            raise Parted(f"{_named(self.step, self.end)} at first, {_named(step, end)} later")


class Root(Node):
    """Where a leg begins; `awaits` says whether its answer is awaited."""

    __slots__ = ("awaits",)

    def __init__(self, awaits: bool) -> None:
        super().__init__()
        self.awaits = awaits


class Tree:
    """What is known of one agent, by how a leg begins."""

    def __init__(self) -> None:
        self.roots: dict[tuple[Any, ...], Root] = {}
        self.size = 0

    @property
    def full(self) -> bool:
        """Whether nothing more is learnt."""
        return self.size >= MOST

    def learn(self, leg: Leg) -> None:
        """Add a leg. Raises Parted."""
        node: Node = self.roots.setdefault(leg.start, Root(leg.awaits))
        for step, seen in leg.steps:
            node.put(step, None)
            following = node.next.get(seen)
            if following is None:
                following = node.next[seen] = Node()
                self.size += 1
            node = following
        node.put(None, leg.end)


def _told(step: Step | None, end: End | None) -> tuple[Any, ...]:
    if step is not None:
        return step.key
    assert end is not None, "a leg goes on or is over"
    return (end.how, end.key, end.at)


def _named(step: Step | None, end: End | None) -> str:
    if step is not None:
        given = step.given.out()
        name = f" {given[0]}" if given and isinstance(given[0], str) else ""
        return f"{step.verb}{name}"
    return "the end" if end is None else f"the end ({end.how})"
