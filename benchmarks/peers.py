"""Seven loops: the time to the first finding, side by side with a hand-written Hypothesis test.

    python benchmarks/peers.py

One loop is correct, six are broken each in its own way (`tests/search/loops.py`); all carry their
idempotency key in plain sight. *agentfuzz* is a campaign up to the first run that shows the
intended violation: minimal by construction, no shrinking needed. *by hand* is a Hypothesis test
with a backend, faults and asserts of its own, as an author would write them for this story: 60
lines, at most 1,000 examples, generated and shrunk; a turn in which it finds nothing counts
with its whole time, and is counted. The correct loop costs both their whole search (agentfuzz:
every plan with up to two faults, and 200 random ones).

CPU time, medians of interleaved turns, one process.
"""

import sys
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median

import hypothesis
from _measure import cpu, interleaved, table
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from agentfuzz import Completion, RateLimited
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from search.loops import LOOPS, ORDER, PLAIN, orders, outcome

TURNS = 7
CALLS = 12
EXAMPLES = 1_000
INTENDED = {
    "correct": "",
    "b1": "AF101",
    "b2": "AF102",
    "b3": "AF103",
    "b4": "AF103",
    "b5": "AF201",
    "b6": "AF103",
}


class FirstFinding(Exception):
    """Ends a campaign at the first run that shows what was looked for."""


class UpTo(Campaign):
    """A campaign that ends at its first violation of a code."""

    code = ""

    def _keep(self, law, violation, *rest) -> None:  # type: ignore[no-untyped-def, override]
        if violation.code == self.code:
            raise FirstFinding
        super()._keep(law, violation, *rest)


class TooMany(BaseException):
    """The loop of a hand-written test called too often."""


DELIVERIES = ("once", "lost", "twice", "late")
REPLIES = ("intact", "timeout", "error", "rate_limited", "ambiguous", "wrong")


def by_hand(name: str, seed: int, missed: Counter[str]) -> None:
    """A property test for this story without agentfuzz."""
    delivery, reply = st.sampled_from(DELIVERIES), st.sampled_from(REPLIES)
    faulty = st.integers(0, 2)

    @hypothesis.seed(seed)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(st.data())
    def body(data: st.DataObject) -> None:
        charges: list[str] = []
        replays: dict[str, dict] = {}
        late: list[Callable[[], object]] = []
        calls = count(1)

        def cross(commit: Callable[[], dict], reads: bool) -> object:
            if next(calls) > CALLS:
                raise TooMany
            how, answer = "once", "intact"
            if data.draw(faulty) == 1:
                how = "once" if reads else data.draw(delivery)
                answer = data.draw(reply)
            if how in ("lost", "late") and answer == "intact":
                answer = "timeout"
            if how == "late":
                late.append(commit)
            results = [commit() for _ in range({"once": 1, "twice": 2}.get(how, 0))]
            if answer == "timeout":
                raise TimeoutError
            if answer == "error":
                raise ConnectionError
            if answer == "rate_limited":
                raise RateLimited
            if answer == "ambiguous":
                return "accepted"
            honest = results[0] if results else {"charge_id": "ch_1"}
            return honest if answer == "intact" else dict.fromkeys(honest)

        def charge(order_id: str, amount: int, idempotency_key: str) -> object:
            def commit() -> dict:
                if idempotency_key not in replays:
                    charges.append(order_id)
                    replays[idempotency_key] = {"charge_id": "ch_1", "amount": amount}
                return replays[idempotency_key]

            return cross(commit, reads=False)

        def charge_plain(order_id: str, amount: int) -> object:
            def commit() -> dict:
                charges.append(order_id)
                return {"charge_id": "ch_1", "amount": amount}

            return cross(commit, reads=False)

        def find(order_id: str) -> object:
            return cross(lambda: {"charged": order_id in charges}, reads=True)

        tools = {"charge": charge, "charge_plain": charge_plain, "find": find}
        try:
            answer = PLAIN[name](
                "Charge A17", tools, lambda attempt: {"idempotency_key": f"{ORDER}-{attempt}"}
            )
        except TooMany:
            raise AssertionError("never ends") from None
        claimed = list(charges)
        for arrive in late:
            arrive()
        assert len(charges) <= 1, "charged twice"
        done = answer if isinstance(answer, Completion) else outcome(answer)
        assert done is not None, "no structured ending"
        assert done.status != "success" or claimed, "claims what did not happen"

    try:
        body()
    except (AssertionError, BaseExceptionGroup):  # a group: several ways to reach one assert
        return
    missed[name] += 1


def main() -> None:
    missed: Counter[str] = Counter()
    runs: dict[str, int] = {}
    seeds = count()
    with Simulation() as simulation:

        def ours(name: str) -> float:
            campaign = UpTo(
                orders("visible"),
                LOOPS["visible"][name],
                simulation,
                budget=Budget(10**6, 600.0, seed=next(seeds)),
            )
            campaign.code = INTENDED[name]

            def work() -> None:
                try:
                    campaign.search()
                except FirstFinding:
                    return

            seconds = cpu(work)
            runs[name] = campaign.runs
            return seconds

        cases: dict[str, Callable[[], float]] = {}
        for name in PLAIN:
            cases[f"{name} ours"] = lambda name=name: ours(name)  # type: ignore[misc]
            cases[f"{name} hand"] = lambda name=name: cpu(  # type: ignore[misc]
                lambda: by_hand(name, next(seeds), missed)
            )
        found = interleaved(cases, TURNS)
    rows = []
    for name in PLAIN:
        own, hand = median(found[f"{name} ours"]) * 1000, median(found[f"{name} hand"]) * 1000
        silent = f"{missed[name]} of {TURNS}"
        rows.append(
            (
                name,
                INTENDED[name],
                f"{own:.1f}",
                runs[name],
                f"{hand:.0f}",
                silent,
                f"{hand / own:.0f}",
            )
        )
    header = ("", "code", "agentfuzz ms", "runs", "by hand ms", "found nothing", "ratio")
    table("seven loops, time to the first finding", header, rows)


if __name__ == "__main__":
    main()
