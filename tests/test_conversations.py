"""Conversations that go on: the laws P7 and P9 on whole loops, found by exactly the smallest plan.

Law: a loop keeps its conversation in the store, as a server does between two requests.
"""

import pytest

from agentfuzz import Completion, ToolError, World, call, scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.invariants import continuable, one_decision_one_interrupt
from agentfuzz.search.space import Space
from agentfuzz.world.reply_faults import as_text
from search.support import hunt, shown

FAULTS = (TimeoutError, ConnectionError, ToolError)
BLOCKED = Completion.blocked(reason="dependency_unavailable")


@pytest.fixture(scope="module")
def simulation():
    """One for all."""
    with Simulation() as simulation:
        yield simulation


# P7 continuable


@scenario(
    continuable(),
    task="Charge order A17.",
    follow_ups=("And is it paid?",),
    script=[("charge_card", {"order_id": "A17"}), "Order A17 is charged."],
)
def chat(world: World) -> None:
    """An order is charged, and the user has a question afterwards."""

    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str) -> dict:
        return {"charge_id": "ch_1"}


def talks(world: World, *, keeps_pairs: bool) -> Completion:
    """One leg of a conversation kept in the store; `keeps_pairs`: a call that failed is given a
    result before the conversation is kept."""
    messages = [*world.store.get("messages", ()), {"role": "user", "content": world.task}]
    try:
        for _ in range(4):
            turn = world.model(messages, list(world.tools))
            messages.append(turn)
            if not turn["tool_calls"]:
                return Completion.success(handle="A17")
            for one in turn["tool_calls"]:
                try:
                    reply = as_text(world.call(one["name"], one["arguments"], asked=one["id"]))
                except FAULTS as error:
                    if not keeps_pairs:
                        raise
                    reply = f"Error: {error}"
                messages.append({"role": "tool", "tool_call_id": one["id"], "content": reply})
    except Exception:
        return BLOCKED
    finally:
        world.store["messages"] = messages
    return Completion.partial(reason="budget_exhausted")


def poisons(world: World) -> Completion:
    """Victim: a call that raised stays in the conversation without a result."""
    return talks(world, keeps_pairs=False)


def pairs(world: World) -> Completion:
    """Survivor."""
    return talks(world, keeps_pairs=True)


def only(*kinds: str) -> Space:
    return Space(only=kinds)


def test_a_poisoned_conversation_cannot_be_continued(simulation):
    """The next leg's first input holds a call without a result."""
    result = hunt(chat, poisons, simulation, space=only("timeout", "error", "rate_limited"))
    assert shown(result)[0] == "AF213 conversation: charge_card#1:once/timeout"
    assert [cx.code for cx in result.findings] == ["AF213"]


def test_a_conversation_that_keeps_its_pairs_goes_on(simulation):
    """The same faults, and every leg gets its turn."""
    result = hunt(chat, pairs, simulation, space=only("timeout", "error", "rate_limited"))
    assert shown(result) == []
    assert result.laws["continuable"].held > 10


def test_continuable_is_not_exercised_without_a_second_leg(simulation):
    """A task that nobody comes back to."""

    @scenario(continuable(), task=chat.task, script=[call("charge_card", order_id="A17"), "Done."])
    def once(world: World) -> None:
        chat.build(world)

    result = hunt(once, poisons, simulation, space=only("timeout"), depth=1, deep_runs=0)
    assert shown(result) == []
    assert any("AF802 continuable" in line for line in result.untested)


# P9 one decision, one interrupt


@scenario(one_decision_one_interrupt(), task="Refund A17 and B18.")
def refunds(world: World) -> None:
    """Two refunds that a person has to allow, each for itself."""

    @world.tool(effect="refund", scope=("order_id",), dedup="scope")
    def refund(order_id: str) -> dict:
        return {"refund_id": f"re_{order_id}"}


WAITS = Completion.blocked(reason="needs_approval")


def asks(world: World) -> Completion:
    pending = {f"tc_{order}": order for order in ("A17", "B18")}
    for name in pending:
        world.request_approval("refund", call=name)
    world.store["pending"] = pending
    return WAITS


def by_order(world: World) -> Completion:
    """Victim: whatever decision arrives is taken for the oldest call that waits."""
    if world.decision is None:
        return asks(world)
    pending = world.store["pending"]
    if pending:
        oldest = next(iter(pending))
        order = pending.pop(oldest)
        world.store["pending"] = pending
        if world.decision.granted:
            world.call("refund", {"order_id": order}, asked=oldest)
    return WAITS if pending else Completion.success(handle="A17")


def by_id(world: World) -> Completion:
    """Survivor: a decision moves the call that it names, once."""
    if world.decision is None:
        return asks(world)
    pending, name = world.store["pending"], world.decision.call
    if name in pending:
        order = pending.pop(name)
        world.store["pending"] = pending
        if world.decision.granted:
            world.call("refund", {"order_id": order}, asked=name)
    return WAITS if pending else Completion.success(handle="A17")


def test_a_decision_taken_by_its_order_moves_another_call(simulation):
    """The first decision arrives twice, and the second call is executed without its own."""
    result = hunt(refunds, by_order, simulation, space=only("twice", "double_click", "refused"))
    assert shown(result) == ["AF408 refund: approval:refund#1:twice"]


def test_a_decision_taken_by_its_id_moves_its_own(simulation):
    """Also twice, in the middle of the first, refused, and too late."""
    result = hunt(refunds, by_id, simulation)
    assert shown(result) == []
    assert {kind for kind, times in result.kinds.items() if times} >= {
        "twice",
        "double_click",
        "refused",
        "late",
    }


def test_decisions_are_not_exercised_where_nobody_is_asked(simulation):
    """A loop that asks nobody."""

    def never_asks(world: World) -> Completion:
        world.tools.refund(order_id="A17")
        return Completion.success(handle="A17")

    result = hunt(refunds, never_asks, simulation, depth=1, deep_runs=0)
    assert any("AF802 one_decision_one_interrupt" in line for line in result.untested)
