"""What the simulated model reads of results, summaries and renamed ids, as real loops show them.

Law: a loop that keeps its conversation is accused of nothing because of how it writes a result
down; what cannot be read is no crash; what is cut off is still no answer.
"""

import json
from typing import Any

import pytest

from agentfuzz import (
    call,
    effects_remembered,
    exactly_once,
    receipts_shown,
    ref,
    results_paired,
    run,
    scenario,
)
from agentfuzz.core.events import Called, ModelTurn
from agentfuzz.model.results import part_of, reads_as_error

LAWS = (exactly_once("payment"), results_paired(), receipts_shown(), effects_remembered())
FORGETS = (LAWS[0], results_paired(forgets=True), *LAWS[2:])


def shop(*laws: Any, follow_ups: tuple[str, ...] = ()):
    @scenario(
        *laws,
        task="Pay A17.",
        script=[
            ("find_order", {"order_id": "A17"}),
            call("pay", order_id="A17", cents=ref("find_order", "cents")),
            "Paid A17.",
        ],
        follow_ups=follow_ups,
    )
    def story(world: Any) -> None:
        @world.tool
        def find_order(order_id: str) -> dict:
            return {"id": "o_1", "cents": 4200, "lines": ["a long line"] * 9}

        @world.tool(effect="payment", scope=("order_id",))
        def pay(order_id: str, cents: int | None = None) -> dict:
            return {"receipt": "r_1", "of": order_id, "note": None}

    return story


def loop(written: Any, rename: Any = None, edit: Any = None):
    """A loop that keeps its conversation: `written` puts a result into words, `rename` an id into
    another, `edit` is what it does to the conversation before each turn."""

    def agent(world: Any) -> str:
        messages = world.state.setdefault("messages", [])
        messages.append({"role": "user", "content": world.task})
        while True:
            shown = edit(messages) if edit else messages
            turn = world.model([_renamed(one, rename) for one in shown] if rename else shown)
            messages.append(turn)
            if not turn["tool_calls"]:
                return str(turn["content"])
            for made in turn["tool_calls"]:
                try:
                    text = written(world.call(made["name"], made["arguments"], asked=made["id"]))
                except Exception as error:
                    text = f"Error: {error}"
                messages.append({"role": "tool", "tool_call_id": made["id"], "content": text})

    return agent


def _renamed(message: Any, rename: Any) -> Any:
    found = dict(message)
    if found.get("tool_calls"):
        found["tool_calls"] = [{**one, "id": rename(one["id"])} for one in found["tool_calls"]]
    if "tool_call_id" in found:
        found["tool_call_id"] = rename(found["tool_call_id"])
    return found


class Money:
    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def __repr__(self) -> str:
        return f"Result({', '.join(f'{name}={value!r}' for name, value in self.fields.items())})"


WAYS = {
    "json": json.dumps,
    "indented": lambda value: json.dumps(value, indent=2),
    "python": str,
    "python of an object": lambda value: repr(Money(value)),
    "python with no plain value": lambda value: str({"at": Money({}), **value}),
    "trimmed": lambda value: json.dumps(value)[:44] + "...",
    "trimmed with a word": lambda value: json.dumps(value)[:44] + " [truncated]",
    "trimmed python": lambda value: str(value)[:44] + "…",
    "prose": lambda value: f"Result: {json.dumps(value)}",
    "prose and python": lambda value: f"The tool said {value} to it.",
    "tagged": lambda value: f"<result>{json.dumps(value)}</result>",
    "json in json": lambda value: json.dumps(json.dumps(value)),
    "the value itself": lambda value: value,
    "parts": lambda value: [{"type": "text", "text": json.dumps(value)}],
}


@pytest.mark.parametrize("way", WAYS)
def test_a_result_is_read_however_it_is_written(way: str) -> None:
    """Every call once, the amount out of the look-up, and nobody accused."""
    found = run(shop(*LAWS), loop(WAYS[way]))
    assert [str(event.slot) for event in found.history.of(Called)] == ["find_order#1", "pay#1"]
    assert found.history.of(Called)[1].args["cents"] == 4200
    assert found.violations == ()


def test_a_result_that_was_cut_off_is_no_answer() -> None:
    """A reply that stops in the middle is asked for again."""
    history = run(shop(), loop(str), "find_order#1:once/truncated").history
    assert [event.slot.name for event in history.of(Called)] == ["find_order", "find_order", "pay"]


@pytest.mark.parametrize("nothing", [None, "", "null", "None", "(no output)"])
def test_nothing_is_an_answer(nothing: Any) -> None:
    """A tool that returns nothing was called, and is not called again; what an argument would
    have taken from it stays empty."""
    found = run(shop(LAWS[0], results_paired()), loop(lambda value: nothing))
    assert [str(event.slot) for event in found.history.of(Called)] == ["find_order#1", "pay#1"]
    assert found.history.of(Called)[1].args["cents"] is None
    assert found.violations == ()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{'error': None, 'id': 'x'}", False),
        ('Result: {"error": null, "id": 1}', False),
        ("{'error': 'declined'}", True),
        ('Result: {"status": "failed"}', True),
        ('{"error": "declined", "trace": "abc...', True),
        ('{"a": 1, "b": "x', True),
        ("{'a': 1, 'b': 'x", True),
        ("[1,", True),
        ("[" * 30_000, True),
        ('{"a": "\\q"}', False),
        ("[stored]", False),
        ("Error: no", True),
        ("Tool execution was not approved.", True),
        ("The tool call was denied.", True),
        ("Function call was rejected by the user", True),
        ("This tool call has not been approved by a person.", True),
        ("User rejected the tool call for `ship` with id tc_1", True),
        ("Two rows were rejected, 40 were stored.", False),
        ("The tool call is approved.", False),
        ("The customer declined the offer.", False),
    ],
)
def test_what_reads_as_an_error(text: str, error: bool) -> None:
    """A field or a word that says so, a call that a person has refused, or a value that just stops;
    not one trimmed on purpose, nor what was refused to somebody else."""
    assert reads_as_error(text) is error


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"cents": 42...', None),
        ('{"cents": 42, ...', 42),
        ("cents: 42", 42),
        ("Order(id='x', cents=42)", 42),
        ("Order(id='x', cents=Decimal('42'))", None),
        ("cents = 'forty'", "forty"),
        ("percents: 42", None),
        ("nothing of it", None),
    ],
)
def test_a_part_is_read_whole_or_not_at_all(text: str, found: Any) -> None:
    """Half a number is none."""
    assert part_of(text, ("cents",)) == found


# a new message of the user


@pytest.mark.parametrize("way", ["json", "python", "trimmed"])
def test_a_follow_up_that_asks_for_nothing_is_answered_in_words(way: str) -> None:
    """The work that the conversation shows is not done again."""
    found = run(shop(*LAWS, follow_ups=("Thank you!",)), loop(WAYS[way]))
    assert [turn.text for turn in found.history.of(ModelTurn)][-2:] == ["Paid A17.", "Paid A17."]
    assert len(found.history.of(Called)) == 2
    assert found.violations == ()


def test_what_was_given_up_is_tried_again_when_the_user_asks_again() -> None:
    """The errors of before count no more; what was done stays done."""
    plan = " + ".join(f"pay#{n}:lost/rate_limited" for n in (1, 2, 3))
    history = run(shop(LAWS[0], follow_ups=("Please try again.",)), loop(str), plan).history
    assert [event.slot.name for event in history.of(Called)] == ["find_order", *["pay"] * 4]
    assert len(history.ledger) == 1


def test_a_conversation_that_begins_anew_is_worked_on_anew() -> None:
    """A loop that keeps nothing of what it did makes the model do it again."""

    def forgetful(world: Any) -> str:
        world.state.clear()
        return loop(str)(world)

    found = run(shop(LAWS[0], follow_ups=("Thank you!",)), forgetful)
    assert [one.code for one in found.violations] == ["AF101"]


# a summary of earlier turns


def summarised(text: str, role: str = "user"):
    """A loop that puts one message in the place of all turns once the user goes on to talk."""

    def edit(messages: Any) -> Any:
        if messages[-1]["role"] == "user" and len(messages) > 1:
            messages[1:-1] = [{"role": role, "content": text}]
        return messages

    return edit


@pytest.mark.parametrize("role", ["user", "system"])
@pytest.mark.parametrize(
    "text",
    [
        "Earlier: find_order was called for A17 and returned o_1. "
        "pay was called for A17 and returned r_1.",
        'find_order(A17) -> {"cents": 4200}\npay(A17) -> {"receipt": "r_1"}',
        "Summary.\n- find_order: order A17, done\n- pay: A17 paid, receipt r_1, done",
        "[other] called `find_order` with parameters:\n{'order_id': 'A17'}\n\n"
        "[other] `pay` returned:\n<<<\n{'of': 'A17', 'receipt': 'r_1'}\n>>>",
    ],
)
def test_a_call_that_a_summary_names_is_not_made_again(text: str, role: str) -> None:
    """The tool, an argument of its own, and that it happened: the model takes it for done."""
    story = shop(*FORGETS, follow_ups=("Thank you!",))
    found = run(story, loop(json.dumps, edit=summarised(text, role)))
    assert [str(event.slot) for event in found.history.of(Called)] == ["find_order#1", "pay#1"]
    assert found.violations == ()


@pytest.mark.parametrize(
    "text",
    [
        "We talked about an order.",
        "pay was called for A18 and returned r_1.",
        "find_order was called for A17. pay was called for A17 and failed.",
        "find_order was called for A17. Please see that pay is called for A17.",
        "find_order was called for A17. pay returned:\n{'of': 'A17', 'error': 'no money'}",
    ],
)
def test_a_summary_that_does_not_say_so_is_no_result(text: str) -> None:
    """A loop that loses what it did is found, as ever."""
    story = shop(LAWS[0], follow_ups=("Thank you!",))
    found = run(story, loop(json.dumps, edit=summarised(text)))
    assert "AF101" in [one.code for one in found.violations]


def test_a_result_is_read_where_it_is_told() -> None:
    """That a call was made comes first, and what it returned after it: the value is there."""
    text = (
        "[other] called tool `find_order` with parameters: {'order_id': 'A17'}\n"
        "[other] `find_order` tool returned result: {'id': 'A17', 'cents': 4200}"
    )

    def edit(messages: Any) -> Any:
        if messages[-1]["role"] == "tool" and len(messages) == 3:
            messages[1:] = [{"role": "user", "content": text}]
        return messages

    found = run(shop(), loop(json.dumps, edit=edit))
    assert found.history.of(Called)[1].args == {"order_id": "A17", "cents": 4200}


# ids that a framework renames


@pytest.mark.parametrize("rename", [lambda name: f"fc_{name}", lambda name: name.split("_")[1]])
def test_ids_that_are_renamed_are_known_again(rename: Any) -> None:
    """By the call's name and arguments: nothing is planned twice, and nobody is accused."""
    found = run(shop(*LAWS), loop(json.dumps, rename=rename))
    assert [str(event.slot) for event in found.history.of(Called)] == ["find_order#1", "pay#1"]
    assert found.violations == ()


def test_a_renamed_id_that_is_handed_on_keeps_its_slot() -> None:
    """The slot kept for the call is that of the call, whatever its id is now."""

    def agent(world: Any) -> None:
        turn = world.model([{"role": "user", "content": world.task}])
        made = turn["tool_calls"][0]
        world.call(made["name"], made["arguments"], asked=f"other_{made['id']}")
        world.call(made["name"], made["arguments"], asked=made["id"])

    history = run(shop(), agent).history
    assert [str(event.slot) for event in history.of(Called)] == ["find_order#1", "find_order#2"]


def test_a_result_without_an_id_answers_the_first_open_call_of_its_name() -> None:
    """Protocols without ids know a result by its tool, or by its place."""

    def agent(world: Any) -> str:
        messages: list[Any] = [{"role": "user", "content": world.task}]
        while (turn := world.model(messages))["tool_calls"]:
            messages.append(turn)
            for made in turn["tool_calls"]:
                text = json.dumps(world.call(made["name"], made["arguments"], asked=made["id"]))
                messages.append({"role": "tool", "name": made["name"], "content": text})
        return str(turn["content"])

    assert len(run(shop(), agent).history.of(Called)) == 2


@pytest.mark.parametrize(
    ("text", "told", "error"),
    [
        ('{"cents": 4200}', False, False),
        ("429 too many requests", True, True),
        ("429 too many requests", False, True),
        ("no such order", True, True),
        ("no such order", False, False),
    ],
)
def test_a_result_of_mcp_shown_whole(text: str, told: bool, error: bool) -> None:
    """Some clients hand on the whole of a result, or its content: it is an error where it says so,
    or where its text does, and what is asked for stands in its text."""
    content = [{"type": "text", "text": text}]
    shown = json.dumps({"content": content, "isError": True} if told else content)
    assert reads_as_error(shown) == error
    assert part_of(shown, ("cents",)) == (4200 if text[0] == "{" else None)


def test_a_content_of_its_own_is_no_result_of_mcp() -> None:
    """What a tool calls content stays what it is."""
    assert part_of('{"content": ["a", "b"]}', ("content", 1)) == "b"
    assert not reads_as_error('{"content": ["an error"], "id": 7}')
