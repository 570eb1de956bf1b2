"""The agent's process: each thing that may happen to it, before, after and in the middle of a call,
in sync and async agents; what is lost with it, and what stays.
"""

import asyncio
import threading
import time

import pytest

from agentfuzz import Completion, ScenarioError, run, scenario
from agentfuzz.core.errors import PlanError
from agentfuzz.core.events import (
    Called,
    Cancelled,
    Committed,
    Crashed,
    Decided,
    Done,
    Interrupted,
    Messaged,
    Replied,
    Resumed,
    Saved,
    Struck,
)

PAYS = "call pay, commit, applied, success"
DONE = Completion.success(handle="A17")
STORY = (Called, Cancelled, Committed, Crashed, Decided, Done, Interrupted, Messaged)
STORY += (Replied, Resumed, Saved)


def shop(
    *, follow_ups=(), faults=("cancel", "interrupt", "duplicate_trigger", "clock_jump"), **more
):
    @scenario(task="Pay A17.", resume=True, follow_ups=follow_ups, faults=faults, **more)
    def story(world):
        @world.tool(effect="payment", scope=("order_id",), dedup="key")
        def pay(order_id: str, idempotency_key: str | None = None):
            return {"receipt": order_id}

        @world.tool
        def look(order_id: str):
            return {"paid": False}

    return story


SHOP = shop()


def told(history):
    """A history in short: `Called pay, Committed, Replied applied, ...`."""
    words = []
    for event in history.events:
        match event:
            case Called():
                words.append(f"call {event.slot.name}")
            case Committed():
                words.append("commit")
            case Replied():
                words.append(event.raised or event.outcome)
            case Resumed():
                words.append(f"{event.why} {event.leg}")
            case Saved():
                words.append(f"save {event.slot.name}")
            case Crashed():
                words.append("crash")
            case Cancelled():
                words.append(f"stop by {event.how}")
            case Messaged():
                words.append(f"says by {event.how}")
            case Interrupted():
                words.append(f"{event.interrupt} for {event.call}")
            case Decided():
                words.append(f"decided {event.value}")
            case Done():
                words.append(event.status)
    return ", ".join([*words, history.ended.how])


def pays(world):
    world.tools.pay(order_id="A17")
    return DONE


async def apays(world):
    await world.tools.aio.pay(order_id="A17")
    return DONE


BOTH = pytest.mark.parametrize("agent", [pays, apays])


# crash and restart

RESTARTED = "restart 2, call pay, commit, applied, success, returned"


@BOTH
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("crash", f"call pay, crash, {RESTARTED}"),
        ("crash/after", f"call pay, commit, crash, {RESTARTED}"),
        (
            "crash/in_flight",
            "call pay, crash, restart 2, call pay, commit, applied, success, commit, returned",
        ),
    ],
)
def test_a_crash_is_followed_by_a_restart(agent, fault, expected):
    """The dead process leaves nothing, a request in flight, or an effect nobody read of."""
    history = run(SHOP, agent, f"process:pay#1:{fault}").history
    assert told(history) == expected
    assert history.endings == ["crashed", "returned"]


@BOTH
def test_a_crash_after_the_end(agent):
    """It had answered, and nobody had taken note."""
    history = run(SHOP, agent, "end#1:crash").history
    assert told(history) == f"call pay, commit, applied, success, crash, {RESTARTED}"


def test_without_resume_a_crash_is_the_end():
    """A process that nobody starts again."""

    @scenario(task="Pay.")
    def story(world):
        @world.tool(effect="payment")
        def pay():
            return {}

    history = run(story, lambda world: world.tools.pay(), "process:pay#1:crash/after").history
    assert told(history) == "call pay, commit, crash, crashed"


def test_a_process_that_dies_again_and_again_is_given_up():
    """The supervisor restarts five times."""
    plan = " + ".join(f"process:pay#{nth}:crash" for nth in range(1, 7))
    history = run(SHOP, pays, plan).history
    assert history.endings == ["crashed"] * 6


@BOTH
@pytest.mark.parametrize("place", ["process:pay#{}:duplicate_trigger", "end#{}:duplicate_trigger"])
def test_a_trigger_is_delivered_again_so_often(agent, place):
    """Six deliveries in all, in the middle of the work or after it; then the sender gives up."""
    plan = " + ".join(place.format(nth) for nth in range(1, 9))
    history = run(SHOP, agent, plan).history
    again = [event for event in history.of(Resumed) if event.why == "duplicate"]
    assert len(again) == len(history.of(Struck)) == 5
    assert [done.status for done in history.of(Done)] == ["success"] * 6


def test_a_resume_function_is_started_instead():
    """Another entry point for the second life."""

    def resumed(world):
        world.tools.look(order_id="A17")
        return Completion.blocked(reason="outcome_unknown")

    @scenario(task="Pay.", resume=resumed)
    def story(world):
        SHOP.build(world)

    history = run(story, pays, "process:pay#1:crash/after").history
    assert (
        told(history) == "call pay, commit, crash, restart 2, call look, applied, blocked, returned"
    )


def test_what_a_dying_process_does_does_not_count():
    """Handlers and `finally` blocks of a dead process act on nothing and wait for nothing."""
    seen = []

    def stubborn(world):
        if world.why == "restart":
            return DONE
        try:
            world.tools.pay(order_id="A17")
        except BaseException:
            for act in (
                lambda: world.tools.pay(order_id="B18"),
                lambda: world.store.update(a=1),
                lambda: world.tools.done(status="success"),
                lambda: world.request_approval("pay"),
            ):
                try:
                    act()
                except BaseException as error:
                    seen.append(type(error).__name__)
            world.clock.advance(3600)
        return DONE

    history = run(SHOP, stubborn, "process:pay#1:crash/after").history
    assert told(history) == "call pay, commit, crash, restart 2, success, returned"
    assert seen == ["Crash"] * 4
    assert history.events[-1].t == 1.0


def test_an_async_crash_stops_every_task():
    """Siblings of the task that died do not go on, and their `finally` blocks reach nobody."""
    went_on = []

    async def sibling(world):
        try:
            await asyncio.sleep(5)
            went_on.append("slept")
        finally:
            await world.tools.aio.pay(order_id="B18")

    async def agent(world):
        if world.why == "restart":
            return DONE
        other = asyncio.create_task(sibling(world))
        await asyncio.sleep(1)
        await world.tools.aio.pay(order_id="A17")
        await other
        return DONE

    history = run(SHOP, agent, "process:pay#1:crash/after").history
    assert told(history) == "call pay, commit, crash, restart 2, success, returned"
    assert went_on == ["slept"]  # in the run without faults


def test_memory_is_lost_and_the_store_is_kept():
    """A value is copied into the store when it is written, and read back as it was then."""

    def agent(world):
        if world.why == "restart":
            return Completion.success(handle=str(world.store["list"]))
        kept = [1]
        world.store["list"] = kept
        kept.append(2)
        world.tools.pay(order_id="A17")
        return DONE

    history = run(SHOP, agent, "process:pay#1:crash").history
    assert history.of(Done)[-1].handle == "[1]"


@pytest.mark.parametrize(
    ("fault", "found"),
    [("store:cursor#1:crash", []), ("store:cursor#1:crash/after", ["cursor"])],
)
def test_a_crash_around_a_save(fault, found):
    """Before it the value is not there, after it it is."""
    keys = []

    def agent(world):
        if world.why == "restart":
            keys.extend(world.store)
            return DONE
        world.store["cursor"] = 1
        return DONE

    run(SHOP, agent, fault)
    assert keys == found


def test_a_store_of_the_agents_own(tmp_path):
    """`saving` marks a write to a file: the process dies before it or after it."""
    file = tmp_path / "cursor"

    def agent(world):
        if world.why != "restart":
            file.unlink(missing_ok=True)
            with world.saving("file"):
                file.write_text("1")
        return Completion.success(handle=str(file.exists()))

    before = run(SHOP, agent, "store:file#1:crash").history
    after = run(SHOP, agent, "store:file#1:crash/after").history
    assert [h.of(Done)[-1].handle for h in (before, after)] == ["False", "True"]


def test_the_store_is_a_mapping_with_a_claim():
    """Two workers agree on one by an insert with a unique key."""

    def agent(world):
        world.store["a"] = {"n": 1}
        world.store["a"]["n"] = 2  # a copy: nothing happens
        first, second = world.store.claim("lock"), world.store.claim("lock")
        del world.store["lock"]
        return Completion.success(handle=f"{dict(world.store)} {first} {second}")

    history = run(SHOP, agent).history
    assert history.of(Done)[-1].handle == "{'a': {'n': 1}} True False"
    assert [event.value for event in history.of(Saved)] == [{"n": 1}, True, None]


# cancel and interrupt


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("cancel", "call pay, stop by task, CancelledError, cancelled"),
        ("cancel/after", "call pay, commit, stop by task, CancelledError, cancelled"),
        ("cancel/in_flight", "call pay, stop by task, CancelledError, commit, cancelled"),
    ],
)
def test_an_async_agent_is_cancelled(fault, expected):
    """asyncio's own cancellation, at the call."""
    assert told(run(SHOP, apays, f"process:pay#1:{fault}").history) == expected


def test_a_cancelled_agent_may_clean_up():
    """It still lives, and may say how things stand."""

    async def agent(world):
        try:
            await world.tools.aio.pay(order_id="A17")
        except asyncio.CancelledError:
            await world.tools.aio.look(order_id="A17")
            return Completion.cancelled(reason="by_user")

    assert told(run(SHOP, agent, "process:pay#1:cancel/after").history) == (
        "call pay, commit, stop by task, CancelledError, call look, applied, cancelled, returned"
    )


@BOTH
def test_a_token_is_seen_where_it_is_looked_at(agent):
    """An agent that polls is not stopped otherwise."""

    def polls(world):
        for order in ("A17", "B18"):
            if world.cancelled:
                return Completion.cancelled(reason="by_user", handle="A17")
            world.tools.pay(order_id=order)
        return DONE

    async def apolls(world):
        for order in ("A17", "B18"):
            if world.cancelled:
                return Completion.cancelled(reason="by_user", handle="A17")
            await world.tools.aio.pay(order_id=order)
        return DONE

    one = polls if agent is pays else apolls
    assert told(run(SHOP, one, "process:pay#1:cancel").history) == (
        "call pay, stop by token, commit, applied, cancelled, returned"
    )


def test_nobody_can_cancel_a_sync_agent_that_never_looks():
    """The fault does not strike, and the plan says so."""
    result = run(SHOP, pays, "process:pay#1:cancel")
    assert not result.history.of(Struck)
    with pytest.raises(PlanError, match="no longer applies"):
        result.check()


def test_a_message_interrupts_and_a_leg_begins_with_it():
    """The work is cancelled; the agent starts again with what the user said."""
    tasks = []

    async def agent(world):
        tasks.append((world.why, world.task))
        if world.why == "interrupt":
            return DONE
        await world.tools.aio.pay(order_id="A17")
        return None

    history = run(SHOP, agent, "process:pay#1:interrupt/after").history
    assert told(history) == (
        "call pay, commit, says by task, CancelledError, interrupt 2, success, returned"
    )
    assert tasks[-2:] == [("", "Pay A17."), ("interrupt", "Wait. Where are you with this?")]


def test_a_message_waits_in_the_inbox_of_an_agent_that_reads_it():
    """A sync agent that looks."""

    def agent(world):
        assert world.inbox == []
        world.tools.pay(order_id="A17")
        return Completion.success(handle=world.inbox.pop(0) if world.inbox else None)

    history = run(SHOP, agent, "process:pay#1:interrupt").history
    assert told(history) == "call pay, says by inbox, commit, applied, success, returned"
    assert history.of(Done)[-1].handle == "Wait. Where are you with this?"


# duplicate triggers, follow-ups, clock jumps


@BOTH
def test_the_trigger_again_after_the_end(agent):
    """Sequential: the whole agent once more, with the same trigger id."""
    assert told(run(SHOP, agent, "end#1:duplicate_trigger").history) == (
        f"{PAYS}, duplicate 2, {PAYS}, returned"
    )


@BOTH
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (
            "duplicate_trigger",
            "call pay, duplicate 2, call pay, commit, applied, success, back 1, commit, applied",
        ),
        (
            "duplicate_trigger/after",
            "call pay, commit, duplicate 2, call pay, commit, applied, success, back 1, applied",
        ),
    ],
)
def test_the_trigger_again_in_the_middle(agent, fault, expected):
    """Concurrent: another worker does the whole of it while this one's call is under way."""
    history = run(SHOP, agent, f"process:pay#1:{fault}").history
    assert told(history) == f"{expected}, success, returned"
    assert history.endings == ["returned", "returned"]


def test_the_worlds_of_the_legs():
    """Each leg knows its number and why it began; the trigger's id stays."""
    seen = []

    def agent(world):
        seen.append((world.leg, world.why, world.trigger_id, world.task))
        world.tools.pay(order_id="A17")
        return DONE

    run(shop(follow_ups=("And B18?",)), agent, "end#1:duplicate_trigger")
    assert seen[2:] == [
        (1, "", "trigger_1", "Pay A17."),
        (2, "follow_up", "trigger_1", "And B18?"),
        (3, "duplicate", "trigger_1", "Pay A17."),
    ]


def test_a_clock_jump_outlives_a_key():
    """A day later the backend has forgotten the key."""

    def agent(world):
        for _ in range(2):
            world.tools.pay(order_id="A17", idempotency_key="k")
        return DONE

    assert told(run(SHOP, agent, "process:pay#2:clock_jump").history) == (
        "call pay, commit, applied, call pay, commit, applied, success, returned"
    )
    assert told(run(SHOP, agent).history) == (
        "call pay, commit, applied, call pay, replayed, success, returned"
    )


# approvals


def asks(world):
    if world.why == "decision":
        if not world.decision.granted:
            return Completion.failed(reason="rejected")
        world.call("pay", {"order_id": "A17"}, asked=world.decision.call)
        return DONE
    world.request_approval("pay", call="tc_1")
    return Completion.blocked(reason="needs_approval")


ASKED = "approval_1 for tc_1, blocked, decision 2"


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ("", f"{ASKED}, decided True, {PAYS}"),
        ("twice", f"{ASKED}, decided True, {PAYS}, decision 3, decided True, {PAYS}"),
        (
            "double_click",
            f"{ASKED}, decided True, call pay, decision 3, decided True, {PAYS}, back 2, commit,"
            " applied, success",
        ),
        ("refused", f"{ASKED}, decided False, failed"),
        ("late", f"{ASKED}, decided None, failed, decision 3, decided True, {PAYS}"),
        ("never", "approval_1 for tc_1, blocked"),
    ],
)
def test_approvals(plan, expected):
    """A person decides, in a leg of its own: once, twice, in the middle, not, or too late."""
    history = run(SHOP, asks, plan and f"approval:pay#1:{plan}").history
    assert told(history) == f"{expected}, returned"


def looks(world):
    """Waits within its leg; a leg of its own brings what comes later."""
    if world.decision is not None:
        return Completion.success(handle=str(world.decision.granted))
    request = world.request_approval("pay", call="tc_1")
    for _ in range(3):
        if (decision := world.decision_on(request)) is not None:
            return Completion.success(handle=str(decision.granted))
        time.sleep(20)
    return Completion.blocked(reason="needs_approval")


async def alooks(world):
    return looks(world)


LOOKED = "approval_1 for tc_1, decided True, success"


@pytest.mark.parametrize("agent", [looks, alooks])
@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ("", LOOKED),
        ("twice", f"{LOOKED}, decision 2, decided True, success"),
        ("refused", "approval_1 for tc_1, decided False, success"),
        (
            "late",
            "approval_1 for tc_1, decided None, success, decision 2, decided True, success",
        ),
        ("never", "approval_1 for tc_1, blocked"),
    ],
)
def test_an_agent_that_waits_for_a_decision(agent, plan, expected):
    """It is there after half a minute, once; or it never is."""
    history = run(SHOP, agent, plan and f"approval:pay#1:{plan}").history
    assert told(history) == f"{expected}, returned"
    assert plan == "never" or history.of(Decided)[0].t == 40.0


def keeps(world):
    """Pays on a decision, whatever began the leg, and writes down what it was told."""
    if world.decision is None:
        world.request_approval("pay", call="tc_1")
        return Completion.blocked(reason="needs_approval")
    world.store["told"] = world.decision.granted
    if not world.decision.granted:
        return Completion.failed(reason="rejected")
    world.call("pay", {"order_id": "A17", "idempotency_key": world.decision.approval})
    return DONE


async def akeeps(world):
    return keeps(world)


APPROVING = shop(faults=("crash",))
TOLD = "approval_1 for tc_1, blocked, decision 2, decided True"
BROUGHT = "decided True, save told, call pay"


@pytest.mark.parametrize("agent", [keeps, akeeps])
@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ("store:told#1:crash", f"{TOLD}, crash, restart 3, {BROUGHT}, commit, applied, success"),
        (
            "process:pay#1:crash",
            f"{TOLD}, save told, call pay, crash, restart 3, {BROUGHT}, commit, applied, success",
        ),
        (
            "process:pay#1:crash/after",
            f"{TOLD}, save told, call pay, commit, crash, restart 3, {BROUGHT}, replayed, success",
        ),
        (
            "store:told#1:crash + process:pay#1:crash",
            f"{TOLD}, crash, restart 3, {BROUGHT}, crash, restart 4, {BROUGHT}, commit, applied,"
            " success",
        ),
        (
            "end#1:crash",
            f"{TOLD}, save told, call pay, commit, applied, success, crash, restart 3, {BROUGHT},"
            " replayed, success",
        ),
        (
            "approval:pay#1:late + store:told#1:crash",
            "approval_1 for tc_1, blocked, decision 2, decided None, crash, restart 3,"
            f" decided None, save told, failed, decision 4, {BROUGHT}, commit, applied, success",
        ),
        (
            "approval:pay#1:twice + store:told#2:crash",
            f"{TOLD}, save told, call pay, commit, applied, success, decision 3, decided True,"
            f" crash, restart 4, {BROUGHT}, replayed, success",
        ),
    ],
)
def test_a_decision_that_died_with_its_leg_is_brought_again(agent, plan, expected):
    """Who brings it waits for the answer, as a queue does; what began without one ends without."""
    history = run(APPROVING, agent, plan).history
    assert told(history) == f"{expected}, returned"
    legs = [leg[1] for leg in history.legs[1:]]
    assert all(isinstance(first, Decided) for first in legs)


def test_a_crash_without_a_decision_brings_none():
    """The decisions of other legs are theirs."""
    history = run(APPROVING, keeps, "process:pay#1:crash + end#1:crash").history
    assert len(history.of(Decided)) == 3

    def pays_late(world):
        if world.why == "follow_up":
            world.tools.pay(order_id="A17", idempotency_key="k")
            return DONE
        return keeps(world) if world.why != "restart" else DONE

    story = shop(faults=("crash",), follow_ups=("And now?",))
    ended = run(story, pays_late, "process:pay#2:crash").history
    assert [event.why for event in ended.of(Resumed)] == ["decision", "follow_up", "restart"]
    assert len(ended.of(Decided)) == 1


# schedule


async def race(world):
    async def child(order):
        if not (await world.tools.aio.look(order_id=order))["paid"]:
            await world.tools.aio.pay(order_id="A17")

    await asyncio.gather(child("1"), child("2"))
    return DONE


def test_a_preemption_lets_the_others_go_first():
    """The task waits before, or after, its call, until nothing else is ready."""
    first = "call look, applied, call pay, commit, applied"
    assert told(run(SHOP, race).history) == f"{first}, {first}, success, returned"
    assert told(run(SHOP, race, "schedule:pay#1:preempted").history) == (
        f"call look, applied, call pay, {first}, commit, applied, success, returned"
    )
    assert told(run(SHOP, race, "schedule:pay#1:preempted/after").history) == (
        f"call look, applied, call pay, commit, {first}, applied, success, returned"
    )


def test_a_task_alone_cannot_be_preempted():
    """Where nothing else is ready there is no slot."""
    assert not run(SHOP, apays, "schedule:pay#1:preempted").history.of(Struck)


# declarations


def test_a_wrong_word_is_refused():
    """`faults=` names what there is."""
    with pytest.raises(PlanError, match="Did you mean 'cancel'"):
        scenario(faults=("cancle",))


def test_a_value_that_cannot_be_copied_is_named():
    """The store says which key, and what to do."""

    def agent(world):
        world.store["lock"] = threading.Lock()

    with pytest.raises(ScenarioError, match=r"store\['lock'\].*cannot be copied.*plain data"):
        run(SHOP, agent)
