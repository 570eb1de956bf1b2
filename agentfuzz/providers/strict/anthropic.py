"""What Anthropic's Messages refuse: calls without results, results without calls, empty texts.

Law: messages of one role in a row are one turn; the calls of an assistant's turn are all answered,
once, at the beginning of the user's next turn. What they take is taken: a conversation that the
assistant begins, an empty result, an assistant's text at the end to go on from. Called by
`strict.check`. Reference: the errors and the notes of the provider's own guide.
"""

from collections.abc import Mapping, Set
from typing import Any

from agentfuzz.providers.strict.refusal import is_name
from agentfuzz.providers.turns import Asked, Message, Refusal

NAME = 128  # the most characters of a tool's name
_PATTERN = f"String should match pattern '^[a-zA-Z0-9_-]{{1,{NAME}}}$'"
_THINKS = 1024  # the least budget

Block = Mapping[str, Any]
Placed = tuple[int, int, Block]  # the message, its block, and what stands there
_USES = "`tool_use` blocks can only be in `assistant` messages"
_RESULTS = "`tool_result` blocks can only be in `user` messages"


def check(asked: Asked, before: list[Message], doubled: Set[str]) -> None:
    """Raises Refusal as the provider would refuse this request."""
    request = asked.request
    _values(request)
    _tools(request)
    messages = [(i, m) for i, m in enumerate(request["messages"]) if m["role"] != "system"]
    last = len(request["messages"]) - 1
    for i, message in messages:
        _content(message, i, i == last, doubled)
    _answered(_turns(messages), before, doubled)
    if messages and messages[-1][1]["role"] == "assistant":
        text = _last_text(messages[-1][1].get("content"))
        if text != text.rstrip():
            raise _refused(
                "messages", "final assistant content cannot end with trailing whitespace"
            )


def _refused(place: str, words: str) -> Refusal:
    return Refusal(f"{place}: {words}", place)


def _values(request: Mapping[str, Any]) -> None:
    if request["max_tokens"] < 0:  # 0 fills the cache of a prompt
        raise _refused("max_tokens", "must be greater than or equal to 0")
    for name in ("temperature", "top_p"):
        value = request.get(name)
        if isinstance(value, (int, float)) and not 0 <= value <= 1:
            raise _refused(name, "range: 0..1")
    thinking = request.get("thinking")
    if isinstance(thinking, Mapping) and thinking.get("type") == "enabled":
        budget = thinking.get("budget_tokens")
        if isinstance(budget, int) and budget < _THINKS:
            place = "thinking.enabled.budget_tokens"
            raise _refused(place, f"Input should be greater than or equal to {_THINKS}")
    stops = request.get("stop_sequences")
    for text in stops if isinstance(stops, list) else ():
        if isinstance(text, str) and not text.strip():
            raise _refused("stop_sequences", "each stop sequence must contain non-whitespace")
    system = request.get("system")
    for block in system if isinstance(system, list) else ():
        if isinstance(block, Mapping) and block.get("text") == "":
            raise _refused("system", "text content blocks must be non-empty")


def _tools(request: Mapping[str, Any]) -> None:
    tools = request.get("tools") or []
    for i, tool in enumerate(tools):
        if tool.get("type") not in (None, "custom"):
            continue
        place, name, schema = f"tools.{i}.custom", tool.get("name", ""), tool.get("input_schema")
        _named(name, f"{place}.name")
        if schema is None:
            raise _refused(f"{place}.input_schema", "Field required")
        if isinstance(schema, Mapping) and "type" not in schema:
            raise _refused(f"{place}.input_schema.type", "Field required")
    names = [tool["name"] for tool in tools if "name" in tool]
    if len(set(names)) < len(names):
        raise _refused("tools", "Tool names must be unique.")
    choice = request.get("tool_choice")
    forced = isinstance(choice, Mapping) and choice.get("type") in ("any", "tool")
    if forced and not tools and not request.get("thread"):
        raise _refused("tool_choice", "tool_choice may only be specified while providing tools")


def _named(name: str, place: str) -> None:
    if len(name) > NAME:
        raise _refused(place, f"String should have at most {NAME} characters")
    if not is_name(name):
        raise _refused(place, _PATTERN)


def _content(message: Message, i: int, is_last: bool, given: Set[str]) -> None:
    """The content of one message in itself."""
    content, theirs = message.get("content"), message["role"] == "assistant"
    if content in (None, "", []) or (isinstance(content, str) and not theirs and content.isspace()):
        if not theirs:
            raise _refused(f"messages.{i}", "user messages must have non-empty content")
        if not is_last:
            raise _refused(
                f"messages.{i}",
                "all messages must have non-empty content except for the optional final assistant "
                "message",
            )
        return
    for j, block in enumerate(_blocks(content)):
        kind = block.get("type")
        if kind == "text" and not str(block.get("text", "")).strip():
            empty = not block.get("text")
            what = "be non-empty" if empty else "contain non-whitespace text"
            raise _refused("messages", f"text content blocks must {what}")
        if (kind, theirs) in (("tool_use", False), ("tool_result", True)):
            raise _refused(f"messages.{i}.content.{j}", _RESULTS if theirs else _USES)
        if kind == "tool_use":
            _use(block, f"messages.{i}.content.{j}.tool_use", given)


def _use(block: Block, place: str, given: Set[str]) -> None:
    if not is_name(block["id"]):
        raise _refused(f"{place}.id", "String should match pattern '^[a-zA-Z0-9_-]+$'")
    if block["name"] not in given:
        _named(block["name"], f"{place}.name")
    if "input" not in block:
        raise _refused(f"{place}.input", "Field required")
    if not isinstance(block["input"], Mapping):
        raise _refused(f"{place}.input", "Input should be an object")


def _blocks(content: Any) -> list[Block]:
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def _last_text(content: Any) -> str:
    blocks = _blocks(content) if content else []
    return str(blocks[-1].get("text", "")) if blocks and blocks[-1].get("type") == "text" else ""


def _turns(messages: list[tuple[int, Message]]) -> list[tuple[str, list[Placed]]]:
    """The messages as the provider puts them together: those of a role in a row are one turn."""
    turns: list[tuple[str, list[Placed]]] = []
    for i, message in messages:
        if not turns or turns[-1][0] != message["role"]:
            turns.append((message["role"], []))
        turns[-1][1].extend((i, j, b) for j, b in enumerate(_blocks(message.get("content"))))
    return turns


def _answered(
    turns: list[tuple[str, list[Placed]]], before: list[Message], doubled: Set[str]
) -> None:
    """Each call has its one result at the beginning of the next turn, each result its call."""
    calls = [call["id"] for m in before[-1:] for call in m.get("tool_calls", ())]
    uses = dict.fromkeys(calls, 0)  # the calls that wait, and the message that each stands in
    seen = {call["id"] for message in before for call in message.get("tool_calls", ())}
    for role, blocks in turns:
        if role == "user":
            _results(blocks, uses, doubled)
            uses = {}
            continue
        _settled(uses)
        for i, j, block in blocks:
            if block.get("type") != "tool_use":
                continue
            if block["id"] in seen - doubled:
                raise _refused(f"messages.{i}.content.{j}", "`tool_use` ids must be unique")
            seen.add(block["id"])
            uses[block["id"]] = i
    _settled(uses)


def _results(blocks: list[Placed], uses: dict[str, int], doubled: Set[str]) -> None:
    given: set[str] = set()
    for at, (i, j, block) in enumerate(blocks):
        if block.get("type") != "tool_result":
            continue
        if at and not given:  # something stands before the results
            _settled(uses)
        name, place = block["tool_use_id"], f"messages.{i}.content.{j}"
        if name not in uses:
            raise _refused(
                place,
                f"unexpected `tool_use_id` found in `tool_result` blocks: {name}. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous "
                "message.",
            )
        if name in given - doubled:
            raise _refused(
                place,
                "each tool_use must have a single result. Found multiple `tool_result` blocks with "
                f"id: {name}",
            )
        given.add(name)
    _settled({name: i for name, i in uses.items() if name not in given})


def _settled(uses: Mapping[str, int]) -> None:
    """No call waits for its result."""
    if uses:
        first = min(uses.values())
        names = ", ".join(name for name, i in uses.items() if i == first)
        raise _refused(
            f"messages.{first}",
            f"`tool_use` ids were found without `tool_result` blocks immediately after: {names}. "
            "Each `tool_use` block must have a corresponding `tool_result` block in the next "
            "message.",
        )
