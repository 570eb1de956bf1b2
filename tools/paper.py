"""The tables of the documents, from the records of the code. Read by `generate`.

Law: what stands between two markers of a document is written here and nowhere else:
`<!-- begin generated: NAME -->` and `<!-- end generated -->`.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
# What is asked of many runs, and is no law of one history: with its test, as the laws are.
_REPEAT = ("[repeat](tests/search/test_sampling.py)",)
OF_RUNS = {"R1": _REPEAT, "F64": _REPEAT}
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
    from agentfuzz.plugin.options import (
        ACTIONS,
        EXISTING,
        OTHERS,
        PATHS,
        PROFILES,
        SETTINGS,
        STRICT,
        TOOLS,
    )
    from agentfuzz.plugin.settings import ini_key

    rows = ["| `--agentfuzz` | `agentfuzz` | off | run campaigns |"]
    for switch, words in (("strict", STRICT), ("paths", PATHS)):
        text, _, default = words.partition(" (default: ")
        rows.append(
            f"| `--agentfuzz-{switch}`, `--no-agentfuzz-{switch}` | `agentfuzz_{switch}` | "
            f"{default.rstrip(')')} | {_cell(text)} |"
        )
    for name, metavar, _, default, text in SETTINGS:
        shown = f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
        shown = " " if default == "" else f" {shown} "
        option = f"`--agentfuzz-{name} {metavar}`"
        rows.append(f"| {option} | `{ini_key(name)}` |{shown}| {_cell(text)} |")
    rows.append(f"| | `agentfuzz_tools` | | {_cell(TOOLS)} |")
    rows.append(f"| | `agentfuzz_profiles` | | {_cell(PROFILES)} |")
    for name, metavar, text in (("existing", "PATH", EXISTING), *ACTIONS, *OTHERS):
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
    of = _laws_of()
    shown, telling = _scenarios(), _telling()
    lines = ["| row | laws, with their tests | scenarios |", "|---|---|---|"]
    for row, name, laws in _rows(of):
        told = telling.get(row) or sorted({story for law in laws for story in shown.get(law, ())})
        lines.append(f"| {row} {name} | {_links(row, laws)} | {', '.join(told) or '-'} |")
    lines += ["", "| law of the catalogue | here, with its test |", "|---|---|"]
    for row in sorted({*of, "R1"}, key=lambda one: (one[0], int(one[1:]))):
        lines.append(f"| {row} | {_links(row, of.get(row, []))} |")
    return "\n".join(lines)


def _laws_of() -> dict[str, list[str]]:
    """The laws that say they come from a row or a law of the catalogue, by its name there."""
    from agentfuzz.invariants import LAWS

    of: dict[str, list[str]] = {}
    for name, record in sorted(LAWS.items()):
        for row in record.catalogue:
            of.setdefault(row, []).append(name)
    return of


def _rows(of: Mapping[str, list[str]]) -> Iterator[tuple[str, str, list[str]]]:
    """Every row of the catalogue, its name, and the laws that catch it."""
    text = MARK.sub("", (ROOT / "CATALOGUE.md").read_text(encoding="utf-8"))
    for row, name, cells in re.findall(r"(?m)^\| ([FB]\d\d) \| ([^|]+) \|(.*)\|$", text):
        column = cells.split("|")[3 if row[0] == "F" else 2]
        wanted = [row, *re.findall(r"\b[A-Z]\d{1,2}\b", column)]
        yield row, name, list(dict.fromkeys(law for one in wanted for law in of.get(one, ())))


def named_rows() -> list[tuple[str, str, list[str]]]:
    """Every row of the catalogue, its name, and the laws that catch it."""
    return list(_rows(_laws_of()))


def rows() -> dict[str, list[str]]:
    """The laws that catch each row of the catalogue."""
    return {row: laws for row, _, laws in named_rows()}


def _links(row: str, laws: list[str]) -> str:
    """The tests of laws, linked; and what is asked of many runs."""
    from agentfuzz.invariants import LAWS

    links = []
    for law in laws:
        path = f"tests/invariants/{LAWS[law].family}/test_{law}.py"
        assert (ROOT / path).is_file(), f"{law} has no test at {path}"
        links.append(f"[{law}]({path})")
    return ", ".join([*links, *OF_RUNS.get(row, ())]) or "none yet"


def bundled() -> dict[str, ModuleType]:
    """The bundled scenarios by name."""
    names = sorted(path.stem for path in (ROOT / "scenarios").glob("*.py"))
    return {name: import_module(f"agentfuzz.scenarios.{name}") for name in names}


def told_rows(story: ModuleType) -> list[str]:
    """The rows of the catalogue that a story says it shows: `Rows: F01 B02.`"""
    found = re.search(r"(?m)^Rows: ((?:[FB]\d\d ?)+)\.$", story.__doc__ or "")
    assert found, f"{story.__name__} has no line `Rows: F01 B02.` in its docstring"
    return found[1].split()


def _telling() -> dict[str, list[str]]:
    """The bundled scenarios that say they show a row, by row."""
    of: dict[str, list[str]] = {}
    for name, story in bundled().items():
        for row in told_rows(story):
            of.setdefault(row, []).append(name)
    return of


def _scenarios() -> dict[str, list[str]]:
    """The bundled scenarios whose victims break a law, by law."""
    from agentfuzz.invariants import LAWS

    of: dict[str, list[str]] = {}
    for story, module in bundled().items():
        codes = {code for found in module.VICTIMS.values() for code in found}
        for name, record in LAWS.items():
            if codes & set(record.codes):
                of.setdefault(name, []).append(story)
    return of


def stories() -> str:
    """Every bundled scenario: what it tells, its rows, its laws, its victims and survivors."""
    lines = ["| story | rows | laws | victims, and the codes they break | survivor |",
             "|---|---|---|---|---|"]  # fmt: skip
    for name, story in bundled().items():
        told = (story.__doc__ or "").partition("\n")[0]
        scenario = getattr(story, name)
        laws = [each.name for each in scenario.invariants if each.name not in scenario.implied]
        victims = [f"`{each.__name__}` {' '.join(codes)}" for each, codes in story.VICTIMS.items()]
        cells = (
            f"[{name}]({name}.py): {_cell(told)}",
            " ".join(told_rows(story)),
            ", ".join(dict.fromkeys(f"`{law.partition('(')[0]}`" for law in laws)),
            "; ".join(victims),
            ", ".join(f"`{each.__name__}`" for each in story.SURVIVORS),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


WRITERS: Mapping[str, Callable[[], str]] = {
    "laws": laws,
    "codes": codes,
    "faults": faults,
    "settings": settings,
    "api": api,
    "catalogue": catalogue,
    "stories": stories,
}
