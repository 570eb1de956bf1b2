"""The index in a real browser: it fits, it can be read without a mouse, and its matrix scrolls
inside itself while the slots stay where they are."""

from itertools import product

from agentfuzz.core.faults import Slot
from agentfuzz.core.matrix import Cell, Matrix, Row
from agentfuzz.report.formats import html

from .hostile import PAYLOADS, results
from .samples import RESULTS, campaign
from .test_browser import browser, pytestmark
from .test_index import many

__all__ = ["browser", "pytestmark"]

PAGES = {
    "empty": [],
    "green": [campaign(laws={}, untested=())],
    "two": RESULTS,
    "large": [campaign("double_charge", matrix=many(12, 30))],
    "many": [campaign("reworded", nodeid=f"tests/test_a.py::test_{n}") for n in range(39)],
}
LOOKS = list(product((False, True), ("light", "dark"), (390, 1200)))  # open, scheme, width
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def opened(context, tmp_path, results):
    """The page of these results. There is one of a context: to begin another takes a process."""
    path = tmp_path / "index.html"
    path.write_text(html.index(results), encoding="utf-8")
    page = context.pages[0] if context.pages else context.new_page()
    page.goto(path.as_uri())
    return page


def test_the_index_in_a_browser(browser, tmp_path):
    """Light and dark, at a phone's width and at a desk's, with everything open, and printed: it
    asks for nothing, runs nothing and does not scroll sideways."""
    context = browser.new_context()
    asked, said = [], []
    context.on("request", lambda request: asked.append(request.url))
    context.on("console", lambda message: said.append(message.text))
    context.on("dialog", lambda dialog: said.append(dialog.message))
    pages = PAGES | {f"hostile-{i}": results(text) for i, text in enumerate(PAYLOADS)}
    for name, some in pages.items():
        asked.clear()
        page = opened(context, tmp_path, some)
        assert page.locator("h1").inner_text().strip(), name
        for open_, scheme, width in LOOKS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            if open_:
                page.evaluate(
                    "document.querySelectorAll('details').forEach(one => one.open = true)"
                )
            assert page.evaluate(SIDEWAYS) <= 0, (name, open_, scheme, width)
        assert asked == [page.url], name
    assert said == []
    context.close()


def test_the_slots_stay_while_the_matrix_scrolls(browser, tmp_path):
    """On a phone: the names are at the left whatever is scrolled; the page itself stays."""
    context = browser.new_context(viewport={"width": 390, "height": 900})
    page = opened(context, tmp_path, RESULTS)
    scroll = page.locator(".scroll:has(table.grid)").first
    scroll.evaluate("one => one.style.width = '160px'")  # as if there were more kinds
    head = scroll.locator("tbody th").first
    before = head.bounding_box()["x"]
    moved = scroll.evaluate("one => { one.scrollLeft = 100; return one.scrollLeft }")
    assert moved > 0
    assert head.bounding_box()["x"] == before
    assert page.evaluate("window.scrollX") == 0
    context.close()


def test_the_number_of_a_slot_is_not_cut(browser, tmp_path):
    """`issue_refund#10 to #50` may go on in a second line, but after a word."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    cells = {f"twice/rate_limited_{n}": Cell(alone=1, codes={"AF101": 1}) for n in range(40)}
    rows = [Row(Slot("tool", "issue_refund", nth), "write", cells) for nth in range(10, 51)]
    page = opened(context, tmp_path, [campaign(matrix=Matrix({}, tuple(rows)))])
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    lines = """Array.from(document.querySelectorAll('.grid tbody th code')).map(one => {
        const text = one.firstChild, range = document.createRange();
        const end = (text.data + ' ').indexOf(' ');
        range.setStart(text, 0); range.setEnd(text, end);
        return [text.data, range.getClientRects().length];
    })"""
    shown = page.evaluate(lines)
    assert shown
    assert {how_many for _, how_many in shown} == {1}
    context.close()


def test_the_keyboard_reaches_all_of_it(browser, tmp_path):
    """Links to causes, what opens, and what scrolls; Enter opens what was not tested."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = opened(context, tmp_path, RESULTS)
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "[document.activeElement.tagName, document.activeElement.innerText.slice(0, 40)]"
            )
        )
        if reached[-1][1].startswith("Not tested"):
            page.keyboard.press("Enter")
    tags = [tag for tag, _ in reached]
    assert {"A", "SUMMARY", "DIV"} <= set(tags)
    assert page.locator(".warnings li").first.is_visible()
    context.close()


def test_what_is_closed_is_printed(browser, tmp_path):
    """On paper nothing opens and nothing scrolls: what was not tested is there, and a matrix as
    wide as that of a tool that writes fits between the margins."""
    context = browser.new_context(viewport={"width": 720, "height": 900})
    cells = {f"twice/rate_limited_{n}": Cell(alone=1, codes={"AF101": 1}) for n in range(26)}
    wide = Matrix({}, (Row(Slot("tool", "charge_card", 1), "write", cells),))
    page = opened(context, tmp_path, [campaign(matrix=wide)])
    hidden = "document.querySelector('.warnings li').checkVisibility({contentVisibilityAuto: true})"
    assert not page.evaluate(hidden)
    page.emulate_media(media="print")
    page.wait_for_function(hidden)  # once it is laid out anew
    assert page.evaluate(SIDEWAYS) <= 0
    context.close()
