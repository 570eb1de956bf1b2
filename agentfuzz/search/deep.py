"""The deep phase: three faults and more, and values, drawn by Hypothesis.

Law: this is the only module that imports Hypothesis for a campaign. Faults are drawn at the
crossing, so that none is spent on a call that never comes. Hypothesis only generates: shrinking
a plan takes a handful of plain runs (see `shrink`), and what is reported is a plan, never a
seed or a blob bound to a version. Called by the campaign.

Half of the runs know few kinds of fault, which then strike often: what needs three faults is
mostly the same trouble again and again (a retry that runs out), and three draws of one kind out
of thirty hardly ever agree. The idea: swarm testing (Groce et al., ISSTA 2012).
"""

from collections.abc import Callable
from typing import Any

from agentfuzz.faults import Fault, Slot
from agentfuzz.injector import Drawn
from agentfuzz.replies import VARIANTS
from agentfuzz.search.space import Space

LATENCIES = (1, 120)  # virtual seconds


def explore(
    run: Callable[[Drawn], None], space: Space, *, runs: int, seed: int, stop: Callable[[], bool]
) -> None:
    """Call `run` with up to `runs` drawing injectors; `stop` says that time is up."""
    import hypothesis
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis import strategies as st

    # One small integer a crossing: 0 and what is too large for a fault mean none.
    dense = {k: st.integers(0, k) for k in range(1, 200)}
    sparse = {k: st.integers(0, 2 * k) for k in range(1, 200)}
    kinds = space.all()
    few = st.integers(0, 2 * FEW)
    kind = st.integers(0, max(len(kinds) - 1, 0))
    latency = st.integers(*LATENCIES)
    variant = {kind: st.integers(0, count - 1) for kind, count in VARIANTS.items()}

    @hypothesis.seed(seed)
    @settings(
        max_examples=runs,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(st.data())
    def body(data: Any) -> None:
        if stop():
            return
        failed: list[BaseException] = []

        def draw(slot: Slot, group: str) -> Fault | None:
            faults = space.at(group)
            if failed or not faults:
                return None
            try:
                # One small integer: 0 and the upper half mean no fault here.
                index: int = data.draw(number[len(faults)])
                if not 0 < index <= len(faults):
                    return None
                fault = faults[index - 1]
                if fault.axes[0] == "late":
                    return fault._replace(latency=float(data.draw(latency)))
                if fault.axes[-1] in variant:
                    return fault._replace(variant=data.draw(variant[fault.axes[-1]]))
                return fault
            except BaseException as error:  # Hypothesis ends the example: not the agent's to see
                failed.append(error)
                return None

        run(Drawn(draw))
        if failed:
            raise failed[0]

    body()
