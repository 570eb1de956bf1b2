"""The documentation site, as `make docs` builds it: whole, closed in itself, and searched offline.

Law: no warning, no page that no list leads to, no request to another machine. What the pages say is
run by `test_docs`.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("sphinx")
pytest.importorskip("furo")

import bs4
from docsite import contents, source_url

import agentfuzz
from tests.docs.pages import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
COMMAND = re.search(r"^\t\$\(BIN\)/python (-m sphinx .*) build/docs$", MAKEFILE, re.MULTILINE)[1]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
IN_STYLES = re.compile(r"""@import\s+["']?([^"';)]+)|url\(["']?([^"')]+)""")


def build(source: Path, place: Path) -> subprocess.CompletedProcess[str]:
    """What `make docs` types, for this source and into this place."""
    words = COMMAND.replace("build/doctrees", str(place / "doctrees")).split()
    assert words[-1] == "."
    words[words.index("docs")] = str(ROOT / "docs")  # the configuration
    return subprocess.run(
        [sys.executable, *words[:-1], str(source), str(place / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def is_built() -> bool:
    """Whether `make docs` has built it of all that there is now."""
    marker = ROOT / "build/docs/objects.inv"
    if not marker.exists():
        return False
    folders = ("docs", "agentfuzz", "scenarios", "examples")
    files = [
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".md", ".py", ".css", ".html", ".png", ".svg", ".toml", ".json")
    ]
    newest = max(path.stat().st_mtime for path in [*files, *ROOT.glob("*.md")])
    return marker.stat().st_mtime > newest


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built once for all workers of a session, if `make docs` has not built it."""
    if is_built():
        return ROOT / "build/docs"
    place = tmp_path_factory.getbasetemp()
    place = (place.parent if "PYTEST_XDIST_WORKER" in os.environ else place) / "docs"
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "built").exists():
            done = build(ROOT, place)
            assert done.returncode == 0, done.stdout + done.stderr
            (place / "built").touch()
    return place / "site"


@pytest.fixture(scope="module")
def pages(site):
    """Its pages, parsed."""
    return {
        path: bs4.BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in site.rglob("*.html")
    }


@pytest.mark.slow
def test_every_page_is_in_it(site):
    """Every page of docs/, and what they lead to; the root leads in."""
    sources = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), ROOT / "scenarios/README.md"]
    for path in sources:
        assert (site / path.relative_to(ROOT)).with_suffix(".html").exists(), path
    assert 'url=docs/index.html"' in (site / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_public_name_has_its_entry(site, pages):
    """By autodoc, with its methods' signatures, and no base class's members."""
    page = pages[site / "docs" / "api.html"]
    entries = {each["id"] for each in page.select("dt[id]")}
    names = set(agentfuzz.__all__) - set(agentfuzz._MODULES)
    assert {f"agentfuzz.{name}" for name in names} <= entries
    theirs = {
        f"agentfuzz.{home}.{name}"
        for home in ("events", "strategies", "wire")
        for name in getattr(agentfuzz, home).__all__
        if name != "Event"
    }
    assert theirs <= entries
    tool = page.find(id="agentfuzz.World.tool").parent
    assert "transport" in tool.get_text()
    assert not [each for each in entries if each.endswith(("model_config", ".seq"))]
    assert "<factory>" not in page.get_text()


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(site, pages):
    """Scripts, styles, pictures and fonts are files of the site; so is what styles name."""
    for path, page in pages.items():
        for tag, attribute in FETCHED.items():
            for each in page.find_all(tag, **{attribute: True}):
                if "canonical" not in each.get("rel", []):
                    inside(site, path, each[attribute])
    for path in site.rglob("*.css"):
        for found in IN_STYLES.findall(path.read_text(encoding="utf-8")):
            inside(site, path, found[0] or found[1])


def inside(site, path, target):
    """Fail unless this address, as a file names it, is a file of the site."""
    parts = urlsplit(target)
    if parts.scheme == "data" or not (parts.path or parts.netloc):
        return
    assert not parts.scheme, f"{path}: {target}"
    assert not parts.netloc, f"{path}: {target}"
    place = (path.parent / unquote(parts.path)).resolve()
    assert place.is_relative_to(site), f"{path}: {target}"
    assert place.exists(), f"{path}: {target}"


@pytest.mark.slow
def test_every_link_leads_somewhere(site, pages):
    """To a page of the site and a place in it; or out of it, where a file of the repository is
    under the project's address, and exists."""
    places = {path: {each["id"] for each in page.select("[id]")} for path, page in pages.items()}
    outside = set()
    for path, page in pages.items():
        for link in page.select("a[href]"):
            target = urlsplit(link["href"])
            if target.scheme:
                outside.add(link["href"])
                continue
            inside(site, path, link["href"])
            there = (path.parent / unquote(target.path)).resolve() if target.path else path
            fragment = unquote(target.fragment)
            if fragment and there.suffix == ".html":
                assert fragment in places[there], f"{path}: {link['href']}"
    files = [each.removeprefix(f"{source_url()}/") for each in outside]
    assert "scenarios/saga.py" in files
    for name in files:
        assert ":" in name or (ROOT / name).is_file(), name


@pytest.mark.slow
def test_what_no_list_leads_to_fails(tmp_path):
    """A page of docs/ that the index does not name is a warning, and a warning an error; a link
    that leads nowhere is one, too."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (tmp_path / "saga.py").write_text("")
    (docs / "index.md").write_text("# Index\n\n## All\n\n- [One](one.md): the first\n")
    (docs / "one.md").write_text(
        "# One\n\n```python tests/test_one.py\nx = 1\n```\n\n[a file](../saga.py)\n"
    )
    done = build(tmp_path, tmp_path)
    assert done.returncode == 0, done.stderr
    one = (tmp_path / "site/docs/one.html").read_text(encoding="utf-8")
    assert '<span class="caption-text">tests/test_one.py</span>' in one
    assert f'href="{source_url()}/saga.py"' in one
    (docs / "two.md").write_text("# Two\n\n[nowhere](three.md)\n")
    done = build(tmp_path, tmp_path)
    assert done.returncode
    said = [line for line in done.stderr.splitlines() if "WARNING" in line]
    assert len(said) == 2
    assert any("two.md" in line and "toctree" in line for line in said)
    assert any("three.md" in line for line in said)


def test_lists_are_tables_of_contents():
    """Of the index with captions and short titles, of another page with the pages' own."""
    text = "# A\n\n- [x](no.txt)\n\n## B\n\n- [one](1.md): first\n- [two](../2.md)\n[not](3.md)\n"
    (index,) = contents(text, index=True)
    assert index.split() == [
        *("```{toctree}", ":hidden:", ":caption:", "B", "one", "<1>", "two", "<../2>", "```")
    ]
    (other,) = contents(text, index=False)
    assert other.split() == ["```{toctree}", ":hidden:", "1", "../2", "```"]
    assert list(contents("# A\n\nNo list.\n", index=True)) == []


@pytest.fixture
def browser():
    """A browser without a network."""
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                  "--disable-background-networking", "--disable-component-update"],
        )  # fmt: skip
        yield found
        found.close()


@pytest.mark.slow
def test_a_word_is_found_offline(browser, site):
    """From files, without a network: in at the root, a word typed, a hit, and the page that has
    it. Nothing but files is asked for, and nothing fails."""
    context = browser.new_context()
    context.set_offline(True)
    page = context.new_page()
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    for word, title in (
        ("idempotency", "Quickstart"),
        ("AF404", "Codes"),
        ("at_most_once", "Laws"),
    ):
        page.goto((site / "index.html").as_uri())
        page.wait_for_url("**/docs/index.html")
        page.fill("input[name=q]", word)
        page.press("input[name=q]", "Enter")
        page.locator("#search-results li a", has_text=title).first.click()
        page.wait_for_url(re.compile(r".*/docs/\w+\.html.*"))
        assert word in page.locator("article").inner_text()
    assert {urlsplit(url).scheme for url in asked} == {"file"}
    assert wrong == []
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1300])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_scrolls_sideways(browser, site, width, scheme):
    """On a phone and on a desk, light and dark: what is wide scrolls within the page."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    for name in ("index", "quickstart", "api", "faults", "laws", "ci", "wire", "frameworks"):
        page.goto((site / "docs" / f"{name}.html").as_uri())
        assert page.locator("h1").first.is_visible(), name
        assert page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        ), name
    context.close()
