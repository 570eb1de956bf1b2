"""The customer service of the OpenAI Agents SDK's examples: a triage, a handoff, a new seat."""

import asyncio
import contextlib
import io
import os

os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "1"

import agentfuzz
from agentfuzz import call, errors_surface, executed_as_asked, fuzz, own, receipts_shown, results_paired, scenario, wire, recovers, known_input, truthful

with agentfuzz.taps("agents.decorators:tool") as tools:
    from examples.customer_service import main as app

SEAT = {"effect": "seat", "scope": ("confirmation_number",), "transport": "network", "dedup":"scope"}
SCRIPT = [
    own("transfer_to_seat_booking_agent"),
    call("update_seat", confirmation_number="A17", new_seat="4C"),
    "You have 4C.",
]


@scenario(executed_as_asked(), errors_surface(), results_paired(), receipts_shown(), recovers(), task="Seat 4C for A17, please.", script=SCRIPT)
def seat(world):
    tools.tap(world, update_seat=SEAT)


@fuzz(seat, each_run=("monkeypatch",), max_runs=200)
def test_openai_agents_airline(world, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{world.task}\n"))
    with wire.everywhere(world), contextlib.suppress(EOFError):
        asyncio.run(app.main())
