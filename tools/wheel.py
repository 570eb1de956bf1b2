"""The wheel, installed alone and outside of the checkout, does the README's five minutes: `make
wheel-test`.

Law: nothing of the checkout is in sight of it but the wheel and the README: what is missing in the
wheel, or imported without being declared, fails here. Called by CI, and by `release` for each
Python.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
DEMO = "tests/test_agentfuzz_demo.py"
MENDS = ((r"^ *key = .*: the bug\n", ""), (r"# (key = .*: the fix)$", r"\1"))
PROBE = """
import sys
import agentfuzz
import agentfuzz.scenarios.charge_order
print(agentfuzz.__file__)
sys.exit(any(name in sys.modules for name in ("langgraph", "agents", "trio")))
"""


def commands(readme: str) -> list[list[str]]:
    """What a reader types in the README's five minutes, after the installation."""
    section = re.search(r"^## Five minutes\n(.*?)^## ", readme, re.MULTILINE | re.DOTALL)
    assert section, "the README has no five minutes"
    typed = re.findall(r"^\$ pytest *(.*)$", section[1], re.MULTILINE)
    found = [line.split() for line in typed]
    assert found[:2] == [["--agentfuzz-init"], ["--agentfuzz", DEMO]], found
    assert found[-2:] == [[], ["--agentfuzz"]], found
    return found


def mended(source: str) -> str:
    """The demo test after the reader has mended its agent."""
    for pattern, put in MENDS:
        source, count = re.subn(pattern, put, source, flags=re.MULTILINE)
        assert count == 1, pattern
    return source


def expected(words: list[str], fixed: bool) -> tuple[int, str]:
    """The exit code of a command, and what it must print."""
    if fixed or "--agentfuzz-init" in words:
        return 0, ""
    if "--agentfuzz-export" in words:
        return 0, "wrote tests/test_af_"
    return int("--agentfuzz-explain" not in words), "AF101"


def built(folder: Path) -> Path:
    """The wheel of this checkout."""
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    return wheel


def installed(wheel: Path, place: Path, python: str = sys.executable) -> Path:
    """A fresh environment that has the wheel, what it depends on, and nothing else. Its Python."""
    uv, mine = str(Path(sys.executable).parent / "uv"), place / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--python", str(mine), str(wheel)]
    venv = [uv, "venv", "--quiet", "--python", python, str(place)]
    subprocess.run(venv, check=True, env=environ())
    lock = str(ROOT / "requirements-dev.lock")
    subprocess.run([*install, "--constraint", lock], check=True, env=environ())
    return mine


def environ() -> dict[str, str]:
    """What a newcomer's shell has."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PYTEST", "VIRTUAL_ENV", "AGENTFUZZ"))
        and name != "CI"  # campaigns are strict there
    }


def played(python: Path, project: Path) -> str:
    """Do the five minutes in this folder with this Python. What went wrong, or an empty text."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    project.mkdir()
    probe = [str(python), "-c", PROBE]
    said = subprocess.run(probe, cwd=project, env=environ(), capture_output=True, text=True)
    if said.returncode or not Path(said.stdout.strip()).is_relative_to(python.parent.parent):
        return f"not imported from the wheel:\n{said.stdout}{said.stderr}"
    fixed = False
    for words in commands(readme):
        if not words:
            fixed = True
            demo = project / DEMO
            demo.write_text(mended(demo.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"wheel: $ pytest {' '.join(words)}", flush=True)
        ran = subprocess.run(
            [str(python), "-m", "pytest", *words],
            cwd=project,
            env=environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        code, line = expected(words, fixed)
        if ran.returncode != code or line not in ran.stdout:
            return f"exit code {ran.returncode}; expected: {code} {line}\n{ran.stdout}"
    return ""


def main() -> int:
    """Do all of it. Returns the exit code."""
    with TemporaryDirectory(prefix="agentfuzz-wheel-") as made:
        place = Path(made).resolve()
        wheel = built(place / "dist")
        print(f"wheel: {wheel.name}", flush=True)
        wrong = played(installed(wheel, place / "venv"), place / "project")
    print(f"wheel: FAILED: {wrong}" if wrong else "wheel: the README's five minutes work from it")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
