"""The bridge to a Dask cluster: a process beside the campaign, through which one worker of the
cluster makes runs. Begun by the runner, with the words ADDRESS FOLDER COMMAND... FD,FD.

Law: to the campaign it is a child like any other: ready when the cluster has begun the test, an
answer for each plan in order, gone when the worker's process is, and in the same way. On the worker
a pytest of its own imports the test, in the same folder as here: a shared file system, or a
checkout at the same place. The cluster's client lives in a process of its own, for a campaign's
time is not real.
"""

import faulthandler
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from multiprocessing.connection import Connection

from agentfuzz.search.executors.child import READY, Asked, Child, spawning

PATIENCE = 5  # real seconds for the scheduler to answer at all
PASSED = ("PYTEST_DISABLE", "PYTHONPATH", "AGENTFUZZ")  # to the worker, beside what it has

_idle: dict[tuple[str, ...], list[Child]] = {}  # on a worker: by their command
_lock = threading.Lock()


Made = tuple[list[bytes], str]


def runs(
    command: Sequence[str], folder: str, environ: Mapping[str, str], asked: Sequence[Asked]
) -> Made:
    """On a worker: the runs of some plans as they are sent, none to begin only. Where its process
    dies of one, those before it, and how it ended."""
    key = (folder, *command)
    with _lock:
        waiting = _idle.setdefault(key, [])
        child = waiting.pop() if waiting else None
    if child is None:
        child = spawning(command, folder, environ)(())
    found = list[bytes]()
    try:
        if not child.ready:
            child.ready = child.answers.recv() == READY
        child.send(asked)
        found.extend(child.answers.recv_bytes() for _ in asked)
    except (EOFError, ConnectionError):
        return found, child.ended()
    child.busy.clear()
    with _lock:
        _idle[key].append(child)
    return found, ""


def end(how: str) -> None:
    """This process ends as the one on the worker did, if that has ended."""
    if how in signal.Signals.__members__:
        faulthandler.disable()
        os.kill(os.getpid(), signal.Signals[how])
    if how:
        code = how.rpartition(" ")[2]
        os._exit(int(code) if code.isdecimal() else 1)


def main(words: Sequence[str]) -> None:
    """Serve the campaign that has begun this process."""
    from distributed import Client

    address, folder, *command, ends = words
    plans, back = map(int, ends.split(","))
    asked, answers = Connection(plans, writable=False), Connection(back, readable=False)
    environ = {name: value for name, value in os.environ.items() if name.startswith(PASSED)}
    with Client(address, timeout=PATIENCE, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        ask = partial(client.submit, runs, command, folder, environ, pure=False, retries=0)
        end(ask([]).result()[1])
        answers.send(READY)
        while True:
            try:
                chunk = asked.recv()
            except EOFError:
                return
            found, how = ask(chunk).result()
            for one in found:
                answers.send_bytes(one)
            end(how)
