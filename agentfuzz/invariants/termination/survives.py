"""The law that an agent lives (AF900, AF901, AF907, AF908).

Law: an agent runs where nothing is broken, and even under faults it ends by returning or by
raising an ordinary exception; what dies of it is heard, and what is interrupted ends. Part of every
scenario.
"""

from agentfuzz.core.events import Asserted, Ended, Struck, Unheard
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.endings import passes_for_success
from agentfuzz.invariants.queries.outline import ENDING, Resting


@law(
    codes={
        "AF900": "The agent fails without any fault",
        "AF901": "The agent raised something that is no Exception",
        "AF907": "A thread or background task of the agent died",
        "AF908": "A command that was interrupted goes on",
    },
    always=True,
)
def survives() -> Check:
    """The agent runs without faults, and under them ends by returning or by an ordinary exception.

    An ordinary exception under a fault is an honest ending; without any fault it is AF900, unless
    it is a failed assertion of the test (`assertions_hold`). SystemExit, GeneratorExit, a stray
    CancelledError and the like are AF901 at any time. A task, thread or piece of work that dies of
    an exception which nobody asks for is AF907, unless the run says that it failed. A command that
    an agent no longer waits for since somebody pressed Ctrl-C, and that it has not ended, is AF908.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        ended = history.ended
        if ended is None:
            return None
        if ended.how == "died":
            return [_died(ended)]
        if not history.of(Struck) and "raised" in history.endings and not history.of(Asserted):
            return [_failed(ended)]
        if died := history.of(Unheard):
            left = [_goes_on(one) for one in died if one.kind == "command"]
            unheard = [_unheard(one) for one in died if one.kind != "command"]
            return left + (unheard if passes_for_success(history) else [])
        return []

    return Resting(check, ENDING)


def _died(ended: Ended) -> Violation:
    return Violation(
        code="AF901",
        subject="agent",
        title=titled(f"agent raised {ended.error}"),
        sentence=f"The agent ended with {ended.error}, which `except Exception` does not catch"
        f"{': ' + ended.detail if ended.detail else ''}.",
        says="no answer",
        world=ended.error,
        witness=(ended.seq,),
        hint="let tools and loops raise ordinary exceptions; never exit or cancel from inside",
    )


def _unheard(one: Unheard) -> Violation:
    what = "work in a pool" if one.kind == "work" else f"a {one.kind}"
    name = one.called.rpartition(".")[2]
    return Violation(
        code="AF907",
        subject=name,
        title=titled(f"{name} died unheard"),
        sentence=f"{what[0].upper()}{what[1:]} ({name}) died of {one.error}"
        f"{': ' + one.detail if one.detail else ''}, nobody asked how it ended, and the run passes "
        "for a success.",
        says="all is well",
        world=f"{name} died of {one.error}"[:60],
        witness=(one.seq,),
        hint="await what you start, or ask it for its result, before you say that it is done",
    )


def _goes_on(one: Unheard) -> Violation:
    return Violation(
        code="AF908",
        subject=one.called,
        title=titled(f"{one.called} goes on after Ctrl-C"),
        sentence=f"A command ({one.called}) was interrupted by Ctrl-C, which did not reach it; the "
        "agent went on, and neither ended it nor waited for it.",
        says="interrupted",
        world=f"{one.called} goes on",
        witness=(one.seq,),
        hint="on any exception while you wait for a process in a session of its own, end its group",
    )


def _failed(ended: Ended) -> Violation:
    return Violation(
        code="AF900",
        subject="agent",
        title="agent fails without any fault",
        sentence=f"Without any fault the agent raised {ended.error or 'in a leg before the last'}"
        f"{': ' + ended.detail if ended.detail else ''}.",
        says="no answer",
        world=ended.error or "raised",
        witness=(ended.seq,),
        hint="run the agent by hand in this scenario first; a search says nothing until it works",
    )
