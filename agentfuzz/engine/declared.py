"""What is declared with `@scenario(...)`, and what is wrong with it.

Law: a wrong word is an error where it is written, with the cure. Called by the decorator.
"""

import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agentfuzz.core.codec import described
from agentfuzz.core.errors import ScenarioError, near_miss
from agentfuzz.invariants import (
    Invariant,
    assertions_hold,
    at_most_once,
    bounded,
    handoffs_settled,
    handoffs_valid,
    replay_transparency,
    same_arguments,
    single_owner,
    survives,
    valid_calls,
    valid_histories,
)
from agentfuzz.model.cassettes.on_miss import ON_MISS
from agentfuzz.model.script import Call, Script, parse
from agentfuzz.world.world import World

# What holds in every scenario, declared or not.
ALWAYS = (
    *(survives(), assertions_hold(), bounded(), valid_calls(), valid_histories()),
    *(handoffs_valid(), single_owner(), handoffs_settled()),
)
# The oracle that needs no declaration: judged unless a scenario does without.
UNDECLARED = (at_most_once(), replay_transparency(), same_arguments(strict=False))


def check_laws(invariants: Sequence[object]) -> None:
    """Raise ScenarioError for what is no law."""
    for given in invariants:
        if not isinstance(given, Invariant):
            name = getattr(given, "__name__", repr(given))
            if len(invariants) == 1 and inspect.isfunction(given) and not hasattr(given, "record"):
                raise ScenarioError(
                    f"@scenario on {name} has no parentheses: write @scenario() above def {name}, "
                    "with the laws that must hold in between. If it is a law of your own, wrap it "
                    "with agentfuzz.invariant."
                )
            raise ScenarioError(
                f"@scenario({name}) is no invariant; call it ({name}()), or wrap a function of "
                "your own with agentfuzz.invariant."
            )


def takes_a_world(build: Callable[[World], object]) -> None:
    """Raise ScenarioError for a function that cannot be called with a world alone."""
    try:
        signature = inspect.signature(build)
    except (TypeError, ValueError):  # a callable that does not say
        return
    try:
        signature.bind(None)
    except TypeError:
        name = getattr(build, "__name__", "scenario")
        raise ScenarioError(
            f"{name}{signature} is called with the world and nothing else: write "
            f"def {name}(world). Fixtures are further parameters of the test, not of its scenario."
        ) from None


def names(instead: Mapping[str, Sequence[str]]) -> Mapping[str, tuple[str, ...]]:
    """The effects that stand in for others; one may be written without a list."""
    if not isinstance(instead, Mapping):
        raise ScenarioError(
            f"instead={instead!r}: write which effects may stand in for which, as "
            '{"sms": ("mail",)}.'
        )
    return {name: (one,) if isinstance(one, str) else tuple(one) for name, one in instead.items()}


def check_model(
    script: object, scripts: object, cassette: object, tasks: object, on_miss: str
) -> None:
    """Raise ScenarioError where several things say what the model does, or one is no word."""
    if script is not None and cassette is not None:
        raise ScenarioError("script= and cassette= both say what the model does; give one.")
    if scripts and script is not None:
        raise ScenarioError(
            "script= and scripts= both say what the model does; give one: put the script into the "
            "list, scripts=[[('tool', {...}), 'closing'], ...]."
        )
    if scripts and cassette is not None:
        raise ScenarioError("scripts= and cassette= both say what the model does; give one.")
    if scripts and tasks:
        raise ScenarioError(
            "scripts= are those of one task: each request picks one by the tools that it offers. "
            "Of several tasks, each has its own: script=[[('tool', {...}), 'closing'], [...]]."
        )
    if on_miss not in ON_MISS:
        raise ScenarioError(
            f"on_miss={on_miss!r}: say {', '.join(ON_MISS)}.{near_miss(str(on_miss), ON_MISS)}"
        )


def varying(functions: Mapping[str, Any]) -> dict[str, Callable[[Any], Any]]:
    """What of it is a function of the data. Scripts of several tasks are, where the tasks are: how
    many there have to be hangs on these."""
    found = {name: one for name, one in functions.items() if callable(one)}
    script = functions["script"]
    if "tasks" in found and _are_lists(script) and (len(script) > 1 or _closes(script[0])):
        found["script"] = lambda data: script
    return found


def _are_lists(script: object) -> bool:
    return isinstance(script, list) and bool(script) and all(isinstance(s, list) for s in script)


def _closes(script: list[object]) -> bool:
    """Whether it is no step, of which all are calls."""
    return not all(map(_is_call, script))


def said(
    *,
    task: object = "",
    tasks: object = (),
    script: Any = None,
    scripts: Any = (),
    each: bool = False,
) -> dict[str, Any]:
    """What the agent is asked and the model plans, as a scenario keeps it; `each`: the script of
    one task may stand in a list, as those of several do. Raises ScenarioError."""
    if not isinstance(task, str):
        raise ScenarioError(f"task={described(task)} is no text; it is what the agent is asked.")
    requests = several(tasks) if tasks != () else ()
    return {
        "task": requests[0] if requests else task,
        "tasks": requests,
        "scripts": _several(scripts) if script is None else _scripts(script, requests, each),
        "cast": tuple(script) if isinstance(script, Mapping) else (),
        "by_offer": script is None and bool(scripts),
    }


def _several(scripts: Any) -> tuple[Script, ...]:
    """The scripts of which each request picks one. Raises ScenarioError for what is no list of
    them."""
    listed = isinstance(scripts, (list, tuple)) and not any(map(_is_call, scripts))
    if not listed:
        raise ScenarioError(
            f"scripts={described(scripts)}: scripts= is a list of scripts, each a list itself: "
            "scripts=[[('tool', {...}), 'closing'], ['closing of a request without tools']]."
        )
    return tuple(parse(one if isinstance(one, (list, str)) else [one]) for one in scripts)


def _is_call(one: Any) -> bool:
    return isinstance(one, (Call, tuple))


def _scripts(script: Any, tasks: tuple[str, ...], each: bool) -> tuple[Script, ...]:
    if isinstance(script, Mapping):
        if tasks or not script or not all(isinstance(name, str) for name in script):
            raise ScenarioError(
                "script={...} with the names of agents as keys says what each agent's model plans, "
                "for one task: script={'triage': [...], 'billing': [...]}."
            )
        return tuple(parse(one) for one in script.values())
    if len(tasks) < 2:
        alone = each and _are_lists(script) and len(script) == len(tasks)
        return (parse(script[0] if alone else script),)
    lists = isinstance(script, Sequence) and all(isinstance(one, list) for one in script)
    if not lists or len(script) != len(tasks):
        raise ScenarioError(
            f"script= with {len(tasks)} tasks is a list of {len(tasks)} scripts, one for each: "
            "script=[[('tool', {...}), 'closing'], [...]]."
        )
    return tuple(parse(one) for one in script)


def several(tasks: object) -> tuple[str, ...]:
    """The tasks of a run, in order. Raises ScenarioError for what is no list of texts."""
    found = () if isinstance(tasks, str) or not isinstance(tasks, Sequence) else tuple(tasks)
    if not found or not all(isinstance(one, str) for one in found):
        raise ScenarioError(
            f"tasks={described(tasks)}: write a list of texts, one for each request."
        )
    return found


def texts(option: str, given: object) -> tuple[str, ...]:
    """What may be one text or several. Raises ScenarioError for what is neither."""
    found = (given,) if isinstance(given, str) or not isinstance(given, Iterable) else tuple(given)
    if not all(isinstance(one, str) for one in found):
        why = " It is no function of the data." if callable(given) else ""
        raise ScenarioError(f"{option}={described(given)}: write a list of texts.{why}")
    return found


def check_crossings(most: object) -> None:
    """Raise ScenarioError for what is no number of crossings."""
    if not isinstance(most, int):
        raise ScenarioError(f"max_crossings={described(most)} is no number; give at least 1.")
    if most < 1:
        raise ScenarioError(f"max_crossings={most} would cut off every run; give at least 1.")


def check_concurrent(tasks: object, **others: object) -> None:
    """Raise ScenarioError where several tasks cannot go on at once."""
    given = [name for name, value in others.items() if value]
    if not tasks or given:
        why = f"and {', '.join(given)} is about one after the other" if given else "of tasks="
        raise ScenarioError(f"concurrent=True says that several tasks go on at once, {why}.")


def left_out(without: tuple[str, ...], declared: set[str]) -> tuple[str, ...]:
    """The laws that a scenario does without. Raises ScenarioError for one that cannot be left out,
    or that is declared."""
    known = [word(law) for law in UNDECLARED]
    for name in without:
        if name not in known:
            always = [law.name for law in ALWAYS]
            why = "is judged in every scenario" if name in always else "is no law to leave out"
            raise ScenarioError(
                f"without={name!r} {why}; there is: {', '.join(known)}."
                f"{near_miss(str(name), known)} A law of your own is left out by not declaring it."
            )
        if name in declared:
            raise ScenarioError(
                f"without={name!r} leaves out a law that this scenario declares: {name}(). "
                "Take out one of the two."
            )
    return without


def word(law: Invariant) -> str:
    """What a law that nobody declared is called where one does without it."""
    return law.name.partition("(")[0]


def beside(build: Callable[[World], object], cassette: str | os.PathLike[str]) -> Path:
    """The path of a cassette: as it is, or beside the file of the scenario's function."""
    file = getattr(getattr(build, "__code__", None), "co_filename", "")
    return Path(os.path.abspath(os.path.join(os.path.dirname(file), cassette)))
