"""What git ignores of a project in which campaigns run: their reports, and what they remember.

Law: a line is added to the `.gitignore` that there is, and to none where there is none; what is
there stays as it is, to the byte. What somebody has said of a folder, either way, stands. Called by
`start`.
"""

from pathlib import Path

from agentfuzz.plugin.actions.workflow import repository

LEFT = ("reports/agentfuzz/", ".agentfuzz/")


def add(root: Path) -> list[str]:
    """Have git ignore what campaigns leave in this folder: lines that say what was done."""
    top = repository(root)
    above = [one for one in (root, *root.parents) if one.is_relative_to(top)]
    path = next((one / ".gitignore" for one in above if (one / ".gitignore").is_file()), None)
    if path is None:
        return []
    inside = root.relative_to(path.parent).as_posix()
    try:
        known = path.read_bytes()
        prefix = "" if inside == "." else f"{inside}/"
        lines = [prefix + one for one in LEFT if not _speaks_of(known, prefix + one)]
        if not lines:
            return []
        end = b"\r\n" if b"\r\n" in known else b"\n"
        text = b"".join(line.encode() + end for line in lines)
        with path.open("ab") as file:
            file.write(text if known.endswith(b"\n") or not known else end + text)
    except OSError as error:
        return [f".gitignore cannot be changed ({error.strerror}); add to it: {', '.join(LEFT)}"]
    return [f"added to .gitignore: {', '.join(lines)}"]


def _speaks_of(known: bytes, folder: str) -> bool:
    """Whether a line ignores this folder, or one that it lies in, or says that it is not ignored.
    Where a pattern could mean something else as well, it is taken at its word."""
    parts = folder.strip("/").split("/")
    above = {"/".join(parts[: n + 1]) for n in range(len(parts))} | {*parts}
    said = (line.decode("utf-8", "replace").strip() for line in known.splitlines())
    names = {line.removeprefix("!").removeprefix("**/").removeprefix("/") for line in said}
    return bool(above & {one.removesuffix("/**").removesuffix("/*").rstrip("/") for one in names})
