"""Counterexamples written by hand: the smallest histories that show each kind of finding.

Called by every test of the reports. `ALL` maps a name to a counterexample, `RESULTS` holds two
campaigns with some of them.
"""

from typing import Any

from agentfuzz.core.events import Delivered, Done, Ended, ModelTurn, Refused, Replayed
from agentfuzz.core.faults import Slot
from agentfuzz.core.findings import (
    CampaignResult,
    Control,
    Counterexample,
    LawCount,
    Level,
)
from agentfuzz.core.history import History
from agentfuzz.core.matrix import Cell, Matrix, Row
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation
from agentfuzz.report.account import Account

from .log import ARGS, Log


def baseline() -> History:
    log = Log()
    log.call(1)
    log.commit(1)
    log.reply(1)
    log.success()
    return log.history()


def counterexample(
    history: History,
    violation: Violation,
    plan: str = "",
    *,
    id: str = "AF-0001",
    nodeid: str = "tests/test_shop.py::test_billing_agent",
    controls: tuple[Control, ...] = (),
    faults_before: int = 0,
    shrink_runs: int = 0,
    location: str | None = "shop/agent.py:31 charge_order",
    base: History | None = None,
) -> Counterexample:
    parsed = FaultPlan.parse(plan)
    return Counterexample(
        id=id,
        nodeid=nodeid,
        scenario="charge_order",
        task="Charge order A17, 42.00 EUR.",
        law="exactly_once('charge')",
        violation=violation,
        plan=parsed,
        history=history,
        baseline=history if not plan else base or baseline(),
        phase="single faults",
        faults_before=faults_before or len(parsed),
        shrink_runs=shrink_runs,
        controls=controls,
        location=location,
    )


def twice(witness: tuple[int, ...], code: str = "AF101") -> Violation:
    return Violation(
        code=code,
        subject="charge",
        title="charge_card ran 2x, expected 1",
        sentence="charge(order_id='A17') took effect 2 times: the agent called charge_card again."
        if code == "AF101"
        else "charge(order_id='A17') took effect 2 times: one request was delivered 2 times and "
        "the backend of charge_card did not recognise it.",
        says="2 calls of charge_card" if code == "AF101" else "1 call of charge_card",
        world="charge(order_id='A17') happened 2 times",
        witness=witness,
        hint="look up before calling again, or give charge_card an idempotency key",
    )


def double_charge() -> Counterexample:
    log = Log()
    log.call(1)
    log.strike("charge_card#1:once/timeout")
    first = log.commit(1)
    log.t = 30.0
    log.reply(1, "unknown", raised="TimeoutError")
    log.call(2)
    second = log.commit(2)
    log.reply(2, body={"charge_id": "ch_2", "amount": 4200})
    log.success()
    return counterexample(
        log.history(),
        twice((first, second)),
        "charge_card#1:once/timeout",
        id="AF-a78d",
        faults_before=3,
        shrink_runs=14,
        controls=(Control("charge_card#1:once/timeout", "no faults", False, "1 charge"),),
    )


def delivered_twice() -> Counterexample:
    log = Log()
    log.call(1)
    log.strike("charge_card#1:twice")
    first = log.commit(1)
    second = log.commit(1, 2)
    log.reply(1)
    log.success()
    return counterexample(
        log.history(),
        twice((first, second), "AF102"),
        "charge_card#1:twice",
        id="AF-b102",
        controls=(Control("charge_card#1:twice", "no faults", False, "1 charge"),),
        location=None,
    )


def premature_success() -> Counterexample:
    log = Log()
    log.call(1)
    log.strike("charge_card#1:lost/timeout")
    log.t = 30.0
    log.reply(1, "unknown", raised="TimeoutError")
    done = log.success()
    violation = Violation(
        code="AF103", subject="charge", title="charge 0x, claimed success",
        sentence="The agent claims success and charge(order_id='A17') never happened.",
        says="success (completed)", world="charge(order_id='A17') did not happen", witness=(done,),
        hint="claim success only after the effect's own receipt has been seen",
    )  # fmt: skip
    return counterexample(log.history(), violation, "charge_card#1:lost/timeout", id="AF-c103")


def cut_off(calls: int = 60) -> Counterexample:
    log = Log()
    log.strike("lookup#1:once/rate_limited")
    for n in range(1, calls + 1):
        log.call(n, "lookup", {"order_id": "A17"})
        log.add(Delivered, f"call_{n}", 1)
        if n == 1:
            log.reply(n, "failed", raised="RateLimited")
        else:
            log.reply(n, body={"status": "pending"})
        log.t += 2.0
    end = log.add(Ended, "cut_off", None, "budget", f"{calls} crossings")
    violation = Violation(
        code="AF201", subject="run", title="never ended by itself",
        sentence=f"The run was cut off after {calls} tool calls and {log.t:g} virtual seconds: "
        f"{calls} crossings.",
        says="still busy", world="cut off (budget)", witness=(end,),
        hint="count attempts, and end with partial, blocked or failed when they are used up",
    )  # fmt: skip
    return counterexample(log.history(), violation, "lookup#1:once/rate_limited", id="AF-d201")


def late_delivery() -> Counterexample:
    log = Log()
    log.call(1)
    log.strike("charge_card#1:late/timeout@45")
    log.t = 30.0
    log.reply(1, "unknown", raised="TimeoutError")
    log.call(2, key="k-2")
    first = log.commit(2)
    log.reply(2)
    log.add(Done, "tool", "success", "completed", "ch_1", "")
    log.t = 45.0
    second = log.commit(1)
    log.add(Ended, "returned", "Charged 42.00 EUR.", "", "")
    return counterexample(
        log.history(),
        twice((first, second)),
        "charge_card#1:late/timeout@45",
        id="AF-e101",
        controls=(Control("charge_card#1:late/timeout@45", "no faults", True, "2 charge"),),
    )


def reworded() -> Counterexample:
    log = Log()
    model = Slot("model", "", 1)
    log.add(ModelTurn, model, 1, None, (("toolu_1", "charge_card", ARGS),), "tool_calls")
    log.call(1, asked="toolu_1")
    log.commit(1)
    log.reply(1)
    log.strike("model#2:reword=3")
    text = "I believe that should be everything for now."
    log.add(ModelTurn, model._replace(nth=2), 3, text, (), "end")
    end = log.add(Ended, "returned", text, "", "")
    violation = Violation(
        code="AF204", subject="completion", title="ended without a completion event",
        sentence=(
            f"The agent returned '{text}' and no completion event: somebody has to guess from "
            "prose how the task ended."
        ),
        says=f"'{text}'",
        world="nothing that says success, partial, blocked or failed", witness=(end,),
        hint="return a Completion, call the done tool, or map the answer with outcome=",
    )  # fmt: skip
    return counterexample(log.history(), violation, "model#2:reword=3", id="AF-f204")


def empty_plan() -> Counterexample:
    log = Log()
    log.call(1, key="k-1")
    first = log.commit(1)
    log.reply(1)
    log.call(2, args={"order_id": "A17", "amount": 42}, key="k-2")
    second = log.commit(2)
    log.reply(2)
    log.success()
    return counterexample(log.history(), twice((first, second)), id="AF-9101")


def two_faults() -> Counterexample:
    log = Log()
    log.call(1, "lookup", {"order_id": "A17"}, nth=1)
    log.strike("lookup#1:once/truncated")
    log.add(Delivered, "call_1", 1)
    log.reply(1, "unknown", body='{"status": "unp', complete=False)
    log.call(2, nth=1)
    first = log.commit(2)
    log.strike("charge_card#1:once/error")
    log.reply(2, "unknown", raised="ConnectionError")
    log.t = 1.0
    log.call(3, nth=2)
    second = log.commit(3)
    log.reply(3)
    log.call(4, "ship", {"order_id": "A17", "idempotency_key": "ship-A17"}, "ship-A17", nth=1)
    log.commit(4, tool="ship")
    log.reply(4, body={"parcel": "P9"})
    log.call(5, "ship", {"order_id": "A17", "idempotency_key": "ship-A17"}, "ship-A17", nth=2)
    log.add(Delivered, "call_5", 1)
    log.add(Replayed, "shipment-3", "call_5", 1)
    log.reply(5, "replayed", body={"parcel": "P9"})
    log.call(6, "ship", {"order_id": 17}, "ship-A17", nth=3)
    log.add(Delivered, "call_6", 1)
    log.add(Refused, "call_6", "key_reused", "ship: key 'ship-A17' was used with other parameters")
    log.reply(6, "failed", raised="KeyReused")
    log.success()
    plan = "charge_card#1:once/error + lookup#1:once/truncated"
    return counterexample(
        log.history(),
        twice((first, second)),
        plan,
        id="AF-2101",
        faults_before=7,
        shrink_runs=41,
        controls=(
            Control("charge_card#1:once/error", "lookup#1:once/truncated", False, "1 charge"),
            Control("lookup#1:once/truncated", "charge_card#1:once/error", False, "1 charge"),
        ),
    )


ALL = {
    "double_charge": double_charge(),
    "delivered_twice": delivered_twice(),
    "premature_success": premature_success(),
    "cut_off": cut_off(),
    "late_delivery": late_delivery(),
    "reworded": reworded(),
    "empty_plan": empty_plan(),
    "two_faults": two_faults(),
}


MATRIX = Matrix(
    {"read": ("once/timeout", "once/hostile"), "write": ("once/timeout", "twice", "late/timeout")},
    (
        Row(
            Slot("tool", "lookup", 1),
            "read",
            {
                "once/timeout": Cell(alone=1, beside=12, same=True),
                "once/hostile": Cell(idle=True),
            },
        ),
        Row(
            Slot("tool", "charge_card", 1),
            "write",
            {
                "once/timeout": Cell(alone=2, beside=9, codes={"AF101": 2, "AF106": 1}),
                "twice": Cell(alone=1, beside=20),
                "late/timeout": Cell(alone=1, beside=4, together={"AF301": 1}),
            },
        ),
        Row(Slot("tool", "charge_card", 2), "write", {"twice": Cell(beside=3)}, opened=True),
        Row(Slot("model", "", 2), "done", {"reword": Cell(alone=4, codes={"AF204": 1})}),
        Row(Slot("tool", "ship", 1), "write", {}),
    ),
)


def campaign(*names: str, **changes: Any) -> CampaignResult:
    """A campaign that found the samples of these names."""
    fields: dict[str, Any] = {
        "nodeid": "tests/test_shop.py::test_billing_agent",
        "scenario": "charge_order",
        "runs": 214,
        "seconds": 9.1,
        "struck": 612,
        "stopped": "exhausted",
        "seed": 7,
        "levels": (
            Level("plans with one fault", 214, 214),
            Level("with two", 5000, 8112, 3112),
            Level("random plans", 300, None),
        ),
        "findings": tuple(ALL[name] for name in names),
        "laws": {
            "exactly_once('charge')": LawCount(200, 14, 0),
            "structured_termination": LawCount(214, 0, 0),
            "valid_calls": LawCount(0, 0, 214),
        },
        "kinds": {"once/timeout": 31, "twice": 20, "once/hostile": 0},
        "tools": {"charge_card": 431, "lookup": 0},
        "untested": ("AF803 lookup was never called",),
        "clean": "clean run: 1 tool call, 1 effect, ended success",
        "matrix": MATRIX,
    }
    return CampaignResult(**{**fields, **changes})


RESULTS = (
    campaign("double_charge", "reworded"),
    campaign(
        nodeid="tests/test_shop.py::test_careful_agent",
        runs=9431,
        stopped="max_runs",
        untested=(),
        notes=("replayed saved finding AF-77aa: fixed",),
        matrix=Matrix(MATRIX.kinds, (MATRIX.rows[0], MATRIX.rows[2])),
    ),
)
TOLD = Account(results=RESULTS)
