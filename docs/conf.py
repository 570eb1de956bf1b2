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
    *(
        "docs/**",
        "*.md",
        "scenarios/README.md",
        "examples/README.md",
        "examples/*/README.md",
        "benchmarks/README.md",
    ),
    "reports/frameworks/*.md",
]
exclude_patterns = [
    *(".*", "build", "dist", "tests", "tools", "agentfuzz", "**/node_modules", "**/.*"),
    "reports/agentfuzz",
]

myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 4
default_role = "py:obj"  # in a docstring: `World` leads to it, `pay#1:twice` is code
autodoc_typehints = "signature"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = "agentfuzz"
html_show_sourcelink = html_copy_source = html_show_sphinx = False
