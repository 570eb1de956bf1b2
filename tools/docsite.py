"""The site's pages are the repository's Markdown: an extension of Sphinx, named in docs/conf.py.

Law: no page has a word of Sphinx in it. Lists of links are the tables of contents, the words after
a fence are a caption, a link to a file that is no page leads to the project's address, and where
the API page has a public name, the site has its entry by autodoc. Called by Sphinx.
"""

import inspect
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).resolve().parent.parent
CONTENTS = ("docs/index", "docs/frameworks", "docs/decisions/README", "examples/README")
API = "docs/api"
_FENCE = re.compile(r"^```(?!text plan$)(\w+) ([^\n]+)\n(.*?^```)$", re.MULTILINE | re.DOTALL)
_LISTED = re.compile(r"^(?:- |\| )\[([^\]]+)\]\(((?!\w+:)[^)#]+)\.md\)", re.MULTILINE)
_ENTRY = re.compile(r"^### `(\w+)`\n.*?(?=^##|^<!--|\Z)", re.MULTILINE | re.DOTALL)
_PART = re.compile(r"^(?=## )", re.MULTILINE)


def source_url() -> str:
    """Where the project's files are shown: the one place is `project.urls` of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{project['urls']['Source'].rstrip('/')}/blob/main"


def page(app: Sphinx, docname: str, source: list[str]) -> None:
    """A page as MyST reads it."""
    text = source[0]
    if docname == API:
        text = "".join(map(_entries, _PART.split(text)))
    text = _FENCE.sub(_captioned, text)
    if docname in CONTENTS:
        text += "".join(contents(text, index=docname == app.config.root_doc))
    source[0] = text


def _captioned(fence: re.Match[str]) -> str:
    """A block with what its fence says above it: its file, or the command that prints it."""
    language, words, text = fence.groups()
    return f"```{{code-block}} {language}\n:caption: {words!r}\n\n{text}"


def contents(text: str, *, index: bool) -> Iterator[str]:
    """The tables of contents of a page, one for each of its sections: those of the index have the
    captions and the short titles that stand there."""
    for part in _PART.split(text):
        listed = _LISTED.findall(part)
        caption = f":caption: {part[3 : part.index(chr(10))]}\n" if index and listed else ""
        lines = [f"{title} <{path}>" if index else path for title, path in listed]
        if lines:
            yield "\n\n```{toctree}\n:hidden:\n" + caption + "\n" + "\n".join(lines) + "\n```\n"


def _entries(part: str) -> str:
    """A section of the API page, each of its names by autodoc."""
    home = part.split("`")[1] if part.startswith("## `") else "agentfuzz"
    return _ENTRY.sub(lambda found: _entry(home, found[1]), part)


def _entry(home: str, name: str) -> str:
    value = getattr(import_module(home), name)
    kind, members = "function", ""
    if inspect.isclass(value):
        kind, members = "class", "   :members:\n"
    return f"```{{eval-rst}}\n.. auto{kind}:: {home}.{name}\n{members}```\n\n"


def outside(app: Sphinx, document: nodes.document) -> None:
    """Links to files that are no pages lead to the project's address."""
    here = Path(app.env.doc2path(app.env.docname)).parent
    for link in list(document.findall(addnodes.download_reference)):
        path = (here / link["reftarget"]).resolve().relative_to(app.srcdir).as_posix()
        uri = f"{source_url()}/{path}"
        link.replace_self(nodes.reference("", "", *link.children, refuri=uri, internal=False))
    for link in list(document.findall(addnodes.pending_xref)):  # Markdown that is no page
        target = link["reftarget"]
        file = app.srcdir / f"{target}.md"
        if link["refdomain"] == "doc" and target not in app.env.found_docs and file.is_file():
            uri = f"{source_url()}/{target}.md"
            link.replace_self(nodes.reference("", "", *link.children, refuri=uri, internal=False))


def public(app: Sphinx, env: BuildEnvironment, node: Any, text: Any) -> nodes.Node | None:
    """A class that an annotation names by the module it lives in is entered under its public
    name."""
    name = f"agentfuzz.{node['reftarget'].rpartition('.')[2]}"
    if node.get("refdomain") != "py" or app.builder is None:
        return None
    python = env.domains.python_domain
    return python.resolve_xref(env, API, app.builder, "obj", name, node, text)


def signature(*given: Any) -> tuple[str, str | None] | None:
    """A signature whose defaults can be read: autodoc shows it as it stands where one cannot."""
    arguments, returned = given[-2:]
    return arguments and (arguments.replace("<factory>", "..."), returned)


def skipped(*given: Any) -> bool | None:
    """A member that a base class brings along says nothing of its own."""
    name, value = given[2], given[3]
    ours = name != "model_config" and not str(value.__doc__).startswith("Alias for field number")
    return None if ours else True


def door(app: Sphinx, error: Exception | None) -> None:
    """The root of the site leads to its index, which lies where the repository has it."""
    index = f"{app.config.root_doc}.html"
    goes = f'<!doctype html><meta http-equiv="refresh" content="0; url={index}">'
    link = f'<title>agentfuzz</title><a href="{index}">agentfuzz</a>'
    (app.outdir / "index.html").write_text(f"{goes}{link}\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", page)
    app.connect("doctree-read", outside, priority=1)  # before downloads are collected
    app.connect("missing-reference", public)
    app.connect("autodoc-process-signature", signature)
    app.connect("autodoc-skip-member", skipped)
    app.connect("build-finished", door)
    return {"parallel_read_safe": True}
