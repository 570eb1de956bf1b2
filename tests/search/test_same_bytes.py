"""The same seed gives the same bytes: a whole campaign, in any process, under any load."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("campaign_bytes.py")
PROCESSES = 6
AT_ONCE = 3  # more than there are processors, so that they are in each other's way


@pytest.mark.slow
def test_a_campaign_is_the_same_in_six_processes():
    """Sync, async and on a pool of threads, each process with a hash seed of its own."""
    outputs = []
    for begin in range(0, PROCESSES, AT_ONCE):
        running = [
            subprocess.Popen(
                [sys.executable, str(SCRIPT), "sync", "async", "threads"],
                env={**os.environ, "PYTHONHASHSEED": str(seed)},
                stdout=subprocess.PIPE,
                text=True,
            )
            for seed in range(begin, begin + AT_ONCE)
        ]
        outputs += [process.communicate(timeout=300)[0] for process in running]
    lines = outputs[0].splitlines()
    found = {line.split()[0]: int(line.split()[1]) for line in lines}
    assert found.keys() == {"sync", "async", "threads"}
    assert all(found.values()), "a campaign without findings would prove little"
    assert outputs == outputs[:1] * PROCESSES
