"""README and docs are run: see `pages`. And their tables name everything that there is."""

import pytest

from tests.docs import pages
from tests.docs.pages import ROOT, Project, blocks

PAGES = pages.pages()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, path in PAGES.items() if blocks(path)])
def test_a_page_does_what_it_says(name, tmp_path):
    """Every file of the page is written, every command typed in order, and every line shown below
    a command is printed by it."""
    project = Project(tmp_path)
    for block in blocks(PAGES[name]):
        project.play(block)
    project.end()
    if name == "README.md":
        assert project.commands > 8


@pytest.mark.parametrize("name", PAGES)
def test_every_code_block_has_a_file_and_compiles(name):
    """No code stands outside a file, a command or a plan; drawings alone are plain text."""
    for block in blocks(PAGES[name]):
        ways = block.words or block.language in ("console", "text")
        assert ways, f"a code block without a file name: {block.text[:60]}"
        if block.language == "python" and block.path:
            compile(block.text, block.path, "exec")
