"""The HTML page in a real browser: nothing runs, nothing is fetched, nothing overflows; and what
it does without a script: filter, open, lead from the picture to the steps, print."""

import shutil
from dataclasses import replace
from itertools import product

import pytest

from agentfuzz.report.formats import html

from . import samples
from .hostile import PAYLOADS, poisoned
from .test_agents import told

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                  "--disable-background-networking", "--disable-component-update"],
        )  # fmt: skip
        yield found
        found.close()


def pages():
    """A finding of each kind, and one for each hostile text in every field."""
    found = {name: html.finding(cx) for name, cx in samples.ALL.items()}
    hostile = {f"hostile-{i}": html.finding(poisoned(text)) for i, text in enumerate(PAYLOADS)}
    many = replace(samples.ALL["double_charge"], history=told(crowd=9))
    return {**found, **hostile, "many agents": html.finding(many)}


def test_page_in_a_browser(browser, tmp_path):
    """At a phone's width and at a desk's, light and dark: the page shows its title and its
    drawing, asks the network for nothing, runs no script, and does not scroll sideways."""
    context = browser.new_context()
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    for name, text in pages().items():
        path = tmp_path / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        asked.clear()
        page.goto(path.as_uri())
        for width, scheme in product((400, 1200), ("light", "dark")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            assert page.locator("h1").inner_text().strip(), name
            assert page.locator("svg").first.is_visible(), name
            overflow = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0, (name, overflow, width, scheme)
        assert asked == [path.as_uri()], name
    assert said == []
    context.close()


@pytest.fixture
def opened(browser, tmp_path):
    """The page of a sample in a browser."""
    contexts = []

    def go(name, **how):
        path = tmp_path / f"{name}.html"
        path.write_text(html.finding(samples.ALL[name]), encoding="utf-8")
        contexts.append(browser.new_context(java_script_enabled=False, **how))
        page = contexts[-1].new_page()
        page.goto(path.as_uri())
        return page

    yield go
    for context in contexts:
        context.close()


def shown(page, selector):
    """How many elements can be seen."""
    return sum(one.is_visible() for one in page.locator(selector).all())


def test_turns_are_hidden_and_shown(opened):
    """Rows of the model go from the steps and the tables, and back, with either of the labels."""
    page = opened("reworded")
    steps = page.locator(".steps > li").count()
    assert shown(page, ".steps > li") == steps
    page.get_by_label("model turns").first.uncheck()
    assert shown(page, ".steps > li") == steps - 2
    assert shown(page, ".steps .kind-model") == 0
    assert page.locator("svg g.kind-model").first.evaluate("e => getComputedStyle(e).opacity") < "1"
    page.locator(".bar label[for=turns]").click()
    assert shown(page, ".steps > li") == steps


def test_all_steps_are_opened_at_once(opened):
    """And closed again."""
    page = opened("double_charge")
    assert shown(page, ".steps dl") == 0
    page.get_by_label("open all").check()
    assert shown(page, ".steps dl") == page.locator(".steps dl").count() > 3
    page.get_by_label("open all").uncheck()
    assert shown(page, ".steps dl") == 0


def test_the_picture_and_the_sentence_lead_to_the_steps(opened):
    """A click on a row, and a key on a link: the step is opened, and in view."""
    page = opened("double_charge")
    row = page.locator("svg a[href='#step-2']")
    row.click()
    assert page.locator("#step-2").is_visible()
    assert page.url.endswith("#step-2")
    link = page.locator(".lead a").last
    link.focus()
    page.keyboard.press("Enter")
    target = page.locator(link.get_attribute("href"))
    box = target.bounding_box()
    assert target.is_visible()
    assert 0 <= box["y"] <= page.viewport_size["height"]


def test_everything_is_reached_with_the_keyboard(opened):
    """The first stop leads past the picture; then rows, switches and steps follow."""
    page = opened("double_charge")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#steps")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.get_by_label("open all").is_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator(".steps details").first.get_attribute("open") is not None


def test_print_is_white_and_whole(opened):
    """Also from a dark screen: every step and every table open, and no switch."""
    page = opened("double_charge", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    colour = "e => getComputedStyle(e).backgroundColor"
    assert page.locator("body").evaluate(colour) == "rgb(255, 255, 255)"
    assert shown(page, ".steps dl") == page.locator(".steps dl").count()
    assert shown(page, "table.rows tr") == page.locator("table.rows tr").count()
    assert shown(page, ".switches") == 0
