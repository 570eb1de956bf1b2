"""The law that effects come about in the order that was stated (AF115).

Law: calls that leave in one order may arrive in another one, and what comes last wins. Source:
CATALOGUE B50.
"""

from itertools import combinations

from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Committed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.confirmed import alike, confirmations


@law(codes={"AF115": "Effects came about in another order than stated"}, catalogue="B50")
def in_order(*effects: str) -> Check:
    """The effects take place in the order in which they are named, as far as they do.

    `in_order("migration", "deployment", "mail")`: of the effects about one thing each happens first
    after all that stand before it and happen at all; how they were called, one after the other or
    side by side, does not matter. They are about the same thing where the names that their scopes
    share have the same values. An effect that never happens is `only_after`'s to judge.

    An agent that had been told, by a reply or a look-up, that the earlier one had happened is not
    blamed. NOT_EXERCISED when no two of them took place about one thing.
    """
    names = all(isinstance(effect, str) and effect for effect in effects)
    if len(set(effects)) < 2 or len(set(effects)) < len(effects) or not names:
        raise ScenarioError(
            f"in_order({', '.join(map(repr, effects))}) states no order; name two effects or more, "
            "each once, as tools declare them (world.tool(effect=...))."
        )

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        firsts = [commits[0] for commits in history.effects.values()]
        pairs = [
            (one, other)
            for first, second in combinations(effects, 2)
            for one in firsts
            if one.intent.effect == first
            for other in firsts
            if other.intent.effect == second and alike(history, one.intent, other.intent)
        ]
        if not pairs:
            return None
        return [
            _turned(one, other)
            for one, other in pairs
            if other.seq < one.seq and not _was_told(history, one, other)
        ]

    return check


def _was_told(history: History, one: Committed, other: Committed) -> bool:
    called = history.calls[other.call].seq
    return any(seq < called for seq in confirmations(history, one.intent.effect, other.intent))


def _turned(one: Committed, other: Committed) -> Violation:
    return Violation(
        code="AF115",
        subject=other.intent.effect,
        title=titled(f"{other.tool} before {one.tool}"),
        sentence=f"{other.intent} took effect before {one.intent}, which was to come first.",
        says=f"{one.intent.effect} comes before {other.intent.effect}",
        world=f"{other.intent.effect} came first",
        witness=(other.seq, one.seq),
        hint="wait for the receipt of each before the next one is sent, or give the backend what "
        "it can check: a version, a number in the sequence",
    )
