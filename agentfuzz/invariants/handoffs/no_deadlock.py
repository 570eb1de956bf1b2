"""The law that no agents wait for each other (AF606).

Law: who waits for one that waits for him waits for ever; that a handoff between them was lost makes
it no better. Source: CATALOGUE law H6, row F55.
"""

from agentfuzz.core.between import HandoffReceived, HandoffSent, Waits
from agentfuzz.core.events import Struck
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.handed import handed, who
from agentfuzz.invariants.queries.waiting import circle, waiting


@law(codes={"AF606": "Agents wait for each other"}, catalogue="H6")
def no_deadlock() -> Check:
    """No agents wait for each other until the run is cut off, or for nothing from the beginning.

    Broken by a run that hung while an agent waited for one that waited, in the end, for it; who
    waits for whoever comes waits for every other agent that is known and has not finished. Waits
    with deadlines end; they break the law only in a run without any fault that does not claim
    success, by agents that had not been given anything by each other.

    NOT_EXERCISED when no agent waited for another one.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        if not history.of(Waits) or history.ended is None:
            return None
        if history.ended.how == "cut_off":
            end = history.ended.seq if history.ended.error == "hung" else 0
            found, until = circle(history, end), "for ever"
        else:
            found, until = _in_vain(history), "until a deadline"
        return [_violation(history, found, until)] if found else []

    return check


def _in_vain(history: History) -> list[Waits]:
    """Waits that nothing but deadlines ended, where nothing had gone wrong."""
    if history.of(Struck) or history.success is not None:
        return []
    for one in waiting(history):
        if one.how == "deadline":
            found = circle(history, one.until)
            if one.begun in found and not _met(history, found) and _all_over(history, found):
                return found
    return []


def _all_over(history: History, found: list[Waits]) -> bool:
    return all(one.how != "came" for one in waiting(history) if one.begun in found)


def _met(history: History, found: list[Waits]) -> bool:
    """Whether one of these agents was given something by another of them."""
    agents = {wait.agent for wait in found}
    senders = {sent.handoff: sent.sender for sent in history.of(HandoffSent)}
    return any(
        got.agent in agents and senders.get(got.handoff) in agents
        for got in history.of(HandoffReceived)
    )


def _violation(history: History, found: list[Waits], until: str) -> Violation:
    agents = [wait.agent for wait in found]
    lost = _on_its_way(history, agents)
    however = "".join(f" However {handed(sent)}, and it was never taken." for sent in lost)
    said = "; ".join(_says(wait, agents[(nth + 1) % len(agents)]) for nth, wait in enumerate(found))
    names = " and ".join(map(who, agents))
    return Violation(
        code="AF606",
        subject="run",
        title=titled(f"{names} wait for each other"),
        sentence=f"{said}, {until}.{however}",
        says="waiting",
        world=f"{names} wait for each other"[:60],
        witness=tuple(sorted([*(wait.seq for wait in found), *(sent.seq for sent in lost)])),
        hint="give every wait a deadline, and let one agent begin: send again what was not "
        "answered, or end with `blocked`",
    )


def _says(wait: Waits, other: str) -> str:
    what = {
        "handoff": f"a handoff of {who(wait.on)}" if wait.on else f"whoever comes ({who(other)})",
        "child": f"{who(wait.on)} to end",
        "answer": f"{who(wait.on)}'s answer",
    }.get(wait.what, who(wait.on))
    return f"{who(wait.agent)} waits for {what} since {wait.t:g} s"


def _on_its_way(history: History, agents: list[str]) -> list[HandoffSent]:
    """What one of these agents had handed to another of them, and nobody was given."""
    taken = {got.handoff for got in history.of(HandoffReceived)}
    return [
        sent
        for sent in history.of(HandoffSent)
        if sent.sender in agents and sent.to in agents and sent.handoff not in taken
    ]
