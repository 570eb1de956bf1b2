"""Handoffs: a task on its way from one agent to another, and what may become of it.

Law: what was sent, what arrived and what was made of it are events; a fault of the boundary
`handoff` is a delivery (lost, twice, late, misrouted, reordered) and a payload (stale, trimmed,
buried, invalid, poisoned). Of two deliveries the second is the spoilt one. Used by the surface.
"""

from collections.abc import Mapping
from typing import Any

from agentfuzz.core.between import HandoffSent, Waited, Waits
from agentfuzz.core.events import Json
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.world.delivery import LATE
from agentfuzz.world.team.damage import damaged
from agentfuzz.world.team.mailbox import Letter, Mailbox
from agentfuzz.world.team.payload import Sent
from agentfuzz.world.team.receipt import Receipt
from agentfuzz.world.team.state import Team


class Handoff:
    """One handoff as it leaves its sender: its events, and the fault that strikes it. `way` is
    `""` for a mailbox, ` call` for a function that is called."""

    def __init__(self, team: Team, to: str, sent: Sent, way: str = "") -> None:
        team.knows(to)
        sender = team.log.acts()
        earlier = team.sent.setdefault(sent.task, [])
        self.team, self.to, self.sent = team, to, sent
        self.before: Json = earlier[-1].json if earlier else None
        slot = team.process.slot("handoff", to)
        self.receipt = Receipt(f"handoff_{len(team.receipts) + 1}", sender, to)
        team.receipts.append(self.receipt)
        named = (self.receipt.id, slot, sender, to, sent.task, sent.version)
        team.log.write(HandoffSent, *named, sent.json, sent.carry)
        earlier.append(sent)
        self.other = self._other(way)
        self.delivery, self.arrives = self._struck(slot, way)

    def _struck(self, slot: Slot, way: str) -> tuple[str, Json]:
        first = "" if self.before is not None else " first"
        alone = "" if self.other else " alone"
        fault = self.team.struck(slot, f"handoff{way}{first}{alone}")
        if fault is None:
            return "once", self.sent.json
        delivery = fault.axes[0]
        arrives = self._damaged(fault)
        if arrives is None or (delivery == "misrouted" and not self.other):
            return "once", self.sent.json  # nothing of it could be spoilt so
        self.team.note(slot, fault)
        return delivery, arrives

    def _damaged(self, fault: Fault) -> Json:
        kind = fault.axes[1]
        if kind == "intact":
            return self.sent.json
        return damaged(kind, fault.variant, self.sent.json, self.before)

    def _other(self, way: str) -> str:
        """Whoever gets what goes astray: the first agent that is not meant."""
        among = self.team.targets if way else self.team.known
        names = [name for name in among if name != self.to]
        return next((name for name in names if name != self.receipt.sender), (names or [""])[0])

    def letters(self) -> tuple[Letter, ...]:
        """What arrives, in order."""
        whole, spoilt = self.sent.json, self.arrives
        if self.delivery == "twice":
            return self._letter(1, whole), self._letter(2, spoilt)
        return () if self.delivery == "lost" else (self._letter(1, spoilt),)

    def _letter(self, nth: int, payload: Json) -> Letter:
        return Letter(self.receipt, nth, payload, self.sent)

    def post(self) -> Receipt:
        """Send it to a mailbox."""
        team = self.team
        box = team.box(self.other if self.delivery == "misrouted" else self.to)
        letters = self.letters()
        if self.delivery in ("late", "reordered"):
            due = team.log.clock.now + LATE
            if self.delivery == "reordered":
                box.held.append(letters[0])
            team.log.clock.schedule(due, lambda: _arrives(box, letters[0], self.delivery))
            return self.receipt
        for letter in letters:
            box.put(letter)
        if letters:
            while box.held:  # the next one has overtaken them
                box.put(box.held.pop(0))
        return self.receipt


def _arrives(box: Mailbox, letter: Letter, delivery: str) -> None:
    if delivery == "reordered":
        if letter not in box.held:
            return  # it has followed another one
        box.held.remove(letter)
    box.put(letter)


def hand_over(team: Team, to: str, payload: Any, carry: Mapping[str, Any] | None) -> Receipt:
    """Send a payload to the mailbox of an agent."""
    return Handoff(team, to, Sent(payload, carry)).post()


def waits_for_answer(team: Team, receipt: Receipt, timeout: float) -> bool:
    """Let virtual time pass until a handoff is answered; whether it was."""
    clock, log = team.log.clock, team.log
    if receipt.status == "sent":
        log.write(Waits, receipt.sender, receipt.to, "answer")
        until = clock.now + timeout
        while receipt.status == "sent" and clock.now < until and not clock.held:
            due = clock.next_due
            soon = until if due is None else min(until, max(due, clock.now + 1e-6))
            clock.advance(soon - clock.now)
        how = "deadline" if receipt.status == "sent" else "came"
        log.write(Waited, receipt.sender, receipt.to, "answer", how)
    return receipt.status != "sent"
