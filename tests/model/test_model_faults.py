"""Every fault of the model by itself: a loop that it breaks, one that it does not move, and a
task in which it never comes into play, which the campaign says.

Law: a plan and its code are asserted as text, nothing else may be found, and no kind is missing.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from agentfuzz import (
    Invariant,
    PlanError,
    at_most_once,
    bounded,
    executed_as_asked,
    limits_hold,
    no_act_on_cut_reply,
    no_effect_after_completion,
    no_stale_answer,
    only_tools,
    replay_transparency,
    results_paired,
    run,
    structured_termination,
    text_has_no_authority,
    truthful,
    valid_calls,
)
from agentfuzz.core.faults import TABLES
from agentfuzz.engine.simulation import Simulation
from agentfuzz.model.model_faults import KINDS as MODEL_KINDS
from agentfuzz.search.space import Space
from invariants.loops.field import (
    LIMITS,
    Blank,
    CountsTurns,
    EveryCall,
    Loop,
    NeverLooks,
    plain,
)
from model.loops import (
    Careful,
    HandsOnTheText,
    KeepsByTheId,
    KeyOfArguments,
    KeyPerCall,
    NearestName,
    NeverTires,
    OnlyTheClosing,
    Posts,
    PostsAndNeverLooks,
    QuotesTheError,
    ReadsWords,
    Relays,
    Soothes,
    StartsOver,
    StopsAtAText,
    StreamsWords,
    TakesAPauseForTheEnd,
    TakesTheEndForSuccess,
    Waits,
    order,
    without_a_model,
)
from search.support import hunt, shown

TOOL = TABLES["tool"]

KINDS = tuple(MODEL_KINDS)
OF_TOOLS = tuple(map(str, TOOL.all()))
PROSE: Mapping[str, Any] = MappingProxyType({})
BY_TOOL = MappingProxyType({"tool": True})
KEYED = MappingProxyType({"dedup": "key"})
# Tasks in which a kind has nothing to strike.
NOTHING_TO_DO = MappingProxyType({"calls": False})
ONLY_DONE = MappingProxyType({"calls": False, "tool": True})


class Case(NamedTuple):
    """Why the fault breaks the victim; the law, the one finding, the victim and its scenario; and
    the task in which the fault never strikes. `offered`: its turns are reached there, and it
    means nothing at them."""

    why: str
    law: Invariant
    found: str
    victim: type[Loop]
    world: Mapping[str, Any] = PROSE
    silent: Mapping[str, Any] | None = NOTHING_TO_DO  # None: the loop asks no model
    offered: bool = False
    survivor: type[Loop] = Careful


CASES = {
    "reword": Case(
        "Other words for the same ending, and the task is run again.",
        text_has_no_authority(),
        "AF304 charge_card: model#2:reword",
        ReadsWords,
        silent=BY_TOOL,
    ),
    "no_done": Case(
        "The model forgets the done tool, and its sentence is handed on.",
        structured_termination(),
        "AF204 completion: model#2:no_done",
        HandsOnTheText,
        BY_TOOL,
        silent=PROSE,
    ),
    "skip": Case(
        "Nothing was done, the model closes, and that is success.",
        truthful(),
        "AF301 claim: model#1:skip",
        TakesTheEndForSuccess,
    ),
    "repeat": Case(
        "The same call under a fresh id has a fresh key.",
        at_most_once(),
        "AF101 charge: model#1:repeat",
        KeyPerCall,
        KEYED,
        offered=True,
    ),
    "drift": Case(
        "42.0 is another key than 42.",
        at_most_once(),
        "AF101 charge: model#2:drift",
        KeyOfArguments,
        KEYED,
        offered=True,
    ),
    "empty": Case(
        "An empty turn asks for nothing more, so it is the answer.",
        no_act_on_cut_reply(),
        "AF209 answer: model#1:empty",
        Blank,
        silent=None,
    ),
    "truncated": Case(
        "Half a sentence is the answer; nobody looked at the stop reason.",
        no_act_on_cut_reply(),
        "AF208 answer: model#2:truncated",
        NeverLooks,
        silent=None,
    ),
    "cut": Case(
        "The end of a broken stream is taken for the end of the reply.",
        no_act_on_cut_reply(),
        "AF208 answer: model#2:cut",
        StreamsWords,
        silent=None,
    ),
    "rate_limited": Case(
        "A 429 after the work starts the work over.",
        at_most_once(),
        "AF101 charge: model#2:rate_limited",
        StartsOver,
        silent=None,
    ),
    "error": Case(
        "The API's error text is handed on as the answer.",
        no_stale_answer(),
        "AF303 answer: model#1:error",
        QuotesTheError,
        silent=None,
        survivor=Loop,  # answers with the model's words, which this law looks at
    ),
    "timeout": Case(
        "The model did not answer in time; it will only have wanted to close.",
        truthful(),
        "AF301 claim: model#1:timeout",
        OnlyTheClosing,
        silent=None,
    ),
    "duplicate_ids": Case(
        "One id twice in a turn is executed twice.",
        executed_as_asked(),
        "AF407 charge_card: model#1:duplicate_ids",
        EveryCall,
    ),
    "malformed_args": Case(
        "What cannot be read is called without arguments, and the refusal is kept from the model.",
        valid_calls(),
        "AF402 charge_card: model#1:malformed_args",
        Soothes,
    ),
    "unknown_tool": Case(
        "The tool with the nearest name is called instead of one that is not there.",
        executed_as_asked(),
        "AF407 charge_card: model#1:unknown_tool",
        NearestName,
    ),
    "bad_done": Case(
        "A status that nobody knows is written down as the completion.",
        structured_termination(),
        "AF205 completion: model#2:bad_done",
        Relays,
        BY_TOOL,
        silent=PROSE,
    ),
    "double_done": Case(
        "Every completion of a turn is written down.",
        structured_termination(),
        "AF206 completion: model#2:double_done",
        Relays,
        BY_TOOL,
        silent=PROSE,
    ),
    "mixed_done": Case(
        "The call that stands behind the completion is still executed.",
        no_effect_after_completion(),
        "AF302 charge: model#1:mixed_done",
        Relays,
        BY_TOOL,
        silent=ONLY_DONE,
        offered=True,
    ),
    "contradict": Case(
        "The charge is taken back after it is confirmed, and the answer is still success.",
        replay_transparency(),
        "AF105 refund: model#2:contradict",
        TakesTheEndForSuccess,
        offered=True,
    ),
    "loop": Case(
        "As long as the model asks, it is served.",
        bounded(),
        "AF201 run: model#1:loop",
        NeverTires,
        MappingProxyType({"max_crossings": 40}),
        offered=True,
    ),
    "fan_out": Case(
        "Fifty calls in one turn, and the limit is looked at once a turn.",
        limits_hold(**LIMITS),
        "AF211 calls: model#1:fan_out",
        CountsTurns,
    ),
    "preamble": Case(
        "A few words beside a call are taken for the answer, and the call is left out.",
        executed_as_asked(),
        "AF407 charge_card dropped: model#1:preamble",
        StopsAtAText,
    ),
    "withheld": Case(
        "A filter ended the reply, and half a sentence is the answer.",
        no_act_on_cut_reply(),
        "AF208 answer: model#1:withheld",
        PostsAndNeverLooks,
        silent=None,
        survivor=Posts,
    ),
    "paused": Case(
        "The provider waits to be asked to go on, and its pause is the answer.",
        no_act_on_cut_reply(),
        "AF208 answer: model#1:paused",
        TakesAPauseForTheEnd,
        silent=None,
        survivor=Waits,
    ),
    "old_reply_id": Case(
        "A message with a known id takes the place of the one that asked for the call.",
        results_paired(forgets=True),
        "AF404 charge_card: model#2:old_reply_id",
        KeepsByTheId,
        survivor=Posts,
    ),
    "privileged": Case(
        "Whatever the model asks for is carried out, if there is such a tool.",
        only_tools("charge_card"),
        "AF417 cancel_charge: model#1:privileged",
        TakesTheEndForSuccess,
    ),
}


def alone(kind: str) -> Space:
    """This kind of the model and nothing else: some words name a reply of a tool too."""
    return Space(only=(kind,), faults=(kind,), exclude=OF_TOOLS)


@pytest.fixture(scope="module")
def simulation():
    with Simulation() as made:
        yield made


def test_no_kind_is_missing():
    """Each fault of the table has its victim."""
    assert set(CASES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_victim_of_a_fault(kind, simulation):
    """Exactly one thing is found, by exactly the smallest plan."""
    case = CASES[kind]
    story = order(case.law, **case.world)
    result = hunt(story, plain(case.victim), simulation, space=alone(kind))
    assert shown(result) == [case.found], [cx.violation.sentence for cx in result.findings]
    assert set(result.kinds) == {kind}
    assert not any(control.broken for cx in result.findings for control in cx.controls)


@pytest.mark.parametrize("kind", KINDS)
def test_the_survivor_of_a_fault(kind, simulation):
    """The same campaign finds nothing in a careful loop, and the law was exercised."""
    case = CASES[kind]
    story = order(case.law, **case.world)
    result = hunt(story, plain(case.survivor), simulation, space=alone(kind))
    assert shown(result) == []
    assert result.kinds[kind] > 0
    assert not [text for text in result.untested if not text.startswith("AF804")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_that_never_strikes(kind, simulation):
    """Where a kind means nothing, its campaign says that nothing was tested, its law held
    nowhere under a fault, and a plan that names it is no evidence."""
    case = CASES[kind]
    story = order(case.law, **(PROSE if case.silent is None else case.silent))
    agent = without_a_model if case.silent is None else plain(Careful)
    result = hunt(story, agent, simulation, space=alone(kind))
    assert shown(result) == []
    assert (result.struck, result.stopped) == (0, "exhausted")
    assert result.untested == ("AF801 nothing was tested: no fault could strike",)
    assert result.kinds == ({kind: 0} if case.offered else {})
    for nth in (1, 2):
        found = run(story, agent, f"model#{nth}:{kind}", simulation=simulation)
        with pytest.raises(PlanError, match="no longer applies: nothing happened at model#"):
            found.check()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if CASES[kind].offered])
def test_a_fault_that_means_nothing_is_named(kind, simulation):
    """Beside faults that strike, the one that never did is listed."""
    story = order(truthful(), **(CASES[kind].silent or {}))
    result = hunt(story, plain(Careful), simulation, space=Space(only=KINDS, exclude=OF_TOOLS))
    (never,) = [text for text in result.untested if text.startswith("AF803")]
    assert kind in never.removeprefix("AF803 never struck: ").split(", ")
    assert result.struck > 0


def test_a_law_that_no_fault_could_exercise(simulation):
    """Without a closing in prose nothing can be said about words: the law is not green."""
    law = text_has_no_authority()
    story = order(law, tool=True)
    result = hunt(story, plain(Careful), simulation, space=Space(only=KINDS, exclude=OF_TOOLS))
    assert (result.laws[law.name].held, result.laws[law.name].violated) == (0, 0)
    assert f"AF802 {law.name} was never exercised" in result.untested
