"""Both archives of a release, built and looked at: `make release-check`.

Law: the source archive is the checkout, the wheel is the package, and neither has a file more; both
tell one version, which the changelog tells too. What is said to work is tried: the wheel by itself
on every Python that it names, the source archive as a checkout. Nothing is uploaded. Called by
whoever is about to release; its parts by `tests/test_release.py`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import wheel

import core

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
UV = str(Path(sys.executable).parent / "uv")
TWINE, SBOM = "twine==7.0.0", "cyclonedx-bom==7.5.0"  # each in an environment of its own
OWN = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
HEADING = re.compile(r"^## \[(?P<name>[^\]]+)\](?: - (?P<date>\d{4}-\d\d-\d\d))?$", re.MULTILINE)
PLACEHOLDER = ".example/"


# What is in them ------------------------------------------------------------------------------


def tracked(*more: str) -> set[str]:
    """The files of the checkout that git knows (or more of them, by options of its own)."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *more], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}


def built(folder: Path) -> tuple[Path, Path]:
    """The source archive of this checkout, and the wheel that is built of that archive."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (sdist,), (made,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, made


def contents(archive: Path) -> dict[str, bytes]:
    """The files of an archive, by their names below its own folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    found = {}
    with tarfile.open(archive) as source:
        for member in source.getmembers():
            file = source.extractfile(member)
            name = member.name.partition("/")[2]
            found[name] = file.read() if file is not None else b"(no regular file)"
    return found


def expected_wheel(files: Iterable[str], info: str) -> set[str]:
    """The names that the wheel of these files has."""
    package = {name for name in files if name.startswith("agentfuzz/")}
    stories = {f"agentfuzz/{name}" for name in files if name.startswith("scenarios/")}
    return package | stories | {f"{info}/{name}" for name in OWN}


def different(found: Iterable[str], expected: Iterable[str]) -> Iterator[str]:
    """A line for each name that is there and should not be, or the other way round."""
    found, expected = set(found), set(expected)
    yield from (f"{name} should not be there" for name in sorted(found - expected))
    yield from (f"{name} is missing" for name in sorted(expected - found))


def metadata(archive: Path) -> Message:
    """What an archive says of itself."""
    for name, data in contents(archive).items():
        if PurePosixPath(name).name in ("PKG-INFO", "METADATA"):
            return Parser().parsestr(data.decode("utf-8"))
    raise AssertionError(f"{archive.name} says nothing of itself")


def archives(sdist: Path, made: Path, files: set[str]) -> Iterator[str]:
    """What is wrong with what lies in the archives of these files, and with what they say of
    themselves."""
    info = f"{'-'.join(made.name.split('-')[:2])}.dist-info"
    wanted = {sdist: {*files, "PKG-INFO"}, made: expected_wheel(files, info)}
    licences = {sdist: "LICENSE", made: f"{info}/licenses/LICENSE"}
    version = version_of()
    for archive, names in wanted.items():
        found = contents(archive)
        yield from (f"{archive.name}: {line}" for line in different(found, names))
        if found.get(licences[archive]) != (ROOT / "LICENSE").read_bytes():
            yield f"{archive.name}: its licence is not that of the checkout"
        said = metadata(archive)
        if said["Version"] != version or f"-{version}" not in archive.name:
            yield f"{archive.name}: its version is {said['Version']}, agentfuzz's is {version}"
        if said["License-Expression"] != "Apache-2.0" or said["License-File"] != "LICENSE":
            yield f"{archive.name}: names no licence"


def version_of() -> str:
    """The version in the one place where it is."""
    text = (ROOT / "agentfuzz" / "__init__.py").read_text(encoding="utf-8")
    found = re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert len(found) == 1, found
    return str(found[0])


# What is told ---------------------------------------------------------------------------------


def untold(version: str, changelog: str) -> Iterator[str]:
    """What the changelog does not say of this version: it is the newest one there, with its date
    and nothing unreleased above it; or it is to come, and what is unreleased names it."""
    found = [(one["name"], one["date"]) for one in HEADING.finditer(changelog)]
    texts = HEADING.split(changelog)[3::3]
    if not found or found[0][0] != "Unreleased":
        yield "the changelog does not begin with ## [Unreleased]"
        return
    for name, date in found[1:]:
        if date is None:
            yield f"the changelog gives no date for {name}"
    released = [name for name, _ in found[1:]]
    if version not in released:
        if version not in texts[0]:
            yield f"the changelog does not tell of {version}: neither released nor to come"
    elif released[0] != version:
        yield f"{version} is older than {released[0]}, which the changelog tells"
    elif texts[0].strip():
        yield f"{version} is released, and the changelog has something unreleased"


def addresses() -> dict[str, str]:
    """The addresses of the project, by their names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return dict(project["urls"])


# What is tried --------------------------------------------------------------------------------


def described(sdist: Path, made: Path) -> Iterator[str]:
    """What the index would say of them."""
    command = [UV, "tool", "run", "--quiet", "--from", TWINE, "twine", "check", "--strict"]
    checked = subprocess.run([*command, str(sdist), str(made)], capture_output=True, text=True)
    if checked.returncode:
        yield f"twine: {checked.stdout}{checked.stderr}"


def bill_of(python: Path, out: Path) -> Iterator[str]:
    """What is installed with the wheel, by name, version and licence, as CycloneDX has it."""
    command = [UV, "tool", "run", "--quiet", "--from", SBOM, "cyclonedx-py", "environment"]
    about = ["--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "library", "--short-PURLs"]
    options = ["--output-reproducible", "--validate", "--output-file", str(out)]
    made = subprocess.run(
        [*command, *about, *options, str(python)],
        env={k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))},
        capture_output=True,
        text=True,
    )
    if made.returncode:
        yield f"{out.name}: {made.stderr[-2000:]}"
        return
    bill = json.loads(out.read_text(encoding="utf-8"))
    bill["metadata"]["component"]["version"] = version_of()
    text = json.dumps(bill, indent=2, sort_keys=True) + "\n"
    out.write_text(text, encoding="utf-8")
    if "file:" in text:
        yield f"{out.name}: names a place on this machine"
    for one in bill["components"]:
        licences = licences_of(one)
        print(f"release:   {one['name']} {one['version']}: {', '.join(licences) or 'no licence'}")
        if not licences:
            yield f"{out.name}: {one['name']} has no licence"


def licences_of(component: dict[str, Any]) -> list[str]:
    """The licences of one component, each once."""
    found = []
    for one in component.get("licenses", []):
        told = one.get("license", {})
        found.append(one.get("expression") or told.get("id") or told.get("name") or "")
    return [name for name in dict.fromkeys(found) if name]


def as_a_checkout(sdist: Path, place: Path) -> Iterator[str]:
    """The source archive, unpacked: its tests are found, all of them, and some are run."""
    with tarfile.open(sdist) as source:
        source.extractall(place, filter="data")
    (folder,) = place.iterdir()
    env = {**os.environ, "PYTHONPATH": str(folder)}
    for words in (["--collect-only", "tests"], ["tests/core"]):
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
        ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
        if ran.returncode:
            yield f"{sdist.name}: pytest {' '.join(words)}:\n{ran.stdout[-4000:]}"
        else:
            print(f"release: {sdist.name}: {ran.stdout.strip().splitlines()[-1]}", flush=True)


def by_itself(made: Path, wanted: str, place: Path) -> Iterator[str]:
    """The wheel alone on one Python, and, on the first one, what comes with it."""
    python = core.found(wanted)
    if python is None:
        yield f"Python {wanted} is not installed: nobody knows whether the wheel works on it"
        return
    print(f"release: the wheel on Python {wanted} ({python[0]})", flush=True)
    if wrong := wheel.followed(made, place, python[0], "five_minutes"):
        yield f"Python {wanted}: {wrong}"
    if wanted == core.PYTHONS[0]:
        mine = place / "five_minutes" / "venv" / "bin" / "python"
        yield from bill_of(mine, made.with_name(f"{'-'.join(made.name.split('-')[:2])}.cdx.json"))


def main(pythons: list[str]) -> int:
    """Build and look. Returns the number of things that are wrong."""
    shutil.rmtree(DIST, ignore_errors=True)
    version = version_of()
    sdist, made = built(DIST)
    print(f"release: {sdist.name}, {made.name}", flush=True)
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    wrong = [*untold(version, changelog), *archives(sdist, made, tracked())]
    wrong += described(sdist, made)
    with TemporaryDirectory(prefix="agentfuzz-release-") as name:
        place = Path(name).resolve()
        wrong += as_a_checkout(sdist, place / "source")
        for wanted in pythons or core.PYTHONS:
            (place / wanted).mkdir()
            wrong += by_itself(made, wanted, place / wanted)
    for line in wrong:
        print(f"release: FAILED: {line}", flush=True)
    if any(PLACEHOLDER in address for address in addresses().values()):
        print("release: the addresses of the project are placeholders (pyproject.toml)")
    if f"## [{version}]" not in changelog:
        print(f"release: {version} is not released yet (CHANGELOG.md)")
    print(
        f"release: {len(wrong)} wrong" if wrong else "release: both archives are as they should be"
    )
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
