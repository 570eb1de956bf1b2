"""The documentation site: `make docs` builds it from docs/ into build/docs.

Law: the pages are the repository's own, plain Markdown at the place where they lie, so a link is
the same on a code host and in the site. What makes a site of them is in `tools/docsite.py`.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

project = "agentfuzz"
extensions = ["myst_parser", "sphinx.ext.autodoc", "docsite"]
root_doc = "docs/index"
include_patterns = [
    *("docs/**", "*.md", "examples/*/README.md", "reports/frameworks/*.md"),
    *(f"{folder}/README.md" for folder in ("benchmarks", "examples", "scenarios")),
]
exclude_patterns = [".*", "**/.*", "**/node_modules", "build", "dist", "tests"]  # not looked into

myst_heading_anchors = 4
smartquotes = False
default_role = "py:obj"  # in a docstring: `World` leads to it, `pay#1:twice` is code
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 90
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "agentfuzz"
html_show_search_summary = False  # which it would fetch, and a file may not
html_show_sourcelink = html_copy_source = html_show_sphinx = html_show_copyright = False
