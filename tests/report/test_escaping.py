"""The four escape rules, each on its own."""

import unicodedata

import pytest

from agentfuzz.core import escaping


@pytest.mark.parametrize("text", ["\x1b[31m", "a\rb", "\u202egnp.exe", "\x00", "\u2028", "\ud800"])
def test_what_cannot_be_seen_is_shown_as_its_escape(text: str) -> None:
    """Controls, bidirectional overrides, line separators and surrogates stand as `\\x1b`."""
    shown = escaping.visible(text)
    assert shown.isprintable()
    assert "\\" in shown


def test_text_that_can_be_seen_stays_as_it_is() -> None:
    """Letters of any script are nobody's attack."""
    for text in ("42.00 €", "naïve 東京", "tests/test_a.py::test_b[1-2]", ""):
        assert escaping.terminal(text) == text


@pytest.mark.parametrize(
    "line", ["::error::x", "   ::set-output name=a::b", "\u00a0::warning::", "a ##[error]b",
             "##vso[task.complete]", "###[group]"],
)  # fmt: skip
def test_no_line_is_a_command_of_a_ci_runner(line: str) -> None:
    """GitHub reads `::` at the start of a trimmed line and `##[` anywhere; Azure `##vso[`."""
    shown = escaping.terminal(line)
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown
    assert "##vso[" not in shown


def test_line_breaks_survive_only_where_they_are_meant() -> None:
    """One line stays one line."""
    assert escaping.terminal("a\n::b") == "a\\n::b"
    assert escaping.terminal("a\n::b", multiline=True) == "a\n\\x3a:b"


def test_a_code_span_holds_backticks_and_a_fence_is_longer_than_any_run() -> None:
    """Markdown's own delimiters cannot be closed from inside."""
    assert escaping.code("a`b") == "``a`b``"
    assert escaping.code("`") == "`` ` ``"
    assert escaping.code("") == "` `"
    assert escaping.fence("````\nx").startswith("`````text\n")


def test_prose_holds_no_link_image_tag_mention_or_table_cell() -> None:
    """What Markdown would act on is escaped, and bare addresses are broken up."""
    assert escaping.markdown("a [x](y) ![z](w)") == r"a \[x\](y) \!\[z\](w)"
    assert escaping.markdown("a <b> & | `c`") == r"a &lt;b&gt; &amp; \| \`c\`"
    assert escaping.markdown("see https://e.vil www.e.vil") == r"see https\://e.vil www\.e.vil"
    assert escaping.markdown("hey @someone, $x$") == r"hey @<!-- -->someone, \$x\$"


def test_prose_at_the_start_of_a_line_opens_no_block() -> None:
    """A heading, list or quote from data stays text."""
    assert escaping.markdown("# x") == "\\# x"
    assert escaping.markdown("1. x") == "1\\. x"
    assert escaping.markdown("- x") == "\\- x"
    assert escaping.markdown("> x") == "&gt; x"


NAMES = ["AF-a78d", "../../etc/passwd", "con", "NUL.txt", "a\x00b", "\ud800", "x" * 500, "",
         ".", "index", "report", "C:\\x", "/abs", "name\nline", "a.", "-rf", "..",
         "AF-a78d/../x"]  # fmt: skip


def test_a_stem_is_a_plain_file_name_and_no_two_names_share_one() -> None:
    """Nothing lands outside the folder or on another finding's page."""
    stems = [escaping.stem(name) for name in NAMES]
    assert len(set(stems)) == len(NAMES)
    assert stems[0] == "AF-a78d"
    for stem in stems:
        assert stem[0].isalnum()
        assert len(stem) <= 60
        assert all(char.isalnum() or char in "._-" for char in stem)
        assert unicodedata.is_normalized("NFC", stem)
        assert stem.isascii()
        assert stem not in ("index", "report", "con")
