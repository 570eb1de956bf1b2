"""The last resort: ends a process that never gives the interpreter back.

Law: a run inside C code that holds the interpreter's lock (`sum(range(10**13))`) can be reached by
no signal handler and no thread; the kernel ends it by SIGPROF, once the process has spent its
seconds of CPU time without anybody renewing them, and the fault handler writes where every thread
was. A process that waits, sleeps or is stopped spends none. Renewed by the watchdog's thread.

Not where the timer or its signal is somebody else's (a profiler), and not on Windows.
"""

import faulthandler
import signal


class LastResort:
    """`file` is the descriptor that the stacks are written to."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._armed = False

    def arm(self, seconds: float) -> None:
        """Begin to count, where nobody else uses this timer."""
        if not (hasattr(faulthandler, "register") and hasattr(signal, "setitimer")):
            return
        if signal.getitimer(signal.ITIMER_PROF)[0] or signal.getsignal(signal.SIGPROF):
            return  # SIG_DFL is 0
        faulthandler.register(signal.SIGPROF, file=self._file, all_threads=True, chain=True)
        self._armed = True
        self.renew(seconds)

    def renew(self, seconds: float) -> None:
        """The interpreter is there: it has so many seconds of CPU time from now on."""
        if self._armed:
            signal.setitimer(signal.ITIMER_PROF, seconds)

    def disarm(self) -> None:
        """Nothing is counted any more."""
        if self._armed:
            self._armed = False
            signal.setitimer(signal.ITIMER_PROF, 0)
            faulthandler.unregister(signal.SIGPROF)
