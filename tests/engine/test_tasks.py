"""Several tasks in one run: what one leaves behind meets the next."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from agentfuzz import (
    Completion,
    World,
    duplicate_trigger_ignored,
    fuzz,
    no_redo,
    one_intent_per_key,
    run,
    scenario,
)
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Resumed
from agentfuzz.core.findings import CampaignResult
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign


@scenario(no_redo(), one_intent_per_key(), tasks=["A1", "B2"])
def shop(world: World) -> None:
    @world.tool(effect="charge", scope=("order",), dedup="key")
    def charge(order: str, idempotency_key: str) -> str:
        return order


def searched(story: Scenario, agent: Agent) -> CampaignResult:
    """A campaign to depth one."""
    with Simulation() as simulation:
        campaign = Campaign(story, agent, simulation, budget=Budget(depth=1, deep_runs=100))
        campaign.search()
        return campaign.result()


def charging(key: Callable[[World], str]) -> Agent:
    def agent(world: World) -> Completion:
        for _ in range(3):
            try:
                receipt = world.tools.charge(order=world.task, idempotency_key=key(world))
                if receipt == world.task:
                    return Completion.success(handle=receipt)
            except Exception:
                continue
        return Completion.failed()

    return agent


def test_each_task_is_a_request_of_its_own() -> None:
    """A leg each, with its own task and trigger."""
    seen = []

    def agent(world: World) -> Any:
        seen.append((world.task, world.trigger_id, world.why, world.leg))
        return charging(lambda world: world.trigger_id)(world)

    history = run(shop, agent).history
    assert seen == [("A1", "trigger_1", "", 1), ("B2", "trigger_2", "task", 2)]
    assert [event.why for event in history.of(Resumed)] == ["task"]
    assert [str(one) for one in history.intents] == ["charge(order='A1')", "charge(order='B2')"]
    assert "the next task begins" in str(history)


def test_what_one_task_leaves_behind_meets_the_next() -> None:
    """A key that the tasks of a day share: the backend takes the second for the first."""
    result = searched(shop, charging(lambda world: "today"))
    assert [(one.code, str(one.plan)) for one in result.findings] == [("AF107", "no faults")]


@pytest.mark.parametrize("key", [lambda world: world.trigger_id, lambda world: world.task])
def test_a_key_for_each_request_is_right(key: Callable[[World], str]) -> None:
    """Nothing is found, and a fault in one task is not held against the other."""
    result = searched(shop, charging(key))
    assert not result.findings, [(one.code, str(one.plan)) for one in result.findings]


def test_a_cache_that_outlives_its_task() -> None:
    """The agent's own store remembers that it is done, and does not ask for whom."""

    def agent(world: World) -> Completion:
        if world.store.get("charged"):
            return Completion.success(handle="cached")
        done = charging(lambda world: world.trigger_id)(world)
        if done.status == "success":
            world.store["charged"] = True
        return done

    def honest(world: World) -> Completion:
        if world.store.get(world.trigger_id):
            return Completion.success(handle=world.task)
        done = charging(lambda world: world.trigger_id)(world)
        if done.status == "success":
            world.store[world.trigger_id] = True
        return done

    missing = [v for v in run(shop, agent).history.intents if "B2" in str(v)]
    assert not missing
    assert not searched(shop, honest).findings


@scenario(duplicate_trigger_ignored(), tasks=["A1", "B2"], faults=["duplicate_trigger"])
def twice(world: World) -> None:
    @world.tool(effect="charge", scope=("order",), dedup="key")
    def charge(order: str, idempotency_key: str) -> str:
        return order


def test_the_first_trigger_comes_again() -> None:
    """With its own task and id, after the second has been done."""
    seen = []

    def agent(world: World) -> Completion:
        seen.append((world.why, world.task, world.trigger_id))
        return charging(lambda world: world.trigger_id)(world)

    run(twice, agent, "end#1:duplicate_trigger")
    first, second = ("", "A1", "trigger_1"), ("task", "B2", "trigger_2")
    assert seen[:2] == [first, second], "without faults"
    assert sorted(seen[2:]) == sorted([first, second, ("duplicate", "A1", "trigger_1")])
    assert not searched(twice, charging(lambda world: world.trigger_id)).findings


@pytest.mark.parametrize("tasks", ["A1", [], [1], 3])
def test_what_are_no_tasks(tasks: Any) -> None:
    """Named where they are written."""
    with pytest.raises(ScenarioError, match="write a list of texts"):
        scenario(tasks=tasks)
    with pytest.raises(ScenarioError, match="give one"):
        scenario(task="A", tasks=["A", "B"])


def test_tasks_of_inputs() -> None:
    """They are a function of the data."""

    @scenario(
        given={"orders": st.lists(st.sampled_from(["A", "B"]), min_size=2, max_size=2)},
        tasks=lambda data: data["orders"],
    )
    def drawn(world: World) -> None:
        """Nothing to call."""

    seen = []

    @fuzz(drawn)
    def agent(world: World) -> Completion:
        seen.append(world.task)
        return Completion.success()

    run(drawn, agent, 'given:orders=["B","A"]')
    assert seen == ["B", "A"]


SCRIPTS = [[("charge", {"order": "A1"}), "A1 is done."], [("charge", {"order": "B2"}), "B2."]]
ORDERS = st.lists(st.sampled_from(["A1", "B2"]), min_size=1, max_size=2, unique=True)


@pytest.mark.parametrize(
    ("script", "plans"),
    [
        (lambda data: [[("charge", {"order": one}), one] for one in data["orders"]],
         {'["A1"]': ["A1"], '["B2","A1"]': ["B2", "A1"]}),
        (SCRIPTS, {'["A1","B2"]': ["A1", "B2."]}),
        (SCRIPTS[:1], {'["A1"]': ["A1"]}),
    ],
)  # fmt: skip
def test_scripts_of_tasks_of_inputs(script: Any, plans: dict[str, list[str]]) -> None:
    """One for each, how many there may be: one alone stands in a list as well."""
    story = drawn_shop(script)
    for given, said in plans.items():
        history = run(story, asking, f"given:orders={given}").history
        assert [done.detail.removesuffix(" is done.") for done in history.completions] == said
        assert len(history.intents) == len(said)


def test_as_many_scripts_as_tasks() -> None:
    """Where the data has another number of tasks, the inputs are named."""
    with pytest.raises(ScenarioError, match=r"given:orders=.*with 2 tasks is a list of 2 scripts"):
        run(drawn_shop(SCRIPTS[:1]), asking, 'given:orders=["A1","B2"]')


def drawn_shop(script: Any) -> Scenario:
    @scenario(given={"orders": ORDERS}, tasks=lambda data: data["orders"], script=script)
    def drawn(world: World) -> None:
        @world.tool(effect="charge", scope=("order",), dedup="scope")
        def charge(order: str) -> str:
            return order

    return drawn


def asking(world: World) -> Completion:
    """A loop: what the model asks for is called, until it says something."""
    messages: list[Any] = [{"role": "user", "content": world.task}]
    while True:
        turn = world.model(messages)
        messages.append(turn)
        if not turn["tool_calls"]:
            return Completion.success(detail=turn["content"])
        for call in turn["tool_calls"]:
            content = world.tools[call["name"]](**call["arguments"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})


def test_a_restart_goes_on_with_its_task() -> None:
    """Under its own trigger, whatever else of the process is gone."""
    seen = []

    @scenario(tasks=["A1", "B2"], resume=True)
    def resumed(world: World) -> None:
        @world.tool(effect="charge", scope=("order",), dedup="key")
        def charge(order: str, idempotency_key: str) -> str:
            return order

    def agent(world: World) -> Completion:
        seen.append((world.task, world.trigger_id, world.why))
        return charging(lambda world: world.trigger_id)(world)

    run(resumed, agent, "process:charge#2:crash")
    assert seen[-2:] == [("B2", "trigger_2", "task"), ("B2", "trigger_2", "restart")]
    assert not searched(resumed, charging(lambda world: world.trigger_id)).findings


def test_a_script_for_each_task() -> None:
    """The model plans what belongs to the task; after a restart, too."""

    @scenario(tasks=["A1", "B2"], script=SCRIPTS, resume=True)
    def scripted(world: World) -> None:
        @world.tool(effect="charge", scope=("order",), dedup="scope")
        def charge(order: str) -> str:
            return order

    for plan in ("", "process:charge#2:crash", "process:charge#1:crash"):
        history = run(scripted, asking, plan).history
        assert [str(one) for one in history.intents] == [
            "charge(order='A1')", "charge(order='B2')"
        ], plan  # fmt: skip
    with pytest.raises(ScenarioError, match="is a list of 2 scripts, one for each"):
        scenario(tasks=["A1", "B2"], script=SCRIPTS[0])


def test_each_task_has_its_crossings() -> None:
    """What is enough for one is enough for each of several."""

    @scenario(tasks=["A1", "B2", "C3"], max_crossings=5)
    def long(world: World) -> None:
        @world.tool
        def look() -> str:
            return "seen"

    def agent(world: World) -> Completion:
        for _ in range(4):
            world.tools.look()
        return Completion.success()

    assert run(long, agent).history.endings == ["returned"] * 3


def test_a_task_that_lies_where_nothing_is_wrong() -> None:
    """The run without faults lies as well: who names what has to happen sees it."""
    from agentfuzz import exactly_once

    def lies(world: World) -> Completion:
        if world.task == "B2":
            return Completion.success(handle="B2")
        return charging(lambda world: world.trigger_id)(world)

    @scenario(exactly_once("charge", intents=[{"order": "A1"}, {"order": "B2"}]),
              tasks=["A1", "B2"])  # fmt: skip
    def named(world: World) -> None:
        shop.build(world)

    assert "AF103" in {one.code for one in run(named, lies).violations}
    honest = charging(lambda world: world.trigger_id)
    assert not searched(named, honest).findings
