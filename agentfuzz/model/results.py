"""What a model understands of a tool result as real loops show it.

Law: a text is read as far as it can be read, and never raises: JSON, what Python writes of a value,
either of them inside prose or of a result of MCP, or trimmed on purpose (an ellipsis stands where
something is left out). JSON that merely stops was cut off, and reads as an error; so does what says
that a person has refused the call. Called by what a model reads, by scripts whose arguments refer
to a reply, and by the plans of cassettes.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

_MOST = 20_000  # characters that are read as Python
_TRIES = 12  # places at which a value is looked for, or a trimmed one closed
_END = 80  # characters at the end of a text in which a mark of trimming is looked for
_CALL = r"(?:tool|function) (?:call|execution|invocation|use)"
_NO = "(?:not (?:been )?approved|denied|rejected|declined|refused)"
_ERROR = re.compile(
    r"\b(error|timed out|timeout|failed|failure|connection reset|too many requests|exception"
    rf"|{_CALL}\b[^.\n]{{0,40}}\b{_NO}|{_NO} the {_CALL})\b",
    re.IGNORECASE,
)
_TRIMMED = re.compile(r"\.\.\.|…|\b(truncated|trimmed|omitted|shortened|snip(ped)?)\b", re.I)
_ODD_ESCAPE = re.compile(r"\\[^\\'\"abfnrtvxuUN0-7\n]")
_OPEN = {"{": "}", "[": "]", "(": ")"}
_NOTHING = object()


def text_of(content: Any) -> str:
    """The text of a message: as it is, of its parts, or of the value that stands there itself."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list) and all(_is_part(one) for one in content):
        return "".join(one if isinstance(one, str) else one["text"] for one in content)
    return str(content)


def _is_part(one: Any) -> bool:
    return isinstance(one, str) or (isinstance(one, Mapping) and isinstance(one.get("text"), str))


@lru_cache(maxsize=256)  # a model is shown its whole conversation again at every turn
def reads_as_error(content: str) -> bool:
    """Whether a model would take this tool result for an error, or for one cut off."""
    text = content.strip()
    value = _whole(text)
    inner = _of_mcp(value)
    if inner is not None:
        told = isinstance(value, dict) and value.get("isError") is True
        return told or reads_as_error(inner)
    if value is _NOTHING or isinstance(value, str):
        if text[:1] in ("{", "["):
            body = _recovered(text)
            return body is None or _says_error(body)
        embedded = next(_embedded(text), None)
        if embedded is not None and _says_error(embedded[0]):
            return True
        return bool(_ERROR.search((text if embedded is None else embedded[1])[:300]))
    return _says_error(value)


def part_of(content: str, path: Sequence[str | int]) -> Any:
    """What a result says at a path; None where that cannot be read."""
    text = content.strip()
    for value in _readings(text):
        found = _at(value, path)
        if found is not None:
            return found
    if len(path) == 1 and isinstance(path[0], str):
        return _written_beside(path[0], text)
    return None


def _readings(text: str) -> Iterator[Any]:
    whole = _whole(text)
    if whole is not _NOTHING:
        yield whole
        inner = _of_mcp(whole)
        if inner is not None:
            yield from _readings(inner.strip())
        elif isinstance(whole, str):
            yield from (value for value, _ in _embedded(whole))
    elif text[:1] in ("{", "["):
        yield _recovered(text)
    else:
        yield from (value for value, _ in _embedded(text))


def _of_mcp(value: Any) -> str | None:
    """The text of a result as MCP writes it, or of its content: some clients show them whole."""
    content = value.get("content") if isinstance(value, dict) else value
    if not isinstance(content, list) or not content:
        return None
    if not all(isinstance(one, dict) and isinstance(one.get("type"), str) for one in content):
        return None
    return "".join(str(one.get("text", "")) for one in content)


def _at(value: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return None if value is ... else value


def _says_error(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value.get("error")) or value.get("status") in ("error", "failed")
    return False


def _whole(text: str) -> Any:
    """The value that a text is, as JSON or as Python writes it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if text[:1] not in _OPEN or len(text) > _MOST or _ODD_ESCAPE.search(text):
        return _NOTHING
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return _NOTHING


def _embedded(text: str) -> Iterator[tuple[Any, str]]:
    """The objects and lists inside of prose, each with the prose around it."""
    starts = [found.start() for found in re.finditer(r"[{\[]", text)][:_TRIES]
    past = 0
    for start in starts:
        if start < past:
            continue
        end = next((at for at, open_ in _closings(text[start:]) if not open_), None)
        cut = text[start:] if end is None else text[start : start + end]
        value = _whole(cut)
        if value is _NOTHING:
            value = _recovered(cut) if cut[:1] == "{" else None
        if isinstance(value, (dict, list)) and value:
            past = start + len(cut)
            yield value, text[:start] + text[past:]


def _recovered(text: str) -> Any:
    """The members that are whole of a value that is trimmed, or that holds what is no plain value;
    None for one that was cut off."""
    closings = list(_closings(text))
    balanced = any(not open_ for _, open_ in closings)
    marked = _TRIMMED.search(text if text[-1:] in "}])" else text[-_END:])
    if not balanced and not marked:
        return None
    for at, open_ in closings[: -_TRIES - 1 : -1]:
        value = _whole(text[:at] + "".join(_OPEN[one] for one in reversed(open_)))
        if value is not _NOTHING:
            return value
    return {}


def _closings(text: str) -> Iterator[tuple[int, str]]:
    """The places at which a member of a value is whole, each with the brackets open there; the
    last is the end of the value, where none is."""
    open_, quote, escaped = "", "", False
    for at, char in enumerate(text[:_MOST]):
        if quote:
            if escaped or char == "\\":
                escaped = not escaped
            elif char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        elif char in _OPEN:
            open_ += char
        elif char == ",":
            yield at, open_
        elif char in "}])":
            open_ = open_[:-1]
            yield at + 1, open_
            if not open_:
                return


def _written_beside(name: str, text: str) -> Any:
    """The number, or the text in quotes, that stands behind a name and a colon or an equals
    sign: of what Python writes of an object, and of prose."""
    found = re.search(
        rf"(?<!\w){re.escape(name)}['\"]?\s*[:=]\s*"
        r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|-?\d+(?:\.\d+)?(?![\w.]|…)|[A-Za-z_]\w*(?![\w.(]|…))",
        text,
    )
    if found is None:
        return None
    value = _whole(found[1]) if found[1][:1] != "'" else _whole(f"[{found[1]}]")
    if isinstance(value, list):
        return value[0]
    return found[1] if value is _NOTHING else value
