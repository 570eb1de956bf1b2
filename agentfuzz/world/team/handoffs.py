"""Handoffs: a task on its way from one agent to another, and what may become of it.

Law: what was sent, what arrived and what was made of it are events; a fault of the boundary
`handoff` is a delivery (lost, twice, late, misrouted, reordered) and a payload (stale, trimmed,
buried, invalid, poisoned). Of two deliveries the second is the spoilt one. Used by the surface.
"""

from collections.abc import Callable, Collection, Sequence

from agentfuzz.core.between import HandoffSent, Waited, Waits
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Json, made
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.world.acting import ACTING
from agentfuzz.world.delivery import LATE
from agentfuzz.world.team.damage import damaged
from agentfuzz.world.team.mailbox import Letter, Mailbox, patience
from agentfuzz.world.team.payload import Sent
from agentfuzz.world.team.receipt import Receipt
from agentfuzz.world.team.state import Team


class _Ids(dict[int, str]):
    """The ids of the handoffs of a run by number, made once."""

    def __missing__(self, number: int) -> str:
        found = self[number] = f"handoff_{number}"
        return found


_IDS = _Ids()
_NOT_ON_ITS_WAY = frozenset({"twice", "late", "reordered"})
WAYS = {  # how a handoff goes, and what cannot happen to it then
    "": frozenset[str](),
    "call": frozenset({"reordered"}),
    "typed": _NOT_ON_ITS_WAY,
    "state": _NOT_ON_ITS_WAY | {"invalid"},  # a state has no type that anybody would check
    "told": _NOT_ON_ITS_WAY | {"stale", "buried", "invalid"},  # what has been said, in prose
}


Left = tuple[Receipt, Slot, Fault | None, Sent | None]  # the last: of the same task, before it


class Handoff:
    """One handoff as it leaves its sender: its events, and the fault that strikes it. `way` says
    how it goes: to a mailbox, as the `call` of a function, or as a framework hands control over:
    with a `state`, with a `typed` object, or with what has been said (`told`). `among` are those at
    whom it can arrive instead; left out, all that are known, or called. `spoil` makes of a payload
    what becomes of it; `left`, if it has left already."""

    __slots__ = (
        "among",
        "arrives",
        "delivery",
        "earlier",
        "other",
        "receipt",
        "sent",
        "spoil",
        "team",
        "to",
        "way",
    )

    def __init__(
        self,
        team: Team,
        to: str,
        sent: Sent,
        way: str = "",
        among: Collection[str] | None = None,
        spoil: Callable[[str, int, Json, Json], Json] = damaged,
        left: Left | None = None,
    ) -> None:
        self.team, self.to, self.sent, self.way = team, to, sent, way
        self.spoil = spoil
        self.among = (team.targets if way == "call" else team.known) if among is None else among
        if left is None:
            team.log.acts()
            left = _leaves(team, to, sent, _GROUPS[way][len(self.among) == (to in self.among)])
        self.receipt, slot, fault, self.earlier = left
        self.delivery, self.arrives = "once", sent.json
        if fault is not None:
            self._struck(slot, fault)

    def _struck(self, slot: Slot, fault: Fault) -> None:
        delivery, kind = fault.axes
        self.other = self._other(self.receipt.sender, self.to)
        arrives = None if WAYS[self.way].intersection(fault.axes) else self.sent.json
        if arrives is not None and kind != "intact":
            framework = self.way not in ("", "call")  # it is told of what the history has
            whole = arrives if framework else self.sent.whole
            earlier = self.earlier
            before = earlier and (earlier.json if framework else earlier.whole)
            arrives = self.spoil(kind, fault.variant, whole, before)
        if arrives is None or (delivery == "misrouted" and not self.other):
            return  # nothing of it could be spoilt so
        self.team.note(slot, fault)
        self.delivery, self.arrives = delivery, arrives

    def _other(self, sender: str, to: str) -> str:
        """Whoever gets what goes astray: the first agent that is not meant, the sender at last."""
        found = ""
        for name in self.among:
            if name != to:
                if name != sender:
                    return name
                found = name
        return found

    @property
    def reaches(self) -> str:
        """Whom it reaches, if anybody."""
        return self.other if self.delivery == "misrouted" else self.to

    def later(self, arrives: Callable[[], None]) -> None:
        """It arrives when it is late enough that nobody waits for it any more."""
        clock = self.team.log.clock
        clock.schedule(clock.now + LATE, arrives)

    def letters(self) -> tuple[Letter, ...]:
        """What arrives, in order."""
        if self.delivery == "twice":
            return self._letter(1, self.sent.json), self._letter(2, self.arrives)
        return () if self.delivery == "lost" else (self._letter(1, self.arrives),)

    def _letter(self, nth: int, payload: Json) -> Letter:
        letter: Letter = made(Letter, (self.receipt, nth, payload, self.sent))
        return letter

    def post(self) -> Receipt:
        """Send it to a mailbox."""
        delivery, box = self.delivery, self.team.box(self.reaches)
        letters = self.letters()
        if delivery in ("late", "reordered"):
            if delivery == "reordered":
                box.held = (*box.held, letters[0])
            self.later(lambda: _arrives(box, letters[0], delivery))
            return self.receipt
        for letter in letters:
            box.put(letter)
        if letters:
            held, box.held = box.held, ()
            for letter in held:  # the next one has overtaken them
                box.put(letter)
        return self.receipt


_GROUPS = {  # by way, by whether nobody else is there, by whether nothing was sent before it
    way: [
        [f"handoff{way and ' '}{way}{first}{alone}" for first in ("", " first")]
        for alone in ("", " alone")
    ]
    for way in WAYS
}
_BY_POST = _GROUPS[""]


def _leaves(team: Team, to: str, sent: Sent, groups: Sequence[str]) -> Left:
    """A handoff leaves its sender, who has crossed the boundary, and meets the fault of the plan,
    if there is one."""
    log, sender = team.log, ACTING.get()
    if sender != log.acting:
        log.acts()
    known, task = team.sent, sent.task
    about = task or (to,)
    earlier = known.get(about)
    known[about] = sent
    counts, seq = team.counts, len(log)
    nth = counts[to] = counts.get(to, 0) + 1
    team.handoffs = number = team.handoffs + 1
    name, slot = _IDS[number], made(Slot, ("handoff", to, nth))
    event = (seq, log.clock.now, name, slot, sender, to, task, sent.version, sent.json, sent.carry)
    log.append(made(HandoffSent, event))
    fault = team.injector.at(slot, seq, groups[earlier is None or earlier.json is None])
    return Receipt(name, sender, to), slot, fault, earlier


def post(team: Team, to: str, sent: Sent) -> Receipt:
    """Send a handoff to the mailbox of an agent that is known. Where nothing strikes it, it is
    there at once."""
    left = receipt, _, fault, _ = _leaves(team, to, sent, _BY_POST[len(team.known) == 1])
    box = team.boxes.get(to)
    if fault is not None or (box is not None and box.held):
        return Handoff(team, to, sent, left=left).post()
    letter = made(Letter, (receipt, 1, sent.json, sent))
    if box is None:
        team.boxes[to] = Mailbox(to, team.calls, [letter])
    else:
        box.put(letter)
    return receipt


def _arrives(box: Mailbox, letter: Letter, delivery: str) -> None:
    if delivery == "reordered":
        if not any(one is letter for one in box.held):
            return  # it has followed another one
        box.held = tuple(one for one in box.held if one is not letter)
    box.put(letter)


def waits_for_answer(team: Team, receipt: Receipt, timeout: float) -> bool:
    """Let virtual time pass until a handoff is answered; whether it was."""
    clock, log = team.log.clock, team.log
    if not isinstance(receipt, Receipt):
        raise ScenarioError(f"answered({receipt!r}, ...): give what world.handoff(...) returned.")
    patience("answered", timeout)
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
