"""The tables of the documents, from the records of the code. Read by `generate`.

Law: what stands between two markers of a document is written here and nowhere else:
`<!-- begin generated: NAME -->` and `<!-- end generated -->`.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What is asked of many runs, and is no law of one history: with its test, as the laws are.
OF_RUNS = {"R1": "[repeat](tests/search/test_sampling.py)"}
MARK = re.compile(
    r"(<!-- begin generated: (?P<name>\w+) -->\n)(?P<body>.*?)(<!-- end generated -->)", re.DOTALL
)


def rewritten(text: str) -> str:
    """A document with every generated part written anew."""

    def body(found: re.Match[str]) -> str:
        made = WRITERS[found["name"]]().strip("\n")
        return f"{found[1]}{made}\n{found[4]}"

    return MARK.sub(body, text)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def laws() -> str:
    """Every law: how it is written, what holds, its codes."""
    from agentfuzz import invariants
    from agentfuzz.core.codes import FAMILIES

    parts = []
    for prefix, title in FAMILIES.items():
        rows = []
        for name, record in sorted(invariants.LAWS.items()):
            codes = sorted(record.codes)
            if min(codes, default="").startswith(prefix):
                holds = record.holds + (" Always on." if record.always else "")
                rows.append(f"| `{_call(name)}` | {_cell(holds)} | {' '.join(codes)} |")
        if rows:
            parts.append("\n".join([f"### {title}", "", "| law | what holds | codes |",
                                    "|---|---|---|", *rows]))  # fmt: skip
    return "\n\n".join(parts)


def _call(name: str) -> str:
    """`limits_hold(calls=, turns=)`: a law with its parameters."""
    from agentfuzz import invariants

    shown = []
    for parameter in inspect.signature(getattr(invariants, name)).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            shown.append(f"*{parameter.name}")
        elif parameter.kind is parameter.KEYWORD_ONLY:
            shown.append(f"{parameter.name}=")
        else:
            shown.append(parameter.name)
    return f"{name}({', '.join(shown)})"


def codes() -> str:
    """Every code with its title, by family."""
    from agentfuzz.core.codes import CODES, FAMILIES

    parts = []
    for prefix, title in FAMILIES.items():
        rows = [f"| {code} | {_cell(text)} |" for code, text in CODES.items() if code[:3] == prefix]
        parts.append("\n".join([f"## {prefix}xx: {title}", "", "| code | |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def faults() -> str:
    """Every value of every axis of every boundary, in words."""
    from agentfuzz.boundaries import BOUNDARIES

    parts = []
    for boundary in BOUNDARIES.values():
        page = boundary.told
        if page is None:
            continue
        parts.append(f"## {page.title}: {page.text}")
        for (heading, column), words in page.axes.items():
            rows = [f"| `{value}` | {_cell(text)} |" for value, text in words.items()]
            parts.append("\n".join([f"| {heading} | {column} |", "|---|---|", *rows]))
    return "\n\n".join(parts)


def settings() -> str:
    """Every option with its ini key and default."""
    from agentfuzz.plugin.settings import ACTIONS, OTHERS, SETTINGS, STRICT, ini_key

    rows = ["| `--agentfuzz` | `agentfuzz` | off | run campaigns |"]
    text, _, default = STRICT.partition(" (default: ")
    rows.append(
        "| `--agentfuzz-strict`, `--no-agentfuzz-strict` | `agentfuzz_strict` | "
        f"{default.rstrip(')')} | {_cell(text)} |"
    )
    for name, metavar, _, default, text in SETTINGS:
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        option = f"`--agentfuzz-{name} {metavar}`"
        rows.append(f"| {option} | `{ini_key(name)}` | `{shown}` | {_cell(text)} |")
    for name, metavar, text in (*ACTIONS, *OTHERS):
        option = f"--agentfuzz-{name} {metavar}".rstrip()
        rows.append(f"| `{option}` | | | {_cell(text)} |")
    return "\n".join(["| option | ini key | default | |", "|---|---|---|---|", *rows])


def api() -> str:
    """Every public name."""
    import public

    return public.api()


def catalogue() -> str:
    """Every row of the catalogue: the laws that catch it, their tests, the scenarios that show it;
    then every law of the catalogue by its name there."""
    from agentfuzz.invariants import LAWS

    of: dict[str, list[str]] = {}
    for name, record in sorted(LAWS.items()):
        for row in record.catalogue:
            of.setdefault(row, []).append(name)
    shown = _scenarios()
    lines = ["| row | laws, with their tests | scenarios |", "|---|---|---|"]
    text = MARK.sub("", (ROOT / "CATALOGUE.md").read_text(encoding="utf-8"))
    for row, name, cells in re.findall(r"(?m)^\| ([FB]\d\d) \| ([^|]+) \|(.*)\|$", text):
        column = cells.split("|")[3 if row[0] == "F" else 2]
        wanted = [row, *re.findall(r"\b[A-Z]\d{1,2}\b", column)]
        laws = list(dict.fromkeys(law for one in wanted for law in of.get(one, ())))
        stories = {story for law in laws for story in shown.get(law, ())}
        told = sorted(stories | set(_named(row)))
        links = [*_tests(laws), *(OF_RUNS[one] for one in wanted if one in OF_RUNS)]
        lines.append(
            f"| {row} {name} | {', '.join(links) or 'none yet'} | {', '.join(told) or '-'} |"
        )
    lines += ["", "| law of the catalogue | here, with its test |", "|---|---|"]
    for row in sorted({*of, *OF_RUNS}, key=lambda one: (one[0], int(one[1:]))):
        links = [*_tests(of.get(row, [])), *([OF_RUNS[row]] if row in OF_RUNS else [])]
        lines.append(f"| {row} | {', '.join(links)} |")
    return "\n".join(lines)


def _tests(laws: list[str]) -> list[str]:
    """The tests of laws, linked."""
    from agentfuzz.invariants import LAWS

    links = []
    for law in laws:
        path = f"tests/invariants/{LAWS[law].family}/test_{law}.py"
        assert (ROOT / path).is_file(), f"{law} has no test at {path}"
        links.append(f"[{law}]({path})")
    return links


def _named(row: str) -> list[str]:
    """The bundled scenarios that say that they show a row (`Rows: B43 B44.`)."""
    paths = (ROOT / "scenarios").glob("*.py")
    said = {path.stem: re.search(r"(?m)^Rows: (.+)\.$", path.read_text("utf-8")) for path in paths}
    return [name for name, found in said.items() if found and row in found[1].split()]


def _scenarios() -> dict[str, list[str]]:
    """The bundled scenarios whose victims break a law, by law."""
    from importlib import import_module

    from agentfuzz.invariants import LAWS

    of: dict[str, list[str]] = {}
    for path in sorted((ROOT / "scenarios").glob("*.py")):
        victims = import_module(f"agentfuzz.scenarios.{path.stem}").VICTIMS
        codes = {code for found in victims.values() for code in found}
        for name, record in LAWS.items():
            if codes & set(record.codes):
                of.setdefault(name, []).append(path.stem)
    return of


WRITERS: Mapping[str, Callable[[], str]] = {
    "laws": laws,
    "codes": codes,
    "faults": faults,
    "settings": settings,
    "api": api,
    "catalogue": catalogue,
}
