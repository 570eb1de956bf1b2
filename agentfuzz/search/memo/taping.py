"""Taping: an agent whose legs are written down, and what of them goes to the memo.

Law: what is written of a run is plain data, so that the run may have been made in another process.
Used by the memo, and by a process that makes runs for one.
"""

import inspect
import pickle
from typing import Any, NamedTuple

from agentfuzz.core.completion import Completion
from agentfuzz.core.history import History
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.search.memo.fitness import EARLY, UNSENT, unfit
from agentfuzz.search.memo.recorder import Recorder
from agentfuzz.search.memo.shared import Shared
from agentfuzz.search.memo.tape import Book, Leg, Tape, unfinished
from agentfuzz.world.world import World, inside


class Written(NamedTuple):
    """What was written of a run: `why` it is none to be remembered, if so, and else its legs."""

    why: str
    legs: tuple[Leg, ...] = ()


class Taping:
    """`agent` is the agent, taped into the `book`; `build` makes its worlds, and the
    `simulation` says where randomness stands."""

    def __init__(self, agent: Agent, build: object, simulation: Simulation) -> None:
        self.book = Book(simulation.isolation.state, Shared(agent, build))
        self.agent = Taped(agent, self.book)

    def written(self, history: History) -> Written | None:
        """What was written of the run with this history; None if that was not taped."""
        tapes, self.book.tapes = self.book.tapes, []
        if not tapes:
            return None
        why = unfit(history) or next(filter(None, map(unfinished, tapes)), "")
        return Written(why, () if why else tuple(tape.leg for tape in tapes))


class Taped:
    """An agent whose legs are taped."""

    def __init__(self, agent: Agent, book: Book) -> None:
        self.__wrapped__ = agent
        self._book = book

    def __call__(self, world: World) -> Any:
        if world.leg == 1:
            self._book.begin()
        tape = Tape(self._book, world, inside(world))
        Recorder(world, tape).put_in(world)
        try:
            answer = self.__wrapped__(world)
        except BaseException as error:
            tape.ended("raised", error)
            raise
        if isinstance(answer, Completion) or not inspect.isawaitable(answer):
            tape.ended("returned", answer)
            return answer
        tape.awaits = True
        if tape.steps:
            tape.fail(EARLY)
        return self._waits(answer, tape)

    async def _waits(self, answer: Any, tape: Tape) -> Any:
        try:
            value = await answer
        except BaseException as error:
            tape.ended("raised", error)
            raise
        tape.ended("returned", value)
        return value


def sent(written: Written | None) -> bytes:
    """What was written, as another process reads it; nothing where nothing was."""
    if written is None:
        return b""
    try:
        return pickle.dumps(written)
    except Exception:
        return pickle.dumps(Written(UNSENT))


def read(said: bytes) -> Written | None:
    """The same, read."""
    if not said:
        return None
    try:
        found: Written = pickle.loads(said)
    except Exception:
        return Written(UNSENT)
    return found
