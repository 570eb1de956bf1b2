"""One seat and two travellers, whose agents hand their work to pools of threads.

Law: an agent says by itself what it does in a pool. Called by the tests of pools.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

from agentfuzz import Completion, exactly_once, scenario
from agentfuzz.core.events import Called, Committed

DONE = Completion.success(handle="seat_12A")


@scenario(exactly_once("booking"))
def flight(world):
    """One seat, two travellers, and a backend that trusts its caller."""
    world.state["free"] = True

    @world.tool
    def seat_is_free():
        return world.state["free"]

    @world.tool(effect="booking", scope=("seat",))
    def book_seat(seat: str, who: str):
        world.state["free"] = False
        return {"seat": seat, "who": who}


def check_then_act(world, who):
    if world.tools.seat_is_free():
        world.tools.book_seat(seat="12A", who=who)


def racy(world):
    """Two workers check, then act."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda who: check_then_act(world, who), ("Ada", "Bob")))
    return DONE


def locked(world):
    """The same under a lock."""
    lock = threading.Lock()

    def book(who):
        with lock:
            check_then_act(world, who)

    with ThreadPoolExecutor() as pool:
        list(pool.map(book, ("Ada", "Bob")))
    return DONE


def pooled(*names, pool=ThreadPoolExecutor, **options):
    """An agent that hands one piece of work for each name to a pool."""

    def decorate(work):
        def agent(world):
            with pool(**options) as executor:
                futures = [executor.submit(work, world, name) for name in names]
            return [future.result() for future in futures]

        return agent

    return decorate


def booked(history):
    return [commit.args["who"] for commit in history.of(Committed)]


def called(history):
    return [str(call.slot) for call in history.of(Called)]


def value(run):
    ended = run.history.ended
    assert ended.how == "returned", ended
    return ended.value
