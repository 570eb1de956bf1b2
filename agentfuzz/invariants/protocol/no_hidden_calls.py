"""The law about the calls that a loop does not know of (AF410).

Law: what the backend saw is what the loop's own log says. Source: CATALOGUE law L4 and B45; Tian
Pan, "When Your Agent Framework Becomes the Bug" (2026).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from agentfuzz.core.events import Called, Crashed, Ended, Json
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import doubtful, logical
from agentfuzz.invariants.queries.conversations import DONE

Log = Callable[[Json], Iterable[str] | None]


def calls_of(value: Json) -> list[str] | None:
    """The log in a value that an agent returned: its `calls`, as names of tools, or as mappings
    with a `tool` or `name` (and perhaps `attempts`). None for a value without one."""
    entries = value.get("calls") if isinstance(value, Mapping) else None
    if not isinstance(entries, (list, tuple)):
        return None
    names: list[str] = []
    for entry in entries:
        name, times = entry, 1
        if isinstance(entry, Mapping):
            name = entry.get("tool", entry.get("name"))
            attempts = entry.get("attempts", 1)
            times = attempts if type(attempts) is int else 1
        if not isinstance(name, str):
            return None
        names += [name] * times
    return names


@law(codes={"AF410": "The loop's log and the backend disagree"}, catalogue="B45 L4")
def no_hidden_calls(*, log: Log | None = None, durable: bool = False) -> Check:
    """The loop's own log names each tool as often as the backend was called.

    `log` takes the value that the run returned to the names of the tools it says it called, or to
    None; left out, the value's `calls` (names, or mappings with a `tool` or `name`, and `attempts`
    where one entry stands for several). An SDK that calls a second time by itself, under the same
    id, is in nobody's log.

    Departs from the catalogue: a request that the network delivers twice is one call, for no loop
    can know of it; after a restart or a message the log may begin anew with the last leg; and it
    may leave out a call whose reply left doubt and that was repeated, an effect with its key.

    `durable` says that the log outlives the process, as the journal of a durable engine does: then
    it holds the calls of every leg. An attempt that was written ahead, and before which the process
    died, may stand in it.

    NOT_EXERCISED when the run returned no log.
    """
    read = calls_of if log is None else log

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        ended = history.ended
        names = read(ended.value) if ended is not None and ended.how == "returned" else None
        if ended is None or names is None:
            return None
        logged = Counter(name for name in names if name != DONE)
        made = history.of(Called)
        seen = Counter(call.slot.name for call in made)
        leg = history.events if durable else history.leg_at(ended.seq)
        known = [event for event in leg if isinstance(event, Called)]
        least = Counter(one.slot.name for one in known if not _asked_again(history, one))
        ahead = len(history.of(Crashed)) if durable else 0
        return [
            _hidden(tool, logged[tool], [c for c in made if c.slot.name == tool], ended)
            for tool in dict.fromkeys((*seen, *logged))
            if not least[tool] <= logged[tool] <= seen[tool] + ahead
        ]

    return check


def _asked_again(history: History, call: Called) -> bool:
    """Whether the reply of a call left doubt, and the same request got another."""
    if not doubtful(history, call) or (call.intent is not None and call.key is None):
        return False
    return any(
        one.seq > call.seq and one.key == call.key and logical(one) == logical(call)
        for one in history.of(Called)
    )


def _hidden(tool: str, logged: int, made: list[Called], ended: Ended) -> Violation:
    ids = Counter(call.asked for call in made if call.asked is not None)
    again = [f"{asked} was called {times} times" for asked, times in ids.items() if times > 1]
    why = f" Under one id: {again[0]}." if again and logged < len(made) else ""
    return Violation(
        code="AF410",
        subject=tool,
        title=f"{tool}: {len(made)} calls, {logged} logged",
        sentence=(
            f"The backend saw {len(made)} calls of {tool}, and the loop's own log says "
            f"{logged}.{why}"
        ),
        says=f"{logged} calls of {tool}",
        world=f"{len(made)} calls of {tool}",
        witness=(*(call.seq for call in made), ended.seq),
        hint=(
            "log at the place where the request leaves, once for each attempt, or switch off "
            "retries"
        ),
    )
