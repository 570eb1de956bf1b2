"""Known bugs of released frameworks, rediscovered: `make gauntlet`.

Law: nothing here was written for one bug. Each is looked for by what every framework is put into
(`agentfuzz.adapters.testing.situations`), under every plan with one fault (where it says so, with
two), in the order of any campaign, through its adapter, in an environment with the release that has
it; and on the release that mended it the same campaign finds nothing of the kind.
`tools/gauntlet.py NAME...` looks for some, or for all of a framework.

Where each lies is told in `tests/frameworks/*/gauntlet.toml`; the table is written to
`reports/frameworks/gauntlet.md` and `.json`, where of those that were not looked for now stays what
was found before.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from environments import ROOT, environment
from tabulate import tabulate

TOLD = ROOT / "tests" / "frameworks"
OUT = ROOT / "reports" / "frameworks"
MADE = ROOT / ".venv" / "gauntlet"  # gone with `make clean`
PATIENCE = 1_800  # seconds for a campaign: its runs are counted, however slow the machine is
AT_ONCE = 2
HEADS = ["bug", "release", "found", "where", "time", "mended"]


@dataclass(frozen=True)
class Bug:
    """One known bug, as its framework's gauntlet.toml tells it: the law that sees it, and a part of
    the plans under which it does (empty: without faults); or why it is missed. `without` are faults
    that are not tried, for they show another bug of the same law at the same place; `runs` is how
    many the campaign may take."""

    name: str
    framework: str
    source: str
    what: str
    broken: Sequence[str]
    fixed: Sequence[str] = ()
    python: str = ""
    situation: str = "one_by_one"
    entrypoint: str = ""
    variant: str = ""
    code: str = ""
    under: str = ""
    depth: int = 1
    without: Sequence[str] = ()
    runs: int = 3_000
    missed: str = ""

    def shown(self, codes: Mapping[str, Sequence[str]]) -> str:
        """The smallest plan that shows it among what a campaign found; empty for none."""
        return next((plan for plan in codes.get(self.code, ()) if self._is(plan)), "")

    def _is(self, plan: str) -> bool:
        return self.under in plan if self.under else plan == "no faults"


class Looked(NamedTuple):
    """What came of looking for one: the plan that shows it where it is (empty if none does), how
    long that took in real seconds, and the plan that shows it where it is mended."""

    bug: Bug
    release: str = ""
    plan: str = ""
    seconds: float = 0.0
    mended: str = ""
    still: str = ""
    error: str = ""

    @property
    def good(self) -> bool:
        """Whether it is found where it is, and nowhere else; or missed, as is told."""
        return bool(self.bug.missed) or (bool(self.plan) and not self.still and not self.error)


def bugs() -> Iterator[Bug]:
    """All that are told."""
    for file in sorted(TOLD.glob("*/gauntlet.toml")):
        for told in tomllib.loads(file.read_text("utf-8"))["bug"]:
            yield Bug(framework=file.parent.name, **told)


def campaign(bug: Bug, pins: Sequence[str]) -> Any:
    """What a campaign finds with these pins. Raises CalledProcessError."""
    install = (*pins, "-e", str(ROOT))
    python = environment(MADE, bug.framework, install, python=bug.python)
    done = subprocess.run(
        [
            *(python, ROOT / "tools" / "campaign_of.py", bug.framework, bug.situation),
            *(bug.entrypoint, bug.variant, str(bug.depth), f"runs={bug.runs}"),
            *(f"-{fault}" for fault in bug.without),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return json.loads(done.stdout.splitlines()[-1])


def looked(bug: Bug) -> Looked:
    """Look for one, where it is and where it is mended."""
    if bug.missed:
        return Looked(bug)
    try:
        came = campaign(bug, bug.broken)
        fixed = campaign(bug, bug.fixed) if bug.fixed else None
    except subprocess.CalledProcessError as error:
        return Looked(bug, error=str(error.stderr or error)[-2_000:])
    except subprocess.TimeoutExpired:
        return Looked(bug, error=f"no end within {PATIENCE} s")
    return Looked(
        bug,
        came["release"],
        bug.shown(came["codes"]),
        came["seconds"],
        fixed["release"] if fixed else "",
        bug.shown(fixed["codes"]) if fixed else "",
    )


def row(one: Looked) -> list[str]:
    """Its line of the table."""
    bug = one.bug
    if bug.missed:
        return [bug.name, "; ".join(bug.broken), "missed", bug.missed, "", ""]
    if one.error:
        return [bug.name, "; ".join(bug.broken), "ERROR", one.error.splitlines()[-1], "", ""]
    mended = "no release yet" if not one.mended else one.still or f"clean on {one.mended}"
    where = " ".join(filter(None, (bug.situation, bug.entrypoint, bug.variant)))
    said = f"{bug.code} {one.plan}" if one.plan else "NOT FOUND"
    return [bug.name, one.release, said, where, f"{one.seconds} s", mended]


def written(came: Sequence[Looked]) -> None:
    """What came of some, beside what the files say of the others."""
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / "gauntlet.json"
    told = json.loads(file.read_text("utf-8")) if file.exists() else []
    known = {one["bug"]["name"]: Looked(**{**one, "bug": Bug(**one["bug"])}) for one in told}
    known |= {one.bug.name: one for one in came}
    every = [known[bug.name] for bug in bugs() if bug.name in known]
    text = tabulate(map(row, every), HEADS, tablefmt="github", disable_numparse=True)
    (OUT / "gauntlet.md").write_text(f"# Known bugs, rediscovered\n\n{text}\n", "utf-8")
    told = [{**one._asdict(), "bug": asdict(one.bug)} for one in every]
    file.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def main(arguments: list[str]) -> int:
    chosen = [bug for bug in bugs() if not arguments or {bug.name, bug.framework} & {*arguments}]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        came = list(pool.map(looked, chosen))
    print(tabulate(map(row, came), HEADS, maxcolwidths=[44, 24, 40, 30, 8, 24]))
    for one in came:
        if one.error:
            print(f"\n{one.bug.name}:\n{one.error}")
    found = sum(bool(one.plan) and not one.still for one in came)
    print(f"\n{found} of {len(came)} found and clean where they are mended")
    written(came)
    return int(not all(one.good for one in came))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
