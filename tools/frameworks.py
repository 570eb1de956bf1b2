"""Frameworks under test, each in an environment of its own: `make frameworks`.

Law: what the report says of a framework was run here: the test kit of its adapter, its default loop
under the plan of each finding, the same plan with the options that are said to mend it, and the
script that shows the same without agentfuzz. What does not come out as it is told fails.
`tools/frameworks.py NAME...` renews some, `--lock` pins anew, `--catalogue` renews alone what
became of the default loops in the stories of the catalogue.

What is told lies in `tests/frameworks/*/report.toml`; the report goes to `reports/frameworks/`.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import loops
from environments import ROOT, UV, environment
from tabulate import tabulate

TOLD = ROOT / "tests" / "frameworks"
PAGE = ROOT / "tests/docs/test_docs.py::test_a_framework_does_what_the_page_says"
OUT = ROOT / "reports" / "frameworks"
MADE = ROOT / ".venv" / "frameworks"  # gone with `make clean`
_SUMMARY = re.compile(r"^(?:=+ )?(\d+ (?:passed|failed).*?)(?:, \d+ warnings?)? in ", re.MULTILINE)


@dataclass(frozen=True)
class Finding:
    """What a framework's default loop does under a plan, as its report.toml tells it; `cure` says
    how to set it up so that the law holds, as the variant `cure_variant` does; `script` shows it
    without agentfuzz, with what could be reported beside it."""

    code: str
    plan: str
    does: str
    situation: str = "one_by_one"
    entrypoint: str = ""
    documented: str = ""
    cure: str = ""
    cure_variant: str = ""
    public: str = ""
    script: str = ""


class Checked(NamedTuple):
    """A finding: whether it is shown, whether its cure holds, and whether its script shows it (None
    where there is none)."""

    finding: Finding
    shown: bool
    cured: bool | None
    scripted: bool | None

    @property
    def good(self) -> bool:
        """Whether all of it is as it is told."""
        return self.shown and self.cured is not False and self.scripted is not False


class Framework(NamedTuple):
    """What came of one framework: what its adapter says of it, what its tests printed, and its
    findings."""

    name: str
    facts: Any
    tests: str
    passed: bool
    findings: Sequence[Checked]

    @property
    def good(self) -> bool:
        """Whether all is as it is told."""
        return self.passed and all(one.good for one in self.findings)


def names() -> Iterator[str]:
    """The frameworks that are under test."""
    yield from sorted(file.parent.name for file in TOLD.glob("*/requirements.in"))


def pinned(name: str) -> None:
    """Pin everything that a framework needs, beside what agentfuzz itself needs."""
    subprocess.run(
        [
            *(UV, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
            *("--no-header", "--no-annotate", "-o", TOLD / name / "requirements.lock"),
            *(TOLD / name / "requirements.in", ROOT / "pyproject.toml"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def python_of(name: str) -> Path:
    """The Python of a framework's environment. Raises CalledProcessError."""
    lock = TOLD / name / "requirements.lock"
    return environment(MADE, name, ("-r", lock), ("--no-deps", "-e", ROOT), told=lock.read_bytes())


def column(name: str) -> loops.Column:
    """What becomes of a framework's default loop in every story. Raises CalledProcessError."""
    return loops.Column(**_asked(python_of(name), name, tool="loops.py"))


def of(name: str) -> Framework:
    """One framework, put to the test. Raises CalledProcessError."""
    python = python_of(name)
    tests = subprocess.run(
        [
            *(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull),
            *(f"--rootdir={ROOT}", TOLD / name, f"{PAGE}[test_{name}]"),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
    )
    said = _SUMMARY.findall(tests.stdout)
    if tests.returncode:
        print(tests.stdout, tests.stderr, sep="\n")
    file = TOLD / name / "report.toml"
    told = tomllib.loads(file.read_text("utf-8")).get("finding", []) if file.exists() else []
    checked = [_checked(python, name, Finding(**one)) for one in told]
    facts = _asked(python, name)
    return Framework(name, facts, said[-1] if said else "no tests", not tests.returncode, checked)


def _checked(python: Path, name: str, finding: Finding) -> Checked:
    shown = finding.code in _played(python, name, finding, "")
    cured = None
    if finding.cure_variant:
        cured = finding.code not in _played(python, name, finding, finding.cure_variant)
    scripted = _scripted(python, script_of(name, finding)) if finding.script else None
    return Checked(finding, shown, cured, scripted)


def script_of(name: str, finding: Finding) -> Path:
    """Where the script of a finding lies."""
    return TOLD / name / "issues" / finding.script


def _scripted(python: Path, script: Path) -> bool:
    """Whether a script ends with exit status 1 and has said something: one that fails has not."""
    done = subprocess.run([python, script], check=False, capture_output=True, text=True)
    if done.returncode != 1 or not done.stdout.strip():
        print(script, done.stdout, done.stderr, sep="\n")
    return done.returncode == 1 and bool(done.stdout.strip())


def _played(python: Path, name: str, finding: Finding, variant: str) -> Any:
    plan = "" if finding.plan == "no faults" else finding.plan
    words = (finding.situation, finding.entrypoint, variant, "1", plan)
    return _asked(python, name, *words)["codes"]


def _asked(python: Path, *words: str, tool: str = "campaign_of.py") -> Any:
    done = subprocess.run(
        [python, ROOT / "tools" / tool, *words],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return json.loads(done.stdout.splitlines()[-1])


# What is written ---------------------------------------------------------------------------


def page(one: Framework) -> str:
    """The report on one framework, as Markdown."""
    facts = one.facts
    limits = [
        f"`{name}` ({counts}: {'none' if default is None else default})"
        for name, (counts, default) in facts["limits"].items()
    ]
    has = ", ".join(facts["has"]) or "none of sessions, typed output, approvals, handoffs"
    meets = [[failure, met] for failure, met in facts["meets"].items()]
    lines = [
        f"# {facts['release']}",
        "",
        f"Entrypoints: {', '.join(facts['entrypoints'])}. "
        f"Its adapter has: {has}. "
        f"Limits by default: {', '.join(limits) or 'none'}.",
        "",
        "How the failure of a tool comes to its user by default:",
        "",
        tabulate(meets, ["failure", "what happens"], tablefmt="github"),
        "",
        f"The test kit: {one.tests}.",
        "",
        f"Text that nobody declared, shown to the model: {_listed(facts['shown']['hidden'])}",
        "",
        f"Errors of a tool that the model is not shown: {_listed(facts['shown']['misplaced'])}",
    ]
    for number, checked in enumerate(one.findings, 1):
        finding = checked.finding
        cure = finding.cure or "None is known."
        verified = {True: " (verified by a run)", False: " (DID NOT HOLD)", None: ""}
        lines += [
            "",
            f"## {number}. {finding.does}",
            "",
            f"- Law: {finding.code}, under `{finding.plan or 'no faults'}`"
            f"{'' if checked.shown else ' (NOT SHOWN)'}",
            f"- Where: entrypoint `{finding.entrypoint or facts['entrypoints'][0]}`, situation "
            f"`{finding.situation}`, default settings",
            f"- Its documentation: {finding.documented or 'nothing found'}",
            f"- So that the law holds: {cure}{verified[checked.cured]}",
            *([f"- Without agentfuzz: {_linked(one.name, checked)}"] if finding.script else []),
            f"- Reported: {finding.public or 'not that we know of'}",
        ]
    return "\n".join(lines) + "\n"


def _linked(name: str, checked: Checked) -> str:
    """The script of a finding, and what could be reported of it."""
    script = script_of(name, checked.finding)
    links = [f"{each.relative_to(ROOT)}" for each in (script, script.with_suffix(".md"))]
    missed = "" if checked.scripted else " (DID NOT SHOW IT)"
    return f"[a script](../../{links[0]}){missed}, [a draft of a report](../../{links[1]})"


def _listed(sentences: Mapping[str, str]) -> str:
    """Sentences by entrypoint, as they are told in one paragraph."""
    by_sentence: dict[str, list[str]] = {}
    for entrypoint, sentence in sentences.items():
        by_sentence.setdefault(" ".join(sentence.split()), []).append(entrypoint)
    told = [f"{', '.join(entries)}: {each}" for each, entries in by_sentence.items()]
    return " ".join(told) or "none."


def line(one: Framework) -> list[object]:
    """What the overview says of a framework."""
    return [
        one.facts["release"],
        ", ".join(one.facts["entrypoints"]),
        one.tests,
        ", ".join(dict.fromkeys(each.finding.code for each in one.findings)),
        sum(each.cured is True for each in one.findings),
        "" if one.good else "NOT AS TOLD",
    ]


def told(one: Framework) -> dict[str, Any]:
    """All of it as JSON, with its line of the overview."""
    findings = [{**each._asdict(), "finding": asdict(each.finding)} for each in one.findings]
    return {**one._asdict(), "findings": findings, "line": line(one)}


def main(arguments: list[str]) -> int:
    chosen = [word for word in arguments if not word.startswith("-")]
    wanted = [name for name in names() if not chosen or name in chosen]
    if "--lock" in arguments:
        for name in wanted:
            pinned(name)
        return 0
    for name in wanted:
        loops.keep(column(name))
    if "--catalogue" in arguments:
        return 0
    came = [of(name) for name in wanted]
    heads = ["release", "entrypoints", "test kit", "laws it breaks", "cures that hold", ""]
    print(tabulate(map(line, came), heads, maxcolwidths=[24, 40, 24, 24, 8, 12]))
    OUT.mkdir(parents=True, exist_ok=True)
    for one in came:
        (OUT / f"{one.name}.md").write_text(page(one), "utf-8")
    file = OUT / "frameworks.json"  # of those that were not run now, what it said stays
    known = {one["name"]: one for one in (json.loads(file.read_text()) if file.exists() else ())}
    known |= {one.name: told(one) for one in came}
    every = [known[name] for name in names() if name in known]
    file.write_text(json.dumps(every, indent=1) + "\n", "utf-8")
    lines = [one["line"] for one in every]
    text = tabulate(lines, heads, tablefmt="github", disable_numparse=True)
    (OUT / "README.md").write_text(f"# Frameworks under test\n\n{text}\n", "utf-8")
    return int(not all(one.good for one in came))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
