"""The settings of a session: options and ini keys, one row each.

Law: each option is an ini key of the same name; a wrong value or an unknown key is an error that
names the place. Read by the hooks and by the session.
"""

import importlib.metadata
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from agentfuzz.plugin.options import MERGE, MOST, SETTINGS, SHARDS

if TYPE_CHECKING:
    from agentfuzz.world.confirmed import Correction


def ini_key(name: str) -> str:
    """The ini key of an option."""
    return f"agentfuzz_{name.replace('-', '_')}"


def refuse_unknown_keys(config: pytest.Config) -> None:
    known = [
        "agentfuzz",
        "agentfuzz_strict",
        "agentfuzz_paths",
        "agentfuzz_tools",
        "agentfuzz_profiles",
        *(ini_key(name) for name, *_ in SETTINGS),
    ]
    given: Any = getattr(config, "_inicfg", None)  # pytest 9 deprecates the public name
    for key in config.inicfg if given is None else given:
        if key.startswith("agentfuzz") and key not in known:
            import difflib

            near = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(known)}."
            raise pytest.UsageError(f"{_ini_file(config)}: unknown ini key {key!r}.{hint}")
    campaigns_on(config)
    strict_on(config)
    paths_on(config)
    for name, *_ in SETTINGS:
        setting(config, name)
    workers(config)
    memo(config)
    executor(config)
    database(config)
    shard(config)
    tools(config)


def _ini_file(config: pytest.Config) -> str:
    return config.inipath.name if config.inipath is not None else "command line"


def setting(config: pytest.Config, name: str) -> Any:
    """The value of a setting: the option, else the ini key, the profile, the default. Raises
    UsageError naming the place."""
    _, _, kind, default, _ = next(row for row in SETTINGS if row[0] == name)
    value = config.getoption(f"--agentfuzz-{name}")
    place = f"--agentfuzz-{name}"
    if value is None:
        place = f"{_ini_file(config)}: {ini_key(name)}"
        value = _ini_value(config, ini_key(name), _expected(kind))
    if value is None and name != "profile":
        place = f"profile {setting(config, 'profile')}: {name}"
        value = profile(config).get(name)
    if value is None:
        value = default
    if kind is str:
        return value
    low = 0 if name in ("depth", "seed", "session-time") else 1 if kind is int else 1e-3
    if not low <= value < float("inf"):
        raise pytest.UsageError(f"{place} = {value}: must be {_expected(kind)}, at least {low:g}")
    return value


def profile(config: pytest.Config) -> Mapping[str, Any]:
    """What the profile of this session sets, by setting. Raises UsageError."""
    lines = _ini_value(config, "agentfuzz_profiles", "lines, one a profile")
    name = setting(config, "profile")
    if not (name or lines):
        return {}
    from agentfuzz.plugin import profiles

    kinds = {row[0]: row[2] for row in SETTINGS if row[0] != "profile"} | {"strict": bool}
    return profiles.chosen(name, lines, kinds, _ini_file(config))


def profile_line(config: pytest.Config) -> list[str]:
    """The profile of this session, for its summary, with what holds of its settings."""
    values = profile(config)
    if not (values and campaigns_on(config)):
        return []
    from agentfuzz.plugin import profiles

    held = {
        name: strict_on(config) if name == "strict" else setting(config, name) for name in values
    }
    return [f"profile {setting(config, 'profile')}: {profiles.told(held)}"]


def workers(config: pytest.Config) -> int:
    """How many processes make the runs of a campaign; 0 for `auto`. Raises UsageError."""
    value = setting(config, "workers").strip()
    if value == "auto":
        return 0  # as many as pay
    if not value.isdecimal() or not 1 <= int(value) <= MOST:
        raise pytest.UsageError(
            f"--agentfuzz-workers (agentfuzz_workers) = {value}: must be auto, or a whole number "
            f"from 1 to {MOST}"
        )
    return int(value)


def memo(config: pytest.Config) -> str:
    """Whether runs are made without the agent: `auto`, `on` or `off`. Raises UsageError."""
    value = str(setting(config, "memo")).strip()
    if value not in ("auto", "on", "off"):
        raise pytest.UsageError(
            f"--agentfuzz-memo (agentfuzz_memo) = {value}: must be auto, on or off"
        )
    return value


def executor(config: pytest.Config) -> str:
    """The address of the Dask scheduler that makes the runs, or an empty text. Raises UsageError
    where it is none, or Dask is not installed."""
    value = str(setting(config, "executor")).strip()
    if not value:
        return ""
    found = re.fullmatch(r"dask://([\w.\[\]:-]+:\d+)", value)
    if found is None:
        raise pytest.UsageError(
            f"--agentfuzz-executor (agentfuzz_executor) = {value}: must be dask://host:port"
        )
    try:
        importlib.metadata.version("distributed")
    except importlib.metadata.PackageNotFoundError:
        raise pytest.UsageError(
            f"--agentfuzz-executor {value} needs Dask: pip install 'pytest-agentfuzz[dask]'"
        ) from None
    return f"tcp://{found[1]}"


def database(config: pytest.Config) -> str:
    """The name of the example database in which saved counterexamples are shared, or an empty
    text. Raises UsageError for what can be none."""
    value = str(setting(config, "database")).strip()
    if value in ("", "hypothesis") or re.fullmatch(r"[^\W\d][\w.]*:[^\W\d][\w.]*", value):
        return value
    raise pytest.UsageError(
        f"--agentfuzz-database (agentfuzz_database) = {value}: must be hypothesis (the database of "
        "its profile), or module:name of an ExampleDatabase, or of a function that makes one"
    )


def tools(config: pytest.Config) -> tuple["Correction", ...]:
    """What the ini file says of tools, one line a tool. Raises UsageError."""
    lines = _ini_value(config, "agentfuzz_tools", "lines, one a tool")
    if not lines:
        return ()
    from agentfuzz.core.errors import ScenarioError
    from agentfuzz.world.confirmed import corrections

    try:
        return corrections(lines, _ini_file(config))
    except ScenarioError as error:
        raise pytest.UsageError(str(error)) from error


def shard(config: pytest.Config) -> tuple[int, int] | None:
    """The part of each campaign that this session runs, as (K, N). Raises UsageError where it is
    none, or where there is nothing to deal out."""
    value = config.getoption("--agentfuzz-shard")
    if value is None:
        return None
    found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", value.strip())
    if found is None or not int(found[1]) <= int(found[2]) <= SHARDS:
        raise pytest.UsageError(
            f"--agentfuzz-shard {value}: must be K/N, as 2/8, with K from 1 to N and N at most "
            f"{SHARDS:,}"
        )
    if not campaigns_on(config):
        raise pytest.UsageError(f"--agentfuzz-shard {value} is of campaigns: add --agentfuzz")
    if setting(config, "depth") < 2:
        raise pytest.UsageError(
            f"--agentfuzz-shard {value}: plans with one fault are run by every shard, and "
            "--agentfuzz-depth leaves nothing else; set it to 2 or more, or run no shards"
        )
    for other in (MERGE, "--agentfuzz-replay", "--agentfuzz-record"):
        if config.getoption(other):
            raise pytest.UsageError(f"--agentfuzz-shard {value} and {other} exclude each other")
    return int(found[1]), int(found[2])


def _ini_value(config: pytest.Config, key: str, expected: str) -> Any:
    try:
        return config.getini(key)
    except (ValueError, TypeError, pytest.UsageError) as error:
        raise pytest.UsageError(
            f"{_ini_file(config)}: {key} must be {expected} ({error})"
        ) from error


def _expected(kind: type) -> str:
    return {int: "a whole number", float: "a number of seconds", str: "a text"}[kind]


def campaigns_on(config: pytest.Config) -> bool:
    """Whether `@fuzz` tests run as campaigns."""
    given = config.getoption("--agentfuzz")
    asking = ("--agentfuzz-existing", "--agentfuzz-profile")
    if given is None and any(config.getoption(one) for one in asking):
        return True
    return bool(_ini_value(config, "agentfuzz", "true or false") if given is None else given)


def paths_on(config: pytest.Config) -> bool | None:
    """Whether the error paths of agents are watched; None where nobody has said. Raises UsageError
    where they cannot be."""
    given = config.getoption("agentfuzz_paths")
    if given is None:
        given = _ini_value(config, "agentfuzz_paths", "true or false")
    if not given:
        return None if given is None else False
    try:
        importlib.metadata.version("coverage")
    except importlib.metadata.PackageNotFoundError:
        raise pytest.UsageError(
            "--agentfuzz-paths (agentfuzz_paths) leaves out what your settings of coverage.py "
            "leave out, and needs it: pip install 'pytest-agentfuzz[paths]'"
        ) from None
    return True


def strict_on(config: pytest.Config) -> bool:
    """Whether a campaign fails that left open what it should have tested."""
    given = config.getoption("--agentfuzz-strict")
    if given is None:
        given = _ini_value(config, "agentfuzz_strict", "true or false")
    if given is None:
        given = profile(config).get("strict")
    if given is None:
        return os.environ.get("CI", "").strip().lower() in ("1", "true", "yes", "on")
    return bool(given)
