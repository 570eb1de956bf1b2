"""The random phase as Hypothesis would do it: faults drawn at the crossing, with or without target.

Law: the same space of faults and values as the guided phase. This was the campaign's random phase
before; `guided.py` says why it is not any more. Used by `guided.py` and `hypothesis_phase.py`.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from agentfuzz.core.faults import Fault, Slot
from agentfuzz.search.phases.guided import LATENCIES
from agentfuzz.search.space import Space
from agentfuzz.world.injector import Drawn
from agentfuzz.world.reply_faults import VARIANTS


class _Over(BaseException):
    """The phase is over: not an Exception, so that Hypothesis does not take it for a bug."""


def explore(
    run: Callable[[Drawn], object],
    space: Space,
    *,
    runs: int,
    seed: int,
    stop: Callable[[], bool] = bool,
    target: bool = False,
) -> None:
    """Call `run` with up to `runs` drawing injectors; with `target` it may call
    `hypothesis.target`."""
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
        phases=[Phase.generate, Phase.target] if target else [Phase.generate],
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

    with suppress(_Over):
        body()
