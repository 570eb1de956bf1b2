"""Run the demo: `python -m tests.demo`, or `make demo`.

Exit 0 if it ran as it should: one campaign on each loop, the double charge found in all of them,
every report on disk. The pytest session itself fails, of course: that is what it is for.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT / "reports" / "agentfuzz"
FILES = (
    "demo_plain_loop.py",
    "demo_langgraph.py",
    "demo_openai_agents.py",
    "demo_langgraph_killed.py",
)


def main() -> int:
    """Run the campaigns, list what they found, and check that nothing is missing."""
    report = REPORTS / "report.json"
    report.unlink(missing_ok=True)
    files = [f"tests/demo/{name}" for name in FILES]
    command = [sys.executable, "-m", "pytest", "--agentfuzz", "-p", "no:cacheprovider"]
    command += ["--agentfuzz-max-time", "10", *files]
    ended = subprocess.run(command, cwd=ROOT, check=False)
    if ended.returncode != 1 or not report.exists():
        print(f"the demo did not run as it should: pytest ended with {ended.returncode}")
        return 1
    session = json.loads(report.read_text(encoding="utf-8"))
    campaigns = session["campaigns"]
    problems = [] if len(campaigns) == len(FILES) else [f"{len(campaigns)} campaigns"]
    print("\nWhat was found, cause by cause, and where to read it:\n")
    charged_twice = set()
    for cause in session["causes"]:
        found = [json.loads((REPORTS / f"{name}.json").read_text()) for name in cause["findings"]]
        charged_twice |= {one["nodeid"] for one in found if one["code"] == "AF101"}
        page = (REPORTS / f"{cause['id']}.html").relative_to(ROOT).as_posix()
        print(f"  {' '.join(cause['codes'])}  {found[0]['title']}: {found[0]['plan']['text']}")
        print(f"         in {', '.join(test.rpartition('::')[2] for test in cause['tests'])}")
        print(f"         {page}")
        if not (ROOT / page).exists():
            problems.append(f"{page} is missing")
    problems += [
        f"{one['nodeid']}: the double charge was not found"
        for one in campaigns
        if one["nodeid"] not in charged_twice
    ]
    print(f"\n  all of it: {(REPORTS / 'index.html').relative_to(ROOT).as_posix()}")
    for problem in problems:
        print(f"the demo did not run as it should: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
