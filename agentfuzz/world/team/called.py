"""Handoffs of a user's own: a function that is called to hand a task over, a queue.

Law: nothing is rewritten: what such a function is called with is the payload, what it does are the
acts of the receiver, and it has accepted once it causes an effect, or answers at its first arrival
(what went astray it may answer with "not mine", and has not accepted it). Used by the surface.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from agentfuzz.core.between import HandoffAccepted, HandoffReceived, HandoffRejected
from agentfuzz.core.codec import message, plain
from agentfuzz.core.errors import CutOff, ScenarioError
from agentfuzz.core.events import Json
from agentfuzz.runtime.async_library import cancellations, pause
from agentfuzz.world.acting import TAKING, named
from agentfuzz.world.delivery import LATE
from agentfuzz.world.reply_faults import TIMEOUT
from agentfuzz.world.team.handoffs import Handoff
from agentfuzz.world.team.mailbox import Letter
from agentfuzz.world.team.payload import Sent, own, rebuilt
from agentfuzz.world.team.state import Team


def handoff_of(team: Team, function: Callable[..., Any], to: str) -> Any:
    """A function as the receiver of a handoff: `to` is the agent that it is."""
    if not callable(function):
        raise ScenarioError(f"handoff_of({function!r}): give the function that is called.")
    name = to or getattr(function, "__name__", "agent")
    signature = inspect.signature(function)
    is_async = runs_async(function)
    team.knows(name)

    def called(
        args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Handoff, Callable[[Json], Any]]:
        alone = len(args) == 1 and not kwargs
        bound = signature.bind(*args, **kwargs)
        given = args[0] if alone else dict(bound.arguments)
        sent = Sent(given, None)

        def again(payload: Json) -> Any:
            found = as_sent(payload)
            if not is_async:
                no_coroutine(found, "handoff_of", function)
            return found

        def as_sent(payload: Json) -> Any:
            if payload is sent.json:
                return function(*args, **kwargs)
            if alone:
                return function(rebuilt(given, payload))
            return function(**payload) if isinstance(payload, dict) else function(payload)

        return Handoff(team, name, sent, "call"), again

    if is_async:

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            handoff, again = called(args, kwargs)
            work = _target(team, handoff, again)
            if handoff.delivery in ("lost", "late"):
                if handoff.delivery == "late":
                    due = team.log.clock.now + LATE

                    def begin() -> None:
                        late = _arrive(team, handoff, handoff.letters()[0], work)
                        team.calls.goes_on(_quietly(late))

                    team.log.clock.schedule(due, _in_this_life(team, begin))
                await pause(TIMEOUT)
                raise no_answer(name)
            first, *more = handoff.letters()
            try:
                found = await _arrive(team, handoff, first, work)
            except Exception:
                await again_and_again(team, handoff, more, work)
                raise
            except cancellations():  # who called is gone; what was sent twice comes all the same
                for letter in more:
                    team.calls.goes_on(_quietly(_arrive(team, handoff, letter, work)))
                raise
            await again_and_again(team, handoff, more, work)
            return found

        team.targets[name] = awaited
        return awaited

    @functools.wraps(function)
    def returned(*args: Any, **kwargs: Any) -> Any:
        handoff, again = called(args, kwargs)
        work = _target(team, handoff, again)
        clock = team.log.clock
        if handoff.delivery in ("lost", "late"):
            if handoff.delivery == "late":
                letter = handoff.letters()[0]
                late = functools.partial(_arrives, team, handoff, letter, work)
                clock.schedule(clock.now + LATE, _in_this_life(team, lambda: _dropped(late)))
            clock.advance(TIMEOUT)
            raise no_answer(name)
        first, *more = handoff.letters()
        try:
            return _arrives(team, handoff, first, work)
        finally:
            for letter in more:
                _dropped(functools.partial(_arrives, team, handoff, letter, work))

    team.targets[name] = returned
    return returned


def _target(team: Team, handoff: Handoff, meant: Callable[[Json], Any]) -> Callable[[Json], Any]:
    """What is called: another function, if it went astray."""
    if handoff.delivery != "misrouted":
        return meant
    astray: Callable[[Json], Any] = inspect.unwrap(team.targets[handoff.other])
    sent = handoff.sent
    return lambda payload: astray(own(sent.whole if payload is sent.json else payload))


def runs_async(function: Callable[..., Any]) -> bool:
    """Whether a function is called to be awaited: also an object with such a `__call__`."""
    inner = inspect.unwrap(function)
    called = getattr(type(inner), "__call__", None)  # noqa: B004 - the method, not whether
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(called)


def no_coroutine(found: Any, word: str, function: Any) -> None:
    """Raise ScenarioError where what was taken for a sync function has returned an awaitable."""
    if inspect.isawaitable(found):
        if inspect.iscoroutine(found):
            found.close()
        name = getattr(function, "__name__", type(function).__name__)
        raise ScenarioError(
            f"{word}({name}) returned an awaitable, and {name} is no async function: give the "
            "async function itself, or functools.partial of it."
        )


class Taking:
    """One arrival at a receiver that is called: received, then accepted or rejected."""

    def __init__(self, team: Team, agent: str, letter: Letter) -> None:
        self.log, self.letter, self.agent = team.log, letter, agent
        self.astray = agent != letter.receipt.to
        self.settled = False

    def received(self) -> None:
        payload, log = self.letter.payload, self.log
        version = payload.get("version") if isinstance(payload, dict) else 0
        number = version if type(version) is int else 0
        log.acts()
        sent = self.letter.sent
        problem = sent.problem(payload)
        told = payload if payload is sent.json else plain(payload)
        facts = (self.letter.receipt.id, self.letter.nth, self.agent, number, told, problem)
        log.write(HandoffReceived, *facts)

    def accepted(self) -> None:
        if not self.settled:
            self.settled = True
            payload, sent = self.letter.payload, self.letter.sent
            there = payload if isinstance(payload, dict) else {}
            held = there.get("carry")
            own = {name: there[name] for name in sent.carry if name in there}
            carry = held if isinstance(held, dict) else own
            self.letter.receipt.settle("accepted", "")
            at = (self.letter.receipt.id, self.letter.nth, self.agent)
            self.log.write(HandoffAccepted, *at, carry)

    def answered(self, error: BaseException | None) -> None:
        if (
            error is None
            and self.letter.nth == 1
            and not self.astray
            and not self.letter.sent.problem(self.letter.payload)
        ):
            self.accepted()
        elif not self.settled:
            self.settled = True
            reason = "answered without an effect" if error is None else message(error)
            self.letter.receipt.settle("rejected", reason)
            at = (self.letter.receipt.id, self.letter.nth, self.agent)
            self.log.write(HandoffRejected, *at, reason)


def _arrives(team: Team, handoff: Handoff, letter: Letter, work: Callable[[Json], Any]) -> Any:
    taking = Taking(team, handoff.reaches, letter)
    with named(taking.agent):
        token = TAKING.set(taking.accepted)
        taking.received()
        try:
            found = work(letter.payload)
        except Exception as error:
            taking.answered(error)
            raise
        finally:
            TAKING.reset(token)
        taking.answered(None)
    return found


async def _arrive(team: Team, handoff: Handoff, letter: Letter, work: Callable[[Json], Any]) -> Any:
    taking = Taking(team, handoff.reaches, letter)
    with named(taking.agent):
        token = TAKING.set(taking.accepted)
        taking.received()
        try:
            found = await work(letter.payload)
        except Exception as error:
            taking.answered(error)
            raise
        finally:
            TAKING.reset(token)
        taking.answered(None)
    return found


def _in_this_life(team: Team, arrives: Callable[[], None]) -> Callable[[], None]:
    """What happens later, unless the process in which the receiver lives is dead by then."""
    life = team.process.life
    return lambda: arrives() if team.process.life is life else None


async def again_and_again(
    team: Team, handoff: Handoff, letters: Sequence[Letter], work: Callable[[Json], Any]
) -> None:
    """The further arrivals of a handoff: whatever comes of them, nobody learns of it."""
    for letter in letters:
        await _quietly(_arrive(team, handoff, letter, work))


async def _quietly(work: Any) -> None:
    try:
        await work
    except CutOff:
        raise
    except Exception:
        return


def _dropped(work: Callable[[], Any]) -> None:
    try:
        work()
    except CutOff:
        raise
    except Exception:
        return


def no_answer(agent: str) -> TimeoutError:
    """What a sender gets of a handoff that never arrives."""
    return TimeoutError(f"the handoff to {agent} timed out after {TIMEOUT:g} s")
