"""What becomes of a payload on its way: stale, trimmed, buried, invalid, poisoned.

Law: a pure function of the payload, the one before it and the variant; None where the payload has
nothing that could be spoilt so. Asked by the handoffs when a fault of the plan strikes.
"""

from math import isfinite
from typing import Any

from agentfuzz.core.events import Json

FILLER = "Earlier notes of the conversation, kept for completeness. " * 40
TRIMMED = ("effects", "claims", "carry")  # by variant: what a summary leaves out
VARIANTS = {"trimmed": len(TRIMMED), "invalid": 3, "poisoned": 3}


def damaged(kind: str, variant: int, payload: Json, before: Json) -> Json:
    """A payload as it arrives, or None where this cannot happen to it. `before` is the one that was
    sent for this task before it, None if there was none."""
    match kind:
        case "stale":
            return before
        case "trimmed":
            return _trimmed(payload, variant)
        case "buried":
            return _buried(payload)
        case "invalid":
            return _invalid(payload, variant)
        case "poisoned":
            return _poisoned(payload, variant)
    return payload


def _trimmed(payload: Json, variant: int) -> Json:
    if not isinstance(payload, dict):
        return payload[: len(payload) // 2] if isinstance(payload, str) else None
    named = [name for name in TRIMMED if isinstance(payload.get(name), (dict, list, tuple))]
    named = [name for name in named if payload[name]]
    if TRIMMED[variant] in named:
        return {**payload, TRIMMED[variant]: type(payload[TRIMMED[variant]])()}
    if named:  # the fields of `Payload`: this one has nothing there
        return None
    full = [name for name, value in payload.items() if isinstance(value, (dict, list)) and value]
    if variant >= len(full):
        return None
    return {**payload, full[variant]: type(payload[full[variant]])()}


def _buried(payload: Json) -> Json:
    """What had to arrive stands in the middle of a long text, and nowhere else."""
    if isinstance(payload, str):
        return FILLER + payload + " " + FILLER
    if not isinstance(payload, dict) or not isinstance(payload.get("text"), str):
        return None
    if not payload.get("carry") or not isinstance(payload["carry"], dict):
        return None
    facts = "; ".join(f"{name}: {value}" for name, value in payload["carry"].items())
    text = f"{payload['text']} {FILLER}{facts}. {FILLER}".strip()
    return {**payload, "carry": {}, "text": text}


def _invalid(payload: Json, variant: int) -> Json:
    if not isinstance(payload, dict) or not payload:
        return None
    first = "task" if "task" in payload else next(iter(payload))
    if variant == 0:
        return {name: value for name, value in payload.items() if name != first}
    if variant == 1:
        return {**payload, "stauts": "kind of"}
    return f"please take over: {payload[first]}"


def _poisoned(payload: Json, variant: int) -> Json:
    """One value of what must arrive or was found is another one, of the same type."""
    if not isinstance(payload, dict):
        return None
    leaves = list(_leaves(payload))
    if variant >= len(leaves):
        return None
    return _with(payload, leaves[variant])


def _leaves(payload: dict[str, Json]) -> list[tuple[Any, ...]]:
    carry, claims = payload.get("carry"), payload.get("claims")
    if isinstance(carry, dict) and isinstance(claims, list):  # the fields of `Payload`
        named: list[tuple[Any, ...]] = [("carry", name) for name in carry]
        found = enumerate(claims)
        named += [("claims", n, "value") for n, one in found if isinstance(one, dict)]
        return [path for path in named if _other(_at(payload, path)) is not None]
    skipped = ("task", "version", "text")
    return [(n,) for n, v in payload.items() if n not in skipped and _other(v) is not None]


def _at(tree: Any, path: tuple[Any, ...]) -> Json:
    for part in path:
        tree = tree.get(part) if isinstance(tree, dict) else tree[part]
    return tree


def _with(tree: Any, path: tuple[Any, ...]) -> Json:
    head, *rest = path
    found = _other(tree[head]) if not rest else _with(tree[head], tuple(rest))
    if isinstance(tree, dict):
        return {**tree, head: found}
    return [found if n == head else one for n, one in enumerate(tree)]


def _other(value: Json) -> Json:
    """Another value of the same type, None for what has none."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value * 10 if value else 1
    if isinstance(value, float):
        other = value * 10.0 if value else 1.0
        return other if isfinite(other) else value / 10.0
    return f"{value[::-1]}?" if isinstance(value, str) else None
