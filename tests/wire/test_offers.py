"""What a request offers is kept to, in every protocol, plain and streamed: its tools, its choice
among them, the form of its answer, and how much may be said."""

import json
import re
from typing import Any

import pytest

from agentfuzz import Completion, call, own, ref, scenario
from agentfuzz.core.plan import FaultPlan
from agentfuzz.runtime.clock import Clock
from agentfuzz.wire.router import WireReply, face_of
from agentfuzz.world.injector import FromPlan

from .parts import CHAT, MESSAGES, RESPONSES, data

ARGUMENTS = {"order_id": "A17", "cents": 42}
SHAPES: dict[str, Any] = {
    "charge": {
        "type": "object",
        "properties": {"order_id": {"type": "string"}, "cents": {"type": "integer", "minimum": 1}},
        "required": ["order_id", "cents"],
    },
    "find": {
        "type": "object",
        "properties": {"order_id": {"type": "string", "minLength": 2}},
        "required": ["order_id"],
    },
    "weather": {
        "type": "object",
        "properties": {"city": {"enum": ["Ulm", "Rom"]}, "days": {"type": "integer"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
TOTAL: dict[str, Any] = {
    "type": "object",
    "properties": {"total": {"type": "integer"}},
    "required": ["total"],
    "additionalProperties": False,
}
EVERY = pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
PLAIN_OR_NOT = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


def shop(*script: Any, plan: str = "", **more: Any) -> Any:
    """A world whose model has this script."""

    @scenario(task="Charge A17.", **(more or {"script": list(script)}))
    def story(world: Any) -> None:
        @world.tool
        def find(order_id: str) -> dict[str, Any]:
            return {"order_id": order_id, "cents": 42}

        @world.tool(effect="charge", scope=("order_id",))
        def charge(order_id: str, cents: int) -> str:
            return "ok"

    return story.world(FromPlan(FaultPlan.parse(plan)), Clock())


CHARGE = ("charge", ARGUMENTS)
BOTH = [("find", {"order_id": "A17"}), CHARGE]


def charging(*more: Any, **how: Any) -> Any:
    return shop(CHARGE, *(more or ("Charged.",)), **how)


# One request in each protocol -------------------------------------------------------------------


def tools_of(path: str, names: str) -> list[Any]:
    made: list[Any] = []
    for name in names.split():
        shape = SHAPES.get(name, {"type": "object"})
        if path == CHAT:
            made.append({"type": "function", "function": {"name": name, "parameters": shape}})
        elif path == RESPONSES:
            made.append({"type": "function", "name": name, "parameters": shape, "strict": False})
        else:
            made.append({"name": name, "input_schema": shape})
    return made


def choice_of(path: str, choice: str) -> dict[str, Any]:
    """`auto`, `none`, `required`, the name of a tool, or `a|b` for those that are allowed."""
    if not choice:
        return {}
    if path == MESSAGES:
        words = {"auto": "auto", "none": "none", "required": "any"}
        chosen = {"type": words[choice]} if choice in words else {"type": "tool", "name": choice}
        return {"tool_choice": chosen}
    if choice in ("auto", "none", "required"):
        return {"tool_choice": choice}
    if "|" in choice:
        mode, *names = choice.split("|")
        told = {"mode": mode, "tools": [spoken(path, name) for name in names]}
        inner = {"allowed_tools": told} if path == CHAT else told
        return {"tool_choice": {"type": "allowed_tools", **inner}}
    return {"tool_choice": spoken(path, choice)}


def spoken(path: str, name: str) -> dict[str, Any]:
    inner = {"function": {"name": name}} if path == CHAT else {"name": name}
    return {"type": "function", **inner}


def form_of(path: str, schema: Any) -> dict[str, Any]:
    """A request for an answer of a schema; of any object, if it is None."""
    if schema is None:
        kind = {"type": "json_object"}
        return {"response_format": kind} if path == CHAT else {"text": {"format": kind}}
    if path == CHAT:
        told = {"name": "answer", "strict": True, "schema": schema}
        return {"response_format": {"type": "json_schema", "json_schema": told}}
    form = {"type": "json_schema", "schema": schema}
    if path == RESPONSES:
        return {"text": {"format": {**form, "name": "answer"}}}
    return {"output_config": {"format": form}}


def longest(path: str, tokens: int) -> dict[str, Any]:
    word = {CHAT: "max_completion_tokens", RESPONSES: "max_output_tokens", MESSAGES: "max_tokens"}
    return {word[path]: tokens}


SHOWN = [{"role": "user", "content": "Charge A17."}]


def ask(world: Any, path: str, tools: Any = "", choice: str = "", **more: Any) -> Any:
    """What comes back: calls as (name, arguments), the text, and why it stopped."""
    stream = more.pop("stream", False)
    body: dict[str, Any] = {"model": "m", **choice_of(path, choice)}
    body["input" if path == RESPONSES else "messages"] = more.pop("shown", SHOWN)
    if tools:
        body["tools"] = tools_of(path, tools) if isinstance(tools, str) else tools
    body |= {"max_tokens": 200} if path == MESSAGES else {}
    body |= {"stream": True} if stream else {}
    reply = face_of(world).answer("POST", path, {}, json.dumps(body | more).encode())
    if reply.status >= 400:
        return reply.status, json.loads(reply.body)["error"]["message"]
    return READERS[path](together(path, reply) if stream else json.loads(reply.body))


def together(path: str, reply: WireReply) -> Any:
    """The body that a stream tells."""
    events = [json.loads(data(one)) for one in reply.chunks if b"[DONE]" not in one]
    if path == RESPONSES:
        return events[-1]["response"]
    return (of_chunks if path == CHAT else of_blocks)(events)


def of_chunks(events: list[Any]) -> Any:
    found: dict[int, Any] = {}
    for part in (one for event in events for one in event["choices"]):
        choice = found.setdefault(part["index"], {"message": {"content": None, "tool_calls": []}})
        choice["finish_reason"] = part["finish_reason"]
        message, delta = choice["message"], part["delta"]
        if delta.get("content") is not None:
            message["content"] = (message["content"] or "") + delta["content"]
        for made in delta.get("tool_calls", ()):
            if "id" in made:
                message["tool_calls"].append({"id": made["id"], "function": dict(made["function"])})
            else:
                made_before = message["tool_calls"][made["index"]]["function"]
                made_before["arguments"] += made["function"]["arguments"]
    return {"choices": [found[i] for i in sorted(found)]}


def of_blocks(events: list[Any]) -> Any:
    blocks: list[Any] = []
    for event in events:
        if event["type"] == "content_block_start":
            blocks.append({**event["content_block"], "written": ""})
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            blocks[-1]["written"] += delta.get("text", delta.get("partial_json"))
    for block in blocks:
        written = block.pop("written")
        if block["type"] == "text":
            block["text"] = written
        else:
            block["input"] = json.loads(written) if written.endswith("}") else {}
    ends = next(event["delta"] for event in events if event["type"] == "message_delta")
    return {"content": blocks, **ends}


def of_chat(body: Any) -> Any:
    told = [
        (
            [
                (one["function"]["name"], parsed(one["function"]["arguments"]))
                for one in choice["message"].get("tool_calls") or ()
            ],
            choice["message"]["content"] or "",
            choice["finish_reason"],
        )
        for choice in body["choices"]
    ]
    return told[0] if len(told) == 1 else told


def of_responses(body: Any) -> Any:
    calls = [
        (item["name"], parsed(item["arguments"]))
        for item in body["output"]
        if item["type"] == "function_call"
    ]
    text = "".join(item["content"][0]["text"] for item in body["output"] if "content" in item)
    return calls, text, (body["incomplete_details"] or {"reason": body["status"]})["reason"]


def of_messages(body: Any) -> Any:
    calls = [(one["name"], one["input"]) for one in body["content"] if one["type"] == "tool_use"]
    text = "".join(one["text"] for one in body["content"] if one["type"] == "text")
    return calls, text, body["stop_reason"]


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


READERS: dict[str, Any] = {CHAT: of_chat, RESPONSES: of_responses, MESSAGES: of_messages}
CALLED = {CHAT: "tool_calls", RESPONSES: "completed", MESSAGES: "tool_use"}
SAID = {CHAT: "stop", RESPONSES: "completed", MESSAGES: "end_turn"}
FULL = {CHAT: "length", RESPONSES: "max_output_tokens", MESSAGES: "max_tokens"}


# The tools --------------------------------------------------------------------------------------

UNDONE = "I could not finish the task: I am not offered charge here"


@EVERY
@PLAIN_OR_NOT
@pytest.mark.parametrize(
    ("tools", "choice", "calls"),
    [
        ("", "", None),
        ("weather", "", None),
        ("weather", "auto", None),
        ("weather", "none", None),
        ("charge weather", "none", None),
        ("charge", "", [CHARGE]),
        ("weather charge", "auto", [CHARGE]),
        ("weather charge", "required", [CHARGE]),
        ("weather charge", "charge", [CHARGE]),
        ("weather", "required", [("weather", {"city": "Ulm"})]),
        ("weather charge", "weather", [("weather", {"city": "Ulm"})]),
        ("weather find", "required", [("weather", {"city": "Ulm"})]),
        ("charge find", "find", [("find", {"order_id": "aa"})]),
    ],
)
def test_it_calls_what_it_may(
    path: str, stream: bool, tools: str, choice: str, calls: Any, replies: list[Any]
) -> None:
    """The script's call where it is offered, a forced one with arguments of its schema, and words
    that say what was left undone where there is none."""
    found = ask(charging(), path, tools, choice, stream=stream)
    if calls is None:
        assert found == ([], UNDONE, SAID[path])
    else:
        assert found == (calls, "", CALLED[path])


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
@PLAIN_OR_NOT
def test_the_tools_that_are_allowed(path: str, stream: bool, replies: list[Any]) -> None:
    """`allowed_tools` are fewer tools, of which one may or must be called."""

    def calls(choice: str) -> Any:
        return ask(charging(), path, "charge weather", choice, stream=stream)[0]

    assert calls("auto|weather") == []
    assert calls("auto|weather|charge") == [CHARGE]
    assert calls("required|weather") == [("weather", {"city": "Ulm"})]


@EVERY
@pytest.mark.parametrize("choice", ["other", "required"])
def test_a_choice_that_cannot_be_is_refused(path: str, choice: str, replies: list[Any]) -> None:
    """A tool that is not offered cannot be chosen, nor any where there are none."""
    world = charging()
    status, said = ask(world, path, "charge" if choice == "other" else "", choice)
    assert status == 400
    assert re.search("tool_choice|Tool choice", said)


@pytest.mark.parametrize(
    ("path", "given", "place"),
    [
        (CHAT, {"tool_choice": "perhaps"}, "tool_choice"),
        (CHAT, {"tool_choice": 3}, "tool_choice"),
        (CHAT, {"tool_choice": {"type": "allowed_tools"}}, "tool_choice.allowed_tools"),
        (CHAT, {"n": 0}, "n"),
        (CHAT, {"n": "2"}, "n"),
        (CHAT, {"stop": 3}, "stop"),
        (CHAT, {"max_tokens": -1}, "max_tokens"),
        (CHAT, {"response_format": "json"}, "response_format"),
        (CHAT, {"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        (RESPONSES, {"text": "json"}, "text"),
        (RESPONSES, {"text": {"format": {"type": "json_schema", "schema": 3}}}, "text.format.sch"),
        (RESPONSES, {"max_output_tokens": -1}, "max_output_tokens"),
        (MESSAGES, {"tool_choice": "any"}, "tool_choice"),
        (MESSAGES, {"tool_choice": {"type": "perhaps"}}, "tool_choice.type"),
        (MESSAGES, {"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        (MESSAGES, {"stop_sequences": [3]}, "stop_sequences"),
        (MESSAGES, {"output_config": {"format": {"schema": {}}}}, "output_config.format.type"),
    ],
)
def test_terms_that_are_none_are_refused(
    path: str, given: dict[str, Any], place: str, replies: list[Any]
) -> None:
    """400, by the place."""
    status, said = ask(charging(), path, "charge", **given)
    assert status == 400
    assert place in said


@EVERY
@PLAIN_OR_NOT
def test_one_call_at_a_time(path: str, stream: bool, replies: list[Any]) -> None:
    """Where calls in parallel are not wanted, those of one step come one by one."""
    world = shop(BOTH, "Charged.")
    assert ask(world, path, "find charge", stream=stream)[0] == BOTH
    wanted: dict[str, Any] = {"parallel_tool_calls": False}
    if path == MESSAGES:
        wanted = {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
    assert ask(shop(BOTH), path, "find charge", stream=stream, **wanted)[0] == BOTH[:1]
    for plan in ("model#1:fan_out", "model#1:duplicate_ids", "model#1:malformed_args=3"):
        more = ask(shop(BOTH[0], plan=plan), path, "find charge", stream=stream)[0]
        assert len(more) > 1
        told = ask(shop(BOTH[0], plan=plan), path, "find charge", stream=stream, **wanted)[0]
        assert told == BOTH[:1]


@EVERY
def test_a_call_that_waits_for_one_that_is_not_offered(path: str, replies: list[Any]) -> None:
    """A reference to a reply that cannot come is not filled with nothing; other steps go on."""
    script = [
        BOTH[0],
        call("charge", order_id="A17", cents=ref("find", "cents")),
        own("mail", text="Charged."),
        "Charged.",
    ]
    assert ask(shop(*script), path, "charge")[0] == []
    assert ask(shop(*script), path, "charge mail")[0] == [("mail", {"text": "Charged."})]


@pytest.mark.parametrize(
    ("path", "hosted"),
    [
        (RESPONSES, {"type": "web_search"}),
        (MESSAGES, {"type": "web_search_20250305", "name": "web_search"}),
    ],
)
def test_a_tool_of_the_provider_is_not_called(
    path: str, hosted: dict[str, Any], replies: list[Any]
) -> None:
    """What the provider runs itself never comes back as a call of the client's."""
    tools = [hosted, *tools_of(path, "weather")]
    found = ask(shop(own("web_search"), "Found."), path, tools, "required")
    assert found[0] == [("weather", {"city": "Ulm"})]


@EVERY
def test_a_forced_call_fits_the_world(path: str, replies: list[Any]) -> None:
    """A tool that is offered without a schema is called as the world knows it."""
    tools = tools_of(path, "charge")
    shape = {CHAT: "parameters", RESPONSES: "parameters", MESSAGES: "input_schema"}[path]
    holder = tools[0]["function"] if path == CHAT else tools[0]
    holder[shape] = {"type": "object"}
    found = ask(shop("Hello."), path, tools, "required")
    assert found[0] == [("charge", {"order_id": "", "cents": 0})]


@EVERY
def test_the_done_tool_where_it_is_offered(path: str, replies: list[Any]) -> None:
    """A Completion is said with the done tool, or in words, or in the form that is asked for."""
    world = shop(Completion.success(handle="ch_1"))
    told = {"status": "success", "reason": "completed", "handle": "ch_1"}
    assert ask(world, path, "done") == ([("done", told)], "", CALLED[path])
    assert ask(world, path)[1] == "The task is closed."
    asked = ask(world, path, **form_of(path, Completion.model_json_schema()))
    assert json.loads(asked[1]) == {**told, "detail": ""}


# The form of the answer -------------------------------------------------------------------------


@EVERY
@PLAIN_OR_NOT
@pytest.mark.parametrize(
    ("closing", "said"),
    [
        ({"total": 42}, {"total": 42}),
        ('{"total": 42}', {"total": 42}),
        ("It is 42.", {"total": 0}),
    ],
)
def test_an_answer_of_a_schema(
    path: str, stream: bool, closing: Any, said: Any, replies: list[Any]
) -> None:
    """The value that the script closes with, or the simplest one of the schema; in JSON."""
    calls, text, why = ask(shop(closing), path, stream=stream, **form_of(path, TOTAL))
    assert (calls, json.loads(text), why) == ([], said, SAID[path])


@EVERY
def test_an_answer_comes_after_the_work(path: str, replies: list[Any]) -> None:
    """The calls first, as they are offered; then the value."""
    world = charging({"total": 42})
    assert ask(world, path, "charge", **form_of(path, TOTAL)) == ([CHARGE], "", CALLED[path])
    undone = ask(world, path, **form_of(path, TOTAL))
    assert json.loads(undone[1]) == {"total": 0}


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
@pytest.mark.parametrize(("closing", "said"), [([{"a": 1}, 2], [{"a": 1}, 2]), ("Hello.", {})])
def test_an_answer_of_any_object(path: str, closing: Any, said: Any, replies: list[Any]) -> None:
    """`json_object` has no schema: what the script says, or an empty object."""
    shown = [{"role": "user", "content": "Charge A17, and answer in JSON."}]
    found = ask(shop(closing), path, shown=shown, **form_of(path, None))
    assert json.loads(found[1]) == said


def test_words_are_said_within_a_schema(replies: list[Any]) -> None:
    """A closing in words, or trouble, is told where the schema has room for a text."""
    schema = {"type": "object", "properties": {"why": {"type": "string"}}, "required": ["why"]}
    found = ask(charging(), CHAT, **form_of(CHAT, schema))
    assert json.loads(found[1]) == {"why": UNDONE}
    found = ask(shop("Nothing to do."), CHAT, **form_of(CHAT, schema))
    assert json.loads(found[1]) == {"why": "Nothing to do."}


@EVERY
@PLAIN_OR_NOT
@pytest.mark.parametrize("choice", ["Answer", "required"])
def test_an_answer_by_a_tool(path: str, stream: bool, choice: str, replies: list[Any]) -> None:
    """The usual way where a protocol has no schemas: a tool that takes the answer is forced. It
    gets the value that the script closes with, a pydantic model too; a script may also name it."""
    tools = tools_of(path, "weather Answer")
    holder = tools[1]["function"] if path == CHAT else tools[1]
    holder["input_schema" if path == MESSAGES else "parameters"] = TOTAL
    total = {"total": 42}
    for script in ([total], [own("Answer", **total), "Said."], [json.dumps(total)]):
        found = ask(shop(*script), path, tools, choice, stream=stream)
        assert found == ([("Answer", total)], "", CALLED[path])
    found = ask(shop("No value."), path, tools, "Answer", stream=stream)
    assert found[0] == [("Answer", {"total": 0})]


def test_no_fault_says_what_a_provider_does_not_let_pass(replies: list[Any]) -> None:
    """An answer of a schema is not reworded, where no call may be none is repeated, and where one
    must be there are no words instead; what may be strikes."""
    assert json.loads(
        ask(shop({"total": 42}, plan="model#1:reword"), CHAT, **form_of(CHAT, TOTAL))[1]
    )
    skipped = ask(charging(plan="model#1:skip"), CHAT, "charge", "required")
    assert skipped[0] == [CHARGE]
    assert ask(charging(plan="model#1:skip"), CHAT, "charge")[1] == "Charged."
    unknown = ask(charging(plan="model#1:unknown_tool"), CHAT, "charge", "required")
    assert unknown[0] == [("charge_v2", ARGUMENTS)]
    torn = ask(shop({"total": 42}, plan="model#1:truncated"), CHAT, **form_of(CHAT, TOTAL))
    assert torn[1:] == ('{"tota', "length")


# How much is said -------------------------------------------------------------------------------


@EVERY
@PLAIN_OR_NOT
def test_the_longest_answer(path: str, stream: bool, replies: list[Any]) -> None:
    """Four characters are a token: what is longer breaks off, a call within its JSON."""
    world = shop("x" * 80)
    assert ask(world, path, stream=stream, **longest(path, 20)) == ([], "x" * 80, SAID[path])
    assert ask(world, path, stream=stream, **longest(path, 19)) == ([], "x" * 76, FULL[path])
    if path == RESPONSES:  # takes no limit below 16
        return
    calls, text, why = ask(charging(), path, "charge", stream=stream, **longest(path, 3))
    assert (text, why) == ("", FULL[path])
    assert calls == [("charge", {} if path == MESSAGES else '{"order_id":'[:12])]


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@PLAIN_OR_NOT
def test_a_stop_sequence(path: str, stream: bool, replies: list[Any]) -> None:
    """The text ends before the first of them, and the reply says so in its protocol's words."""
    word = "stop" if path == CHAT else "stop_sequences"
    world = shop("One. Two. Three.")
    why = "stop" if path == CHAT else "stop_sequence"
    found = ask(world, path, stream=stream, **{word: ["Three", "Two"]})
    assert found == ([], "One. ", why)
    assert ask(world, path, stream=stream, **{word: ["Four"]})[1:] == (
        "One. Two. Three.",
        SAID[path],
    )
    if path == CHAT:
        assert ask(world, path, stream=stream, stop=" Two")[1] == "One."


def test_the_stop_sequence_is_named(replies: list[Any]) -> None:
    """Anthropic says which one it was, plain and streamed."""
    body = {"model": "m", "max_tokens": 9, "messages": SHOWN, "stop_sequences": ["Two"]}
    for stream in (False, True):
        raw = json.dumps({**body, "stream": stream}).encode()
        reply = face_of(shop("One. Two.")).answer("POST", MESSAGES, {}, raw)
        assert b'"stop_sequence":"Two"' in reply.body


@PLAIN_OR_NOT
def test_several_choices(stream: bool, replies: list[Any]) -> None:
    """As many as are asked for, each with calls of its own that are known again."""
    world = charging()
    found = ask(world, CHAT, "charge", stream=stream, n=3)
    assert found == [([CHARGE], "", "tool_calls")] * 3
    ids = [
        made["id"]
        for choice in (together(CHAT, replies[-1]) if stream else json.loads(replies[-1].body))[
            "choices"
        ]
        for made in choice["message"]["tool_calls"]
    ]
    assert len(set(ids)) == 3
    function = {"name": "charge", "arguments": json.dumps(ARGUMENTS)}
    for one in ids:
        made = {"id": one, "type": "function", "function": function}
        shown = [
            *SHOWN,
            {"role": "assistant", "content": None, "tool_calls": [made]},
            {"role": "tool", "tool_call_id": one, "content": "ok"},
        ]
        assert ask(world, CHAT, "charge", shown=shown)[1] == "Charged."


# Several scripts --------------------------------------------------------------------------------

SCRIPTS: list[Any] = [
    [own("ask_billing", order="A17"), "Billing has done it."],
    [CHARGE, "Charged."],
    [BOTH[0], own("mail"), {"total": 1}],
    ["It is safe."],
    [{"safe": True}],
    {"total": 42},
]
SAFE = {"type": "object", "properties": {"safe": {"type": "boolean"}}, "required": ["safe"]}


@EVERY
@pytest.mark.parametrize(
    ("tools", "choice", "schema", "said"),
    [
        ("ask_billing weather", "", None, [("ask_billing", {"order": "A17"})]),
        ("weather charge find", "", None, [CHARGE]),
        ("find mail", "", None, [BOTH[0]]),
        ("find", "", None, [BOTH[0]]),  # some of its calls
        ("", "", None, "It is safe."),
        ("weather", "", None, "It is safe."),
        ("", "", SAFE, {"safe": True}),
        ("", "", TOTAL, {"total": 42}),
        ("weather", "none", TOTAL, {"total": 42}),
        ("charge", "none", None, UNDONE),  # the same conversation, in a turn of words
        ("weather charge", "weather", None, [("weather", {"city": "Ulm"})]),
        ("charge", "", TOTAL, [CHARGE]),
    ],
)
def test_each_request_has_the_script_of_its_tools(
    path: str, tools: str, choice: str, schema: Any, said: Any, replies: list[Any]
) -> None:
    """All of a script's calls are offered, or some; where none are, one without calls, which
    closes as an answer is asked for."""
    asked = {} if schema is None else form_of(path, schema)
    calls, text, _ = ask(shop(scripts=SCRIPTS), path, tools, choice, **asked)
    found: Any = calls or (text if isinstance(said, str) else json.loads(text))
    assert found == said


def test_a_forced_tool_has_the_script_of_its_schema(replies: list[Any]) -> None:
    """An output tool gets the value that fits it."""
    for schema, value in ((TOTAL, {"total": 42}), (SAFE, {"safe": True})):
        function = {"name": "Answer", "parameters": schema}
        tools = [{"type": "function", "function": function}]
        found = ask(shop(scripts=SCRIPTS), CHAT, tools, "Answer")
        assert found[0] == [("Answer", value)]
