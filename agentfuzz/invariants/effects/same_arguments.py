"""The law that an intent is carried out with the arguments that were meant (AF116).

Law: what is meant is what a person approved, else what the model asked for, else what the agent
does where nothing goes wrong. Source: CATALOGUE B34.
"""

from collections.abc import Iterator, Mapping, Sequence

from agentfuzz.core.codec import scope_value
from agentfuzz.core.events import Called, Committed, Decided, Interrupted, Json
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.arguments import (
    Changed,
    alike,
    changed,
    differences,
    numbers_changed,
    varies,
)
from agentfuzz.invariants.queries.conversations import last_asked, origin
from agentfuzz.invariants.queries.endings import passes_for_success
from agentfuzz.invariants.queries.outline import LEDGER, Resting

_MEANT = {
    "run": "the run without faults",
    "asked": "what the model asked for",
    "approved": "what was approved",
}


@law(
    codes={"AF116": "The right intent, with other arguments"},
    catalogue="B34",
    needs_baseline=True,
)
def same_arguments(
    effect: str | None = None,
    *,
    only: Sequence[str] = (),
    ignore: Sequence[str] = (),
    strict: bool = True,
) -> Check:
    """An intent is carried out with the arguments that were meant for it.

    A call that a person approved is carried out with the arguments that the model had asked for
    when the person was asked; one that a model asked for as it asked; any other with those of the
    fault-free run's call of the same intent, where the run passes for a success. The key is no
    argument, nor is what only one side gives, and 42 is "42". `only` names the arguments to
    compare; left out, all are but those to `ignore` and those whose names say that they vary from
    try to try (`attempt`, `timestamp`, `request_id`, `timeout`, ...).

    `strict=False` finds the clear case alone: success is claimed, no fault told the agent or its
    model anything false, and a number, or a yes or no, is another one than in the fault-free run.

    An effect that was taken back is not compared. Where a call waits for no one and no model asked
    for it, an intent without a scope is compared only if it happened once in both runs. Another
    scope is another intent, which `replay_transparency` and `executed_as_asked` judge.

    NOT_EXERCISED when there is nothing to compare.
    """
    names, left_out = tuple(only), tuple(ignore)

    def counts(name: str, value: Json) -> bool:
        return name in names if names else name not in left_out and not varies(name)

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        assert baseline is not None, "Invariant answers NOT_EXERCISED without one"
        if not strict and alike(history, baseline):
            return None if not history.ledger or history is baseline else []
        made = [one for one in history.ledger if effect in (None, one.intent.effect)]
        meant = _meant(history) if strict else {}
        known = baseline.effects.keys()
        compared = history is not baseline and any(one.intent in known for one in made)
        if not compared and not any(one.call in meant for one in made):
            return None
        found = []
        for commit in made:
            if commit.call in meant:
                by, wanted = meant[commit.call]
                for name, have, want in differences(commit.args, wanted, counts):
                    found.append(_violation(Changed(commit, name, have, want), by))
        if not strict:
            others = numbers_changed(history, baseline)
        elif passes_for_success(history) is not None:
            others = changed(history, baseline, only=names, ignore=left_out)
        else:
            others = iter(())
        theirs = [one for one in others if one.commit in made and one.commit.call not in meant]
        return found + [_violation(one, "run") for one in theirs]

    return check if strict else Resting(check, LEDGER)


def _meant(history: History) -> dict[str, tuple[str, Mapping[str, Json]]]:
    """What was asked for each call, and by whom it was said, where anybody did."""
    found: dict[str, tuple[str, Mapping[str, Json]]] = {}
    approved = dict(_approved(history))
    for call in history.of(Called):
        if call.asked in approved:
            found[call.call] = ("approved", approved[call.asked])
            continue
        ask = origin(history, call)
        if ask is not None and isinstance(ask.arguments, Mapping) and _same_scope(call, ask):
            found[call.call] = ("asked", ask.arguments)
    return found


def _approved(history: History) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """What was known of each call when a person was asked; nothing if she said more than yes."""
    more = {one.call for one in history.of(Decided) if one.value not in (True, False, None)}
    for wait in history.of(Interrupted):
        ask = last_asked(history, wait.call, wait.seq)
        if ask is not None and isinstance(ask.arguments, Mapping):
            yield wait.call, {} if wait.call in more else ask.arguments


def _same_scope(call: Called, ask: object) -> bool:
    wanted = getattr(ask, "arguments", {})
    scope = () if call.intent is None else call.intent.scope
    return all(name not in wanted or scope_value(wanted[name]) == value for name, value in scope)


def _violation(one: Changed, by: str) -> Violation:
    commit: Committed = one.commit
    return Violation(
        code="AF116",
        subject=f"{commit.intent.effect} {one.name}",
        title=titled(f"{commit.tool}: another {one.name}"),
        sentence=(
            f"{commit.intent} took effect with {one.name}={one.have!r}; by {_MEANT[by]} it is "
            f"{one.want!r}."
        ),
        says=f"{one.name}={one.want!r} was meant",
        world=f"{one.name}={one.have!r} was done",
        witness=(commit.seq,),
        hint=(
            "keep what was asked for or approved, and send that; check what was read before an "
            "effect rests on it (twice, or against the task); if it may vary, say so: "
            f"same_arguments(ignore=[{one.name!r}])"
        ),
    )
