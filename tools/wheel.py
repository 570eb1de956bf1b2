"""The wheel, installed alone and outside of the checkout, does what the first pages say: `make
wheel-test`.

Law: nothing of the checkout is in sight of it but the wheel and the pages: what is missing in the
wheel, or imported without being declared, fails here. Called by CI, and by `release` for each
Python.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent


def built(folder: Path) -> Path:
    """The wheel of this checkout."""
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    return wheel


def followed(wheel: Path, place: Path, python: str = sys.executable, *parts: str) -> str:
    """Follow these parts of the pages (all, if none is named) with this Python, each in a folder of
    its name. What went wrong, or an empty text."""
    sys.path.insert(0, str(ROOT))
    from tests.docs import fresh

    return fresh.followed(wheel, place, python, parts or fresh.PARTS)


def main(parts: list[str]) -> int:
    """Do all of it, or these parts. Returns the exit code."""
    with TemporaryDirectory(prefix="agentfuzz-wheel-") as made:
        place = Path(made).resolve()
        wheel = built(place / "dist")
        print(f"wheel: {wheel.name}", flush=True)
        wrong = followed(wheel, place, sys.executable, *parts)
    print(f"wheel: FAILED: {wrong}" if wrong else "wheel: what the first pages say works from it")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
