"""Coverage: what came into play in a campaign, and what never did.

Law: a pass that tested nothing is not a pass; every fault kind that could have struck, every law
and every tool is counted over all runs, and the ones at zero are named (AF801 to AF804). Called
by the campaign. The idea that a `sometimes` that never fires is a failure: Antithesis.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from types import MappingProxyType

from agentfuzz.core.events import Called, Struck
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.findings import LawCount
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import HELD, VIOLATED, Status
from agentfuzz.search.covered.cells import Cells
from agentfuzz.search.space import Space
from agentfuzz.world.injector import Crossing

MOST = 1_000  # ways of calling tools, until they are counted
_TOOL, _SLOT = attrgetter("slot.name"), itemgetter(0)


class Coverage:
    """Counters over all judged runs of one campaign. `groups` are the slots reached so far,
    `implied` the laws that nobody declared: nobody is told that they were not exercised."""

    def __init__(self, space: Space, laws: Sequence[str], implied: Sequence[str] = ()) -> None:
        self.struck = self.asked = self.missed = 0  # of questions to a cassette
        self.groups: dict[Slot, str] = {}
        self.plain = 0  # of them are reached without faults
        self._tools: dict[str, int] = {}
        self._called: dict[tuple[str, ...], int] = {}  # runs, by the tools that they called
        self._space = space
        self._implied = implied
        self.cells = Cells(space)
        self._vain: set[str] = set()  # tried, and nothing came of it
        self._laws = [(name, [0, 0, 0]) for name in laws]
        self.verdicts = [count for _, count in self._laws]  # held, broken, not exercised
        self._calm: dict[tuple[object, ...], int] = {}  # runs that broke none, by their verdicts

    def saw(self, history: History, crossings: Sequence[Crossing]) -> None:
        """Count the calls, the faults and the slots of one run."""
        groups, of = self.groups, history.index.get
        asked, missed = history.questions
        if asked:
            self.asked += asked
            self.missed += missed
        called = tuple(map(_TOOL, of(Called, ())))
        self._called[called] = self._called.get(called, 0) + 1
        if len(self._called) > MOST:
            self._count()
        struck = of(Struck)
        if struck is not None:
            self.struck += len(struck)
            self.cells.saw(struck)
        if not all(map(groups.__contains__, map(_SLOT, crossings))):
            for crossing in crossings:
                groups.setdefault(crossing.slot, crossing.group)

    @property
    def tools(self) -> dict[str, int]:
        """How often each tool was called."""
        self._count()
        return self._tools

    def _count(self) -> None:
        for called, runs in self._called.items():
            for name in called:
                self._tools[name] = self._tools.get(name, 0) + runs
        self._called.clear()

    def vain(self, plan: FaultPlan, history: History) -> None:
        """A plan of which not every fault struck: what did not, means nothing where it was."""
        struck = {event.slot for event in history.of(Struck)}
        for slot, fault in plan:
            if slot not in struck:
                self._vain.add(fault.kind)
                self.cells.idle(slot, (fault,))

    def idle(self, kinds: Iterable[str]) -> None:
        """Kinds that could do nothing where they would have struck."""
        self._vain.update(kinds)

    def judged(self, law: int, status: Status) -> None:
        """Count one verdict of the law at this place."""
        self._laws[law][1][0 if status is HELD else 1 if status is VIOLATED else 2] += 1

    @property
    def laws(self) -> dict[str, LawCount]:
        """How often each law held, was broken, and was not exercised."""
        return {name: LawCount(*count) for name, count in self._counted()}

    def calm(self, verdicts: tuple[object, ...]) -> None:
        """Count a run that broke no law: of each, in order, None where it was not exercised."""
        self._calm[verdicts] = self._calm.get(verdicts, 0) + 1

    def _counted(self) -> list[tuple[str, list[int]]]:
        for verdicts, runs in self._calm.items():
            for count, found in zip(self.verdicts, verdicts, strict=False):
                count[2 if found is None else 0] += runs
        self._calm.clear()
        return self._laws

    @property
    def kinds(self) -> dict[str, int]:
        """How often each fault kind struck; 0 for those that could have and never did. What was
        tried, and can strike nowhere in this scenario, is none of them, unless the user asked for
        it by name and nothing of that name struck."""
        counted: dict[str, int] = {}
        for axes, count in self.cells.struck.items():
            kind = Fault(axes).kind
            counted[kind] = counted.get(kind, 0) + count
        struck = {word for kind in counted for word in _words(kind)}
        vain = {kind for kind in self._vain if not (_words(kind) & self._space.asked) - struck}
        groups = set(self.groups.values())
        possible = {fault.kind: 0 for group in groups for fault in self._space.at(group)}
        there = {kind: 0 for kind in possible if kind not in vain}
        return dict(sorted({**there, **counted}.items()))

    def untested(
        self,
        tools: Sequence[str],
        stopped: str = "exhausted",
        notes: Mapping[str, str] = MappingProxyType({}),
    ) -> list[str]:
        """What never came into play, each with its code; `tools` are those of the world, `stopped`
        says what ended the campaign, and `notes` why a law could not be asked."""
        if not self.struck:
            why = "no fault could strike" if self.groups else "the agent called nothing"
            if stopped != "exhausted" and self.groups:
                why = f"the budget ({stopped}) ended before a fault could strike"
            return [f"AF801 nothing was tested: {why}"]
        idle = [
            f"AF802 {name} was never exercised{_why(notes.get(name))}"
            for name, (held, violated, _) in self._counted()
            if not held and not violated and name not in self._implied
        ]
        if never := [kind for kind, count in self.kinds.items() if not count]:
            why = "" if stopped == "exhausted" else f" (the budget ({stopped}) ended before)"
            idle.append(f"AF803 never struck: {', '.join(never)}{why}")
        return idle + [f"AF804 {name} was never called" for name in tools if name not in self.tools]


def _words(kind: str) -> set[str]:
    """What a user may call a kind."""
    return {kind, *kind.split("/")}


def clean_run(history: History) -> str:
    """The fault-free run in a line, so that a user sees that the harness understood the agent."""
    ended = history.ended
    assert ended is not None, "a frozen history has an ending"
    calls, effects = len(history.of(Called)), len(history.ledger)
    how = history.claim or (ended.how if ended.how != "returned" else "no completion")
    scopes = "".join(
        f"; scope of {tool.effect}: {', '.join(tool.scope)} (every argument; name the business "
        "identity with scope=(...))"
        for tool in history.tools.values()
        if tool.derived and tool.scope and any(one.tool == tool.name for one in history.ledger)
    )
    return (
        f"clean run: {calls} tool call{'s' * (calls != 1)}, "
        f"{effects} effect{'s' * (effects != 1)}, ended {how}{scopes}"
    )


def _why(note: str | None) -> str:
    return f": {note}" if note else ""
