"""What a scenario says as functions of its data: `task=`, `tasks=`, `script=`, `scripts=`.

Law: they are the user's own code: one that raises, never ends, says nothing, or says something else
when it is asked again, is an error that names the scenario, the option and the inputs. Called by
the scenario, once for each of its inputs.
"""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from agentfuzz.core.codec import message, plain
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Json
from agentfuzz.core.plan import FaultPlan, canonical
from agentfuzz.engine.declared import said
from agentfuzz.engine.judging import ended
from agentfuzz.runtime.watchdog import current

Write = Callable[[Any], Any]
SHOWN = 300  # characters of the inputs


def written(
    scenario: str, varies: Mapping[str, Write], data: Mapping[str, Json], fixed: Mapping[str, Any]
) -> dict[str, Any]:
    """What the agent is asked and the model plans with these inputs, as a scenario keeps it;
    `fixed` is what is the same with all of them. Raises ScenarioError."""
    under = str(FaultPlan(given=canonical(data)))
    under = under if len(under) <= SHOWN else f"{under[:SHOWN]}..."
    fixed = {**fixed, "each": "tasks" in varies}
    found, again = {}, {}
    for name, write in varies.items():
        place = f"{name}= of scenario {scenario!r}"
        found[name], again[name] = (_asked(place, write, data, under) for _ in range(2))
    try:
        words, others = said(**{**fixed, **found}), said(**{**fixed, **again})
    except ScenarioError as error:
        raise ScenarioError(f"scenario {scenario!r}, with {under}: {error}") from error
    for name in varies:
        kept = "scripts" if name == "script" else name
        if plain(words[kept]) != plain(others[kept]):
            raise ScenarioError(
                f"{name}= of scenario {scenario!r} says something else when it is asked again, "
                f"with {under}: such a run cannot be replayed. Draw what varies (given=), and "
                "make it of the data alone."
            )
    return words


def _asked(place: str, write: Write, data: Mapping[str, Json], under: str) -> Any:
    """What such a function returns for the data. Raises ScenarioError."""
    watchdog, ask = current(), partial(write, copy.deepcopy(data))
    try:
        value = ask() if watchdog is None or watchdog.active else watchdog.watched(ask)
    except BaseException as error:
        if watchdog is None or watchdog.active:
            if not isinstance(error, Exception):
                raise
            how = f"raised {type(error).__name__}: {message(error)}"
        elif watchdog.interrupted:
            raise
        else:
            how = ended(error, watchdog)
        raise ScenarioError(
            f"{place} {how}, with {under}. It is a function of the data: mend it, or let given= "
            "draw only what it can be asked with."
        ).with_traceback(error.__traceback__) from error
    if value is None:
        raise ScenarioError(
            f"{place} returned None, with {under}. It is a function of the data: let it return "
            "what is said with these."
        )
    return value
