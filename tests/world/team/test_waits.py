"""A sync agent waits for a handoff, or for its answer, as long as it said and no longer."""

import pytest

from agentfuzz import World, run, scenario


@scenario(task="Wait.")
def desk(world: World) -> None:
    world.agents("lead", "desk", "other")


def receives(world: World) -> None:
    with world.acting("lead"):
        world.handoff("other", "a task")
    with world.acting("desk"), pytest.raises(TimeoutError):
        world.inbox_of("desk").receive(60)


def asks(world: World) -> None:
    with world.acting("lead"):
        assert not world.answered(world.handoff("desk", "a task"), 60)


@pytest.mark.parametrize("agent", [receives, asks])
@pytest.mark.parametrize("plan", ["", "handoff:other#1:late", "handoff:desk#1:late"])
def test_it_waits_no_longer(agent, plan, simulation):
    """Whatever else arrives in between."""
    assert run(desk, agent, plan, simulation=simulation).history.ended.t == 60
