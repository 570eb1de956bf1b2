"""A process that runs plans: how it is begun, what it does, and what is seen of it from outside.

Law: it says that it is ready, and then answers each plan that it is sent with the run of it, or
with nothing where it cannot; it ends when nobody sends anything any more. Held by the executor of
several processes.

Forked where that is safe, for scenarios and agents are closures; else a fresh interpreter, whose
pytest imports the test by its node id and comes here.
"""

import faulthandler
import os
import pickle
import select
import signal
import subprocess
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import ForkingPickler
from types import MappingProxyType
from typing import Literal

from agentfuzz.core.plan import FaultPlan
from agentfuzz.runtime import servers
from agentfuzz.runtime.clock import Real
from agentfuzz.search.executors import measured
from agentfuzz.search.outcome import Outcome

LOOK = 1000  # milliseconds of silence, after which it is looked whether one stands still
GRACE = 2.0  # real seconds for a process to end that has closed its side
NOTHING: Mapping[str, str] = MappingProxyType({})
READY: Literal["ready"] = "ready"
Asked = tuple[FaultPlan, bool]  # a plan to be run, and whether it is taped for a memo
Run = Callable[[FaultPlan, bool], Outcome]


class Child:
    """`busy` are the plans that it was sent and has not answered; `begun` says that it has said
    so, `ready` that its runs count; `idle` that it has died with nothing to do, and so of none of
    them."""

    def __init__(self, pid: int, to: Connection, answers: Connection) -> None:
        self.pid = pid
        self.to = to
        self.answers = answers
        self.busy: deque[FaultPlan] = deque()
        self.begun = self.ready = self.idle = self._going = False
        # Readable once it is gone, whatever a process of its own still holds.
        self.life: int | None = None
        with suppress(AttributeError, OSError):  # not everywhere, nor in every sandbox
            self.life = os.pidfd_open(pid)

    def send(self, asked: Sequence[Asked]) -> None:
        """More to do."""
        idle = not self.busy
        self.busy.extend(plan for plan, _ in asked)
        try:
            self.to.send(list(asked))
        except BrokenPipeError:  # it has died: what it says last is read first
            self.idle = idle or self.idle

    def end(self) -> None:
        """It has to go now, with all that it has begun."""
        self.to.close()
        measured.gather(self.answers)
        self.kill()

    def unless_stopped(self) -> None:
        """It ends if somebody has stopped it: its plans are run by another."""
        with suppress(AttributeError, ChildProcessError):
            if os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT):
                self.kill()

    def kill(self) -> None:
        """End it at once, with all that it has begun."""
        self._going = True
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def ended(self) -> str:
        """How it ended, in words: it was told to go, or is going already, and is waited for."""
        dying = not self._going
        self.to.close()
        self.answers.close()
        life, self.life = self.life, None
        if life is not None:
            os.close(life)
        try:
            gone, status = os.waitpid(self.pid, os.WNOHANG)
            until = Real.monotonic() + GRACE
            while dying and not gone and Real.monotonic() < until:
                Real.sleep(0.005)
                gone, status = os.waitpid(self.pid, os.WNOHANG)
            self.kill()
            if not gone:
                _, status = os.waitpid(self.pid, 0)
        except ChildProcessError:  # somebody else has waited for it
            return "nobody knows how"
        code = os.waitstatus_to_exitcode(status)
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def heard(children: Sequence[Child], *, wait: bool = True) -> list[Child]:
    """Those that have said something, or are gone; `wait` until one has, or is."""
    look = select.poll()
    ends: dict[int, Child] = {}
    for child in children:
        for end in (child.answers.fileno(), child.life):
            if end is not None:
                ends[end] = child
                look.register(end, select.POLLIN)
    while not (said := dict(look.poll(LOOK if wait else 0))) and wait:
        for child in children:
            child.unless_stopped()
    found = {id(ends[end]): ends[end] for end in said}
    for child in found.values():
        if child.answers.fileno() not in said and not child.answers.poll():
            # It is gone, and somebody else holds its side of the pipe.
            child.answers.close()
            child.answers = _over()
    return list(found.values())


def _over() -> Connection:
    """The reading end of a pipe into which nobody writes."""
    here, there = Pipe(duplex=False)
    there.close()
    return here


def loaded(said: bytes) -> Outcome | None:
    """A run as a child has sent it; None where it is none, or of classes that cannot be read."""
    try:
        found: Outcome | None = pickle.loads(said)
    except Exception:
        return None
    return found


Start = Callable[[Sequence[Child]], Child]  # is given the others, of which a child holds nothing


def forking(run: Run, adopt: Callable[[], object]) -> Start:
    """Children that go on as this process is now; `adopt` is called in each of them first."""

    def start(others: Sequence[Child]) -> Child:
        (plans, to), (answers, back) = Pipe(duplex=False), Pipe(duplex=False)
        with warnings.catch_warnings():  # the watchdog's thread: a child gets one of its own
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid:
            servers.helper(pid)
            with suppress(OSError):
                os.setpgid(pid, pid)
            plans.close()
            back.close()
            return Child(pid, to, answers)
        try:
            with suppress(OSError):
                os.setpgid(0, 0)  # it is ended with all that it begins
            for number in (signal.SIGTTIN, signal.SIGTTOU):  # nor stopped by the terminal
                signal.signal(number, signal.SIG_IGN)
            faulthandler.disable()  # how it ends is told by who waits for it
            for end in (to, answers, *(end for one in others for end in (one.to, one.answers))):
                end.close()
            for one in others:
                if one.life is not None:
                    os.close(one.life)
            try:
                adopt()
            except Exception as error:  # no thread for its watchdog
                back.send(f"{type(error).__name__}: {error}")
                raise
            mine = measured.anew()
            serve(plans, back, run)
            measured.send(mine, back)
        finally:
            os._exit(0)

    return start


def spawning(command: Sequence[str], folder: str, environ: Mapping[str, str] = NOTHING) -> Start:
    """Children that begin anew: this command, with the two descriptors as its last word, has to
    come to `serve`. `environ` is set beside what this process has."""

    def start(others: Sequence[Child]) -> Child:
        (plans, to), (answers, back) = Pipe(duplex=False), Pipe(duplex=False)
        ends = (plans.fileno(), back.fileno())
        inherited = {name: v for name, v in os.environ.items() if name != "PYTEST_ADDOPTS"}
        process = subprocess.Popen(
            [*command, "{},{}".format(*ends)],
            cwd=folder,
            env={**inherited, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=ends,
            start_new_session=True,
        )
        plans.close()
        back.close()
        process.returncode = 0  # it is waited for by `ended`
        servers.helper(process.pid)
        return Child(process.pid, to, answers)

    return start


def serve(plans: Connection, back: Connection, run: Run) -> None:
    """In a child: run what comes, until nothing comes any more."""
    back.send(READY)
    while True:
        try:
            chunk = plans.recv()
        except EOFError:
            return
        for plan, taped in chunk:
            try:
                found = ForkingPickler.dumps(run(plan, taped))
            except KeyboardInterrupt:
                raise
            except BaseException:  # a skip, what cannot be pickled: made where it is asked for
                found = ForkingPickler.dumps(None)
            back.send_bytes(found)
