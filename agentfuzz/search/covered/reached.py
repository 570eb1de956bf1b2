"""What a campaign reached of the error paths of its agent, and what came nearest to the others.

Law: a path counts as reached if a run entered it that was made by the agent, here or in another
process; of the others the outermost are told. Nearest are the faults that struck in a call from the
body of its `try`, as the call stack showed at that moment, and that the history confirms. No
verdict depends on it. Called by the maker, around each run, and by the account.
"""

from collections.abc import Iterable

from agentfuzz.core.events import Struck
from agentfuzz.core.faults import TABLES, Fault, Slot
from agentfuzz.core.history import History
from agentfuzz.core.paths import Nearest, Paths, Unreached, in_order
from agentfuzz.runtime.paths.watch import HIT, Known, Watch
from agentfuzz.search.covered.coverage import Coverage
from agentfuzz.search.space import Space
from agentfuzz.world.injector import Crossing, Injector

_Words = dict[str, set[str]]  # by place


class Striking:
    """An injector whose faults are noted with what was at work when they struck."""

    def __init__(self, injector: Injector, watch: Watch) -> None:
        self._injector, self._watch = injector, watch
        self.crossings: list[Crossing] = injector.crossings
        self.process = injector.process
        self._struck: list[tuple[Slot, Fault, list[str]]] = []

    def at(self, slot: Slot, seq: int, group: str) -> Fault | None:
        fault = self._injector.at(slot, seq, group)
        if fault is not None:
            within = self._watch.within()
            if within:
                self._struck.append((slot, fault, within))
        return fault

    def over(self, history: History) -> None:
        """The run is over: what has really struck is kept."""
        if not self._struck:
            return
        struck, watch = {event.slot for event in history.of(Struck)}, self._watch
        for slot, fault, within in self._struck:
            for block in within:
                known = (block, slot.boundary, slot.name, fault.axes)
                if known not in watch.hits and slot in struck:
                    watch.hits.add(known)
                    words = _words(slot.boundary, fault)
                    watch.add(f"{HIT}{block}\n{_place(slot)}\n{word}" for word in words)


def paths(watch: Watch, coverage: Coverage, space: Space, *, real: bool) -> Paths:
    """What is known of the error paths when a campaign is over; `real`: the agent has made all of
    its runs, so that what did not strike in its calls was not tried there."""
    hits, possible = _hits(list(watch.marks)), _possible(coverage, space) if real else {}
    reached, left = [], []
    for one in watch.known:
        branch = one.branch
        if branch.mark in watch.marks:
            reached.append(f"{one.file}:{branch.line} {branch.what}")
        elif not branch.around or branch.around in watch.marks:
            left.append(_unreached(one, watch, hits, possible))
    return Paths(tuple(reached), tuple(left), tuple(watch.aside))


def _unreached(one: Known, watch: Watch, hits: dict[str, _Words], possible: _Words) -> Unreached:
    branch, struck = one.branch, dict[str, set[str]]()
    for mark in branch.tries:
        for place, words in hits.get(mark, {}).items():
            struck.setdefault(place, set()).update(words)
    nearest = tuple(
        Nearest(place, in_order(words), in_order(possible.get(place, set()) - words))
        for place, words in sorted(struck.items())
    )
    entered = any(mark in watch.marks for mark in branch.tries)
    return Unreached(one.file, branch.line, branch.what, one.source, entered, nearest)


def _hits(marks: Iterable[str]) -> dict[str, _Words]:
    """What struck within the body of each `try`, by its mark."""
    found: dict[str, _Words] = {}
    for mark in marks:
        if mark.startswith(HIT):
            block, place, word = mark.removeprefix(HIT).split("\n")
            found.setdefault(block, {}).setdefault(place, set()).add(word)
    return found


def _possible(coverage: Coverage, space: Space) -> _Words:
    """What could have struck at each place that was crossed."""
    there, found = coverage.kinds, _Words()
    for slot, group in coverage.groups.items():
        words = found.setdefault(_place(slot), set())
        for fault in space.at(group):
            if fault.kind in there:
                words.update(_words(slot.boundary, fault))
    return found


def _place(slot: Slot) -> str:
    """A crossing without its number: `charge_card`, `model`. Names hold no line break: a slot's
    text writes one as an escape."""
    return str(slot).rpartition("#")[0]


def _words(boundary: str, fault: Fault) -> list[str]:
    """What a fault does, without what it leaves as it is: `timeout`, `twice`."""
    table = TABLES[boundary]
    if table.led or boundary == "model":
        return [fault.axes[0]]
    both = zip(fault.axes, table.neutral, strict=False)
    return [value for value, plain in both if value != plain]
