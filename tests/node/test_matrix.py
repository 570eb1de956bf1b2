"""The clients of JavaScript, against every fault of the model: the loop works in each of their
modes, a fault arrives as it does in production, and each makes of it what that client makes of it.

One Node process runs all of them (`worker.mjs`, `clients/`); the table is in `modes`. A reply that
is lost, and what a mode makes of a fault by itself, is all tried; of the usual, a part in
`make test`.
"""

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")
pytest.importorskip("uvicorn", reason="needs uvicorn")

from agentfuzz import World, exactly_once, own, scenario
from tests.conftest import Play
from tests.extent import some
from tests.node.modes import ANSWERING, HANDING, MODES, SAYS, USUAL, comes_to
from tests.node.test_node_agent import charge_order
from tests.node.worker import Mode, Worker, met

pytestmark = pytest.mark.slow

LOST = "charge_card#1:once/error"
SHORT = 20_000  # milliseconds of patience, a second in the worker's time


PAIRS = [(plan, mode) for plan in USUAL for mode in MODES]
WHOLE = [
    (plan, mode) for plan, mode in PAIRS if plan == LOST or comes_to(plan, mode) != USUAL[plan]
]
REST = [pair for pair in PAIRS if pair not in WHOLE]


@pytest.mark.parametrize(("plan", "mode"), [*WHOLE, *some(REST, 43)], ids=str)
def test_a_fault_comes_to_what_its_client_makes_of_it(
    worker: Worker, play: Play, mode: Mode, plan: str
) -> None:
    """Turns, calls and what is said in the end are those of the table; where a reply of the tool
    is lost, the card is charged twice (AF101)."""
    patience = {"patience": SHORT} if (mode.api, plan) == ("mcp", LOST) else {}
    made = play(charge_order, lambda world: worker.agent(world, mode, **patience), plan)
    assert met(made.history) == comes_to(plan, mode)
    twice = len(made.history.ledger) == 2
    assert ("AF101" in [found.code for found in made.violations]) == twice
    assert twice or plan != LOST


ONE_EACH = [mode for mode in MODES if mode.api in ("chat", "messages")]


@pytest.mark.parametrize("mode", ONE_EACH, ids=str)
def test_a_reply_that_never_comes(worker: Worker, play: Play, mode: Mode) -> None:
    """The client's own timeout ends the wait, and it asks again; Vercel's is for all of the run."""
    plan = "model#1:timeout"
    history = play(charge_order, lambda world: worker.agent(world, mode, SHORT), plan).history
    if mode.client == "vercel":
        assert met(history) == "1 turns, 0 calls, raises DOMException"
    else:
        turns, _, rest = met(history).partition(" turns, ")
        assert (int(turns) >= 3, rest) == (True, USUAL[""].partition(" turns, ")[2])


@scenario(task="Which order, and how much?", script=[{"order_id": "A17", "amount": 42}])
def receipt(world: World) -> None:
    """An answer that is a value."""


@pytest.mark.parametrize("mode", ANSWERING, ids=str)
@pytest.mark.parametrize(("plan", "turns"), [("", 1), ("model#1:rate_limited", 2)])
def test_an_answer_that_is_a_value(
    worker: Worker, play: Play, mode: Mode, plan: str, turns: int
) -> None:
    """What a schema was sent for comes back as its client reads it. LangChain reads the pieces of
    a streamed answer of Anthropic's one by one, and the first is no JSON."""
    history = play(receipt, lambda world: worker.agent(world, mode), plan).history
    says = 'says {"order_id": "A17", "amount": 42}'
    if str(mode) == "langchain-anthropic_structured-streamed":
        says = "raises OutputParserException"
    assert met(history) == f"{turns} turns, 0 calls, {says}"


@scenario(
    exactly_once("charge"),
    task="Charge order A17, 42.00 EUR.",
    script=[
        own("transfer_to_billing"),
        ("charge_card", {"order_id": "A17", "amount": 42}),
        "Order A17 is charged.",
    ],
)
def handed_over(world: World) -> None:
    """The task of another agent of the framework's own."""

    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str, amount: int) -> dict[str, object]:
        """Charge the customer's card."""
        return {"charge_id": "ch_1", "amount": amount}


@pytest.mark.parametrize("mode", HANDING, ids=str)
@pytest.mark.parametrize(("plan", "turns"), [("", 3), (LOST, 4)])
def test_an_agent_hands_over(worker: Worker, play: Play, mode: Mode, plan: str, turns: int) -> None:
    """A handoff is a tool that the agent offers; behind it a lost reply charges twice (AF101)."""
    made = play(handed_over, lambda world: worker.agent(world, mode), plan)
    assert met(made.history) == f"{turns} turns, {turns - 2} calls, {SAYS}"
    assert [found.code for found in made.violations] == (["AF101"] if plan else [])
