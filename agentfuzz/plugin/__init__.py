"""The pytest plugin. pytest lives in this folder alone.

hooks        what pytest calls
session      one pytest session: campaigns, results, reports
settings     options (options.py) and ini keys; profiles are sets of values for them
actions/     the one-shot options: explain, init, replay, export; a loop in every story
starts/      what `--agentfuzz-init` and `--agentfuzz-ci` write, as it is written
findings     what is saved, noted and shown of a session's findings
shown/       its progress, its causes, its summary on the terminal
baseline/    what is known, new and fixed
fixtures/    those that are made for each run of a test
existing     tests that exist, as campaigns; carried and misuse: what makes one
ends/        Ctrl-C, SIGTERM, a timeout, the death of the process
sharding     a session that is one of many, or the merge of them; allowance: its time
reporting    which reports are written, and what goes to a CI's log
reruns, capture, recording, paths, database, strict
             the last time counts; what agents print; a cassette; error paths; shared plans; what
             was left open
"""

from agentfuzz.plugin.hooks import (
    pytest_addoption,
    pytest_cmdline_main,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_runtest_makereport,
    pytest_runtestloop,
    pytest_sessionfinish,
    pytest_sessionstart,
    pytest_terminal_summary,
    pytest_unconfigure,
)

__all__ = [
    "pytest_addoption",
    "pytest_cmdline_main",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_runtest_makereport",
    "pytest_runtestloop",
    "pytest_sessionfinish",
    "pytest_sessionstart",
    "pytest_terminal_summary",
    "pytest_unconfigure",
]
