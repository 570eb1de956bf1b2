"""Honest loops of many shapes, and all laws of protocol and of endings: not one is accused."""

from dataclasses import replace

import pytest

from agentfuzz import (
    Completion,
    World,
    approval_single_use,
    continuable,
    effects_remembered,
    ends_within,
    errors_surface,
    executed_as_asked,
    limits_hold,
    no_act_on_cut_reply,
    no_effect_after_reported_failure,
    no_hidden_calls,
    no_redo,
    no_stuck_repeats,
    one_decision_one_interrupt,
    receipts_shown,
    results_paired,
    retry_budget,
    returns_control,
    scenario,
    structured_termination,
)
from agentfuzz.search.space import Space
from invariants.loops import shapes
from invariants.loops.react import DONE, FAULTS, THREE, UNKNOWN, Plain, gathers, loop, shop
from search.support import hunt
from tests.extent import upto


def laws(*, attempts=3, calls=40, turns=8, forgets=False, without=()):
    """Those that a scenario may declare; a model that asks the same for ever is cut off by its
    limits."""
    every = (
        *(results_paired(forgets=True) if forgets else results_paired(), receipts_shown()),
        *(executed_as_asked(), errors_surface(), effects_remembered(), approval_single_use()),
        *(one_decision_one_interrupt(), no_hidden_calls(), no_stuck_repeats(k=9)),
        *(retry_budget(attempts=attempts), returns_control(), structured_termination()),
        *(no_act_on_cut_reply(), no_effect_after_reported_failure(), continuable(), no_redo()),
        *(limits_hold(turns=turns, calls=calls), ends_within(seconds=4000)),
    )
    return tuple(law for law in every if law.name not in without)


def end_of(value):
    return value["end"] if isinstance(value, dict) and "end" in value else None


ONCE, OFTEN = laws(), laws(attempts=9)
LIVES = laws(attempts=9, calls=200, turns=50)
MEMORYLESS = laws(attempts=9, calls=200, turns=50, without=("no_redo", "effects_remembered"))
LOOPS = {
    "keeps everything": (shop(*ONCE), loop(Plain)),
    "errors as texts": (shop(*ONCE, by_text=True), loop(Plain)),
    "trims results": (shop(*ONCE), loop(shapes.Trims)),
    "shows str and types": (shop(*ONCE), loop(shapes.AsPython)),
    "shows prose": (shop(*ONCE), loop(shapes.Prose)),
    "distrusts": (shop(*OFTEN), loop(shapes.Distrusts)),
    "distrusts texts": (shop(*OFTEN, by_text=True), loop(shapes.Distrusts)),
    "distrusts in few words": (shop(*OFTEN), loop(shapes.InFewWords)),
    "shows half": (shop(*OFTEN), loop(shapes.ShowsHalf)),
    "another language": (shop(*OFTEN), loop(shapes.InGerman)),
    "a client that retries": (shop(*OFTEN), loop(shapes.ClientRetries)),
    "backs off": (shop(*OFTEN), loop(shapes.BacksOff)),
    "logs what it believed": (replace(shop(*OFTEN), outcome=end_of), loop(shapes.Logs)),
    "summarises": (shop(*laws(forgets=True)), loop(shapes.Summarises)),
    "takes turns back": (shop(*laws(attempts=15)), loop(shapes.TakesBack)),
    "fans out": (shop(*laws(calls=200, attempts=9), script=THREE), gathers(1)),
    "fans out and retries": (shop(*laws(calls=400, attempts=9), script=THREE), gathers(3)),
    "resumes": (shop(*LIVES, resume=True), loop(shapes.Resumes)),
    "resumes whole turns": (shop(*LIVES, resume=True), loop(shapes.ResumesTurns)),
    "starts over with its keys": (shop(*MEMORYLESS, resume=True), loop(shapes.Distrusts)),
    "starts over, tries once": (shop(*MEMORYLESS, resume=True), loop(Plain)),
}


def accused(simulation, story, agent, **how):
    how = {"depth": 1, "deep_runs": upto(5, 25), "max_runs": 600, **how}
    result = hunt(story, agent, simulation, space=Space(faults=story.faults), **how)
    assert result.struck
    return [(cx.code, str(cx.plan), cx.violation.sentence) for cx in result.findings]


@pytest.mark.parametrize("name", LOOPS)
def test_loops_with_a_model(name, simulation):
    """Every fault by itself, and some plans with more."""
    story, agent = LOOPS[name]
    assert accused(simulation, story, agent) == []


# approvals


def refunds(resume):
    @scenario(*LIVES, task="Refund A17.", resume=resume)
    def story(world: World) -> None:
        @world.tool(effect="refund", scope=("order_id",), dedup="key")
        def refund(order_id: str, idempotency_key: str | None = None) -> dict:
            return {"order_id": order_id, "refund_id": f"re_{order_id}"}

    return story


WAITS = Completion.blocked(reason="needs_approval", handle="A17")
REJECTED = Completion.failed(reason="rejected")


def refunded(world: World, key: str) -> Completion:
    for _ in range(3):
        try:
            keyed = {"order_id": "A17", "idempotency_key": key}
            receipt = world.call("refund", keyed, asked="r1")
        except FAULTS:
            continue
        if receipt == {"order_id": "A17", "refund_id": "re_A17"}:
            return DONE
    return UNKNOWN


def first_word(world: World) -> bool:
    """What was decided first: a later word changes nothing."""
    decision = world.decision
    world.store.claim(decision.approval, decision.granted is True)
    return world.store[decision.approval]


def keyed_by_the_approval(world: World) -> Completion:
    """Remembers the word alone; each delivery of it pays with the same key."""
    if world.decision is None:
        world.request_approval("refund", call="r1")
        return WAITS
    return refunded(world, world.decision.approval) if first_word(world) else REJECTED


def raises_when_refused(world: World) -> Completion:
    """The same, and a refusal is an exception."""
    if world.decision is not None and not first_word(world):
        raise PermissionError("nobody allowed it")
    return keyed_by_the_approval(world)


def keyed_by_the_call(world: World) -> Completion:
    """Writes down how far it came, and asks once."""
    store = world.store
    if world.decision is not None and store.get("state") == "waiting":
        store["state"] = "granted" if world.decision.granted else "refused"
    if "state" not in store:
        store["state"] = "waiting"
        world.request_approval("refund", call="r1")
    if store["state"] == "granted":
        end = refunded(world, "r1")
        store["state"] = "done" if end is DONE else "granted"
        return end
    return {"waiting": WAITS, "refused": REJECTED, "done": DONE}[store["state"]]


@pytest.mark.parametrize("resume", [False, True], ids=["one life", "crashes"])
@pytest.mark.parametrize("agent", [keyed_by_the_approval, raises_when_refused, keyed_by_the_call])
def test_loops_that_wait_for_a_person(agent, resume, simulation):
    """Decided twice, twice at once, refused, too late; lost with the process and brought again."""
    assert accused(simulation, refunds(resume), agent, depth=2, max_runs=900) == []
