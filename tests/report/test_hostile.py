"""Hostile text in every field stays text in every format."""

import json
import re
import unicodedata
from functools import cache

import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from agentfuzz.core import codec
from agentfuzz.core.lanes import layout
from agentfuzz.report.formats import html, markdown, terminal
from agentfuzz.report.formats import json as json_format

from .hostile import PAYLOADS, poisoned, results
from .samples import ALL, RESULTS

CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@cache
def known() -> tuple[set[str], set[str]]:
    """The tags and the attributes of harmless pages."""
    pages = [*map(html.finding, ALL.values()), html.index(RESULTS)]
    tags = [tag for page in pages for tag in BeautifulSoup(page, "html.parser").find_all(True)]
    return {tag.name for tag in tags}, {name for tag in tags for name in tag.attrs}


def check_text(text: str, keep: str = "\n") -> None:
    """No character that a terminal acts on."""
    found = {c for c in text if unicodedata.category(c) in HIDDEN and c not in keep}
    assert not found


def check_lines(text: str) -> None:
    """No line that a CI runner acts on, read as the runner reads it."""
    for line in text.split("\n"):
        assert not line.lstrip().startswith("::")
        assert not re.search(r"##\w*\[", line)


def check_page(page: str) -> None:
    """Parsed: no script, no handler, no address from data, and the tags of a harmless page."""
    soup = BeautifulSoup(page, "html.parser")
    tags, attributes = known()
    assert {tag.name for tag in soup.find_all(True)} <= tags
    assert not tags & {"script", "iframe", "img", "object", "embed", "form", "base", "link"}
    for tag in soup.find_all(True):
        assert set(tag.attrs) <= attributes
        assert not any(name.startswith("on") or name in ("src", "style") for name in tag.attrs)
        if "href" in tag.attrs:
            assert re.fullmatch(
                r"[A-Za-z0-9][A-Za-z0-9._-]*\.html|#[a-z]+(-\d+)?", str(tag["href"])
            )
    csp = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert csp is not None
    assert csp["content"] == CSP
    check_text(page, "\n\t")
    page.encode()


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("sample", ["two_faults", "late_delivery", "reworded", "cut_off"])
def test_html_of_a_finding(payload: str, sample: str) -> None:
    """Every string of a counterexample, through the page."""
    check_page(html.finding(poisoned(payload, sample)))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_html_of_the_index(payload: str) -> None:
    """Every string of a campaign, through the index."""
    check_page(html.index(results(payload)))


def test_the_text_is_there() -> None:
    """Inert does not mean gone."""
    soup = BeautifulSoup(html.finding(poisoned(PAYLOADS[0])), "html.parser")
    assert PAYLOADS[0] in soup.get_text()


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("width", [40, 80])
def test_terminal(payload: str, width: int) -> None:
    """No escape sequence, no command, no line over the width but what is pasted."""
    blocks = [terminal.blocks([poisoned(payload)], width=width)]
    blocks.append(terminal.blocks([poisoned(payload, "cut_off")], width=width, ascii_only=True))
    blocks.append("\n".join(terminal.summary(results(payload), report=payload, width=width)))
    for block in blocks:
        check_text(block)
        check_lines(block)
        lines = [line for line in block.split("\n") if not line[11:].startswith("pytest ")]
        assert max(map(layout.cells, lines)) <= width


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markdown(payload: str) -> None:
    """No link, no image, no tag, no command; tables keep their columns."""
    for page in (markdown.finding(poisoned(payload)), markdown.index(results(payload))):
        check_text(page)
        check_lines(page)
        check_markdown(page)


def check_markdown(page: str, tags: tuple[str, ...] = ("h1", "h2")) -> None:
    """Parsed by a CommonMark parser with tables and bare addresses."""
    parser = MarkdownIt("commonmark", {"html": True})
    tokens = parser.enable("table").parse(page)
    flat = [child for token in tokens for child in [token, *(token.children or [])]]
    for token in flat:
        assert token.type not in ("image", "html_block")
        if token.type == "html_inline":
            assert token.content == "<!-- -->"
        if token.type == "link_open":
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.md", token.attrs["href"])
        if token.type == "text":
            assert "://" not in token.content or "\\" not in token.content
    assert not re.search(r"(?<!\\):(?=//)", re.sub(r"(`+).+?\1", "", page, flags=re.S))
    headings = [t for t in tokens if t.type == "heading_open"]
    assert all(t.tag in tags for t in headings)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_json(payload: str) -> None:
    """Strict JSON that reads back, history and all."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    text = json_format.text(json_format.finding(poisoned(payload)))
    text.encode()
    read = json.loads(text, parse_constant=refuse)
    assert read["title"] == payload
    assert len(codec.history_from_json(read)) == len(ALL["two_faults"].history)
    session = json.loads(json_format.text(json_format.run(results(payload))), parse_constant=refuse)
    assert session["campaigns"][0]["nodeid"] == payload
