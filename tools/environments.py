"""Environments of their own for what cannot live together, made once for each list of pins.

Law: an environment is what was asked for, and its name says so: another list makes another one.
They lie in `.venv` and go with `make clean`. Called by `examples`, `frameworks` and `gauntlet`.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sys.executable).with_name("uv")


def environment(
    folder: Path, name: str, *installs: Sequence[str | Path], python: str = "", told: bytes = b""
) -> Path:
    """The Python of an environment, in this folder, with agentfuzz beside whatever these lines of
    `uv pip install` bring. `told` is what they mean: the content of the files that they name.
    Raises CalledProcessError where it cannot be made, and leaves nothing."""
    version = python or f"{sys.version_info.major}.{sys.version_info.minor}"
    said = told + repr([version, *([str(one) for one in line] for line in installs)]).encode()
    made = folder / f"{name}-{hashlib.sha256(said).hexdigest()[:12]}"
    interpreter, ready = made / "bin" / "python", made / ".ready"
    if not ready.exists():
        shutil.rmtree(made, ignore_errors=True)
        try:
            subprocess.run([UV, "venv", "--quiet", "--python", version, made], check=True)
            for line in installs:
                install = (UV, "pip", "install", "--quiet", "--python", interpreter)
                subprocess.run([*install, *line], check=True)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        ready.touch()
    return interpreter
