"""The catalogue, shown: each row by a story, a victim, a law and a smallest plan, and how loops
fare in that story. `make catalogue`.

Law: what is told is run here, but for the frameworks that are not installed: what became of these
is kept by `make frameworks`. Which plan shows which row is kept in `scenarios/rows.json`, which
`tests/test_catalogue.py` plays; the table with the loops is written to `reports/catalogue.md` and
`.html`. `--proofs` writes the first alone, `--loops` takes the proofs as they are.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

import loops
import paper
from tabulate import tabulate

ROOT = Path(__file__).resolve().parent.parent
PROOFS = ROOT / "scenarios" / "rows.json"
OUT = ROOT / "reports"
REPEATED = {"F64": "tests/search/test_sampling.py"}  # shown by many runs, and by no plan
# What a row is about, as a part of the text of its plan; a row that is about none takes any plan.
_ABOUT = """
F01:repeat F02:once/timeout F03:truncated F04:interrupt F05:dies F06:twice F07:timeout F08:drift
F10:crash F11:preempted F12:reword F13:crash F15:twice F20:skip F21:reword F23:reword F25:reword
F27:double_done F33:error F50:buried F51:trimmed F52:trimmed F55:lost F56:poisoned F57:invalid
F60:wrong F65:duplicate_trigger B01:late B02:rate_limited B04:crash B05:crash B07:truncated
B08:error B11:poisoned B12:privileged B13:wrong B14:ambiguous B15:skip B16:cancel B17:preempted
B22:hostile B26:duplicate_trigger B28:mixed_done B29:late B30:late B31:once/timeout B34:wrong
B36:#1- B37:rate_limited B39:crash B42:timeout B43:duplicate_trigger B44:torn B46:gone
B47:unauthorized B48:never B50:preempted
"""
PROVOKED: dict[str, str] = dict(each.split(":", 1) for each in _ABOUT.split())
MAX_RUNS, MAX_SECONDS = 100_000, 120.0
NAME = 30  # characters of a row's name in a terminal
TITLE = "The catalogue, shown"
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 1rem }}
table {{ border-collapse: collapse }}
th, td {{ border: 1px solid #ccc; padding: .2rem .4rem; text-align: left; vertical-align: top }}
thead th {{ position: sticky; top: 0; background: #fff }}
</style>
<h1>{title}</h1>
<p>{said}</p>
{table}
</html>
"""


def depth(story: ModuleType) -> int:
    """How many faults the victims of a story need."""
    found: int = getattr(story, "DEPTH", 1)
    return found


def scenario_of(story: ModuleType) -> Any:
    """The scenario that a story is named after."""
    return getattr(story, story.__name__.rpartition(".")[2])


@cache
def codes_of(row: str) -> tuple[str, ...]:
    """The codes of the laws that catch a row: those of its own laws first."""
    from agentfuzz.invariants import LAWS

    laws = paper.rows()[row]
    own = sorted(laws, key=lambda law: row not in LAWS[law].catalogue)
    return tuple(dict.fromkeys(code for law in own for code in LAWS[law].codes))


def findings(case: tuple[str, str, str]) -> dict[str, list[str]]:
    """The plans of what a victim of a story breaks, by code, the smallest first; of those with a
    word in them, if there is one."""
    from agentfuzz.engine.simulation import Simulation
    from agentfuzz.search.budget import Budget
    from agentfuzz.search.campaign import Campaign
    from agentfuzz.search.space import Space

    name, victim, word = case
    story = paper.bundled()[name]
    scenario = scenario_of(story)
    budget = Budget(max_runs=MAX_RUNS, max_seconds=MAX_SECONDS, depth=depth(story), deep_runs=0)
    words = {"only": (word,)} if word.replace("_", "").isalpha() else {}
    with Simulation() as simulation:
        space = Space(faults=scenario.faults, **words)
        search = Campaign(scenario, getattr(story, victim), simulation, space=space, budget=budget)
        search.search()
        found: dict[str, list[str]] = {}
        for one in sorted(search.result().findings, key=lambda one: len(one.plan)):
            if word in str(one.plan):
                found.setdefault(one.code, []).append(str(one.plan))
    return found


def proofs() -> dict[str, dict[str, str]]:
    """What shows each row."""
    stories = paper.bundled()
    asked = {
        (row, name, victim.__name__): (name, victim.__name__, PROVOKED.get(row, ""))
        for row in paper.rows()
        for name, story in stories.items()
        if row in paper.told_rows(story)
        for victim, codes in story.VICTIMS.items()
        if set(codes) & set(codes_of(row))
    }
    cases = sorted(set(asked.values()))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        broken = dict(zip(cases, pool.map(findings, cases), strict=True))
    shown: dict[str, dict[str, str]] = {}
    for row in paper.rows():
        told = [
            (plans[0] == "no faults", codes_of(row).index(code), len(plans[0]), name, victim, code)
            for (of, name, victim), case in asked.items()
            if of == row
            for code, plans in broken[case].items()
            if code in codes_of(row) and code in _told(stories[name], victim)
        ]
        if told:  # a plan with a fault says more than none
            *_, name, victim, code = min(told)
            plan = broken[asked[row, name, victim]][code][0]
            shown[row] = {"story": name, "victim": victim, "code": code, "plan": plan}
    missing = [row for row in paper.rows() if row not in shown and row not in REPEATED]
    if missing:
        print(f"nothing shows {', '.join(missing)}", file=sys.stderr)
    return shown


def _told(story: ModuleType, victim: str) -> tuple[str, ...]:
    """The codes that a story says of its victim."""
    found: tuple[str, ...] = story.VICTIMS[getattr(story, victim)]
    return found


def table(
    shown: Mapping[str, Mapping[str, str]], columns: Sequence[loops.Column]
) -> list[list[str]]:
    """A line for each row: what shows it, and how each loop fares there."""
    lines = []
    for row, name, _ in paper.named_rows():
        proof = shown.get(row)
        if proof is None:
            lines.append([row, name, REPEATED.get(row, "nothing"), "", "", *("-" for _ in columns)])
            continue
        cells = [_cell(column, proof["story"], row) for column in columns]
        by = f"{proof['story']}.{proof['victim']}"
        lines.append([row, name, by, proof["code"], proof["plan"], *cells])
    return lines


def _cell(column: loops.Column, story: str, row: str) -> str:
    if story not in column.stories:
        return "?"
    found = column.stories[story]
    if found is None:
        return "-"
    return next((f"{code} {found[code]}" for code in codes_of(row) if code in found), "held")


def head(column: loops.Column) -> str:
    """What stands over a column: the loop, and the release of its framework."""
    name, release = column.name, column.release
    if not release or release.startswith(f"{name} "):
        return release or name
    return f"{name} ({release})"


def legend(columns: Sequence[loops.Column]) -> str:
    """What a cell says, and how many runs it stands for."""
    of: dict[int, list[str]] = {}
    for column in columns:
        of.setdefault(column.runs, []).append(column.name)
    runs = [f"{', '.join(of[most])}: {most}" for most in sorted(of, reverse=True)]
    return (
        "AFnnn: the loop breaks a law of the row in its story, under the smallest plan that was "
        "found; held: it broke none; -: without faults it does not do what the story is about, or "
        "no story shows the row; ?: it was not tried there. Beside the plans that show the rows, "
        f"so many runs in a story at most, with one fault each: {'; '.join(runs)}."
    )


def short(lines: Sequence[Sequence[str]], columns: Sequence[loops.Column]) -> str:
    """The table for a terminal: a code in each cell, a number over each loop."""
    cells = [
        [row, name[:NAME], *(cell.split()[0] for cell in rest)]
        for row, name, _, _, _, *rest in lines
    ]
    heads = ["row", "how it breaks", *(str(one) for one, _ in enumerate(columns, 1))]
    loops_told = [f"{number} {head(column)}" for number, column in enumerate(columns, 1)]
    return f"{tabulate(cells, heads)}\n{', '.join(loops_told)}"


def write(lines: Sequence[Sequence[str]], columns: Sequence[loops.Column]) -> None:
    """The whole table, as Markdown and as HTML."""
    OUT.mkdir(exist_ok=True)
    heads = ["row", "how it breaks", "shown by", "law", "smallest plan", *map(head, columns)]
    markdown, page = (
        tabulate(lines, heads, tablefmt=kind, disable_numparse=True) for kind in ("github", "html")
    )
    said = legend(columns)
    (OUT / "catalogue.md").write_text(f"# {TITLE}\n\n{said}\n\n{markdown}\n", encoding="utf-8")
    (OUT / "catalogue.html").write_text(
        PAGE.format(title=TITLE, said=escape(said), table=page), encoding="utf-8"
    )


def main(arguments: list[str]) -> int:
    shown = json.loads(PROOFS.read_text("utf-8")) if "--loops" in arguments else proofs()
    if "--loops" not in arguments:
        PROOFS.write_text(json.dumps(shown, indent=1) + "\n", encoding="utf-8")
    rows = paper.rows()
    proved = len(shown) + len(REPEATED)
    if "--proofs" not in arguments:
        columns = loops.columns(sorted({proof["story"] for proof in shown.values()}))
        lines = table(shown, columns)
        write(lines, columns)
        print(short(lines, columns), legend(columns), sep="\n")
        print("written: reports/catalogue.md, reports/catalogue.html")
    print(f"{proved} of {len(rows)} rows")
    return 0 if proved == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
