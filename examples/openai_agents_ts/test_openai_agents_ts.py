"""A campaign against an agent in TypeScript, on @openai/agents."""

from agentfuzz import Completion, World, exactly_once, fuzz, scenario
from conftest import Worker

COMMAND = ["node", "--import", "tsx", "../worker.mjs", "agent.ts"]


@scenario(
    exactly_once("booking"),
    task="Book a table for four at eight.",
    script=[("book_table", {"guests": 4, "hour": 20}), "The table is booked."],
)
def book(world: World) -> None:
    """A table is to be booked."""

    @world.tool(effect="booking", scope=("guests", "hour"))
    def book_table(guests: int, hour: int) -> dict[str, str]:
        """Book a table."""
        return {"booking_id": "bk_1"}


@fuzz(book, only=("once/error",), max_runs=8)
def test_openai_agents_ts(world: World, worker: Worker) -> Completion:
    return worker.run(world)
