"""An effect without a scope: every argument but the key says which intent it is."""

from contextlib import suppress

import pytest

from agentfuzz import (
    Completion,
    approval_single_use,
    at_most_once,
    compensated,
    exactly_once,
    no_blind_repeat,
    replay_transparency,
    run,
    scenario,
    valid_calls,
)
from agentfuzz.core.codec import digest, history_from_json, history_to_json
from agentfuzz.core.history import History, ToolFacts
from agentfuzz.search.covered.coverage import clean_run

from .stories import bare_world


def intents(function, *calls, **declared):
    """What calls with these arguments are meant to cause."""
    world = bare_world()
    world.tool(effect="charge", **declared)(function)
    for arguments in calls:
        world.call(function.__name__, arguments)
    return [str(call.intent) for call in History(world.gateway.log).calls.values()]


def charge(order_id: str, cents: int = 4200, idempotency_key: str | None = None):
    return "ok"


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({}, "charge(order_id='A17', cents=4200)"),
        ({"dedup": "key"}, "charge(order_id='A17', cents=4200)"),
        ({"scope": None}, "charge(order_id='A17', cents=4200)"),
        ({"scope": ["order_id"]}, "charge(order_id='A17')"),
        ({"scope": ()}, "charge()"),
    ],
)
def test_every_argument_but_the_key(declared, told):
    """Left out: all of them, with their defaults. Written out, and be it empty: what is written."""
    calls = [
        {"order_id": "A17"},
        {"order_id": "A17", "cents": 4200, "idempotency_key": "k"},
        {"cents": 4200, "order_id": "A17", "idempotency_key": None},
    ]
    assert intents(charge, *calls, **declared) == [told] * 3


def test_a_key_that_is_only_declared():
    """dedup='key' adds the parameter; it is no part of the scope either."""

    def pay(order_id: str):
        return "ok"

    calls = [{"order_id": "A17", "idempotency_key": key} for key in "ab"]
    assert intents(pay, *calls, dedup="key") == ["charge(order_id='A17')"] * 2


def test_arguments_that_are_no_scalars():
    """Lists and mappings as canonical JSON, models and floats too."""

    def send(to: list[str], body: dict, weight: float = 0.5):
        return "ok"

    first, second = intents(
        send,
        {"to": ["a", "b"], "body": {"x": 1, "y": None}},
        {"body": {"y": None, "x": 1}, "to": ["a", "b"], "weight": 0.5},
    )
    assert first == second
    assert first == """charge(to='["a","b"]', body='{"x":1,"y":null}', weight=0.5)"""


def test_a_long_argument_is_told_short():
    """Nobody reads a letter of ten pages in a report."""

    def send(letter: str):
        return "ok"

    (told,) = intents(send, {"letter": "Dear all, " * 300})
    assert len(told) < 120
    assert told.endswith("...)")


def test_a_tool_without_an_effect_has_no_scope():
    """It only reads."""
    world = bare_world()
    world.tool(charge)
    assert world.gateway.facts["charge"] == ToolFacts("charge", None, (), "none")


def test_two_charges_are_two(play):
    """A loop over several orders is no double; the same order again is one."""

    @scenario(at_most_once())
    def shop(world):
        world.tool(effect="charge")(charge)

    def agent(*orders):
        return lambda world: [world.tools.charge(order_id=order) for order in orders] and None

    assert play(shop, agent("A17", "B2")).violations == ()
    found = play(shop, agent("A17", "A17")).violations
    assert [violation.code for violation in found] == ["AF101"]


# what the summary says


def test_the_clean_run_names_the_scope(play):
    """Of each effect that happened and whose scope nobody named."""

    @scenario()
    def shop(world):
        world.tool(effect="charge")(charge)

        @world.tool(effect="mail", scope=("to",))
        def mail(to: str, text: str): ...

        @world.tool(effect="letter")
        def letter(text: str): ...

        @world.tool(effect="bell")
        def ring(): ...

    def agent(world):
        world.tools.charge(order_id="A17")
        world.tools.mail(to="ann", text="Hi")
        world.tools.ring()

    assert clean_run(play(shop, agent).history) == (
        "clean run: 3 tool calls, 3 effects, ended no completion; scope of charge: order_id, cents "
        "(every argument; name the business identity with scope=(...))"
    )


# laws that compare intents


def noted(*laws):
    """A tool that takes a text besides, in which nothing is like the time before."""

    @scenario(*laws, task="Charge order A17.")
    def shop(world):
        done = []

        @world.tool(effect="charge")
        def pay(order_id: str, memo: str) -> str:
            done.append(order_id)
            return "ok"

        @world.tool
        def find(order_id: str) -> bool:
            return order_id in done

        @world.tool
        def balance() -> int:
            return len(done)

    return shop


def attempts(world, look=""):
    """Tries again with another memo; `look` is the tool that says whether it has to."""
    for n in range(3):
        try:
            world.tools.pay(order_id="A17", memo=f"attempt {n} at {world.clock.now}")
        except (TimeoutError, ConnectionError):
            given = {"order_id": "A17"} if look == "find" else {}
            if look and world.tools[look](**given):
                return Completion.success(handle="A17")
            continue
        return Completion.success(handle="A17")
    return Completion.blocked()


def codes(found):
    return sorted({violation.code for violation in found.violations})


def test_other_words_for_one_effect_are_one(play):
    """The one charge carries another memo than without faults: nothing is missing, nothing more."""
    story = noted(replay_transparency(), exactly_once("charge"))
    found = play(story, attempts, "pay#1:lost/timeout")
    assert len(found.history.ledger) == 1
    assert found.violations == ()


def test_a_double_in_other_words_is_seen(play):
    """Two charges where the fault-free run has one (AF105); a declared scope makes it AF101."""
    story = noted(replay_transparency(), at_most_once())
    found = play(story, attempts, "pay#1:once/timeout")
    assert codes(found) == ["AF105"]
    assert "attempt 1" in found.violations[0].sentence


def test_a_lost_effect_is_missed_all_the_same(play):
    """Success without a charge, whichever memo it would have had."""

    def swallows(world):
        with suppress(ConnectionError):
            world.tools.pay(order_id="A17", memo="now")
        return Completion.success(handle="A17")

    found = play(noted(replay_transparency(), exactly_once("charge")), swallows, "pay#1:lost/error")
    assert codes(found) == ["AF103"]


@pytest.mark.parametrize("look", ["find", "balance"])
def test_a_look_up_need_not_name_every_argument(play, look):
    """Nobody can look up by a memo."""

    def agent(world):
        return attempts(world, look)

    found = play(noted(no_blind_repeat()), agent, "pay#1:once/timeout")
    assert len(found.history.ledger) == 1
    assert found.violations == ()


def test_an_undo_need_not_name_every_argument(play):
    """A refund has a memo of its own, and is that of the one order all the same."""

    @scenario(compensated(), task="Charge two orders.")
    def shop(world):
        @world.tool(effect="charge")
        def pay(order_id: str, memo: str) -> str:
            if memo == "second":
                raise ValueError("declined")
            return "ok"

        @world.tool(effect="refund", undoes="pay")
        def refund(order_id: str, memo: str) -> str:
            return "ok"

    def agent(given):
        def plays(world):
            world.tools.pay(order_id="A17", memo="first")
            try:
                world.tools.pay(order_id="B2", memo="second")
            except ValueError:
                world.tools.refund(order_id=given, memo="sorry")
            return Completion.failed(reason="tool_failed")

        return plays

    assert play(shop, agent("A17")).violations == ()
    assert codes(play(shop, agent("C3"))) == ["AF110"]


def test_a_grant_names_what_was_asked(play):
    """A call whose arguments have defaults is the one that waited without naming them."""

    @scenario(
        approval_single_use("pay"),
        task="Pay.",
        script=[("pay", {"order_id": "A17"}), "Paid."],
    )
    def shop(world):
        @world.tool(effect="charge")
        def pay(order_id: str, memo: str = "") -> str:
            return "ok"

    def agent(world):
        if world.decision is None:
            turn = world.model([{"role": "user", "content": world.task}])
            world.request_approval("pay", call=turn["tool_calls"][0]["id"])
            return None
        if world.decision.granted:
            world.tools.pay(order_id="A17", memo="")
        return Completion.success(handle="A17")

    assert play(shop, agent).violations == ()


def test_a_refusal_is_mended_in_other_words(play):
    """Nothing is missing: the charge was made, if with another memo than without faults."""

    def agent(world):
        try:
            world.tools.pay(order_id="A17", memo="now", colour="red")
        except Exception:
            return attempts(world)

    found = play(noted(valid_calls()), agent, "pay#2:lost/timeout")
    assert found.violations == ()


# files


def test_what_is_as_it_is_for_most_is_not_written():
    """Facts of a scope that is named are written as ever; others come back as they were."""
    plain = ToolFacts("a", "charge", ("order_id",), "none")
    other = ToolFacts("b", "charge", ("order_id",), "key", None, derived=True)
    third = ToolFacts("c", "charge", (), "none", None, observed=True)
    history = History((), {"a": plain, "b": other, "c": third})
    written = history_to_json(history)
    assert [len(facts) for facts in written["tools"].values()] == [5, 6, 7]
    assert history_from_json(written).tools == history.tools
    before = History((), {name: facts._replace(derived=False, observed=False)
                          for name, facts in history.tools.items()})  # fmt: skip
    assert digest(history, 1) == digest(before, 1)


def test_a_run_says_nothing_new_of_a_named_scope():
    """The same bytes as ever."""

    @scenario()
    def shop(world):
        world.tool(effect="charge", scope=("order_id",))(charge)

    history = run(shop, lambda world: world.tools.charge(order_id="A17")).history
    assert history_to_json(history)["tools"] == {
        "charge": ["charge", "charge", ("order_id",), "none", None]
    }
