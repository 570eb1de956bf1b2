"""What LangGraph's and LangChain's default loops do under faults, and how they are set up so that
they do not."""

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("langgraph")
pytest.importorskip("langchain")

from agentfuzz import AgentfuzzError, Run, known_input, run
from agentfuzz.adapters.contract import agent
from agentfuzz.adapters.langgraph import ADAPTER
from agentfuzz.adapters.testing import situation
from agentfuzz.core.events import Called, Committed, Crashed, Interrupted, ModelTurn
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.space import Space

from .variants import VARIANTS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
WIRES = [name for name in ("chat", "responses", "anthropic") if name in ADAPTER.entrypoints]
wired = pytest.mark.skipif(not WIRES, reason="needs langchain-openai and langchain-anthropic")


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    ADAPTER.warm()


def played(name: str, entrypoint: str, plan: str = "", *laws: Any, variant: str = "") -> Run:
    chosen = situation(ADAPTER, name)
    story = replace(chosen.scenario, invariants=(*chosen.scenario.invariants, *laws))
    options = VARIANTS[variant]() if variant else {}
    return run(story, agent(ADAPTER, entrypoint, **{**chosen.words, **options}), plan)


def codes(found: Run) -> set[str]:
    return {violation.code for violation in found.violations}


@pytest.mark.parametrize("entrypoint", ["prebuilt", "async", "stream"])
def test_a_tool_that_raised_is_a_call_without_a_result(entrypoint: str) -> None:
    """The thread goes on with it, and the call is made again; told of the error, and with a key for
    each intent, it is made once."""
    plan = "charge_card#1:once/timeout"
    assert codes(played("conversation", entrypoint, plan)) == {"AF101", "AF404", "AF406"}
    assert codes(played("conversation", entrypoint, plan, variant="told")) == set()


@wired
@pytest.mark.parametrize("entrypoint", WIRES)
def test_the_provider_refuses_such_a_thread(entrypoint: str) -> None:
    """Where a provider looks at it, the conversation is over."""
    plan = "charge_card#1:once/timeout"
    assert "AF419" in codes(played("conversation", entrypoint, plan))
    assert codes(played("conversation", entrypoint, plan, variant="told")) == set()


@pytest.mark.parametrize(
    ("name", "plan", "cure", "code"),
    [
        ("alone", "model#1:malformed_args", "invalid_told", "AF407"),
        ("alone", "model#1:duplicate_ids", "once_each", "AF407"),
        ("siblings", "model#2:truncated", "only_whole", "AF208"),
    ],
)
def test_a_reply_is_carried_out_as_it_comes(name: str, plan: str, cure: str, code: str) -> None:
    """A call that cannot be read ends the run, one that is there twice is made twice, what is whole
    of a reply that was cut off is carried out; a hook after the model mends it."""
    assert code in codes(played(name, "prebuilt", plan))
    assert codes(played(name, "prebuilt", plan, variant=cure)) == set()


@wired
@pytest.mark.parametrize("entrypoint", [f"{name}_stream" for name in WIRES])
def test_a_stream_that_ends_early_is_a_whole_reply(entrypoint: str) -> None:
    """Half of the closing is the answer, unless somebody looks at how the reply stopped."""
    assert codes(played("alone", entrypoint, "model#2:cut")) == {"AF208"}
    assert codes(played("alone", entrypoint, "model#2:cut", variant="only_whole")) == set()
    whole = played("alone", entrypoint, variant="only_whole")
    assert whole.history.ended is not None
    assert whole.history.ended.value == "Shipped."


@wired
@pytest.mark.parametrize("entrypoint", WIRES)
def test_the_client_asks_again(entrypoint: str) -> None:
    """Each of its requests is a turn of the model; without its retries the error ends the run."""
    found = played("alone", entrypoint, "model#1:rate_limited")
    assert len(found.history.of(ModelTurn)) == 3
    once = played("alone", entrypoint, "model#1:rate_limited", variant="no_client_retries")
    assert len(once.history.of(ModelTurn)) == 1
    assert once.history.ended is not None
    assert once.history.ended.how == "raised"


def test_a_node_of_several_calls_is_run_again_for_each_answer() -> None:
    """A call that was allowed is made once more when the next one is; a node for each call does not
    do that."""
    one = played("approved", "react", variant="one_node")
    assert [call.tool for call in one.history.of(Committed)].count("charge_card") == 2
    assert {"AF101", "AF408", "AF409"} <= codes(one)
    assert codes(played("approved", "react")) == set()


@pytest.mark.parametrize("entrypoint", ["react", "functional", "graph", "prebuilt"])
def test_each_call_has_its_own_approval(entrypoint: str) -> None:
    """Two calls wait, by their own ids, and each is made once."""
    found = played("approved", entrypoint)
    asked = [one.call for one in found.history.of(Interrupted)]
    made = [call.asked for call in found.history.of(Called) if call.intent is not None]
    assert sorted(asked) == sorted(map(str, made)) == ["tc_2", "tc_3"]


def test_an_approval_wants_a_checkpointer() -> None:
    """As the framework itself does; the error says which word is missing."""
    loop = agent(ADAPTER, "prebuilt", approvals=("ship",))
    with pytest.raises(AgentfuzzError, match="session=True"):
        run(situation(ADAPTER, "alone").scenario, loop)


@pytest.mark.parametrize("entrypoint", ["prebuilt", "react", "functional", "graph"])
def test_a_restart_goes_on_at_the_checkpoint(entrypoint: str) -> None:
    """A process that dies at a turn of the model makes no call again whose result was saved."""
    found = played("restarted", entrypoint, "turn#3:crash")
    assert found.history.of(Crashed)
    assert [one.tool for one in found.history.of(Committed)] == ["charge_card", "ship"]
    assert codes(found) == set()


@pytest.mark.parametrize("entrypoint", ["async", "graph", "functional"])
def test_of_a_loop_that_is_stopped_nothing_goes_on(entrypoint: str) -> None:
    """The task is cancelled, and what it had begun with it."""
    found = played("slow", entrypoint, "process:charge_card#1:cancel/in_flight")
    assert codes(found) == set()
    assert found.history.ended is not None
    assert found.history.ended.error == "CancelledError"


@pytest.mark.parametrize("entrypoint", ["prebuilt", "react", "functional", "graph"])
def test_nobody_adds_to_the_prompt(entrypoint: str) -> None:
    """What the model is shown is what the user and the tools said."""
    found = played("one_by_one", entrypoint, "", known_input())
    assert "AF416" not in codes(found)


@pytest.mark.slow
def test_a_careful_loop_holds() -> None:
    """The error is told to the model, and each intent has its key: no two faults of the tool's
    delivery, and no burst of them, make a second shipment."""
    chosen = situation(ADAPTER, "alone")
    loop = agent(ADAPTER, "prebuilt", **{**chosen.words, **VARIANTS["told"]()})
    with Simulation() as simulation:
        search = Campaign(
            chosen.scenario,
            loop,
            simulation,
            space=Space(only=("timeout", "error", "twice", "late", "lost")),
            budget=Budget(depth=2, deep_runs=0, max_seconds=600),
        )
        search.search()
        result = search.result()
    assert [(found.code, str(found.plan)) for found in result.findings] == []
