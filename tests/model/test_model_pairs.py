"""Bugs that take a fault of the model and one of a tool, each of them harmless by itself.

Law: the plan is asserted as text, and it is the same one from wherever the search comes: from the
walk over all pairs, and from a larger plan that is shrunk.
"""

from typing import Any, NamedTuple

import pytest

from agentfuzz import Completion, Invariant, ModelError, Scenario, truthful
from agentfuzz.archive.saved import Saved
from agentfuzz.core.faults import TABLES
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.space import Space
from invariants.loops.field import Loop, plain
from model.loops import CLOSING, SUCCESS, Careful, order
from search.support import hunt, shown, smallest

TOOL = TABLES["tool"]

OF_TOOLS = tuple(map(str, TOOL.all()))


class WasAsked(Careful):
    """The work was under way when the model ended, so it is done."""

    def answer(self, turn):
        return SUCCESS if self.calls else super().answer(turn)


class WasUnderWay(Careful):
    """The work was under way when the model's API failed, so it is done."""

    def ask(self):
        try:
            return self.world.model(self.messages)
        except ModelError as error:
            return CLOSING if error.status >= 500 and self.calls else None
        except (TimeoutError, ConnectionError):
            return None

    def answer(self, turn):
        return SUCCESS if turn is CLOSING else super().answer(turn)


class CountsReceipts(Careful):
    """Lets a charge be taken back, and says so, if the receipt of that comes."""

    def answer(self, turn):
        if ("cancel_charge", "A17") in self.receipts:
            return Completion.cancelled()
        return super().answer(turn)

    def execute(self, call):
        if call["name"] != "cancel_charge":
            return super().execute(call)
        text = Loop.execute(self, call)
        self.receipts["cancel_charge", "A17"] = text
        return text


def still_charged(history: Any) -> bool:
    """Nothing was taken back."""
    return "refund" not in {commit.intent.effect for commit in history.ledger}


class Pair(NamedTuple):
    """A bug that takes a fault of the model and one of a tool: the smallest plan, and one with
    ballast that contains it."""

    victim: type[Loop]
    law: Invariant
    plan: str
    ballast: str


def recognised(law: Invariant) -> Scenario:
    """The order, at a backend that recognises a repeat: one that comes late does no harm."""
    return order(law, dedup="scope")


LOST = "charge_card#1:lost/timeout"
PAIRS = {
    "skip": Pair(
        WasAsked,
        truthful(),
        f"model#2:skip + {LOST}",
        f"model#1:duplicate_ids + model#2:skip + {LOST}",
    ),
    "error": Pair(
        WasUnderWay,
        truthful(),
        f"model#2:error + {LOST}",
        f"model#1:duplicate_ids + model#2:error=1 + {LOST}",
    ),
    "contradict": Pair(
        CountsReceipts,
        truthful(postcondition=still_charged),
        "model#2:contradict + cancel_charge#1:once/timeout",
        "model#1:duplicate_ids + model#2:contradict + model#3:reword=5"
        " + cancel_charge#1:once/timeout",
    ),
}


@pytest.fixture(scope="module")
def simulation():
    with Simulation() as made:
        yield made


@pytest.mark.parametrize("kind", PAIRS)
def test_a_fault_of_the_model_with_one_of_a_tool(kind, simulation):
    """No single fault breaks it, unless it lasts; both together do, and each of them is needed."""
    pair = PAIRS[kind]
    space = Space(only=(kind, *OF_TOOLS))
    result = hunt(recognised(pair.law), plain(pair.victim), simulation, space=space)
    (found,) = [cx for cx in result.findings if str(cx.plan) == pair.plan]
    assert {line.partition(":")[0] for line in smallest(result)} == {"AF301 claim"}
    assert not any(len(cx.plan) == 1 and not cx.plan.lasting for cx in result.findings)
    assert found.phase in ("plans with two faults", "covering array")
    assert [control.broken for control in found.controls] == [False, False]


@pytest.mark.parametrize("kind", PAIRS)
def test_ballast_is_shrunk_away(kind, simulation):
    """From a larger plan that breaks it too, the same plan is left."""
    pair = PAIRS[kind]
    saved = Saved("AF-0001", "", "AF301", "claim", "", FaultPlan.parse(pair.ballast), "")
    how = {"saved": [saved], "depth": 0, "deep_runs": 0}  # nothing finds a smaller one by itself
    result = hunt(recognised(pair.law), plain(pair.victim), simulation, **how)
    assert shown(result) == [f"AF301 claim: {pair.plan}"]
    assert result.notes == ("replayed saved finding AF-0001: still there",)
    assert result.findings[0].faults_before == len(saved.plan)
