"""What is tried at a tool depends on where it runs, and so does what is still true of old plans."""

import asyncio
import contextlib
from typing import Any

import pytest

from agentfuzz import Completion, World, at_most_once, scenario, truthful
from agentfuzz.archive.saved import Saved
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.space import Space

from .support import Agent, hunt, shown

UNKNOWN = Completion.blocked(reason="outcome_unknown")


def shop(transport: Any, **more: Any) -> Scenario:
    @scenario(at_most_once(), truthful(), task="Charge order A17.", **more)
    def story(world: World) -> None:
        @world.tool(transport=transport)
        def find(order_id: str) -> dict[str, int]:
            return {"cents": 4200}

        @world.tool(effect="charge", scope=("order_id",), transport=transport)
        def charge(order_id: str, cents: int) -> dict[str, str]:
            return {"charge_id": "ch_1"}

    return story


def careful(world: World) -> Completion:
    """Calls once, believes a whole receipt, and otherwise does not claim anything."""
    try:
        cents = world.tools.find(order_id="A17")["cents"]
        receipt = world.tools.charge(order_id="A17", cents=cents)
        return Completion.success(handle=receipt["charge_id"])
    except Exception:
        return UNKNOWN


async def patient(world: World) -> Completion:
    """The same in async, without a deadline."""
    try:
        cents = (await world.tools.aio.find(order_id="A17"))["cents"]
        receipt = await world.tools.aio.charge(order_id="A17", cents=cents)
        return Completion.success(handle=receipt["charge_id"])
    except Exception:
        return UNKNOWN


async def hasty(world: World) -> Completion:
    """With a deadline of its own, after which it claims nothing."""
    try:
        async with asyncio.timeout(5):
            return await patient(world)
    except TimeoutError:
        return UNKNOWN


def retries_what_raised(world: World) -> Completion:
    """A function that raised has done nothing: it is called again."""
    for _ in range(3):
        try:
            cents = world.tools.find(order_id="A17")["cents"]
            receipt = world.tools.charge(order_id="A17", cents=cents)
            return Completion.success(handle=receipt["charge_id"])
        except Exception:
            continue
    return Completion.failed(reason="tool_failed")


async def retries_what_hung(world: World) -> Completion:
    """Takes its own deadline for a failure."""
    for _ in range(3):
        try:
            async with asyncio.timeout(5):
                receipt = await world.tools.aio.charge(order_id="A17", cents=4200)
            return Completion.success(handle=receipt["charge_id"])
        except Exception:
            continue
    return UNKNOWN


def swallows(world: World) -> Completion:
    """Claims what raised."""
    with contextlib.suppress(Exception):
        world.tools.charge(order_id="A17", cents=4200)
    return Completion.success(handle="ch_1")


def test_each_transport_has_its_faults() -> None:
    """Behind at-most-once nothing comes twice or late; a function raises or hangs, and no more.
    A kind that cannot strike is not listed as one that never did."""
    tried = {}
    with Simulation() as simulation:
        for transport in ("network", "at_most_once", "local"):
            result = hunt(shop(transport), careful, simulation, max_runs=400)
            tried[transport] = set(result.kinds)
            assert all(result.kinds.values())
            assert not result.untested
    words = {word for kind in tried["network"] for word in kind.split("/")}
    assert {"twice", "late", "lost", "malformed"} < words
    assert tried["at_most_once"] == {
        kind for kind in tried["network"] if kind.split("/")[0] in ("once", "lost")
    }
    assert tried["local"] == {"raises", "hangs", "hangs/after"}


def test_a_request_in_flight_needs_somewhere_to_be() -> None:
    """When the process dies, a local function dies with it, and a transport without late requests
    has none under way."""
    moments = {}
    with Simulation() as simulation:
        for transport in ("network", "at_most_once", "local"):
            story = shop(transport, resume=True)
            result = hunt(story, careful, simulation, depth=1, deep_runs=0)
            moments[transport] = {kind for kind in result.kinds if kind.startswith("crash")}
    assert "crash/in_flight" in moments["network"]
    assert moments["at_most_once"] == moments["local"] == {"crash", "crash/after"}


def test_what_is_off_can_be_asked_for() -> None:
    """A function that raises after its work: `faults=("raises/after",)`."""
    space = Space(faults=("raises/after",))
    with Simulation() as simulation:
        found = shown(hunt(shop("local"), retries_what_raised, simulation, space=space))
    assert "AF101 charge: local:charge#1:raises/after" in found


@pytest.mark.parametrize("agent", [careful, patient, hasty, retries_what_raised])
def test_honest_loops_with_local_tools(agent: Agent) -> None:
    """No tool of the process itself is deduplicated, and nothing is wrong with that."""
    with Simulation() as simulation:
        assert shown(hunt(shop("local"), agent, simulation)) == []


@pytest.mark.parametrize(
    ("agent", "finding"),
    [
        (retries_what_hung, "AF101 charge: local:charge#1:hangs/after"),
        (swallows, "AF103 charge: local:charge#1:raises"),
    ],
)
def test_broken_loops_with_local_tools(agent: Agent, finding: str) -> None:
    """What a loop makes of an error or of its own deadline is still judged."""
    with Simulation() as simulation:
        found = hunt(shop("local"), agent, simulation)
    assert any(line.split(": ")[1] == finding.split(": ")[1] for line in shown(found)), shown(found)


def saved(plan: str) -> Saved:
    return Saved("AF-1234", "t", "AF102", "charge", "ran 2x", FaultPlan.parse(plan), "0" * 64)


@pytest.mark.parametrize(
    ("transport", "words", "note", "gone"),
    [
        ("network", {}, "still there", 0),
        ("local", {}, "charge#1:twice cannot happen to this tool (transport=, effect=)", 1),
        ("at_most_once", {}, "charge#1:twice cannot happen to this tool", 1),
        ("network", {"exclude": ("twice",)}, "this test does not try charge#1:twice", 0),
    ],
)
def test_a_saved_plan_that_is_not_tried_any_more(
    transport: str, words: dict[str, Any], note: str, gone: int
) -> None:
    """Whoever takes a way out is not told the same again: the note says why. What cannot happen is
    forgotten; what this test leaves out is not."""
    from agentfuzz.search.campaign import Campaign

    old = [saved("charge#1:twice")]
    with Simulation() as simulation:
        campaign = Campaign(shop(transport), careful, simulation, space=Space(**words))
        campaign.plain(old)
        found = campaign.result().findings
        assert note in campaign.notes[0]
        assert len(campaign.fixed) == gone
        assert bool(found) == (note == "still there")
        asked = Campaign(shop(transport), careful, simulation, space=Space(**words))
        asked.plain(old, asked=True)
        assert bool(asked.result().findings) == (transport != "local")
