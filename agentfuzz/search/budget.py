"""The budget of a campaign: what it may cost.

Law: plain data; whoever spends it stops by himself. Made by the doors, kept by the campaign.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """What a campaign may cost. `depth` is the number of faults walked exhaustively; `seconds`
    are real; `deep_runs` bounds the guided phase (a quarter of it, if something was found)."""

    max_runs: int = 10_000
    max_seconds: float = 30.0
    depth: int = 2
    deep_runs: int = 200
    seed: int = 0
