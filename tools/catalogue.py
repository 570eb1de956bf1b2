"""The catalogue, shown: each row by a story, a victim, a law and a smallest plan, and how loops
fare in that story. `make catalogue`.

Law: what is told is run here. Which plan shows which row is kept in `scenarios/rows.json`, which
`tests/test_catalogue.py` plays; the table with the loops is written to `reports/catalogue.md` and
`.html`. `--proofs` writes the first alone, `--loops` takes the proofs as they are.
"""

import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
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
LOOP_RUNS = 300


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


def fares(case: tuple[str, str]) -> dict[str, str] | None:
    """What a loop breaks in a story, by code with the smallest plan; None where it does not do what
    the story is about."""
    name, loop = case
    return loops.fares(name, loop, LOOP_RUNS)


def table(shown: Mapping[str, Mapping[str, str]]) -> list[list[str]]:
    """A line for each row: what shows it, and how each loop fares there."""
    used = sorted({proof["story"] for proof in shown.values()})
    cases = [(name, loop) for name in used for loop in loops.LOOPS]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        came = dict(zip(cases, pool.map(fares, cases), strict=True))
    lines = []
    for row, name, _ in paper.named_rows():
        proof = shown.get(row)
        if proof is None:
            lines.append(
                [row, name, REPEATED.get(row, "nothing"), "", "", *("-" for _ in loops.LOOPS)]
            )
            continue
        cells = [_cell(came[proof["story"], loop], row) for loop in loops.LOOPS]
        by = f"{proof['story']}.{proof['victim']}"
        lines.append([row, name, by, proof["code"], proof["plan"], *cells])
    return lines


def _cell(found: Mapping[str, str] | None, row: str) -> str:
    if found is None:
        return "-"
    return next((f"{code} {found[code]}" for code in codes_of(row) if code in found), "held")


def main(arguments: list[str]) -> int:
    shown = json.loads(PROOFS.read_text("utf-8")) if "--loops" in arguments else proofs()
    if "--loops" not in arguments:
        PROOFS.write_text(json.dumps(shown, indent=1) + "\n", encoding="utf-8")
    rows = paper.rows()
    proved = len(shown) + len(REPEATED)
    if "--proofs" not in arguments:
        lines = table(shown)
        heads = ["row", "how it breaks", "shown by", "law", "smallest plan", *loops.LOOPS]
        OUT.mkdir(exist_ok=True)
        for kind, name in (("github", "catalogue.md"), ("html", "catalogue.html")):
            text = tabulate(lines, heads, tablefmt=kind, disable_numparse=True)
            (OUT / name).write_text(text + "\n", encoding="utf-8")
        print(tabulate([[*line[:2], *line[3:]] for line in lines], [*heads[:2], *heads[3:]]))
        print("written: reports/catalogue.md, reports/catalogue.html")
    print(f"{proved} of {len(rows)} rows")
    return 0 if proved == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
