"""The flight booking of pydantic-ai's examples: three agents, a person at a prompt, a purchase."""

import asyncio
import io
import os

os.environ["OPENAI_API_KEY"] = "none"

from pydantic_ai_examples import flight_booking as app

from agentfuzz import fuzz, own, recovers, same_arguments, scenario, wire

WAY = {"origin": "SFO", "destination": "ANC", "date": "2025-01-10"}
FLIGHT = {"flight_number": "SFO-AK123", "price": 350, **WAY}
SCRIPTS = [
    [own("extract_flights"), own("final_result_FlightDetails", **FLIGHT)],
    [own("final_result", response=[FLIGHT])],
    [own("final_result_SeatPreference", row=1, seat="A")],
]


@scenario(same_arguments("ticket"), recovers(), task="Fly to Anchorage.", scripts=SCRIPTS)
def fly(world):
    world.tap(app.buy_tickets, effect="ticket", scope=(), transport="at_most_once")


@fuzz(fly, each_run=("monkeypatch",), exclude=("ambiguous",), max_runs=60)
def test_pydantic_ai_flights(world, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("buy\nrow one, at the window\n"))
    with wire.everywhere(world):
        asyncio.run(app.main())
