"""What a run of the systematic phase costs, against the bare loop.

    python benchmarks/systematic.py

The agent is a scripted tool-calling loop as people write it: five turns, each with one tool call
whose arguments come as JSON text, are parsed and dispatched, and whose result is appended to the
messages as JSON. *bare* runs it on the plain functions. The others run the same agent on a world
whose tools are the same functions:

- `no faults`: one simulated run without judging it,
- `judged`: the same, and the laws of the scenario read its history,
- `one fault`: the whole first level of a campaign, judged, counted and pruned as in real life,
- `campaign`: a whole campaign with every reachable pair, all runs counted.

CPU time a run; turns interleaved in one process; medians of the turns and of the ratios within
each turn. Runs under faults are shorter or longer than the bare loop, as the loop retries or
gives up; the mean number of tool calls of such a run is printed beside it. Goal: 3 times bare.
"""

import json
from collections.abc import Callable
from statistics import median

from _measure import cpu, interleaved, ratio, table

from agentfuzz import Completion, World, exactly_once, scenario, structured_termination
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.world.injector import FromPlan

RUNS = 300
TURNS = 15
PLANNED = (
    ("lookup_customer", '{"customer_id": "C9"}'),
    ("lookup_order", '{"order_id": "A17"}'),
    ("charge_card", '{"order_id": "A17", "amount": 4200}'),
    ("send_receipt", '{"order_id": "A17", "email": "ada@example.org"}'),
    ("log_note", '{"customer_id": "C9", "text": "charged A17 and sent the receipt"}'),
)


def lookup_customer(customer_id: str) -> dict:
    return {"customer_id": customer_id, "name": "Ada", "email": "ada@example.org"}


def lookup_order(order_id: str) -> dict:
    return {"order_id": order_id, "amount": 4200, "currency": "EUR", "status": "open"}


def charge_card(order_id: str, amount: int) -> dict:
    return {"charge_id": "ch_1", "order_id": order_id, "amount": amount}


def send_receipt(order_id: str, email: str) -> dict:
    return {"message_id": "m_1", "to": email}


def log_note(customer_id: str, text: str) -> dict:
    return {"note_id": "n_1"}


PLAIN = {
    f.__name__: f for f in (lookup_customer, lookup_order, charge_card, send_receipt, log_note)
}


def model(turn: int) -> dict:
    """A scripted assistant turn, as an API returns it."""
    if turn >= len(PLANNED):
        return {"role": "assistant", "content": "All done.", "tool_calls": []}
    name, arguments = PLANNED[turn]
    call = {"id": f"call_{turn}", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def loop(task: str, call: Callable[[str, dict], object]) -> str:
    """The orchestration: until the model has nothing more to call; a failed call is reported."""
    messages: list[dict] = [
        {"role": "system", "content": "You are a billing agent."},
        {"role": "user", "content": task},
    ]
    turn = 0
    while True:
        answer = model(turn)
        turn += 1
        messages.append(answer)
        if not answer["tool_calls"]:
            return "success"
        for wanted in answer["tool_calls"]:
            arguments = json.loads(wanted["function"]["arguments"])
            try:
                result = call(wanted["function"]["name"], arguments)
                content = json.dumps(result)
            except Exception as error:
                content = json.dumps({"error": str(error)})
            messages.append({"role": "tool", "tool_call_id": wanted["id"], "content": content})
            if '"error"' in content:
                return "blocked"


@scenario(exactly_once("charge"), structured_termination(), task="Charge A17, send the receipt.")
def billing(world: World) -> None:
    world.tool(lookup_customer)
    world.tool(lookup_order)
    world.tool(effect="charge", scope=("order_id",), dedup="scope")(charge_card)
    world.tool(effect="receipt", scope=("order_id",), dedup="scope")(send_receipt)
    world.tool(effect="note", scope=("customer_id",), dedup="scope")(log_note)


SUCCESS, BLOCKED = Completion.success(handle="ch_1"), Completion.blocked()


def agent(world: World) -> Completion:
    tools = world.tools
    said = loop(world.task, lambda name, arguments: tools[name](**arguments))
    return SUCCESS if said == "success" else BLOCKED


def main() -> None:
    mean_calls: dict[str, float] = {}

    def bare() -> float:
        def work() -> None:
            for _ in range(RUNS):
                loop("Charge A17, send the receipt.", lambda n, arguments: PLAIN[n](**arguments))

        return cpu(work) / RUNS

    with Simulation() as simulation:

        def clean(judged: bool) -> float:
            baseline = simulation.execute(billing, agent, FromPlan())

            def work() -> None:
                for _ in range(RUNS):
                    history = simulation.execute(billing, agent, FromPlan())
                    if judged:
                        billing.judge(history, baseline)

            return cpu(work) / RUNS

        def campaign(depth: int, name: str) -> float:
            budget = Budget(max_runs=10**6, max_seconds=600.0, depth=depth, deep_runs=0)
            one = Campaign(billing, agent, simulation, budget=budget)
            seconds = cpu(one.search)
            mean_calls[name] = sum(one._coverage.tools.values()) / one.runs
            return seconds / one.runs

        names = ("bare", "no faults", "judged", "one fault", "campaign")
        cases = (
            bare,
            lambda: clean(False),
            lambda: clean(True),
            lambda: campaign(1, "one fault"),
            lambda: campaign(2, "campaign"),
        )
        found = interleaved(dict(zip(names, cases, strict=True)), TURNS)

    rows = [
        (
            name,
            f"{median(found[name]) * 1e6:.1f}",
            f"{1 / median(found[name]):,.0f}",
            f"{ratio(found, name, 'bare'):.2f}",
            f"{mean_calls.get(name, 5):.1f}",
        )
        for name in names
    ]
    header = ("", "us a run", "runs/s", "x bare", "tool calls")
    table("systematic phase, 5 tool calls, goal 3.0 x bare", header, rows)


if __name__ == "__main__":
    main()
