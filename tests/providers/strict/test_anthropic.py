"""Messages: what Anthropic refuses, word for word, and what it takes."""

from typing import Any

import pytest

from agentfuzz.providers.turns import Kept

from .support import refused

PATH = "/v1/messages"
USER = {"role": "user", "content": "Pay."}
SAID = {"role": "assistant", "content": "Hm."}
TOOL = {"name": "pay", "input_schema": {"type": "object"}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def use(call: str, **more: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call, "name": "pay", "input": {}, **more}


def result(call: str, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call, "content": "ok", **more}


def says(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": [*blocks]}


def gives(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": [*blocks]}


def ask(*messages: Any, kept: dict[str, Kept] | None = None, **more: Any) -> Any:
    return refused(PATH, {"model": "m", "max_tokens": 9, "messages": [*messages], **more}, kept)


IMAGE = {"type": "image", "source": {"type": "url", "url": "https://example.com/x.png"}}
HONEST: dict[str, tuple[Any, ...]] = {
    "one": (USER, says(use("a")), gives(result("a"))),
    "a text before": (USER, says(text("Paying."), use("a")), gives(result("a"))),
    "a text after": (USER, says(use("a")), gives(result("a"), text("Go on."))),
    "two": (USER, says(use("a"), use("b")), gives(result("a"), result("b"))),
    "any order": (USER, says(use("a"), use("b")), gives(result("b"), result("a"))),
    "results in two messages": (
        USER,
        says(use("a"), use("b")),
        gives(result("a")),
        gives(result("b")),
    ),
    "calls in two messages": (
        USER,
        says(use("a")),
        says(use("b")),
        gives(result("a"), result("b")),
    ),
    "and on": (USER, says(use("a")), gives(result("a")), says(use("b")), gives(result("b")), SAID),
    "two users": (USER, USER, SAID, USER),
    "an assistant first": (SAID, USER),
    "an assistant last": (USER, {"role": "assistant", "content": "The answer is ("}),
    "an empty assistant last": (USER, {"role": "assistant", "content": ""}),
    "empty results": (
        USER,
        says(use("a"), use("b"), use("c")),
        gives(result("a", content=""), result("b", content=[]), {**result("c"), "is_error": True}),
    ),
    "no content of a result": (
        USER,
        says(use("a")),
        gives({"type": "tool_result", "tool_use_id": "a"}),
    ),
    "thoughts": (
        USER,
        says({"type": "thinking", "thinking": "", "signature": "s"}, use("a")),
        gives(result("a")),
    ),
    "images": (gives(IMAGE), says(use("a")), gives(result("a", content=[IMAGE]), IMAGE)),
    "a rule in between": (
        USER,
        says(use("a")),
        gives(result("a")),
        {"role": "system", "content": "Be brief."},
        SAID,
        USER,
    ),
    "a tool of the server": (
        USER,
        says({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}),
    ),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_histories(name: str) -> None:
    """Taken, in all their shapes."""
    assert ask(*HONEST[name]) is None


UNANSWERED = (
    "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. "
    "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
)
ORPHAN = (
    "messages.{}: unexpected `tool_use_id` found in `tool_result` blocks: {}. Each `tool_result` "
    "block must have a corresponding `tool_use` block in the previous message."
)
UNIQUE = "messages.{}: `tool_use` ids must be unique"
BROKEN = [
    ((USER, says(use("a"))), UNANSWERED.format(1, "a")),
    ((USER, says(use("a")), USER), UNANSWERED.format(1, "a")),
    ((USER, says(use("a"), use("b")), USER), UNANSWERED.format(1, "a, b")),
    ((USER, says(use("a"), use("b")), gives(result("a"))), UNANSWERED.format(1, "b")),
    ((USER, says(use("a")), gives(text("x"), result("a"))), UNANSWERED.format(1, "a")),
    ((USER, says(use("a")), USER, gives(result("a"))), UNANSWERED.format(1, "a")),
    (
        (USER, says(use("a")), gives(result("a")), SAID, gives(result("a"))),
        ORPHAN.format("4.content.0", "a"),
    ),
    ((gives(result("a")),), ORPHAN.format("0.content.0", "a")),
    (
        (USER, says(use("a")), gives(result("a"), result("b"))),
        ORPHAN.format("2.content.1", "b"),
    ),
    (
        (USER, says(use("a")), gives(result("a"), result("a"))),
        "messages.2.content.1: each tool_use must have a single result. Found multiple "
        "`tool_result` blocks with id: a",
    ),
    ((USER, says(use("a"), use("a")), gives(result("a"))), UNIQUE.format("1.content.1")),
    (
        (USER, says(use("a")), gives(result("a")), says(use("a")), gives(result("a"))),
        UNIQUE.format("3.content.0"),
    ),
    (
        (USER, says(result("a"))),
        "messages.1.content.0: `tool_result` blocks can only be in `user` messages",
    ),
    (
        (gives(use("a")),),
        "messages.0.content.0: `tool_use` blocks can only be in `assistant` messages",
    ),
    ((gives(),), "messages.0: user messages must have non-empty content"),
    (({"role": "user", "content": "  "},), "messages.0: user messages must have non-empty content"),
    (
        (USER, says(), USER),
        "messages.1: all messages must have non-empty content except for the optional final "
        "assistant message",
    ),
    ((gives(text("")),), "messages: text content blocks must be non-empty"),
    ((USER, says(text(""), use("a"))), "messages: text content blocks must be non-empty"),
    (
        (USER, says(text("\n")), USER),
        "messages: text content blocks must contain non-whitespace text",
    ),
    (
        (USER, {"role": "assistant", "content": "The answer is "}),
        "messages: final assistant content cannot end with trailing whitespace",
    ),
    (
        (USER, says(text("The answer is\n"))),
        "messages: final assistant content cannot end with trailing whitespace",
    ),
    (
        (USER, says(use("a b")), gives(result("a b"))),
        "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    ),
    (
        (USER, says(use("a", name="my.tool")), gives(result("a"))),
        "messages.1.content.0.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    ),
    (
        (USER, says(use("a", input="{")), gives(result("a"))),
        "messages.1.content.0.tool_use.input: Input should be an object",
    ),
]


@pytest.mark.parametrize(("messages", "words"), BROKEN)
def test_broken_histories(messages: Any, words: str) -> None:
    """Refused in Anthropic's words, which begin with the place."""
    assert ask(*messages) == (words, words.partition(":")[0], "")


ASKED = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"id": "a", "name": "pay", "arguments": {}}],
}


def test_what_a_thread_goes_on_from() -> None:
    """Its calls are to be answered by what comes next."""
    known = {"msg_1": Kept([{"role": "user", "content": "Pay."}, ASKED], [])}
    more: dict[str, Any] = {"thread": {"type": "continue", "previous_message_id": "msg_1"}}
    assert ask(gives(result("a")), kept=known, **more) is None
    assert ask(gives(result("a")), SAID, USER, kept=known, **more) is None
    assert ask(USER, kept=known, **more)[0] == UNANSWERED.format(0, "a")
    assert ask(gives(result("b")), kept=known, **more)[0] == ORPHAN.format("0.content.0", "b")
    found = ask(gives(result("a")), says(use("a")), kept=known, **more)
    assert found[0] == UNIQUE.format("1.content.0")


@pytest.mark.parametrize(
    "more",
    [
        {"temperature": 0, "top_p": 1},
        {"temperature": 1.0, "top_k": 5},
        {"temperature": None, "tools": None, "system": None},
        {"max_tokens": 0},  # fills the cache of a prompt
        {"tools": [TOOL, {**TOOL, "name": "refund", "type": "custom"}]},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"tools": [{"type": "mcp_toolset", "mcp_server_name": "x"}] * 2},
        {"tool_choice": {"type": "auto"}},
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "pay"}},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"thinking": {"type": "adaptive"}},
        {"stop_sequences": ["string"]},
        {"system": ""},
        {"system": [{"type": "text", "text": "Be brief."}]},
    ],
    ids=str,
)
def test_values_in_their_range(more: dict[str, Any]) -> None:
    """The ends of each range are taken, and what is left out or null."""
    assert ask(USER, **more) is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"max_tokens": -1}, "max_tokens: must be greater than or equal to 0"),
        ({"temperature": 1.5}, "temperature: range: 0..1"),
        ({"top_p": -1}, "top_p: range: 0..1"),
        ({"tools": [TOOL, TOOL]}, "tools: Tool names must be unique."),
        (
            {"tools": [{**TOOL, "name": "my tool"}]},
            "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
        ),
        (
            {"tools": [TOOL, {**TOOL, "name": "x" * 129}]},
            "tools.1.custom.name: String should have at most 128 characters",
        ),
        ({"tools": [{"name": "pay"}]}, "tools.0.custom.input_schema: Field required"),
        (
            {"tools": [{"name": "pay", "input_schema": {}}]},
            "tools.0.custom.input_schema.type: Field required",
        ),
        (
            {"tool_choice": {"type": "any"}},
            "tool_choice: tool_choice may only be specified while providing tools",
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 9}},
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        (
            {"stop_sequences": [" "]},
            "stop_sequences: each stop sequence must contain non-whitespace",
        ),
        (
            {"system": [{"type": "text", "text": ""}]},
            "system: text content blocks must be non-empty",
        ),
    ],
)
def test_values_out_of_range(more: dict[str, Any], words: str) -> None:
    """The place, and what it has to be."""
    assert ask(USER, **more) == (words, words.partition(":")[0], "")


def test_an_id_that_the_provider_gave_twice() -> None:
    """Who gives one id to two calls of a reply takes them, and two results; no other id."""
    body = {"model": "m", "max_tokens": 9}
    body |= {"messages": [USER, says(use("a"), use("a")), gives(result("a"), result("a"))]}
    assert refused(PATH, body, doubled=frozenset("a")) is None
    assert refused(PATH, body, doubled=frozenset("b")) is not None
