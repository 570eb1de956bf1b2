"""A model fault: what it makes of the turn that the model would have taken, and where it strikes.

Law: each kind is a pure function from an honest draft to a dishonest one, or None where it would
mean nothing (then it did not strike). One file a kind beside this one; `make generate` finds it.
Called by the simulated model at a slot that has a fault.

A draft is a turn before it has ids: a text, calls, and how it stops (`end`, `tool_calls`,
`length`: the provider cut it off; `withheld`: its filter did; `paused`: it waits to be asked to go
on; `cut`: it broke off, in the middle or at what `cut_at` says, and came to its `ending` as
`model.endings` says). `raises` is the API's error instead of a turn.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from agentfuzz.core.events import Json
from agentfuzz.model.endings import CLOSED
from agentfuzz.model.script import Call
from agentfuzz.world.tools import ToolSpec


class Planned(NamedTuple):
    """One call of a draft. `arguments` is a text where the model wrote no valid JSON; `same_id`
    says that it bears the id of the call before it, be it of an earlier turn; `step` is the call
    of the script behind it."""

    tool: str
    arguments: Mapping[str, Json] | str
    step: Call | None = None
    same_id: bool = False


class Draft(NamedTuple):
    """A turn in the making. `group` is the kind of turn it is (see `boundaries.model`);
    `stopped_by` is the stop sequence that ended its text; `old_id` says that the reply bears the
    id of the one before it."""

    group: str
    text: str | None = None
    calls: tuple[Planned, ...] = ()
    stop: str = "end"
    raises: BaseException | None = None
    ending: str = CLOSED
    cut_at: str = ""
    stopped_by: str | None = None
    old_id: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What a misbehaving model knows: its tools, the last call it saw answered, how it would
    close now, what undoes that last call, if anything does, and a call of a tool that its script
    has no use for, if there is one."""

    specs: Mapping[str, ToolSpec]
    last: Planned | None
    closing: Draft
    undo: Planned | None = None
    spare: Planned | None = None


Turned = Callable[[Draft, Situation, int], Draft | None]
# The kinds of turns; an `answer` is a closing in the form that its request asks for.
GROUPS = ("calls", "closing", "done", "giving_up", "closed", "answer")


def streamed(group: str) -> str:
    """The group of the same turns where they are streamed: a stream can end in more ways."""
    return f"streamed {group}"


def sent(group: str) -> str:
    """The group of the same turns where they go over a wire as a whole: a provider says more of a
    reply than a turn does."""
    return f"sent {group}"


@dataclass(frozen=True, slots=True)
class ModelFault:
    """One kind. `order` is its place among the others, simplest first; `at` are the groups of
    turns at which a campaign tries it, in so many `variants`, of which the last ones are tried
    `alone`: beside no other fault. `says` are its phrases in reports, by variant. `wire`: it is
    tried where turns go over a wire. `off`: only where a scenario or a test asks for it."""

    name: str
    order: int
    at: tuple[str, ...]
    says: tuple[str, ...]
    variants: int
    turned: Turned
    off: bool
    alone: int
    wire: bool

    def __call__(
        self, draft: Draft, at: Situation, variant: int, ending: str = CLOSED
    ) -> Draft | None:
        """What it makes of a draft. An ending other than the plainest means something to a reply
        that is cut, and to no other."""
        turned = self.turned(draft, at, variant)
        if turned is None or ending == CLOSED:
            return turned
        return turned._replace(ending=ending) if turned.stop == "cut" else None


def model_fault(
    *,
    order: int,
    at: tuple[str, ...],
    says: str | tuple[str, ...],
    variants: int = 1,
    off: bool = False,
    alone: int = 0,
    wire: bool = False,
) -> Callable[[Turned], ModelFault]:
    """Make a function from a draft, a situation and a variant a model fault of its name."""
    assert set(at) <= set(GROUPS), f"{at} names no group of turns"
    said = (says,) if isinstance(says, str) else says
    return lambda turned: ModelFault(
        turned.__name__, order, at, said, variants, turned, off, alone, wire
    )


def again(planned: Planned) -> Planned:
    """The same call, under an id of its own."""
    return planned._replace(same_id=False)


def half(draft: Draft, stop: str) -> Draft:
    """The first half of a turn, its last call torn in the midst of its JSON."""
    text = draft.text and draft.text[: max(len(draft.text) // 2, 1)]
    if not draft.calls:
        return draft._replace(text=text, stop=stop)
    *whole, last = draft.calls
    written = last.arguments if isinstance(last.arguments, str) else json.dumps(last.arguments)
    torn = last._replace(arguments=written[: max(len(written) // 2, 1)])
    return draft._replace(text=text, calls=(*whole, torn), stop=stop)


def arguments_of(planned: Planned) -> Mapping[str, Any]:
    """The arguments of a call, none if they are torn."""
    return planned.arguments if not isinstance(planned.arguments, str) else {}
