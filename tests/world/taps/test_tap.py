"""A tap: a function of an application is a tool of the world, and afterwards what it was."""

import asyncio
import functools
import inspect
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from agentfuzz import (
    Completion,
    FaultPlan,
    ScenarioError,
    at_most_once,
    exactly_once,
    in_child,
    run,
    scenario,
)
from agentfuzz.core.events import Called, Committed, Delivered, Done, Refused
from agentfuzz.world.taps.hidden import TYPES

NO_FAULTS = FaultPlan()
BOOKED: list[tuple[object, ...]] = []


class RunContext:
    """What a framework hands its tools."""


@pytest.fixture(autouse=True)
def _nothing_booked():
    BOOKED.clear()


def book(flight: str, seat: int = 3, *, note: str | None = None, ctx: "RunContext | None" = None):
    """Book a seat."""
    BOOKED.append((flight, seat, note, ctx))
    return {"booking": len(BOOKED)}


async def abook(flight: str, ctx: "RunContext | None" = None):
    await asyncio.sleep(1)
    BOOKED.append((flight, ctx))
    return {"booking": len(BOOKED)}


class Till:
    rate = 2

    def __init__(self) -> None:
        self.sold: list[str] = []

    def sell(self, item: str, /, *more: str, **options: int):
        self.sold += [item, *more]
        return {"sold": item, "options": options, "own": __class__.rate}  # type: ignore[name-defined]

    @classmethod
    def closes(cls, day: str):
        return {"day": day, "rate": cls.rate}

    @staticmethod
    def opens(day: str):
        return {"open": day}


HELD = {"book": book, "partial": functools.partial(book, "LH1"), "sell": Till.sell}


def played(agent, plan=NO_FAULTS, *, laws=(), **declared):
    """A run of an agent with `book` tapped, and what its calls were."""

    @scenario(*laws, task="Book LH1.")
    def trip(world):
        world.tap(book, **{"effect": "booking", "scope": ("flight",), **declared})

    return run(trip, agent, plan)


def calls(found, kind=Called):
    return [event for event in found.history.events if type(event) is kind]


def tapping(function, **declared):
    """A scenario that taps one function."""

    @scenario()
    def story(world):
        world.tap(function, **declared)

    return story


# Who calls it ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "caller",
    [
        lambda: book("LH1"),
        lambda: HELD["book"](flight="LH1"),
        lambda: HELD["partial"](),
        lambda: [*map(book, ["LH1"])],
        lambda: ThreadPoolExecutor(1).submit(book, "LH1").result(),
    ],
)
def test_whoever_holds_the_function_calls_the_tool(caller):
    def agent(world):
        caller()
        return Completion.success()

    found = played(agent)
    assert [one.args for one in calls(found)] == [{"flight": "LH1"}]
    assert [one.effect_id for one in calls(found, Committed)] == ["booking-1"]
    assert BOOKED[0][:3] == ("LH1", 3, None)


def test_a_reply_and_an_exception_are_the_functions_own():
    def full(flight: str):
        raise LookupError(f"{flight} is full")

    def agent(world):
        with pytest.raises(LookupError, match="LH1 is full"):
            full("LH1")
        return Completion.blocked(reason="other")

    found = run(tapping(full, effect="booking"), agent)
    assert [one.kind for one in calls(found, Refused)] == ["tool_raised"]
    assert found.history.ended.how == "returned"


def test_an_async_function_is_awaited_in_virtual_time():
    async def agent(world):
        context = RunContext()
        await asyncio.gather(abook("LH1", context), abook("LH2"))
        return Completion.success(detail=f"{world.clock.now:g}")

    @scenario(at_most_once())
    def trip(world):
        world.tap(abook, effect="booking")

    found = run(trip, agent)
    assert [one.detail for one in calls(found, Done)] == ["1"]
    assert sorted(one[0] for one in BOOKED) == ["LH1", "LH2"]
    assert [one.args for one in calls(found)] == [{"flight": "LH1"}, {"flight": "LH2"}]


def test_methods_and_all_kinds_of_parameters():
    """`self`, `*args` and `**kwargs` pass by the world's side; a cell of a class is left alone."""

    def agent(world):
        till = Till()
        assert till.sell("tea", "cup", extra=1) == {
            "sold": "tea",
            "options": {"extra": 1},
            "own": 2,
        }
        assert HELD["sell"](till, "milk")["sold"] == "milk"
        assert till.sold == ["tea", "cup", "milk"]
        assert Till.closes("Monday") == {"day": "Monday", "rate": 2}
        assert Till.opens("Monday") == {"open": "Monday"}
        return Completion.success()

    @scenario()
    def shop(world):
        world.tap(Till.sell, effect="sale")
        world.tap(Till.closes)
        world.tap(Till.opens)

    found = run(shop, agent)
    found.check()
    assert [(one.slot.name, one.args) for one in calls(found)] == [
        ("sell", {"item": "tea", "self": "Till 1"}),
        ("sell", {"item": "milk", "self": "Till 1"}),
        ("closes", {"day": "Monday", "cls": "Till 1"}),
        ("opens", {"day": "Monday"}),
    ]


def test_what_retries_or_caches_it_stands_above_the_tap():
    tries = []

    def retried(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            for _ in range(3):
                try:
                    return function(*args, **kwargs)
                except TimeoutError:
                    tries.append(1)
            raise TimeoutError

        return wrapper

    @functools.cache
    @retried
    def pay(order: str):
        return {"paid": order}

    def agent(world):
        pay.cache_clear()
        pay("A17")
        pay("A17")
        return Completion.success()

    story = tapping(pay, effect="payment", transport="network", scope=("order",))
    found = run(story, agent, "pay#1:once/timeout")
    assert len(tries) == 1
    assert len(calls(found)) == 2
    assert next(one.code for one in found.violations) == "AF101"


def test_a_function_that_calls_itself_is_called_once():
    def count(n: int) -> int:
        return 0 if n == 0 else 1 + count(n - 1)

    def agent(world):
        assert count(3) == 3
        return Completion.success()

    found = run(tapping(count), agent)
    assert [one.args for one in calls(found)] == [{"n": 3}]


def test_a_tool_that_another_tool_calls_is_a_tool_too():
    """A sub-agent in the body of a tool has its own."""

    def outer(day: str):
        return inner(day)

    def inner(day: str):
        return {"day": day}

    @scenario()
    def story(world):
        world.tap(outer)
        world.tap(inner)

    def agent(world):
        assert outer("Monday") == {"day": "Monday"}
        return Completion.success()

    assert [one.slot.name for one in calls(run(story, agent))] == ["outer", "inner"]


# What passes by the world's side -----------------------------------------------------------


@pytest.mark.parametrize("kind", TYPES)
def test_a_context_is_hidden_by_its_type(kind):
    def look(ctx, order: str):
        return {"order": order, "ctx": ctx is context}

    look.__annotations__["ctx"] = f"{kind}[Shop] | None"
    context = object()

    def agent(world):
        assert look(context, "A17")["ctx"]
        return Completion.success()

    found = run(tapping(look), agent)
    found.check()
    assert calls(found)[0].args == {"order": "A17"}


def test_a_business_word_is_not_hidden():
    def look(context_id: str, runtime: str):
        return {}

    def agent(world):
        look("c", "r")
        return Completion.success()

    assert calls(run(tapping(look), agent))[0].args == {"context_id": "c", "runtime": "r"}


def test_what_is_to_be_hidden_is_hidden():
    def look(order: str, connection: object):
        return {"open": connection}

    def agent(world):
        assert look("A17", connection=7) == {"open": 7}
        return Completion.success()

    assert calls(run(tapping(look, hide="connection"), agent))[0].args == {"order": "A17"}


def test_a_late_or_double_delivery_has_the_context_of_its_own_call():
    first, second = RunContext(), RunContext()

    def agent(world):
        for flight, context in (("LH1", first), ("LH2", second)):
            with suppress(TimeoutError):
                book(flight, ctx=context)
        return Completion.success()

    played(agent, "book#1:late/timeout + book#2:twice", transport="network")
    at = [(one[0], one[3]) for one in BOOKED[2:]]  # after the run without faults
    assert sorted(at, key=str) == sorted([("LH2", second)] * 2 + [("LH1", first)], key=str)


class Account:
    def __init__(self, name: str) -> None:
        self.name, self.cents = name, 0

    def deposit(self, cents: int, key: str | None = None):
        self.cents += cents
        return {"ok": True}


def deposits(plan=NO_FAULTS, keyed=False, tries=1, **declared):
    """Two accounts, and a deposit of the same sum into each."""

    @scenario(exactly_once("deposit"))
    def bank(world):
        world.tap(Account.deposit, effect="deposit", transport="network", **declared)

    made = []

    def agent(world):
        made[:] = [Account("a"), Account("b")]
        for account in made:
            for _ in range(tries):
                with suppress(TimeoutError):
                    account.deposit(100, **({"key": account.name} if keyed else {}))
                    break
        return Completion.success()

    return run(bank, agent, plan), [account.cents for account in made]


def test_a_late_call_is_one_of_its_own_object():
    found, cents = deposits("deposit#1:late/timeout", scope=("self.name",))
    assert cents == [100, 100]
    assert [one.args["self.name"] for one in calls(found)] == ["a", "b"]


@pytest.mark.parametrize("scope", [None, ("self.name",), ("self.name", "cents")])
def test_two_objects_are_two_intents(scope):
    found, cents = deposits(scope=scope)
    found.check()
    assert cents == [100, 100]
    found, cents = deposits(scope=scope, dedup="scope")
    assert cents == [100, 100]


def test_a_function_has_its_own_name_for_its_key():
    """The world knows it as the key; the function gets it as it calls it."""
    found, cents = deposits("deposit#1:once/timeout", True, 3, dedup="key", key="key")
    assert cents == [100, 100]
    found, _ = deposits("deposit#1:once/timeout", tries=3, scope=("self.name",))
    assert next(one.code for one in found.violations) == "AF101"


def test_a_signature_that_a_decorator_made_up():
    def signed(function):
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)

        wrapper.__signature__ = inspect.signature(function)
        return wrapper

    @signed
    def pay(order: str, cents: int = 3):
        return {"paid": order, "cents": cents}

    def agent(world):
        assert pay("A17") == {"paid": "A17", "cents": 3}
        return Completion.success()

    run(tapping(pay), agent).check()


def test_a_function_that_agentfuzz_calls_itself():
    import json

    def agent(world):
        assert json.dumps({"a": 1}) == '{"a": 1}'
        return Completion.success()

    found = run(tapping(json.dumps), agent)
    found.check()
    assert [one.slot.name for one in calls(found)][:1] == ["dumps"]


def test_arguments_are_taken_as_they_come():
    """Whatever checked them before still does: a text for a number is the body's affair."""

    def agent(world):
        book("LH1", "window")  # type: ignore[arg-type]
        return Completion.success()

    found = played(agent)
    assert calls(found)[0].args == {"flight": "LH1", "seat": "window"}
    assert BOOKED[0][1] == "window"


# Where it runs -----------------------------------------------------------------------------


def test_a_function_of_the_process_is_never_lost_or_doubled():
    def agent(world):
        book("LH1")
        return Completion.success()

    assert len(calls(played(agent, "book#1:twice"), Delivered)) == 1
    found = played(agent, "local:book#1:raises")
    assert [one.kind for one in calls(found, Refused)] == []
    assert found.history.ended.how == "raised"


def test_behind_a_network_it_is_doubled():
    def agent(world):
        book("LH1")
        return Completion.success()

    found = played(agent, "book#1:twice", laws=[exactly_once("booking")], transport="network")
    assert len(calls(found, Delivered)) == 2
    assert next(one.code for one in found.violations) == "AF102"


def test_a_repeat_may_be_found_out_by_a_probe():
    """The body's own state is looked at, as of any tool."""
    booked: dict[str, int] = {}

    def reserve(flight: str, ctx: "RunContext | None" = None):
        if flight not in booked:
            booked[flight] = len(booked) + 1
        return {"booking": booked[flight]}

    def agent(world):
        booked.clear()
        for _ in range(2):
            try:
                return Completion.success(handle=str(reserve("LH1")["booking"]))
            except TimeoutError:
                continue
        return Completion.blocked(reason="outcome_unknown")

    @scenario(exactly_once("booking"))
    def trip(world):
        world.tap(reserve, effect="booking", scope=("flight",), dedup="probe", transport="network")

    run(trip, agent, "reserve#1:once/timeout").check()


def test_the_rows_of_the_users_own_backend():
    rows: list[str] = []

    def pay(order: str):
        rows.append(order)
        return {"ok": True}

    def agent(world):
        rows.clear()
        for _ in range(2):
            try:
                pay("A17")
                break
            except TimeoutError:
                continue
        return Completion.success()

    @scenario(exactly_once("payment"))
    def shop(world):
        world.tap(
            pay,
            effect="payment",
            scope=("order",),
            transport="network",
            observe=lambda world: [{"order": one} for one in rows],
        )

    found = run(shop, agent, "pay#1:once/timeout")
    assert next(one.code for one in found.violations) == "AF101"


# Several legs ------------------------------------------------------------------------------


def test_a_second_life_calls_the_tool_of_its_own_leg():
    @scenario(resume=True)
    def trip(world):
        world.tap(book, effect="booking", scope=("flight",))

    def agent(world):
        if "booked" not in world.store:
            book(f"LH{world.leg}")
            world.store["booked"] = 1
        return Completion.success()

    found = run(trip, agent, "process:book#1:crash")
    assert [one.args["flight"] for one in calls(found)] == ["LH1", "LH2"]
    assert found.history.ended.how == "returned"


def test_tasks_at_the_same_time_have_each_their_own_leg():
    @scenario(tasks=["Book LH1.", "Book LH2."], concurrent=True)
    def trip(world):
        world.tap(abook, effect="booking")

    async def agent(world):
        await abook(world.task.split()[1])
        return Completion.success()

    found = run(trip, agent)
    assert sorted(one.args["flight"] for one in calls(found)) == ["LH1.", "LH2."]
    found.check()


def test_a_child_process_has_no_context_to_hand_over():
    """The body runs where the world is; what a model does not see does not get there."""

    def look(order: str, ctx: "RunContext | None" = None):
        return {"order": order}

    def agent(world):
        assert look("A17") == {"order": "A17"}
        with pytest.raises(ScenarioError, match=r"look.*ctx.*process of its own"):
            look("A17", RunContext())
        return Completion.success()

    found = run(tapping(look), in_child(agent))
    assert len(calls(found)) == 1
    assert found.history.ended.how == "returned"


# What is left ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["returns", "raises", "is cut off", "world fails"])
def test_a_run_leaves_the_function_as_it_was(how):
    before = book.__code__

    @scenario(max_crossings=5)
    def trip(world):
        world.tap(book)
        assert book.__code__ is not before
        if how == "world fails":
            raise LookupError("no such shop")

    def agent(world):
        if how == "raises":
            raise LookupError("no such flight")
        while how == "is cut off":
            book("LH1")
        return Completion.success()

    if how == "world fails":
        with pytest.raises(LookupError, match="no such shop"):
            run(trip, agent)
    else:
        run(trip, agent)
    assert book.__code__ is before
    book("LH9")
    assert BOOKED[-1][0] == "LH9"


def test_what_looks_at_the_function_sees_what_it_was():
    before = (inspect.signature(book), inspect.getsource(book), book.__doc__, book.__module__)

    def agent(world):
        now = (inspect.signature(book), inspect.getsource(book), book.__doc__, book.__module__)
        assert now == before
        assert inspect.iscoroutinefunction(abook)
        assert not inspect.iscoroutinefunction(book)
        return Completion.success()

    @scenario()
    def trip(world):
        world.tap(book)
        world.tap(abook)

    run(trip, agent).check()


def test_functions_of_one_name_have_each_their_own_defaults():
    def made(seat: int):
        def choose(flight: str, seat: int = seat):
            return {"seat": seat}

        return choose

    for seat in (1, 2):
        chosen = made(seat)

        def agent(world, chosen=chosen, seat=seat):
            assert chosen("LH1") == {"seat": seat}
            return Completion.success()

        run(tapping(chosen), agent).check()


# What is refused ---------------------------------------------------------------------------


def _yields(order: str):
    yield order


@pytest.mark.parametrize(
    ("function", "declared", "words"),
    [
        (len, {}, "is no Python function"),
        (functools.partial(print), {}, "is no Python function"),
        (3, {}, "int is no Python function"),
        (_yields, {}, "it is a generator"),
        (book, {"hide": ("flihgt",)}, "no parameter of it .*flight"),
        (book, {"effect": "booking", "scope": ("ctx",)}, "scope names 'ctx'"),
        (book, {"effect": "booking", "scope": ("slef.name",)}, "scope names 'slef'"),
        (book, {"effect": "booking", "dedup": "key"}, "say what it calls its key"),
        (book, {"effect": "booking", "dedup": "key", "key": "kee"}, "key names 'kee'"),
        ("nowhere.at.all:tool", {}, "write 'package.module:function'"),
        ("json:dupms", {}, "write 'package.module:function'"),
        ("json", {}, "write 'package.module:function'"),
    ],
)
def test_what_cannot_be_tapped_is_told(function, declared, words):
    with pytest.raises(ScenarioError, match=words):
        run(tapping(function, **declared), lambda world: None)
    assert inspect.unwrap(book).__code__.co_consts[0] == "Book a seat."


def test_a_function_is_tapped_once():
    @scenario()
    def trip(world):
        world.tap(book)
        world.tap(book, name="again")

    with pytest.raises(ScenarioError, match=r"again.*tapped already"):
        run(trip, lambda world: None)


def test_by_its_place():
    def agent(world):
        assert inspect.cleandoc("  x") == "x"
        return Completion.success()

    found = run(tapping("inspect:cleandoc", name="clean"), agent)
    assert [one.slot.name for one in calls(found)] == ["clean"]
