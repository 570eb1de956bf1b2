"""The pytest plugin. pytest lives in this folder alone.

settings        options and ini keys
reporting       which reports are written, and what goes to a CI's log
findings        what is saved, noted and shown of a session's findings
baseline        what is known, new and fixed; gone and recorded: renamed tests, the new file
told            what one test tells for all others of the session
process_death   a process that died under a plan
reruns          a test that is run again: the last time counts
timeouts        a timeout of pytest-timeout that strikes in a campaign
capture         what agents print in thousands of runs
session         one pytest session: campaigns, results, reports
actions         the one-shot options: explain, init, replay, export
conformance     a loop in every bundled story, as a table
hooks           what pytest calls
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
