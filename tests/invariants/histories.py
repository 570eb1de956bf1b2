"""Histories told by hand: `tell(charge(), commit(), timeout(), charge(), commit(), ok(), done())`.

Law: one step is one thing that happened, and a step without `of` is about the latest call.
Called by the tests of the laws; `judge` puts a law's verdict into one comparable value.
"""

from collections.abc import Callable
from typing import Any

from agentfuzz.core.completion import REASONS
from agentfuzz.core.events import (
    Called,
    Cancelled,
    Committed,
    Crashed,
    Decided,
    Delivered,
    Done,
    Ended,
    Intent,
    Interrupted,
    Refused,
    Replayed,
    Replied,
    Resumed,
    Saved,
    Struck,
)
from agentfuzz.core.faults import Slot
from agentfuzz.core.history import History, ToolFacts
from agentfuzz.core.plan import FaultPlan, fault_of

Step = Callable[["Story"], None]


class Story:
    """What has happened so far, in a world with two tools that have effects, and one that looks."""

    def __init__(self, dedup: str) -> None:
        self.events: list[Any] = []
        self.passed = 0.0  # seconds, beyond one for each event
        self.tools = {
            "charge_card": ToolFacts("charge_card", "charge", ("order_id",), dedup),
            "ship": ToolFacts("ship", "shipment", ("order_id",), dedup),
            "lookup": ToolFacts("lookup", None, (), "none"),
        }

    def add(self, kind: Any, *fields: Any) -> None:
        if kind is Struck and isinstance(fields[1], str):
            fields = (fields[0], fault_of(fields[0].boundary, fields[1]))
        seq = len(self.events)
        self.events.append(kind(seq, seq + self.passed, *fields))

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if type(event) is kind]

    def call(self, nth: int | None) -> Any:
        return self.of(Called)[-1 if nth is None else nth - 1]

    def deliver(self, call: str) -> int:
        nth = 1 + sum(event.call == call for event in self.of(Delivered))
        self.add(Delivered, call, nth)
        return nth


def prefix(*steps: Step, dedup: str = "none") -> History:
    """The steps as a history that has not ended yet. `dedup` is that of charge_card and ship."""
    story = Story(dedup)
    for step in steps:
        step(story)
    return History(story.events, story.tools)


def tell(*steps: Step, dedup: str = "none") -> History:
    """The steps as a whole history; without an ending of its own, the agent returned None."""
    history = prefix(*steps, dedup=dedup)
    return history if history.ended else prefix(*steps, returned(), dedup=dedup)


def call(tool: str, key: str | None = None, **args: Any) -> Step:
    def step(story: Story) -> None:
        nth = 1 + sum(event.slot.name == tool for event in story.of(Called))
        facts = story.tools.get(tool)
        intent = None
        if facts and facts.effect:
            intent = Intent(facts.effect, tuple((name, args.get(name)) for name in facts.scope))
        name = f"c{len(story.of(Called)) + 1}"
        story.add(Called, name, Slot("tool", tool, nth), args, key, intent, None)

    return step


def charge(order: str = "A17", key: str | None = None) -> Step:
    return call("charge_card", key, order_id=order)


def ship(order: str = "A17", key: str | None = None) -> Step:
    return call("ship", key, order_id=order)


def lookup(order: str = "A17") -> Step:
    return call("lookup", order_id=order)


def commit(of: int | None = None) -> Step:
    """The request arrives and takes effect."""

    def step(story: Story) -> None:
        made = story.call(of)
        nth, effect = story.deliver(made.call), f"e{len(story.of(Committed)) + 1}"
        story.add(
            Committed, effect, made.call, nth, made.slot.name, made.intent, made.key, made.args
        )

    return step


def replay(effect: str = "e1") -> Step:
    """The request arrives and is taken for a repeat of an earlier effect."""

    def step(story: Story) -> None:
        made = story.call(None)
        story.add(Replayed, effect, made.call, story.deliver(made.call))

    return step


def reply(
    outcome: str,
    body: Any = None,
    *,
    complete: bool = True,
    raised: str | None = None,
    of: int | None = None,
) -> Step:
    def step(story: Story) -> None:
        story.add(Replied, story.call(of).call, outcome, complete, body, raised)

    return step


def ok(body: Any = "ok") -> Step:
    return reply("applied", body)


def timeout() -> Step:
    return reply("unknown", raised="TimeoutError")


def refuse(kind: str) -> Step:
    def step(story: Story) -> None:
        story.add(Refused, story.call(None).call, kind, "no")
        reply("failed", raised="ToolError")(story)

    return step


def charged(order: str = "A17", key: str | None = None) -> Step:
    """A call of charge_card as it should be: called, committed, answered."""
    return lambda story: [step(story) for step in (charge(order, key), commit(), ok())] and None


def looked_up(order: str = "A17", body: Any = "ok") -> Step:
    return lambda story: [step(story) for step in (lookup(order), ok(body))] and None


def strikes(plan: str) -> Step:
    """Faults that really happen here: `strikes("charge_card#1:once/timeout")`."""
    faults = tuple(FaultPlan.parse(plan))
    return lambda story: [story.add(Struck, slot, fault) for slot, fault in faults] and None


def happens(kind: type, *fields: Any) -> Step:
    """An event of any kind."""
    return lambda story: story.add(kind, *fields)


def passes(seconds: float) -> Step:
    """Virtual time goes by."""
    return lambda story: setattr(story, "passed", story.passed + seconds)


def resumes(why: str, leg: int = 2, after: str = "returned") -> Step:
    """Another leg begins, or an outer one goes on (`back`)."""
    return lambda story: story.add(Resumed, why, leg, after)


def restarts(leg: int = 2) -> Step:
    """The process dies here and is started again."""

    def step(story: Story) -> None:
        story.add(Crashed, Slot("end", "", leg - 1))
        story.add(Resumed, "restart", leg, "crashed")

    return step


def cancels(how: str = "token") -> Step:
    """Somebody stops the task."""
    return lambda story: story.add(Cancelled, how)


def saves(value: Any = None, *, name: str = "keys") -> Step:
    """Something is written down that outlives the process."""
    return lambda story: story.add(Saved, Slot("store", name, 0), value)


def waits(call: str, interrupt: str = "i1") -> Step:
    """A call waits for a decision."""
    return lambda story: story.add(Interrupted, interrupt, call)


def decides(call: str, value: Any = True, *, interrupt: str = "i1") -> Step:
    """A decision arrives."""
    return lambda story: story.add(Decided, interrupt, call, value)


def has_undos(dedup: str = "none") -> Step:
    """There are tools that take effects back: refund undoes charge_card, recall undoes ship."""

    def step(story: Story) -> None:
        scope = ("order_id",)
        story.tools["refund"] = ToolFacts("refund", "refund", scope, dedup, "charge_card")
        story.tools["recall"] = ToolFacts("recall", "recall", scope, dedup, "ship")

    return step


def refund(order: str = "A17", key: str | None = None) -> Step:
    return call("refund", key, order_id=order)


def recall(order: str = "A17") -> Step:
    return call("recall", order_id=order)


def done(
    status: str = "success",
    reason: str = "",
    *,
    handle: str | None = None,
    via: str = "return",
    problem: str = "",
) -> Step:
    said = reason or REASONS.get(status, ("",))[0]
    return lambda story: story.add(Done, via, status, said, handle, problem)


def returned(value: Any = None) -> Step:
    return lambda story: story.add(Ended, "returned", value, "", "")


def raised(error: str) -> Step:
    return lambda story: story.add(Ended, "raised", None, error, "")


def died(error: str) -> Step:
    return lambda story: story.add(Ended, "died", None, error, "")


def cut_off(why: str) -> Step:
    return lambda story: story.add(Ended, "cut_off", None, why, "")


def judge(law: Any, history: History, baseline: History | None = None) -> Any:
    """`HELD`, `NOT_EXERCISED`, or the violations as `AF101 charge: Committed#1 Committed#2`
    (code, subject, witness). Whatever law is judged, its titles stay within 36 characters."""
    verdict = law(history, baseline)
    assert verdict.law == law.name
    assert bool(verdict.violations) == (verdict.status == "VIOLATED")
    for violation in verdict.violations:
        assert len(violation.title) <= 36, violation.title
        assert violation.sentence.endswith((".", "?", "!")), violation.sentence
        assert type(violation.error()).code == violation.code
    lines = [f"{v.code} {v.subject}: {_names(history, v.witness)}" for v in verdict.violations]
    return lines or verdict.status


def _names(history: History, witness: tuple[int, ...]) -> str:
    names = []
    for seq in witness:
        event = history.events[seq]
        names.append(f"{type(event).__name__}#{history.of(type(event)).index(event) + 1}")
    return " ".join(names)
