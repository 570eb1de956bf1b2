"""The law that the assertions of the test itself hold (AF906).

Law: what a test's own body asserts holds in every run, with faults and without; part of every
scenario. What is asserted inside of the agent's own modules is how a run ends, and no breach.
"""

from agentfuzz.core.events import Asserted
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.outline import KINDS, Resting


@law(codes={"AF906": "An assertion in the test failed"}, always=True)
def assertions_hold() -> Check:
    """What the test itself asserts holds in every run, with faults and without.

    That is each `assert` in the test's file (or in one whose asserts pytest rewrites), and
    `pytest.fail()` wherever it is called; not what a tool's body or a module of the agent asserts.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        if history.ended is None:
            return None
        failed = history.of(Asserted)
        return [_failed(one) for one in failed] if failed else []

    return Resting(check, KINDS)


def _failed(one: Asserted) -> Violation:
    said = " / ".join(line.strip() for line in one.text.splitlines() if line.strip())
    source = one.source or "an assertion"
    return Violation(
        code="AF906",
        # Two asserts are told apart by what they say, not by their lines, which move.
        subject=f"{one.function}: {one.source}",
        title=titled(source),
        sentence=f"In {one.function} an assertion failed: "
        f"{_cut(source, 200)}{f' ({_cut(said, 400)})' if said not in ('', source) else ''}.",
        says="",
        world="",
        witness=(one.seq,),
        hint="mend the loop, or assert what holds under faults, too; what must hold in the world "
        "is a law of the scenario",
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
