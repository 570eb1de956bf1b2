"""One process for a whole campaign: a line of JSON is the environment of a run, in which the
agent's script is run anew, and a line that begins with "ended" says how it went."""

import json
import os
import runpy
import sys

for line in sys.stdin:
    os.environ.update(json.loads(line))
    failed = ""
    try:
        runpy.run_path(sys.argv[1], run_name="__main__")
    except Exception as error:
        failed = f"{type(error).__name__}: {error}".replace("\n", " ")
    print(f"\nended {failed}", flush=True)
