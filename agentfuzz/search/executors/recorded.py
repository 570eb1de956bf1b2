"""A run as it lies in a file: plain data, and nothing that could be executed.

Law: what comes back equals what was written, to the last event and to the order of its fields.
Called by whoever deals a campaign out, and by who folds it.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from agentfuzz.core.codec import event_from_json, event_to_json, facts_to_json
from agentfuzz.core.errors import PlanError, SavedFileError
from agentfuzz.core.events import Json
from agentfuzz.core.faults import Slot
from agentfuzz.core.history import History, ToolFacts
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation
from agentfuzz.runtime.leaks import Escape
from agentfuzz.search.executors.executor import Died
from agentfuzz.search.outcome import Outcome
from agentfuzz.world.injector import Crossing

Verdict = tuple[Violation, ...] | None


def written(outcome: Outcome | Died, escapes: Iterable[Escape]) -> Json:
    """A run, or how its process died of it. `escapes` is what nobody had noted before."""
    if isinstance(outcome, Died):
        return {"died": outcome.how}
    history = outcome.history
    return {
        "tools": {name: facts_to_json(facts) for name, facts in history.tools.items()},
        "events": [event_to_json(event) for event in history.events],
        "crossings": [[*one.slot, one.seq, one.group] for one in outcome.crossings],
        "verdicts": [
            None if found is None else [asdict(one) for one in found] for found in outcome.verdicts
        ],
        "seconds": outcome.seconds,
        "questions": list(history.questions),
        "escapes": [list(one) for one in escapes],
    }


def read(plan: FaultPlan, data: Any) -> Outcome:
    """The run of a plan that `written` gave. Raises Died, SavedFileError."""
    try:
        if "died" in data:
            raise Died(plan, str(data["died"]))
        tools = {name: _facts(facts) for name, facts in data["tools"].items()}
        history = History(map(event_from_json, data["events"]), tools)
        asked, missed = data.get("questions", history.questions)
        history.questions = int(asked), int(missed)
        return Outcome(
            history,
            [Crossing(Slot(*slot), seq, group) for *slot, seq, group in data["crossings"]],
            tuple(map(_verdict, data["verdicts"])),
            float(data["seconds"]),
            tuple(Escape(*one) for one in data["escapes"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, PlanError) as error:
        raise SavedFileError(f"a broken run of {plan}: {error!r}") from error


def _facts(facts: Any) -> ToolFacts:
    name, effect, scope, *more = facts
    return ToolFacts(name, effect, tuple(scope), *more)


def _verdict(data: Any) -> Verdict:
    if data is None:
        return None
    return tuple(Violation(**{**one, "witness": tuple(one["witness"])}) for one in data)
