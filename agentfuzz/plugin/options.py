"""The options of agentfuzz, one row each.

Law: nothing is imported, for every start of pytest reads them. Read by the hooks, which add them,
by the settings, and by what is generated of them.
"""

from typing import Any

# option, metavar, type, default, help; each is an ini key of the same name with underscores.
SETTINGS: tuple[tuple[str, str, Any, Any, str], ...] = (
    ("max-runs", "N", int, 10_000, "runs of one campaign at most"),
    ("max-time", "SECONDS", float, 30.0, "real seconds of one campaign at most"),
    ("session-time", "SECONDS", float, 0.0, "real seconds of all campaigns at most (0: no limit)"),
    ("depth", "N", int, 2, "walk every plan with up to N faults (0: none)"),
    ("seed", "N", int, 0, "seed of the random phase"),
    (
        "run-timeout",
        "SECONDS",
        float,
        10.0,
        "real seconds without a crossing before a run is cut off",
    ),
    ("workers", "N|auto", str, "1", "processes that make the runs of a campaign"),
    (
        "memo",
        "auto|on|off",
        str,
        "auto",
        "make runs without the agent where it is known what it does",
    ),
    ("executor", "URL", str, "", "a cluster that makes them: dask://host:port"),
    (
        "database",
        "NAME",
        str,
        "",
        "where saved counterexamples are shared: hypothesis, or module:name",
    ),
    ("baseline", "FILE", str, "", "a file of known causes, by which no test fails"),
    ("report-dir", "DIR", str, "reports/agentfuzz", "where reports are written"),
    ("report", "NAMES", str, "auto", "formats of reports, as auto,sarif or html,no-github"),
    ("profile", "NAME", str, "", "values of these together: dev, ci, nightly, or one of yours"),
)
MOST = 256  # processes
SHARDS = 1_000
MERGE = "--agentfuzz-merge"  # folders: the runs of shards, which this session folds
# One-shot options: name, metavar, help.
ACTIONS = (
    ("replay", "ID", "replay a saved counterexample (an id, a file, or all)"),
    ("export", "ID", "write a saved counterexample as a regression test"),
    ("explain", "CODE", "explain a code as AF101 (or: list)"),
)
OTHERS = (
    ("record", "PATH", "run the tests of this cassette once, with their real model, and write it"),
    ("baseline-update", "", "write what was found into the baseline, and fail by none of it"),
    ("baseline-prune", "", "take out of the baseline what is fixed"),
    ("shard", "K/N", "run the Kth of N parts of each campaign; python -m agentfuzz merge adds up"),
    ("init", "[KIND]", "write a test to start from, for openai, langgraph, sqlite ..., or a story"),
    (
        "ci",
        "github|gitlab",
        "write a workflow that runs campaigns, with or without --agentfuzz-init",
    ),
    ("loop", "LOOP", "try a loop (module:callable) in every bundled story, and no test"),
)
ANSWERS = (
    "--agentfuzz-init",
    "--agentfuzz-ci",
    "--agentfuzz-loop",
)  # of these, those that run no tests
EXISTING = "run the tests of this file or folder as campaigns, as they are (implies --agentfuzz)"
# A switch: on, off, or neither; then the ini key, then the default.
TOOLS = "what was confirmed of tools that are guessed at: `name: effect=... scope=...`, or `reads`"
PATHS = "name the error paths of the agent that no run entered (default: where coverage.py runs)"
PROFILES = "profiles of your own: `name: setting=value ...`"
STRICT = "fail a campaign that left open what it should have tested (default: where CI is true)"
