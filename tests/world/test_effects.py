"""What an answer says of its effect: a refusal beyond doubt is one, and nothing else is."""

import json

import pytest

from agentfuzz import Completion, ScenarioError, at_most_once, run, scenario
from agentfuzz.core.events import Committed, Refused, Replied
from agentfuzz.world.effects import says_no

from .stories import bare_world, told

NO = [
    {"error": "declined"},
    {"error": {"code": 402}},
    {"error": 404, "ok": True},
    {"error": True},
    {"ok": False},
    {"success": False, "reason": "no money"},
    {"isError": True, "content": []},
    {"is_error": True},
    {"status": "error"},
    {"status": "Failed", "id": "ch_1"},
]
YES = [
    {},
    None,
    "Error: declined",
    "ok",
    {"error": None, "ok": True},
    {"error": ""},
    {"error": 0},
    {"errors": ["x"]},
    {"ok": None},
    {"success": 0},
    {"isError": "no"},
    {"status": "declined"},
    {"status": "rejected"},
    {"status": 500},
    {"data": {"error": "declined"}},
    [{"error": "declined"}],
    "{not json, but an error",
    '{"id": 1}',
    '["error"]',
]


@pytest.mark.parametrize("answer", [*NO, *(json.dumps(one) for one in NO)])
def test_an_answer_that_says_no(answer):
    """Its own fields say so; an object and its JSON text alike."""
    assert says_no(answer, {})


@pytest.mark.parametrize("answer", YES)
def test_an_answer_that_does_not(answer):
    """Words, other fields, other values, other places: all of it may be an effect."""
    assert not says_no(answer, {})


def test_an_argument_that_comes_back_says_nothing():
    """A tool that was asked to write `failed` down, and answers with what it wrote, has done it."""
    answer = {"job": 7, "status": "failed"}
    assert not says_no(answer, {"job": 7, "status": "failed"})
    assert says_no(answer, {"job": 7, "status": "paid"})
    assert not says_no({"error": "disk full"}, {"error": "disk full"})


# in a world


def paying(answers, **declared):
    """A tool that gives one answer after the other, the last one for ever."""

    @scenario(at_most_once(), task="Pay.")
    def story(world):
        left = list(answers)

        def answer():
            return left.pop(0) if len(left) > 1 else left[0]

        @world.tool(effect="payment", scope=("order_id",), **declared)
        def pay(order_id: str):
            return answer()

        @world.tool(effect="payment", scope=("order_id",), **declared)
        async def apay(order_id: str):
            return answer()

    return story


def twice(world):
    """Tries again unless the first answer has a receipt."""
    for _ in range(2):
        if "id" in world.tools.pay(order_id="A17"):
            return Completion.success(handle="ch_1")
    return Completion.failed(reason="tool_failed")


async def atwice(world):
    """The same, awaited."""
    for _ in range(2):
        if "id" in await world.tools.aio.apay(order_id="A17"):
            return Completion.success(handle="ch_1")
    return Completion.failed(reason="tool_failed")


@pytest.mark.parametrize("agent", [twice, atwice])
def test_a_refusal_by_answer_is_no_effect(play, agent):
    """It reaches the agent as it is; the call failed; another try is the first effect."""
    found = play(paying([{"error": "busy"}, {"id": 1}]), agent)
    assert found.violations == ()
    assert told(found.history, Refused, Committed, Replied) == [
        "0 refused answered_no",
        "0 replied failed value",
        "0 committed payment-1 by call_2",
        "0 replied applied value",
    ]
    assert found.history.of(Replied)[0].body == {"error": "busy"}
    assert found.history.of(Refused)[0].detail == '{"error": "busy"}'


def test_a_tool_that_reads_refuses_nothing(play):
    """An answer about something that is not there is an answer."""

    @scenario()
    def story(world):
        @world.tool
        def find(order_id: str):
            return {"error": "not found"}

    history = play(story, lambda world: world.tools.find(order_id="A17")).history
    assert told(history, Refused, Replied) == ["0 replied applied value"]


def test_a_scope_without_effect_is_free_again(play):
    """dedup='scope': what was refused has not happened, and may be asked for again."""
    history = play(paying([{"ok": False}, {"id": 1}], dedup="scope"), twice).history
    assert told(history, Committed) == ["0 committed payment-1 by call_2"]


def test_a_key_keeps_a_refusal(play):
    """dedup='key': the first result of a key is given again, a refusal too."""

    def agent(world):
        return [world.tools.pay(order_id="A17", idempotency_key="k")["error"] for _ in range(2)]

    history = play(paying([{"error": "declined"}, {"id": 1}], dedup="key"), agent).history
    assert told(history, Committed, Refused, Replied) == [
        "0 refused answered_no",
        "0 replied failed value",
        "0 replied failed value",
    ]


@pytest.mark.parametrize("variant", range(4))
def test_a_refusal_misquoted_is_a_refusal(play, variant):
    """A `wrong` reply to a call that failed lies about its details, never about that."""
    story = paying([{"ok": False, "reason": "no money", "code": 402}])
    plan = "pay#1:once/wrong" + (f"={variant}" if variant else "")
    history = play(story, lambda world: world.tools.pay(order_id="A17"), plan).history
    reply = history.of(Replied)[0]
    assert reply.outcome == "failed"
    assert says_no(reply.body, {})
    assert reply.body != {"ok": False, "reason": "no money", "code": 402}


# effect_if


@pytest.mark.parametrize("agent", [twice, atwice])
@pytest.mark.parametrize("plan", ["", "{}#1:twice/intact"])
def test_effect_if_decides(play, agent, plan):
    """By the answer, whatever it looks like; each delivery is asked for itself."""
    story = paying(
        ["declined", "declined", {"id": 1}], effect_if=lambda reply: not isinstance(reply, str)
    )
    tool = "pay" if agent is twice else "apay"
    history = play(story, agent, plan.format(tool)).history
    kinds = [event.kind for event in history.of(Refused)]
    assert kinds == ["effect_if", "effect_if"]
    assert len(history.ledger) == (1 if plan else 0)


def test_effect_if_has_the_last_word(play):
    """An answer that looks like a refusal took effect all the same."""
    story = paying([{"error": "no receipt printer", "id": 1}], effect_if=lambda reply: True)
    assert len(play(story, twice).history.ledger) == 1


def test_effect_if_and_dedup(play):
    """A repeat that the backend recognises is not asked about again."""

    def agent(world):
        for _ in range(2):
            world.tools.pay(order_id="A17")

    history = play(paying([{"id": 1}], dedup="scope", effect_if=lambda r: True), agent).history
    assert told(history, Committed, Replied) == [
        "0 committed payment-1 by call_1",
        "0 replied applied value",
        "0 replied replayed value",
    ]


async def _asynchronous(reply):
    return True


@pytest.mark.parametrize(
    ("decides", "why"),
    [
        (lambda reply: reply["paid"], r"\(<lambda>, test_effects.py:\d+\) failed on the answer"),
        (lambda reply: reply["paid"], "answer {\"id\": 1}: KeyError: 'paid'"),
        (_asynchronous, "it is async, and has to be a plain function"),
    ],
)
def test_effect_if_that_fails(play, decides, why):
    """Names the tool, the function and the answer, even where the agent swallows the error."""

    def agent(world):
        try:
            world.tools.pay(order_id="A17")
        except Exception:
            return "well"

    with pytest.raises(ScenarioError, match=f"effect_if= of tool 'pay'.*{why}"):
        play(paying([{"id": 1}], effect_if=decides), agent)


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ({"effect_if": bool}, "declares effect_if but no effect"),
        ({"observe": list}, "declares observe but no effect"),
        ({"effect": "payment", "effect_if": bool, "observe": list}, "give one of them"),
        ({"effect": "payment", "effect_if": True}, "effect_if=True is no function"),
        ({"effect": "payment", "observe": []}, r"observe=\[\] is no function"),
        ({"effect": "p", "observe": list, "dedup": "key"}, "give the function the parameter"),
    ],
)
def test_what_cannot_be_declared(declared, why):
    """Each is one message with the cure."""
    with pytest.raises(ScenarioError, match=why):

        @bare_world().tool(**declared)
        def pay(order_id: str): ...


# what a page says


def test_a_page_says_what_was_taken_for_a_refusal():
    """And how to say otherwise; where nothing was, it says nothing of it."""
    found = run(
        paying([{"error": "busy"}, {"id": 1}]),
        lambda world: [world.tools.pay(order_id="A17") for _ in range(3)],
    )
    assert [violation.code for violation in found.violations] == ["AF101"]
    page = " ".join(str(found).split())
    assert 'The answer {"error": "busy"} of pay was taken for a refusal without an effect' in page
    assert "effect_if=lambda reply" in page
    found = run(
        paying([{"id": 1}]), lambda world: [world.tools.pay(order_id="A17") for _ in range(2)]
    )
    assert "effect_if" not in str(found)
