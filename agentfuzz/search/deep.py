"""The deep phase: three faults and more, and values, drawn by Hypothesis.

Law: this is the only module that imports Hypothesis for a campaign. Faults are drawn at the
crossing, so that none is spent on a call that never comes. Hypothesis only generates: shrinking
a plan takes a handful of plain runs (see `shrink`), and what is reported is a plan, never a
seed or a blob bound to a version. Called by the campaign.

Hypothesis remembers every example of a test, so the runs are made in blocks: memory does not
grow with their number.
"""

from collections.abc import Callable
from typing import Any

from agentfuzz.errors import NondeterministicAgent
from agentfuzz.faults import Fault, Slot
from agentfuzz.injector import Drawn
from agentfuzz.replies import VARIANTS
from agentfuzz.search.space import Space

LATENCIES = (1, 120)  # virtual seconds
BLOCK = 1_000  # runs that Hypothesis may remember


def explore(
    run: Callable[[Drawn], None], space: Space, *, runs: int, seed: int, stop: Callable[[], bool]
) -> None:
    """Call `run` with up to `runs` drawing injectors; `stop` says that the budget is used up.

    Raises NondeterministicAgent when the same draws led to different crossings."""
    for block, done in enumerate(range(0, runs, BLOCK)):
        if not stop():
            _block(run, space, min(BLOCK, runs - done), seed + (block << 32), stop)


class _Over(BaseException):
    """The block is over: not an Exception, so that Hypothesis does not take it for a bug."""


def _block(
    run: Callable[[Drawn], None], space: Space, runs: int, seed: int, stop: Callable[[], bool]
) -> None:
    import hypothesis
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis import strategies as st
    from hypothesis.errors import FlakyStrategyDefinition

    number = {k: st.integers(0, 2 * k) for k in range(1, 200)}
    latency = st.integers(*LATENCIES)
    variant = {name: st.integers(0, count - 1) for name, count in VARIANTS.items()}

    begun = 0

    def over() -> bool:
        # Examples that Hypothesis gives up half-way are runs here, and none to Hypothesis.
        return begun >= runs or stop()

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
        nonlocal begun
        begun += 1
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

        run(Drawn(draw, process=space.process))
        if over():  # here, not before the run: an example must not stop short of its draws
            raise _Over
        if failed:
            raise failed[0]

    try:
        body()
    except _Over:
        pass
    except FlakyStrategyDefinition as error:
        if not over():
            raise NondeterministicAgent(
                "AF904 two runs with the same faults crossed different slots. Seed what is random, "
                "keep no state between runs, and take time from the (virtual) clock."
            ) from error
