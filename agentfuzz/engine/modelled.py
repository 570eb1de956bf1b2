"""The model of a world: it plans from a script, from one of several, or from a cassette.

Law: a scenario without any of them has no model. Called by the scenario, for each fresh world of
one that has some.
"""

from collections.abc import Sequence
from pathlib import Path

from agentfuzz.model.behaviour import ModelBehaviour
from agentfuzz.model.planner import ByOffer, Planner, Scripted
from agentfuzz.model.script import Script
from agentfuzz.model.simulated import SimulatedModel
from agentfuzz.world.local import LocalGateway


def give_model(
    gateway: LocalGateway,
    behaviour: ModelBehaviour,
    *,
    scripts: Sequence[Script],
    cast: Sequence[str],
    by_offer: bool,
    cassette: Path | None,
    on_miss: str,
    varied: bool,
) -> None:
    """Put the model into a world. `varied`: its run has inputs of its own."""
    planner: Planner
    if cassette is not None:
        from agentfuzz.model.cassettes.model import FromCassette
        from agentfuzz.model.cassettes.store import Cassette

        recorded = Cassette.load(cassette)
        planner = FromCassette(recorded, on_miss, gateway.log, varied)
        gateway.offers_done = recorded.offers_done
    else:
        planner = ByOffer(scripts) if by_offer else Scripted(scripts, cast=cast)
        gateway.offers_done = any(one.closes_with_tool for one in scripts)
    gateway.model = SimulatedModel(gateway, planner, behaviour)
