"""The sequence: a history as rows of two lanes, agent and backend, in the order of events.

Law: every event of the history is in a row, rows stand in event order, and a row carries a mark
where a fault struck. Pure; called by a history that is printed, and by the story, which every
format reads.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from agentfuzz.core.between import Acts, HandoffReceived, HandoffSent
from agentfuzz.core.events import (
    Called,
    Committed,
    Delivered,
    Done,
    Ended,
    Event,
    ModelInput,
    ModelTurn,
    Refused,
    Replayed,
    Replied,
    Resumed,
    Saved,
    Struck,
)
from agentfuzz.core.faults import Slot
from agentfuzz.core.lanes.row import Kind, Row
from agentfuzz.core.lanes.words import LOST_REPLIES, life_words, short, struck_words


class Facts(Protocol):
    """What a sequence asks of a tool: its effect, None for one that only reads."""

    @property
    def effect(self) -> str | None: ...


class Events(Protocol):
    """What a sequence asks of a history, which stands above it: it prints as one."""

    @property
    def events(self) -> Sequence[Event]: ...

    @property
    def tools(self) -> Mapping[str, Facts]: ...


def rows(history: Events, witness: Collection[int] = ()) -> tuple[Row, ...]:
    """The rows of a history; `witness` are the `seq`s on which the verdict rests."""
    build = _Rows(history)
    for event in history.events:
        build.add(event)
    build.unshown_faults()
    for step, row in enumerate(build.rows, 1):
        row.step, row.witness = step, any(seq in witness for seq in row.seqs)
    return tuple(build.rows)


class _Rows:
    """Builds the rows event by event."""

    def __init__(self, history: Events) -> None:
        self.rows: list[Row] = []
        self.tools = history.tools
        self.inputs: dict[Slot, int] = {}
        self.struck = {
            _at_its_call(event.slot): event for event in history.events if type(event) is Struck
        }
        self.axes = {slot: _axes(event) for slot, event in self.struck.items()}
        self.shown: set[Slot] = set()
        self.called: dict[str, Called] = {}
        self.arrived: dict[str, int] = {}
        self.effects, self.who = 0, ""  # how many, and who acts
        self.by: dict[str, str] = {}  # who made a call
        self.answered = False
        self.coming: Slot | None = None  # a fault that the next event of the process shows
        self.first: dict[str, int] = {}

    def add(self, event: Event) -> None:
        if isinstance(event, Called):
            self._called(event)
        elif isinstance(event, Delivered):
            self._delivered(event)
        elif isinstance(event, Committed):
            self._committed(event)
        elif isinstance(event, Replayed):
            row = self._at_backend(event.call, event.t, event.seq)
            row.backend, row.note = f"replay {event.effect_id}", "no new effect"
        elif isinstance(event, Refused):
            row = self._at_backend(event.call, event.t, event.seq)
            row.backend, row.note = f"refuse {event.kind}", "no effect"
        elif isinstance(event, Replied):
            self._replied(event)
        elif isinstance(event, ModelInput):
            self.inputs[event.slot] = event.seq
        elif isinstance(event, ModelTurn):
            self._turn(event)
        elif isinstance(event, Done):
            self._done(event)
        elif isinstance(event, Ended):
            self._ended(event)
        elif isinstance(event, Struck):
            if event.slot.boundary not in ("tool", "model", "local"):
                self._life_struck(event)
        elif isinstance(event, Acts):
            self.who = event.agent
        else:
            self._lived(event)

    def _done(self, event: Done) -> None:
        note = "not valid" if event.problem else ""
        text = f"done {event.status} ({event.reason})"
        self.answered = self.answered or event.via == "return"
        tell = self._nobody if event.via == "return" else self._row
        tell(event, "done", text, note=note)

    def _life_struck(self, event: Struck) -> None:
        """A fault of the process or the schedule, unless the next event shows it; one between
        agents shows at what was begun."""
        if event.slot.boundary in ("handoff", "child"):
            self._strike(self.rows[-1], event.slot)
            self.rows[-1].note = str(event.fault)
            return
        if told := struck_words(event):
            self._strike(self._row(event, "life", told), event.slot)
        else:
            self.coming = event.slot

    def _lived(self, event: Event) -> None:
        now = self.who
        own = "" if isinstance(event, Resumed) else now
        self.who = getattr(event, "parent", getattr(event, "agent", own))
        row = self._row(event, "save" if isinstance(event, Saved) else "life", life_words(event))
        if isinstance(event, HandoffSent | HandoffReceived):
            row.passes, row.to = event.handoff, getattr(event, "to", "")
        self.who = now
        if self.coming is not None:
            self._strike(row, self.coming)
            self.coming = None

    def _row(self, event: Event, kind: Kind, agent: str = "", *, note: str = "") -> Row:
        who = f"{self.who}: " if self.who and agent else ""
        row = Row(event.t, kind, who + agent, note=note, who=self.who, seqs=[event.seq])
        self.rows.append(row)
        return row

    def _nobody(self, event: Event, kind: Kind, text: str, *, note: str = "") -> None:
        """A row of the run itself, and of no agent in it."""
        now, self.who = self.who, ""
        self._row(event, kind, text, note=note)
        self.who = now

    def _strike(self, row: Row, slot: Slot) -> None:
        """This row is where the fault of the slot shows."""
        row.mark = True
        if slot not in self.shown:
            self.shown.add(slot)
            row.seqs.append(self.struck[slot].seq)

    def _fault(self, call: str) -> tuple[str, str]:
        """Delivery and reply of a call: (once, intact) if no fault struck."""
        called = self.called.get(call)
        return self.axes.get(called.slot, ("once", "intact")) if called else ("once", "intact")

    def _called(self, event: Called) -> None:
        self.called[event.call] = event
        self.by[event.call] = self.who
        row = self._row(event, "call", str(event.slot))
        row.call, row.arrow = event.call, "request"
        delivery, _ = self._fault(event.call)
        if delivery == "lost":
            row.arrow, row.backend = "request_lost", "request lost"
            self._strike(row, event.slot)
        elif delivery == "late":
            row.arrow, row.backend = "request_late", "under way"
            self._strike(row, event.slot)

    def _delivered(self, event: Delivered) -> None:
        nth = self.arrived[event.call] = self.arrived.get(event.call, 0) + 1
        called = self.called.get(event.call)
        delivery, _ = self._fault(event.call)
        last = self.rows[-1] if self.rows else None
        if nth == 1 and last and last.call == event.call and last.arrow == "request":
            last.seqs.append(event.seq)
            row = last
        else:
            row = self._row(event, "delivery", f"({called.slot})" if called else "")
            row.who = self.by.get(event.call, "")
            row.call, row.arrow = event.call, "late" if delivery == "late" else "request"
            if called and delivery in ("late", "twice") and (nth > 1 or delivery == "late"):
                self._strike(row, called.slot)
        facts = self.tools.get(called.slot.name) if called else None
        row.backend = "read" if facts and facts.effect is None else "arrive"

    def _at_backend(self, call: str, t: float, seq: int) -> Row:
        """The open row of a delivery of this call, or a new one if others came in between."""
        last = self.rows[-1] if self.rows else None
        if last and last.call == call and last.backend in ("", "arrive", "read") and last.t == t:
            last.seqs.append(seq)
            return last
        self.rows.append(Row(t, "delivery", call=call, who=self.by.get(call, ""), seqs=[seq]))
        called = self.called.get(call)
        self.rows[-1].agent = f"({called.slot})" if called else ""
        return self.rows[-1]

    def _committed(self, event: Committed) -> None:
        row = self._at_backend(event.call, event.t, event.seq)
        self.effects += 1
        row.effect, row.backend = self.effects, f"commit {event.effect_id}"
        row.note = f"effect {self.effects}"
        row.twin = self.first.setdefault(str(event.intent), self.effects)
        if row.twin == self.effects:
            row.twin = 0
        else:
            row.note += " = same intent"

    def _replied(self, event: Replied) -> None:
        called = self.called.get(event.call)
        delivery, reply = self._fault(event.call)
        arrived = self.arrived.get(event.call, 0) > 0
        if called and reply in LOST_REPLIES and arrived:
            last = self.rows[-1]
            lost = Row(last.t if last.call == event.call else event.t, "reply", call=event.call)
            lost.who = self.by.get(event.call, "")
            lost.arrow, lost.backend = "reply_lost", "reply lost"
            self.rows.append(lost)
            self._strike(lost, called.slot)
        now, self.who = self.who, self.by.get(event.call, "")
        row = self._row(event, "reply", event.raised or short(event.body))
        self.who = now
        row.call = event.call
        if called and not arrived and reply == "intact" and event.raised is None:
            row.arrow, row.backend = "reply_changed", "reply made up"
            self._strike(row, called.slot)
        elif called and delivery == "local":
            row.arrow, row.backend = "reply", reply
            self._strike(row, called.slot)
        elif called and reply not in LOST_REPLIES and reply != "intact":
            row.arrow, row.backend = "reply_changed", f"reply {reply}"
            self._strike(row, called.slot)
        elif arrived and reply not in LOST_REPLIES:
            row.arrow = "reply"
            row.backend = "error" if event.raised else "ok"

    def _turn(self, event: ModelTurn) -> None:
        asked = ", ".join(tool for _, tool, _ in event.calls)
        said = asked or (short(event.text) if event.text is not None else event.stop)
        said = f"refused: {said}" if event.stop == "refused" else said
        row = self._row(event, "model", f"{event.slot} {said}")
        if event.slot in self.inputs:
            row.seqs.insert(0, self.inputs[event.slot])
        if event.slot in self.struck:
            row.note = str(self.struck[event.slot].fault)
            self._strike(row, event.slot)

    def _ended(self, event: Ended) -> None:
        last = self.rows[-1] if self.rows else None
        if event.how == "returned" and last and last.kind == "done" and last.t == event.t:
            last.seqs.append(event.seq)
        elif event.how == "returned" and self.answered:
            self._nobody(event, "end", "end of the run")
        elif event.how == "returned":
            self._nobody(event, "end", f"return {short(event.value)}")
        else:
            how = {"raised": "raise", "died": "raise"}.get(event.how, event.how.replace("_", " "))
            self._nobody(event, "end", f"{how} {event.error}".rstrip())

    def unshown_faults(self) -> None:
        """A fault that left no trace of its own marks its call, or gets a row."""
        for slot, event in self.struck.items():
            if slot in self.shown:
                continue
            calls = {call for call, called in self.called.items() if called.slot == slot}
            row = next((row for row in self.rows if row.call in calls), None)
            if row is None:
                row = Row(event.t, "fault", f"fault {event.slot}:{event.fault}")
                place = next((i for i, r in enumerate(self.rows) if max(r.seqs) > event.seq), None)
                self.rows.insert(len(self.rows) if place is None else place, row)
            self._strike(row, slot)


def _at_its_call(slot: Slot) -> Slot:
    """What a tool of the process itself does shows at its call."""
    return slot._replace(boundary="tool") if slot.boundary == "local" else slot


def _axes(event: Struck) -> tuple[str, str]:
    """Delivery and reply of a fault; for a model fault, its kind and `intact`; for one of a tool
    of the process itself, `local` and its kind."""
    first, *rest = event.fault.axes
    if event.slot.boundary == "local":
        return "local", first
    if event.slot.boundary == "model":
        return first, "intact"
    return first, rest[0] if rest else "intact"
