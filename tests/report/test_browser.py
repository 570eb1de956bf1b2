"""The HTML page in a real browser: nothing runs, nothing is fetched, nothing overflows."""

import shutil

import pytest

from agentfuzz.report.formats import html

from . import samples
from .hostile import PAYLOADS, poisoned

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
    return {**found, **hostile}


@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_in_a_browser(browser, tmp_path, width, scheme):
    """At a phone's width and at a desk's, light and dark: the page shows its title and its
    drawing, asks the network for nothing, runs no script, and does not scroll sideways."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
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
        assert asked == [path.as_uri()], name
        assert page.locator("h1").inner_text().strip(), name
        assert page.locator("svg[role=img]").first.is_visible(), name
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, (name, overflow)
    assert said == []
    context.close()
