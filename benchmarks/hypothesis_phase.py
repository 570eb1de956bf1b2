"""What a run of the guided phase costs, against a hand-written Hypothesis test.

    python benchmarks/hypothesis_phase.py

The agent is that of `systematic.py`. *by hand* is what one writes without agentfuzz: five plain
functions behind a dispatcher that draws the same small integer at every call (and a wording or
latency where the kind has one), injects the fault itself, keeps a list of charges, and asserts on
it; it generates only, with as many examples as the guided phase has runs, and knows no history, no
laws but one assert, no plan and no shrinking.

CPU time an example; turns interleaved in one process; medians of the turns and of the ratios
within each turn. Goal: 1.3 times.
"""

from collections.abc import Callable
from statistics import median

import hypothesis
from _measure import cpu, interleaved, ratio, table
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from systematic import PLAIN, agent, billing, loop

from agentfuzz.core.faults import Fault
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.phases.guided import LATENCIES
from agentfuzz.search.space import Space
from agentfuzz.world.reply_faults import VARIANTS

EXAMPLES = 200
TURNS = 9
WRITES = ("charge_card", "send_receipt", "log_note")


def by_hand(seed: int) -> Callable[[], None]:
    """A property test as its author would write it: same choices, drawn at the call."""
    space = Space()
    kinds: dict[bool, tuple[Fault, ...]] = {True: space.at("write"), False: space.at("read")}
    number = {k: st.integers(0, 2 * k) for k in range(1, 200)}
    latency = st.integers(*LATENCIES)
    variant = {name: st.integers(0, count - 1) for name, count in VARIANTS.items()}

    @hypothesis.seed(seed)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(st.data())
    def body(data: st.DataObject) -> None:
        charged: set[tuple] = set()

        def call(name: str, arguments: dict) -> object:
            faults = kinds[name in WRITES]
            index = data.draw(number[len(faults)])
            delivery, reply = "once", "intact"
            if 0 < index <= len(faults):
                delivery, reply = faults[index - 1].axes
                if delivery == "late":
                    data.draw(latency)
                elif reply in variant:
                    data.draw(variant[reply])
            result = None
            for _ in range({"once": 1, "twice": 2}.get(delivery, 0)):
                result = PLAIN[name](**arguments)
                if name in WRITES:
                    charged.add((name, next(iter(arguments.values()))))
            if reply == "timeout":
                raise TimeoutError(name)
            if reply == "error":
                raise ConnectionError(name)
            if reply == "rate_limited":
                raise RuntimeError("429")
            return result if reply == "intact" else f"damaged: {reply}"

        said = loop("Charge A17, send the receipt.", call)
        assert said in ("success", "blocked")
        assert len(charged) <= 3

    return body


def main() -> None:
    with Simulation() as simulation:
        seeds = {"by hand": 0, "agentfuzz": 0}

        def hand() -> float:
            seeds["by hand"] += 1
            test = by_hand(seeds["by hand"])
            return cpu(test) / EXAMPLES

        def ours() -> float:
            seeds["agentfuzz"] += 1
            budget = Budget(10**6, 600.0, deep_runs=EXAMPLES, seed=seeds["agentfuzz"])
            campaign = Campaign(billing, agent, simulation, budget=budget)
            campaign.plain()
            return cpu(campaign._deep) / EXAMPLES

        found = interleaved({"by hand": hand, "agentfuzz": ours}, TURNS)
    rows = [
        (
            name,
            f"{median(found[name]) * 1e6:.0f}",
            f"{1 / median(found[name]):,.0f}",
            f"{ratio(found, name, 'by hand'):.2f}",
        )
        for name in found
    ]
    title = f"guided phase, {EXAMPLES} runs, goal 1.3 x by hand"
    table(title, ("", "us a run", "runs/s", "x by hand"), rows)


if __name__ == "__main__":
    main()
