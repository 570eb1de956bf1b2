"""Four sinks, one escape rule each: text of a tested agent, made inert where it is shown.

Law: whatever stands in a string, a terminal moves no cursor, a CI runner takes no line as a
command, a Markdown reader follows no link, and no file lands outside its folder. Called by
whatever prints and by the writers of every format, on data and only there. HTML is autoescaped by
its templates, on top of `visible`; JSON is escaped by the codec.
"""

import hashlib
import re
import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_BRACKET_COMMAND = re.compile(r"##(?=\w*\[)")  # GitHub's ##[error], Azure's ##vso[...]
_PLAIN_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d|index|report)(\..*)?|.*\.")
_MARKDOWN = re.compile(r"([\\`*_\[\]|~!$])")
_BLOCK_START = re.compile(r"(\d*)([#+=.)-])")


def visible(text: str, keep: str = "") -> str:
    """Controls, invisible formatting, surrogates and odd line ends as their escapes (`\\x1b`).

    `keep` names characters that are meant here (a line break in a block of several lines).
    """
    if text.isprintable():
        return text
    return "".join(
        char
        if char in keep or unicodedata.category(char) not in _HIDDEN
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def guard(line: str) -> str:
    """One line that no CI runner takes as a command: `::error` and `##[error]` are broken."""
    line = _BRACKET_COMMAND.sub(r"#\\x23", line)
    bare = line.lstrip()
    if bare.startswith("::"):
        return line[: len(line) - len(bare)] + "\\x3a" + bare[1:]
    return line


def terminal(text: str, *, multiline: bool = False) -> str:
    """Text for a terminal or a CI log. Line breaks survive only where they are meant."""
    shown = visible(text, "\n" if multiline else "")
    return "\n".join(guard(line) for line in shown.split("\n"))


def markdown(text: str) -> str:
    """One line of Markdown prose: no link, image, tag, table cell, mention, formula or block."""
    text = visible(text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _MARKDOWN.sub(r"\\\1", text)
    # A bare address would become a link, and a name after @ a mention.
    text = text.replace("://", r"\://").replace("www.", r"www\.").replace("WWW.", r"WWW\.")
    text = text.replace("@", "@<!-- -->")
    start = _BLOCK_START.match(text)
    if start:
        text = f"{start[1]}\\{text[start.end(1) :]}"
    return text


def code(text: str) -> str:
    """A Markdown code span that holds any text, also one with backticks; fit for a table cell."""
    text = visible(text).replace("|", "\\|") or " "
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fence(text: str, language: str = "text") -> str:
    """A Markdown code block whose fence is longer than any run of backticks inside."""
    text = visible(text, "\n")
    ticks = "`" * max(3, _longest_run(text) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def stem(name: str) -> str:
    """A file stem for any name: itself if it is plain, else its plain characters and a hash."""
    if _PLAIN_STEM.fullmatch(name) and not _RESERVED.fullmatch(name):
        return name
    mark = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:6]
    kept = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._-")[:53] or "finding"
    return f"{kept}-{mark}"
