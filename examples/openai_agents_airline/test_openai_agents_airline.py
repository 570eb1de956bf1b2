"""The customer service of the OpenAI Agents SDK's examples: a triage, a handoff, a new seat."""

import asyncio
import contextlib
import io
import os

os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "1"  # else each run would be told to its maker

import agentfuzz
from agentfuzz import call, executed_as_asked, fuzz, own, recovers, results_paired, scenario, wire

with agentfuzz.taps("agents.decorators:tool") as tools:
    from examples.customer_service import main as app

SEAT = {"effect": "seat", "scope": ("confirmation_number",), "dedup": "scope"}
SCRIPT = [
    own("transfer_to_seat_booking_agent"),
    call("update_seat", confirmation_number="A17", new_seat="4C"),
    "You have seat 4C.",
]


@scenario(executed_as_asked(), recovers(), results_paired(), task="Seat 4C.", script=SCRIPT)
def airline(world):
    tools.tap(world, update_seat={**SEAT, "transport": "network"})


@fuzz(airline, each_run=("monkeypatch",), max_runs=100)
def test_openai_agents_airline(world, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{world.task}\n"))
    with wire.everywhere(world), contextlib.suppress(EOFError):  # then the customer is gone
        asyncio.run(app.main())
