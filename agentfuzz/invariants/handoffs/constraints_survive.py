"""The law that what had to arrive arrived as it was (AF608).

Law: a limit that its receiver does not hold is no limit. What counts is what the receiver holds
when it takes a task over, and what a model is shown, not what was said on the way. Source:
CATALOGUE law H8, rows F50, F51 and B10.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agentfuzz.core.between import HandoffAccepted, HandoffSent
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Committed, Done, Json, ModelInput
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.handed import handed, same_task, who
from agentfuzz.invariants.queries.teams import Passed, agent_of, handoffs
from agentfuzz.invariants.queries.texts import CUT


@law(codes={"AF608": "What had to arrive did not"}, catalogue="H8 B10")
def constraints_survive(*, facts: Iterable[str] = ()) -> Check:
    """What a handoff must carry is what its receiver holds when it accepts, with the same values.

    It is broken by a receiver that caused an effect afterwards, or by a run that claims success,
    unless it had accepted the same task with all of it before that. `facts` are texts that must
    stand in everything that a model is shown, from the first turn to the last; a message that is
    too long for the history to hold proves nothing.

    NOT_EXERCISED when nothing with such facts was accepted, and no model was shown anything that
    should hold `facts`.
    """
    texts = (facts,) if isinstance(facts, str) else tuple(facts)
    if not all(isinstance(one, str) and one for one in texts):
        raise ScenarioError(
            f"constraints_survive(facts={texts!r}): write the texts that a model must be shown at "
            'each turn, as facts=("limit 50",).'
        )

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        carried = [one for one in handoffs(history) if one.sent.carry and one.accepted]
        inputs = history.of(ModelInput) if texts else []
        if not carried and not inputs:
            return None
        found = [one for passed in carried for one in _changed(history, passed)]
        return [*found, *(one for text in texts for one in _dropped(inputs, text))]

    return check


class _Wrong(NamedTuple):
    """A fact that its receiver does not hold as it was sent."""

    name: str
    sent: Json
    held: str


def _wrong(sent: HandoffSent, held: HandoffAccepted) -> Iterator[_Wrong]:
    for name, value in sent.carry.items():
        if name not in held.carry:
            yield _Wrong(name, value, f"no {name}")
        elif not _same(value, held.carry[name]):
            yield _Wrong(name, value, f"{name}={held.carry[name]!r}"[:80])


def _same(one: Json, other: Json) -> bool:
    """Whether two values say the same; a number may have been read in a text."""
    return one == other or str(one).strip() == str(other).strip()


def _changed(history: History, passed: Passed) -> Iterator[Violation]:
    for yes in passed.accepted:
        wrong = next(_wrong(passed.sent, yes), None)
        proof = wrong and _acted_on(history, passed.sent, yes)
        if wrong and proof:
            yield _violation(passed, yes, wrong, proof)


def _acted_on(history: History, sent: HandoffSent, yes: HandoffAccepted) -> Committed | Done | None:
    """What was made of an acceptance: an effect of the receiver's, or a claim of success, before
    it accepted this task with all that it must carry."""
    until = min(_mended(history, sent, yes), default=len(history.events))
    for commit in history.ledger:
        if yes.seq < commit.seq < until and agent_of(history, commit) == yes.agent:
            return commit
    claim = history.success
    return claim if claim is not None and yes.seq < claim.seq < until else None


def _mended(history: History, sent: HandoffSent, yes: HandoffAccepted) -> Iterator[int]:
    for other in handoffs(history):
        for later in other.accepted if same_task(sent, other.sent) else ():
            own = later.seq > yes.seq and later.agent == yes.agent
            if own and not any(_wrong(other.sent, later)):
                yield later.seq


def _violation(
    passed: Passed, yes: HandoffAccepted, wrong: _Wrong, proof: Committed | Done
) -> Violation:
    sent = passed.sent
    [got] = [one.received for one in passed.arrivals if one.received.nth == yes.nth]
    then = (
        f"the answer claims success at {proof.t:g} s"
        if isinstance(proof, Done)
        else f"{who(yes.agent)} caused {proof.intent} at {proof.t:g} s"
    )
    damage = "" if got.payload == sent.payload else ", from what was no longer what had been sent"
    return Violation(
        code="AF608",
        subject=wrong.name,
        title=titled(f"{who(yes.agent)}: {wrong.name} did not arrive"),
        sentence=(
            f"{handed(sent)}, and {wrong.name}={wrong.sent!r} had to arrive; {who(yes.agent)} "
            f"accepted it at {yes.t:g} s with {wrong.held}{damage}. However {then}."
        ),
        says=f"accepted, {wrong.held}"[:60],
        world=f"{wrong.name}={wrong.sent!r} was handed over"[:60],
        witness=(sent.seq, got.seq, yes.seq, proof.seq),
        hint="keep what must arrive in a field of its own, compare it with what the task needs "
        "before accepting, and reject what lacks it",
    )


def _dropped(inputs: list[ModelInput], text: str) -> Iterator[Violation]:
    """The first input that does not hold a text, as far as one can see."""
    before: ModelInput | None = None
    for given in inputs:
        if any(text in one.text for one in given.messages):
            before = given
        elif not any(len(one.text) >= CUT for one in given.messages):
            yield _not_shown(given, before, text)
            return


def _not_shown(given: ModelInput, before: ModelInput | None, text: str) -> Violation:
    known = (
        "no model had been shown it before"
        if before is None
        else f"{before.slot} was shown it at {before.t:g} s"
    )
    return Violation(
        code="AF608",
        subject=text[:40],
        title=titled(f"{given.slot}: not shown {text!r}"),
        sentence=f"{text!r} had to stand in all that a model is shown; {known}. However it is not "
        f"in what {given.slot} was shown at {given.t:g} s.",
        says=f"nothing of it at {given.slot}",
        world=f"{text!r} had to be shown"[:60],
        witness=tuple(one.seq for one in (before, given) if one is not None),
        hint="keep constraints in the system message, and never in what is trimmed or summarised",
    )
