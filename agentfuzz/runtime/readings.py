"""What the clocks of a run say: virtual time, and a nanosecond more at each look.

Law: no two looks at a clock in nanoseconds are the same, and none is earlier than one before it;
events keep the time of the virtual clock. Threads that are no part of the run see real time.
Put in the place of freezegun's readings by `virtual_time`, once for a whole campaign.

Whoever looks again and again waits without sleeping: past `PATIENCE` looks in one instant each
look takes a moment of virtual time, so that a busy wait ends as it does in reality.
"""

import uuid
from _thread import get_ident
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from agentfuzz.runtime.clock import START, Clock

PATIENCE = 10_000  # looks in one instant; more than a chatty log takes
MOMENT = 0.01  # virtual seconds that a look takes beyond that
_START = int(START.timestamp()) * 10**9
_EPOCH = datetime(1970, 1, 1)
_LIMIT = 1e9  # virtual seconds: what a datetime can hold
# Where `monotonic` and `perf_counter` begin: so low that a float shows nanoseconds.
_UPTIME = 2**20 * 10**9


# What `uuid` remembers of the last one that it made from the time, if it does.
_REMEMBERED = {
    name: nothing
    for name, nothing in (
        ("_last_timestamp", None),
        ("_last_timestamp_v6", None),
        ("_last_timestamp_v7", None),
        ("_last_counter_v7", 0),
    )
    if hasattr(uuid, name)
}


_MEMORY = vars(uuid)


def forget() -> None:
    """A run begins: nobody has asked for the time yet."""
    for name, nothing in _REMEMBERED.items():
        if _MEMORY[name]:
            _MEMORY[name] = nothing


class Readings:
    """The readings of one clock. `wait` lets virtual seconds pass for whoever looks."""

    def __init__(self, clock: Clock, wait: Callable[[float], None]) -> None:
        self._clock, self._wait = clock, wait
        self._at, self._since = -1.0, 0

    def _looked(self) -> int:
        """How much later than the virtual clock a look in nanoseconds is than the one before it:
        by one. A partner's looks come when they like, and are not counted."""
        clock = self._clock
        if get_ident() not in clock.threads:
            return 0
        clock.looks += 1
        if clock.now != self._at or clock.looks < self._since:
            self._at, self._since = clock.now, clock.looks
        elif clock.looks - self._since > PATIENCE:
            self._wait(MOMENT)
            self._at = clock.now
        return 1

    def wall(self, *, counts: bool = True) -> int:
        """Nanoseconds of the wall clock. What cannot show one is not counted: a line in a log, in
        the first run alone, would make the keys of all others another's."""
        later = self._looked()
        if counts:
            self._clock.wall += later
        return _START + round(min(self._clock.now, _LIMIT) * 1e9) + self._clock.wall

    def steady(self) -> int:
        """Nanoseconds of the clocks that count from no date."""
        self._clock.steady += self._looked()
        return _UPTIME + round(min(self._clock.now, _LIMIT) * 1e9) + self._clock.steady

    def date(self) -> datetime:
        """The naive UTC time, for freezegun."""
        return _EPOCH + timedelta(microseconds=self.wall(counts=False) // 1000)


def installed(clock: Clock, wait: Callable[[float], None]) -> Callable[[], None]:
    """Let freezegun, which is about to start, put readings of this clock where the real ones are.
    Returns what makes it ask them for dates too, once it has started."""
    from freezegun import api

    given: Any = api
    readings = Readings(clock, wait)
    wall, steady = readings.wall, readings.steady
    kept = {}

    def reading(name: str, told: Callable[[], Any]) -> None:
        fake, real = getattr(given, f"fake_{name}"), getattr(given, f"real_{name}")
        kept[f"fake_{name}"] = fake

        def read() -> Any:
            if not clock.mine() or given._should_use_real_time():
                return real()
            if not isinstance(given.freeze_factories[-1], _Pulled):  # frozen again, by a test
                return fake()
            return told()

        read.__name__ = fake.__name__  # by which freezegun knows what is its own
        setattr(given, f"fake_{name}", read)

    reading("time", lambda: wall(counts=False) / 1e9)
    reading("time_ns", wall)
    for name in ("monotonic", "perf_counter"):
        reading(name, lambda: steady() / 1e9)
        reading(f"{name}_ns", steady)

    def dates() -> None:
        for name, fake in kept.items():
            setattr(given, name, fake)
        given.freeze_factories[-1] = _Pulled(given.freeze_factories[-1], clock, readings.date)

    return dates


class _Pulled:
    """A factory of freezegun's whose time is looked up: nothing is pushed when the clock moves."""

    def __init__(self, factory: Any, clock: Clock, now: Callable[[], datetime]) -> None:
        self._factory, self._clock, self._now = factory, clock, now

    def __call__(self) -> datetime:
        if not self._clock.mine():
            return _real_now()
        found = self._now()
        self._factory.time_to_freeze = found
        return found

    def __getattr__(self, name: str) -> Any:
        self()
        return getattr(self._factory, name)


def _real_now() -> datetime:
    from freezegun import api

    given: Any = api
    found: datetime = given.real_datetime.fromtimestamp(given.real_time(), UTC).replace(tzinfo=None)
    return found
