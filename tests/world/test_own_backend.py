"""A backend of the user's own: its rows are the effects, its code recognises repeats, or not."""

import asyncio
import sqlite3
import threading
from collections import Counter
from decimal import Decimal

import pytest

from agentfuzz import Completion, ScenarioError, at_most_once, exactly_once, in_child, run, scenario
from agentfuzz.core.events import Committed, Refused, Replayed, Replied
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign

from .stories import bare_world, told

ROW = "INSERT INTO charges VALUES (?, ?)"
ONCE = "INSERT OR IGNORE INTO charges VALUES (?, ?)"


def bank(unique, **declared):
    """A table of charges, made anew for each run; `unique` is whether it recognises a repeat."""

    @scenario(exactly_once("charge"), task="Charge order A17.")
    def story(world):
        db = sqlite3.connect(":memory:", check_same_thread=False)
        db.execute(f"CREATE TABLE charges (order_id TEXT {'UNIQUE' * unique}, cents INT)")

        def rows(world):
            return db.execute("SELECT order_id FROM charges")

        @world.tool(effect="charge", scope=("order_id",), observe=rows, **declared)
        def charge(order_id: str, cents: int) -> dict:
            db.execute(ONCE if unique else ROW, (order_id, cents))
            return {"order": order_id}

    return story


def tries(world):
    """Calls until it is answered."""
    for _ in range(3):
        try:
            order = world.tools.charge(order_id="A17", cents=42)["order"]
        except (TimeoutError, ConnectionError):
            continue
        except Exception:
            break
        return Completion.success(handle="A17") if order == "A17" else Completion.blocked()
    return Completion.blocked()


def threads(world):
    """The same, in a thread of its own."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(tries(world)))
    thread.start()
    thread.join()
    return answers[0]


async def awaits(world):
    """The same, awaited."""
    for _ in range(3):
        try:
            order = (await world.tools.aio.charge(order_id="A17", cents=42))["order"]
        except (TimeoutError, ConnectionError):
            continue
        except Exception:
            break
        return Completion.success(handle="A17") if order == "A17" else Completion.blocked()
    return Completion.blocked()


def hunt(story, agent, simulation):
    """The codes that a campaign of one fault finds."""
    campaign = Campaign(story, agent, simulation, budget=Budget(depth=1, deep_runs=0))
    campaign.search()
    return sorted({cx.code for cx in campaign.result().findings})


# the deduplication under test is the user's


@pytest.mark.parametrize("agent", [tries, threads, awaits])
def test_a_backend_that_recognises_a_repeat(simulation, agent):
    """A loop that tries again is right, because the user's own index makes it so."""
    assert hunt(bank(unique=True), agent, simulation) == []


@pytest.mark.parametrize("agent", [tries, threads, awaits])
def test_a_backend_that_does_not(simulation, agent):
    """Found by the rows: a retry charges twice (AF101), as does a doubled request (AF102)."""
    assert hunt(bank(unique=False), agent, simulation) == ["AF101", "AF102"]


def test_what_is_declared_of_it_recognises_nothing(simulation):
    """`dedup=` tells the laws what the user's backend promises; it does not keep the promise."""
    assert hunt(bank(unique=False, dedup="scope"), tries, simulation) == ["AF101", "AF102"]
    assert hunt(bank(unique=True, dedup="scope"), tries, simulation) == []


@pytest.mark.parametrize("honoured", [True, False])
def test_a_key_is_the_bodys_affair(simulation, honoured):
    """`dedup="key"`: each delivery reaches the body, with its key."""

    @scenario(at_most_once(), task="Charge order A17.", without=("replay_transparency",))
    def story(world):
        table = []

        @world.tool(effect="charge", scope=("order_id",), dedup="key", observe=lambda world: table)
        def charge(order_id: str, idempotency_key: str | None = None):
            if not honoured or idempotency_key not in [one["key"] for one in table]:
                table.append({"order_id": order_id, "key": idempotency_key})

    def agent(world):
        for _ in range(2):
            try:
                world.tools.charge(order_id="A17", idempotency_key="charge-A17")
            except (TimeoutError, ConnectionError):
                continue
            except Exception:
                break
            return Completion.success(handle="A17")
        return Completion.blocked()

    assert hunt(story, agent, simulation) == ([] if honoured else ["AF101", "AF102"])


def test_an_agent_in_another_process(simulation):
    """The backend stands where the world does; the agent may be anywhere."""
    story = bank(unique=False)
    for plan in ("", "charge#1:twice/timeout", "charge#1:late/timeout"):
        here = run(story, tries, plan, simulation=simulation).history
        assert (
            run(story, in_child(tries), plan, simulation=simulation).history.events == here.events
        )


def test_the_hint_is_about_the_users_backend(play):
    """No declaration mends a doubled request; an index does."""
    found = play(bank(unique=False), tries, "charge#1:twice/intact")
    assert [violation.code for violation in found.violations] == ["AF102"]
    assert "unique index" in found.violations[0].hint


@pytest.mark.parametrize("unique", [True, False])
def test_what_a_history_tells(play, unique):
    """A new row is a commit, none a replay; a late request is looked at, too."""
    story = bank(unique)
    second = "replayed charge-1 to call_1" if unique else "committed charge-2 by call_1"
    assert told(play(story, tries, "charge#1:twice/timeout").history, Committed, Replayed) == [
        "0 committed charge-1 by call_1",
        f"0 {second}",
        *(["30 replayed charge-1 to call_2"] if unique else ["30 committed charge-3 by call_2"]),
    ]
    assert told(play(story, tries, "charge#1:late/timeout").history, Committed, Replayed) == [
        "30 committed charge-1 by call_2",
        f"45 {second}",
    ]


# what a body says, and what it did


def ledger(body, rows, agent=None, plan="", **declared):
    """Runs a tool over a list of rows; what its history tells of refusals, effects and replies."""

    @scenario(task="Book.")
    def story(world):
        table = world.state.setdefault("table", [])

        @world.tool(effect="seat", observe=lambda world: rows(table), **declared)
        def book(seat: str, name: str = "Ann"):
            return body(table, seat)

        @world.tool
        def look():
            return "nothing"

        @world.tool(effect="cancellation", scope=("seat",), undoes="book")
        def cancel(seat: str):
            table[:] = [one for one in table if one["seat"] != seat]

    def once(world):
        try:
            world.tools.book(seat="1A")
        except ValueError:
            return "failed"

    return run(story, agent or once, plan).history


def writes(table, seat):
    table.append({"seat": seat, "name": "Ann"})
    return "ok"


def writes_and_fails(table, seat):
    writes(table, seat)
    raise ValueError("no printer")


def writes_and_denies(table, seat):
    writes(table, seat)
    return {"error": "no printer"}


def fails(table, seat):
    raise ValueError("sold out")


@pytest.mark.parametrize(
    ("body", "told_of_it"),
    [
        (writes, ["committed seat-1 by call_1", "replied applied value"]),
        (writes_and_fails, ["committed seat-1 by call_1", "replied unknown ValueError"]),
        (writes_and_denies, ["committed seat-1 by call_1", "replied unknown value"]),
        (fails, ["refused tool_raised", "replied failed ValueError"]),
        (lambda table, seat: "Sorry, sold out", ["refused no_new_row", "replied failed value"]),
        (lambda table, seat: {"ok": False}, ["refused answered_no", "replied failed value"]),
    ],
)
def test_the_rows_decide(body, told_of_it):
    """Whatever a body returns or raises, an effect is a row that has come."""
    history = ledger(body, list)
    assert told(history, Committed, Refused, Replied) == [f"0 {line}" for line in told_of_it]


@pytest.mark.parametrize(
    ("scope", "rows"),
    [
        (("seat",), lambda table: table),
        (("seat",), lambda table: [one["seat"] for one in table]),
        (("seat",), lambda table: ((one["seat"],) for one in table)),
        (("seat",), lambda table: {one["seat"]: one for one in table}),
        (("seat", "name"), lambda table: [(one["seat"], one["name"]) for one in table]),
        (("seat", "name"), lambda table: [[one["seat"], one["name"]] for one in table]),
        (None, lambda table: table),
        ((), lambda table: table),
    ],
)
def test_the_shapes_of_a_row(scope, rows):
    """A mapping with the names of the scope, a tuple in their order, or one value alone."""

    def agent(world):
        world.tools.book(seat="1A")
        world.tools.book(seat="2B")

    history = ledger(writes, rows, agent, **({} if scope is None else {"scope": scope}))
    assert [event.intent for event in history.ledger] == [
        call.intent for call in history.calls.values()
    ]
    assert len(history.ledger) == 2


def test_a_row_of_a_database():
    """sqlite3.Row, with more columns than the scope has names."""
    db = sqlite3.connect(":memory:")
    db.row_factory = sqlite3.Row

    def rows(table):
        db.execute("DROP TABLE IF EXISTS seats")
        db.execute("CREATE TABLE seats (id INTEGER PRIMARY KEY, seat, name)")
        db.executemany("INSERT INTO seats (seat, name) VALUES (:seat, :name)", table)
        return db.execute("SELECT * FROM seats")

    history = ledger(writes, rows, scope=("name", "seat"))
    assert [str(event.intent) for event in history.ledger] == ["seat(name='Ann', seat='1A')"]


@pytest.mark.parametrize("there", ["7", Decimal("7"), 7.0])
def test_a_database_has_types_of_its_own(there):
    """A row that says the same as the arguments in another type is the intent of that call."""

    @scenario()
    def story(world):
        table = []

        @world.tool(effect="seat", observe=lambda world: table)
        def book(seat: int):
            table.append(there)

    history = run(story, lambda world: world.tools.book(seat=7)).history
    assert [event.intent.scope for event in history.ledger] == [(("seat", 7),)]
    assert told(history, Refused) == []


def test_what_was_there_is_no_effect():
    """Rows from before the run, and one that its backend finds there."""

    @scenario(at_most_once())
    def story(world):
        table = ["1A", "2B"]

        @world.tool(effect="seat", observe=lambda world: table)
        def book(seat: str):
            if seat not in table:
                table.append(seat)

    def agent(world):
        world.tools.book(seat="1A")
        world.tools.book(seat="3C")

    history = run(story, agent).history
    assert told(history, Committed, Refused) == [
        "0 refused no_new_row",
        "0 committed seat-1 by call_2",
    ]
    assert "one was there before the run began" in history.of(Refused)[0].detail


def test_a_row_that_went_and_came_again_is_new():
    """Booked, cancelled, booked: what goes between is seen, whichever tool was called."""

    def agent(world):
        world.tools.book(seat="1A")
        world.tools.cancel(seat="1A")
        world.tools.book(seat="1A")

    history = ledger(writes, list, agent, scope=("seat",))
    assert told(history, Committed) == [
        "0 committed seat-1 by call_1",
        "0 committed cancellation-1 by call_2",
        "0 committed seat-2 by call_3",
    ]


def test_a_row_that_comes_by_itself(play):
    """A queue that writes later: the row is of the call that meant it, whoever sees it come."""

    @scenario()
    def story(world):
        queue, table = [], []

        @world.tool(effect="seat", observe=lambda world: table)
        def book(seat: str):
            queue.append(seat)

        @world.tool
        def work():
            table.extend(queue)
            queue.clear()

        world.state["work"] = lambda: table.extend(queue)

    def agent(world):
        world.tools.book(seat="1A")
        world.tools.book(seat="2B")
        world.tools.work()
        world.tools.book(seat="3C")
        world.state["work"]()

    history = play(story, agent).history
    assert [(event.call, event.intent.scope[0][1]) for event in history.ledger] == [
        ("call_1", "1A"),
        ("call_2", "2B"),
        ("call_4", "3C"),
    ]


def test_a_row_whose_tool_nobody_called(play):
    """It is put down to the last call of all: something was done, and nobody asked for it."""

    @scenario()
    def story(world):
        table = world.state["table"] = []

        @world.tool(effect="seat", observe=lambda world: table)
        def book(seat: str):
            table.append(seat)

        @world.tool
        def look():
            return list(table)

    def agent(world):
        world.tools.look()
        world.tools.look()
        world.state["table"].append("1A")

    (row,) = play(story, agent).history.ledger
    assert (row.call, row.tool, row.intent.scope) == ("call_2", "book", (("seat", "1A"),))


def test_a_long_refusal_is_quoted_in_part(play):
    """Five hundred characters of it."""

    @scenario()
    def story(world):
        @world.tool(effect="seat", effect_if=lambda reply: False)
        def book(seat: str):
            return "no " * 500

    (refused,) = play(story, lambda world: world.tools.book(seat="1A")).history.of(Refused)
    assert refused.detail == ("no " * 500)[:500]


def test_each_row_has_its_call(play):
    """Calls that are under way together: each gets its own row, equal ones one each."""

    @scenario()
    def story(world):
        table = []

        @world.tool(effect="seat", observe=lambda world: table)
        async def book(seat: str, pause: float):
            await asyncio.sleep(pause)
            table.append((seat, pause))
            await asyncio.sleep(2)

    async def agent(world):
        book = world.tools.aio.book
        await asyncio.gather(book(seat="1A", pause=1), book(seat="1A", pause=1), book("2B", 2))

    history = play(story, agent).history
    found = [(event.call, event.intent.scope[0][1]) for event in history.ledger]
    assert Counter(found) == {("call_1", "1A"): 1, ("call_2", "1A"): 1, ("call_3", "2B"): 1}


def test_a_call_that_was_given_up_left_its_row(play):
    """The agent's own deadline comes after the write: the row is of that call."""

    @scenario()
    def story(world):
        table = []

        @world.tool(effect="seat", observe=lambda world: table)
        async def book(seat: str):
            table.append(seat)
            await asyncio.sleep(60)

    async def agent(world):
        try:
            await asyncio.wait_for(world.tools.aio.book(seat="1A"), 5)
        except TimeoutError:
            return "gave up"

    history = play(story, agent).history
    assert told(history, Committed) == ["5 committed seat-1 by call_1"]


@pytest.mark.parametrize("moment", ["", "/after", "/in_flight"])
def test_a_crash_leaves_the_backend(simulation, moment):
    """A process that died is started again over the same rows."""

    @scenario(at_most_once(), task="Book.", resume=True)
    def story(world):
        table = []

        @world.tool(effect="seat", observe=lambda world: table)
        def book(seat: str):
            if seat not in table:
                table.append(seat)

    def agent(world):
        world.tools.book(seat="1A")
        return Completion.success(handle="1A")

    found = run(story, agent, f"process:book#1:crash{moment}", simulation=simulation)
    assert len(found.history.ledger) == 1
    assert found.violations == ()


# what cannot be read


class Opaque:
    """Not a value, nor a row."""


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (lambda table: 1 / 0, "failed: ZeroDivisionError: division by zero. It returns a list"),
        (lambda table: None, "failed: TypeError: 'NoneType' object is not iterable"),
        (lambda table: "1A", "which is one value, no list"),
        (lambda table: [("1A", "Ann", 7)], r"returned the row \('1A', 'Ann', 7\). It returns rows"),
        (lambda table: ["1A"], r"{'seat': ..., 'name': ...}, or a tuple \(seat, name\)"),
        (lambda table: [{"place": "1A"}], "returned a row of place. It returns rows"),
        (lambda table: [(Opaque(), "Ann")], "returned the row"),
    ],
)
def test_rows_that_cannot_be_read(rows, why):
    """The tool, the function and what it takes, even where the agent swallows the error."""

    def agent(world):
        try:
            world.tools.book(seat="1A")
        except Exception:
            return "well"

    with pytest.raises(ScenarioError, match=rf"observe= of tool 'book' \(<lambda>, .*{why}"):
        ledger(writes, rows, agent)


def test_rows_that_break_later():
    """The first reading was well, the last one is not: that is said at the end."""

    def rows(table):
        return table if len(table) < 2 else [None, None, ("1A", 2, 3)]

    def agent(world):
        world.tools.book(seat="1A")
        world.state["table"].append({"seat": "2B"})

    with pytest.raises(ScenarioError, match="observe= of tool 'book'"):
        ledger(writes, rows, agent, scope=("seat",))


def test_an_async_reader_is_refused():
    """Nobody awaits it."""

    async def rows(world):
        return []

    world = bare_world()

    @world.tool(effect="seat", observe=rows)
    def book(seat: str): ...

    with pytest.raises(ScenarioError, match="it is async, and has to be a plain function"):
        world.tools.book(seat="1A")


# rows that stay from run to run


def test_a_backend_that_is_not_made_anew(simulation):
    """Two runs differ, and the difference says why."""
    table = []

    @scenario(at_most_once(), task="Book.")
    def story(world):
        @world.tool(effect="seat", observe=lambda world: table)
        def book(seat: str):
            if seat not in table:
                table.append(seat)

    campaign = Campaign(story, lambda world: world.tools.book(seat="1A"), simulation)
    campaign.plain()
    [found] = [one for one in campaign.result().findings if one.code == "AF904"]
    assert "one was there before the run began" in found.violation.sentence
