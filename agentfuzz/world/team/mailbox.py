"""A mailbox: where the handoffs for one agent arrive, and how it takes them.

Law: what arrived waits until it is taken, also for a process that was started again; taking writes
down what was received, and accepting or rejecting what became of it. Nothing is recognised as
stale, doubled or misrouted for the receiver: that is its work. Met by users as
`world.inbox_of(agent)`.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple, TypeVar, overload

from agentfuzz.core.between import (
    HandoffAccepted,
    HandoffReceived,
    HandoffRejected,
    Waited,
    Waits,
)
from agentfuzz.core.codec import plain
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Json, made
from agentfuzz.world.acting import ACTING
from agentfuzz.world.delivery import Delivery
from agentfuzz.world.log import Log
from agentfuzz.world.team.payload import CARRY, NOTHING, Sent, own, skimmed
from agentfuzz.world.team.receipt import Receipt

T = TypeVar("T")


class Letter(NamedTuple):
    """One arrival of a handoff."""

    receipt: Receipt
    nth: int
    payload: Json
    sent: Sent


class Handed:
    """A handoff in the hands of its receiver. `payload` is what arrived, as plain data; `id` names
    the handoff (the same at each of its deliveries), `sender` who sent it. Take it over with
    `accept()`, or say no with `reject(reason)`."""

    __slots__ = ("_letter", "_log", "_payload", "agent")

    def __init__(self, letter: Letter, agent: str, log: Log) -> None:
        self._letter, self._payload = letter, None
        self.agent, self._log = agent, log

    @property
    def payload(self) -> Any:
        """What arrived, as plain data: the receiver's own, to do with as it likes."""
        if self._payload is None:
            _, _, payload, sent = self._letter
            self._payload = own(sent.whole if payload is sent.json else payload)
        return self._payload

    @property
    def id(self) -> str:
        return self._letter.receipt.id

    @property
    def sender(self) -> str:
        return self._letter.receipt.sender

    @property
    def text(self) -> str:
        """What it says in prose, as a reader skims it: the two ends of what is long."""
        said = self.payload.get("text") if isinstance(self.payload, dict) else self.payload
        return skimmed(said) if isinstance(said, str) else ""

    @overload
    def read(self) -> Any: ...
    @overload
    def read(self, kind: type[T]) -> T: ...
    def read(self, kind: Any = None) -> Any:
        """The payload as an object of its type: the one that was sent, or `kind`, a pydantic model.
        Raises ValueError (a pydantic ValidationError) for what is not of this type."""
        if kind is None:
            return self._letter.sent.read(self._letter.payload)
        return kind.model_validate(self.payload)

    def accept(self, carry: Mapping[str, Any] | None = None) -> None:
        """Take the task over. `carry` is what the receiver holds of the facts that had to reach it,
        if it read them elsewhere than in their field."""
        receipt, nth, payload, sent = self._letter
        if carry is None and (sent.carry or payload is not sent.json or CARRY in payload):
            carry = self._carried()
        held = {str(name): plain(value) for name, value in carry.items()} if carry else NOTHING
        if receipt.status == "sent":
            receipt.status = "accepted"
        log = self._log
        if log.leg or ACTING.get() != log.acting:
            log.acts()
        event = (len(log), log.clock.now, receipt.id, nth, self.agent, held)
        log.append(made(HandoffAccepted, event))

    def _carried(self) -> Mapping[str, Any]:
        """The facts that had to arrive, as they stand in the payload."""
        payload, names = self._letter.payload, self._letter.sent.carry
        if not isinstance(payload, dict):
            return {}
        found = payload.get(CARRY)
        if isinstance(found, dict):
            return found
        return {name: payload[name] for name in names if name in payload} if names else {}

    def reject(self, reason: str = "") -> None:
        """Say no to it."""
        self._letter.receipt.settle("rejected", reason)
        self._log.acts()
        self._log.write(HandoffRejected, self.id, self._letter.nth, self.agent, str(reason))


def patience(word: str, timeout: float) -> float:
    """How long somebody waits. Raises ScenarioError for what is no number of seconds."""
    if not isinstance(timeout, (int, float)) or not isfinite(timeout):
        raise ScenarioError(
            f"{word}(...) waits for {timeout!r}: say for how many virtual seconds, as in "
            f"{word}(60)."
        )
    return timeout


class Mailbox:
    """The handoffs for one agent. Iterating takes what lies there now."""

    __slots__ = ("_calls", "_letters", "_waiting", "agent", "held")

    def __init__(self, agent: str, calls: Delivery, letters: list[Letter]) -> None:
        self.agent, self._calls, self._letters = agent, calls, letters
        # Of a thousand mailboxes hardly one needs these.
        self._waiting: Sequence[tuple[str, asyncio.Future[None]]] = ()
        self.held: Sequence[Letter] = ()  # those that the next one overtakes

    def put(self, letter: Letter) -> None:
        """A handoff arrives."""
        self._letters.append(letter)
        if self._waiting:
            self._wake(letter)

    def _wake(self, letter: Letter) -> None:
        for sender, future in self._waiting:
            if sender in ("", letter.receipt.sender) and not future.done():
                future.set_result(None)
                break

    def __len__(self) -> int:
        return len(self._letters)

    def __iter__(self) -> Iterator[Handed]:
        while (found := self.take()) is not None:
            yield found

    def take(self, sender: str = "") -> Handed | None:
        """The handoff that has waited longest (of this sender, if one is named), or None."""
        if sender:
            letter = self._pick(sender)
            return None if letter is None else self._taken(letter)
        letters = self._letters
        return self._taken(letters.pop(0)) if letters else None

    def _pick(self, sender: str) -> Letter | None:
        if not sender:
            return self._letters.pop(0) if self._letters else None
        for letter in self._letters:
            if letter.receipt.sender == sender:
                self._letters.remove(letter)
                return letter
        return None

    def receive(self, timeout: float, sender: str = "") -> Handed:
        """The same for a sync agent that waits up to so many virtual seconds. Raises
        TimeoutError."""
        clock, found = self._calls.clock, self._pick(sender)
        if found is not None:
            return self._taken(found)
        until = clock.now + patience("receive", timeout)
        self._waits(sender)
        while found is None and clock.now < until and not clock.held:
            due = clock.next_due
            clock.advance(min(until, until if due is None else due) - clock.now)
            found = self._pick(sender)
        self._waited(sender, "deadline" if found is None else "came")
        if found is None:
            raise TimeoutError(f"no handoff for {self.agent} within {timeout:g} s")
        return self._taken(found)

    async def next(self, timeout: float | None = None, sender: str = "") -> Handed:
        """Wait for the next handoff (of this sender), for ever or so many virtual seconds; another
        agent may go first, where one is ready. Raises TimeoutError."""
        found = await self._calls.in_turn("inbox", lambda: self.take(sender))
        return await self._comes(timeout, sender) if found is None else found

    async def _comes(self, timeout: float | None, sender: str) -> Handed:
        found: Letter | None = None
        if timeout is not None:
            patience("next", timeout)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise ScenarioError(
                "await inbox.next() runs on asyncio; elsewhere use inbox.take() or "
                "inbox.receive(timeout)."
            ) from None
        self._waits(sender)
        how = "cancelled"
        try:
            async with asyncio.timeout(timeout):
                while found is None:
                    await self._arrival(sender, loop.create_future())
                    found = self._pick(sender)
            how = "came"
        except TimeoutError:
            how = "deadline"
            raise TimeoutError(f"no handoff for {self.agent} within {timeout:g} s") from None
        finally:
            self._waited(sender, how)
            if how != "came":  # it may have been woken all the same
                for letter in self._letters:
                    self._wake(letter)
        return self._taken(found)

    async def _arrival(self, sender: str, future: asyncio.Future[None]) -> None:
        self._waiting = (*self._waiting, (sender, future))
        try:
            await future
        finally:
            self._waiting = tuple(one for one in self._waiting if one[1] is not future)

    def _taken(self, letter: Letter) -> Handed:
        log, agent = self._calls.log, self.agent
        if log.leg or ACTING.get() != log.acting:
            log.acts()
        receipt, nth, payload, sent = letter
        version, problem = sent.version, ""
        if payload is not sent.json:
            said = payload.get("version") if type(payload) is dict else 0
            version, problem = said if type(said) is int else 0, sent.problem(payload)
            payload = plain(payload)
        event = (len(log), log.clock.now, receipt.id, nth, agent, version, payload, problem)
        log.append(made(HandoffReceived, event))
        return Handed(letter, agent, log)

    def _waits(self, sender: str) -> None:
        self._calls.log.write(Waits, self.agent, sender, "handoff")

    def _waited(self, sender: str, how: str) -> None:
        if self._calls.budget >= 0:  # the run goes on
            self._calls.log.write(Waited, self.agent, sender, "handoff", how)
