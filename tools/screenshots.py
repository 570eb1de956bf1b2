"""Screenshots of reports, for docs/reports.md: `make screenshots`.

Law: what is shown was found in a session of bundled stories, made here, and drawn by a real
Chromium; nothing is painted over. A finding is told by its story, its loop and its law, so that the
pictures stay what their captions say. Called by people; `tools/screenshots.py FOLDER` writes
elsewhere.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "screenshots"
RUNS = 300  # of each campaign: enough for what is shown, and the same everywhere
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
DESK, TALL, PHONE = (1280, 800), (1280, 870), (390, 844)


class Finding(NamedTuple):
    """What a page tells: the law that a loop breaks in a story."""

    story: str
    loop: str
    code: str


class Shot(NamedTuple):
    """One picture: of a finding's page, or of the index; `at` is the address in it, `opens`
    what is clicked on before."""

    name: str
    finding: Finding | None
    size: tuple[int, int] = DESK
    dark: bool = False
    at: str = ""
    opens: str = ""


TWICE = Finding("charge_order", "key_per_call", "AF101")
SHOTS = (
    Shot("index", None),
    Shot("tried", None, at="#tried", opens=".campaign > summary"),
    Shot("effects", TWICE),
    Shot("missing", Finding("charge_order", "believes_the_model", "AF103")),
    Shot("termination", Finding("resolve_ticket", "returns_the_words", "AF204")),
    Shot("claims", Finding("land_change", "reads_reservations", "AF304")),
    Shot("protocol", Finding("pairs", "skips_what_failed", "AF404")),
    Shot("handoffs", Finding("support_triage", "takes_all_that_comes", "AF603"), size=TALL),
    Shot("agents", Finding("shared_stock", "read_and_write", "AF704"), size=TALL),
    Shot("many-agents", Finding("research_team", "fifty", "AF702")),
    Shot("step", TWICE, at="#step-9"),
    Shot("phone", TWICE, size=PHONE),
    Shot("dark", TWICE, dark=True),
)

# A loop that leaves the result of a failed call out: no bundled story has the law that sees it.
PAIRS = """
@scenario(
    results_paired(),
    task="Charge order A17.",
    script=[
        ("find_order", {"order_id": "A17"}),
        ("charge_card", {"order_id": "A17", "cents": 4200}),
        Completion.success(handle="A17"),
    ],
)
def pairs(world):
    @world.tool
    def find_order(order_id: str) -> dict:
        return {"order_id": order_id, "cents": 4200}

    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge_card(order_id: str, cents: int) -> dict:
        return {"charge_id": "ch_1", "cents": cents}


@fuzz(pairs)
def test_skips_what_failed(world):
    messages = [{"role": "user", "content": world.task}]
    for _ in range(12):
        turn = world.model(messages, list(world.tools))
        messages.append(turn)
        for call in turn["tool_calls"]:
            if call["name"] == "done":
                return Completion(**call["arguments"])
            try:
                reply = world.call(call["name"], call["arguments"], asked=call["id"])
            except (TimeoutError, ConnectionError):
                continue
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": str(reply)})
    return Completion.blocked(reason="outcome_unknown")
"""


def tests() -> str:
    """A test of each loop that is shown, as a file."""
    shown = dict.fromkeys(
        (shot.finding.story, shot.finding.loop)
        for shot in SHOTS
        if shot.finding is not None and shot.finding.story != "pairs"
    )
    stories = ", ".join(dict.fromkeys(story for story, _ in shown))
    head = "from agentfuzz import Completion, fuzz, results_paired, scenario\n"
    head += f"from agentfuzz.scenarios import {stories}\n"
    bodies = [
        f"@fuzz({story}.{story})\ndef test_{loop}(world):\n    return {story}.{loop}(world)\n"
        for story, loop in shown
    ]
    return "\n\n".join([head, *bodies]) + PAIRS


def session(folder: Path) -> Path:
    """Run the tests in a folder. Returns where its report is."""
    (folder / "test_stories.py").write_text(tests(), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--agentfuzz"]
    ran = subprocess.run(
        [*command, f"--agentfuzz-max-runs={RUNS}", "--agentfuzz-max-time=600"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    report = folder / "reports" / "agentfuzz"
    if ran.returncode != 1 or not report.is_dir():  # 1: findings, which is what is wanted
        sys.exit(f"the session ended with {ran.returncode}:\n{ran.stdout[-4000:]}{ran.stderr}")
    return report


def pages(report: Path) -> Mapping[tuple[str, str], Path]:
    """The first page of each loop and law that was found."""
    found: dict[tuple[str, str], Path] = {}
    for cause in json.loads((report / "report.json").read_text(encoding="utf-8"))["causes"]:
        loop = cause["tests"][0].rpartition("::test_")[2]
        found.setdefault((loop, cause["codes"][0]), report / f"{cause['id']}.html")
    return found


def take(browser: Any, shot: Shot, page: Path, out: Path) -> None:
    """Draw a page, and write the picture."""
    width, height = shot.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if shot.dark else "light",
        java_script_enabled=False,
    )
    tab = context.new_page()
    tab.goto(page.as_uri())
    if shot.opens:
        tab.locator(shot.opens).first.click()
    if shot.at:
        tab.goto(f"{page.as_uri()}{shot.at}")
    tab.screenshot(path=str(out / f"{shot.name}.png"))
    context.close()


def main(out: Path) -> None:
    """Write every picture. Exits where a finding was not made, or there is no browser."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        sys.exit(f"no browser: one of {', '.join(CHROMIUM)} is needed")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        report = session(Path(folder))
        found = pages(report)
        arguments = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        for shot in SHOTS:
            page = report / "index.html"
            if shot.finding is not None:
                key = (shot.finding.loop, shot.finding.code)
                if key not in found:
                    sys.exit(f"{shot.name}: {key} was not found, but {sorted(found)}")
                page = found[key]
            take(browser, shot, page, out)
            print(f"{shot.name}.png  {(out / f'{shot.name}.png').stat().st_size // 1024} KB")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
