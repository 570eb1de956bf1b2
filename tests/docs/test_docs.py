"""README and docs are run: see `pages`. And their tables name everything that there is."""

import re
from pathlib import Path

import pytest

from tests.docs import pages
from tests.docs.pages import ROOT, Project, blocks
from tests.plugin.workflows import linted, valid

PAGES = pages.pages()
DIVIDED = "docs/frameworks.md"  # not all of its frameworks live in one environment
FRAMEWORKS = pages.sections(PAGES[DIVIDED])
TEXTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "scenarios/README.md"]
LINK = re.compile(r"(?:\]\(|^\[\d+\]: )([^)\s]+)", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
GENERATED = {
    "laws": "docs/laws.md",
    "faults": "docs/faults.md",
    "codes": "docs/codes.md",
    "settings": "docs/settings.md",
    "api": "docs/api.md",
    "stories": "scenarios/README.md",
}


def headings(path: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", FENCED.sub("", path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in found}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name, path in PAGES.items() if blocks(path) and name != DIVIDED]
)
def test_a_page_does_what_it_says(name, tmp_path):
    """Every file of the page is written, every command typed in order, and every line shown below
    a command is printed by it."""
    project = Project(tmp_path, pages.MORE.get(name, pages.RUNS))
    for block in blocks(PAGES[name]):
        project.play(block)
    project.end()
    if name == "README.md":
        assert project.commands > 8


@pytest.mark.slow
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_framework_does_what_the_page_says(name, tmp_path):
    """The ten lines of each, where it is installed; `make frameworks` sees to the others."""
    project = Project(tmp_path)
    for block in FRAMEWORKS[name]:
        project.play(block)
    project.end()


def test_every_framework_has_its_ten_lines():
    """Each adapter is on the page, and its installation is told."""
    from agentfuzz.adapters import contract

    assert {f"test_{name}" for name in contract.names()} <= FRAMEWORKS.keys()
    for name in contract.names():
        assert f"pytest-agentfuzz[{name.replace('_', '-')}]" in PAGES[DIVIDED].read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_every_code_block_has_a_file_and_compiles(name):
    """No code stands outside a file, a command or a plan; drawings alone are plain text."""
    for block in blocks(PAGES[name]):
        ways = block.words or block.language in ("console", "text")
        assert ways, f"a code block without a file name: {block.text[:60]}"
        if block.language == "python" and block.path:
            compile(block.text, block.path, "exec")


WORKFLOWS = [
    pytest.param(block, id=f"{name}: {block.path}")
    for name, path in PAGES.items()
    for block in blocks(path)
    if block.path.startswith((".github/workflows/", ".gitlab-ci"))
]


@pytest.mark.parametrize("block", WORKFLOWS)
def test_a_workflow_of_a_page_is_one(block, tmp_path):
    """By the official schema, and by actionlint, where they are installed."""
    file = tmp_path / "workflow.yml"
    file.write_text(block.text, encoding="utf-8")
    if block.path.startswith(".github"):
        valid("github-workflows", file)
        linted(file)
    else:
        valid("gitlab-ci", file)


def test_nothing_that_is_played_is_lost():
    """The pages together hold a fair amount of code and commands: a page that stops being read
    would show here."""
    found = [block for path in PAGES.values() for block in blocks(path)]
    assert sum(block.language == "python" for block in found) >= 25
    assert sum(block.text.count("\n$ ") + block.text.startswith("$ ") for block in found) >= 45


def test_the_short_ones_stay_short():
    """README is read in ten minutes, DESIGN in fifteen."""
    for name, limit in (("README.md", 250), ("DESIGN.md", 200)):
        assert len((ROOT / name).read_text("utf-8").splitlines()) <= limit, name


def test_every_link_leads_somewhere():
    """A relative link names a file of this repository, and a heading that it has."""
    for path in TEXTS:
        for target in LINK.findall(FENCED.sub("", path.read_text("utf-8"))):
            name, _, heading = target.partition("#")
            if ":" in name:
                continue
            place = (path.parent / name).resolve() if name else path
            assert place.exists(), f"{path.relative_to(ROOT)}: {target}"
            if heading:
                assert heading in headings(place), f"{path.relative_to(ROOT)}: {target}"


def test_what_is_generated_has_its_place():
    """Each table that `make generate` writes has one pair of markers, on its own page."""
    for name, page in GENERATED.items():
        text = (ROOT / page).read_text("utf-8")
        assert text.count(f"<!-- begin generated: {name} -->\n") == 1, name
        assert text.count("<!-- end generated -->\n") == 1, name


def test_every_option_is_in_the_settings():
    """The table of options names every option and ini key that the plugin has."""
    from agentfuzz.plugin.options import ACTIONS, OTHERS, SETTINGS
    from agentfuzz.plugin.settings import ini_key

    text = PAGES["docs/settings.md"].read_text("utf-8")
    for name, *_ in (*SETTINGS, *ACTIONS, *OTHERS):
        assert re.search(rf"`--agentfuzz-{name}[ `]", text), name
    for name, *_ in SETTINGS:
        assert f"`{ini_key(name)}`" in text, name


def test_every_law_is_in_the_laws():
    """The table of laws is complete."""
    import agentfuzz
    from agentfuzz import invariants

    text = PAGES["docs/laws.md"].read_text("utf-8")
    for name in invariants.LAWS:
        assert f"| `{name}(" in text, name
        assert hasattr(agentfuzz, name)


def test_every_fault_is_in_the_faults():
    """The tables of faults are complete."""
    from agentfuzz.core.faults import TABLES

    text = PAGES["docs/faults.md"].read_text("utf-8")
    for table in TABLES.values():
        for axis in table.axes:
            for value in axis:
                nothing = axis is table.axes[0] and (table.led or len(table.axes) == 1)
                assert f"| `{value}` |" in text or (nothing and value == axis[0]), value


def test_every_code_is_in_the_codes():
    """The tables of codes are complete, and each code that is no law's is in troubleshooting."""
    from agentfuzz.core.codes import CODES

    text = PAGES["docs/codes.md"].read_text("utf-8")
    help_ = PAGES["docs/troubleshooting.md"].read_text("utf-8")
    for code, title in CODES.items():
        assert f"| {code} | {title} |" in text, code
        assert code < "AF8" or f"\n## {code}: " in help_, code


def test_every_row_is_survived():
    """The guide names every row of the catalogue, once in a table, and no other; its functions and
    laws exist."""
    from agentfuzz import invariants

    catalogue = (ROOT / "CATALOGUE.md").read_text("utf-8")
    guide = PAGES["docs/surviving.md"].read_text("utf-8")
    rows = set(re.findall(r"^\| ([FB]\d\d) \|", catalogue, re.MULTILINE))
    told = re.findall(r"^\| ([FB]\d\d) \|", guide, re.MULTILINE)
    assert sorted(told) == sorted(rows)
    loop = "\n".join(path.read_text("utf-8") for path in (ROOT / "examples").rglob("*.py"))
    for name in re.findall(r"`([\w.]+)`", guide):
        word = name.removesuffix(".py").rpartition(".")[2]
        known = word in invariants.LAWS or re.search(rf"\b{word}\b", loop)
        assert known or (ROOT / "examples" / "reference_loop" / name).exists(), name
