"""Agents of several shapes, whose error paths some plan enters or none does.

Imported by `test_reached`: what lies here are files of the project that an agent can come to.
"""

import asyncio
import functools
import threading
from collections.abc import Callable
from typing import Any

import stamina
import tenacity

from agentfuzz import Completion, World

BLOCKED = Completion.blocked(reason="outcome_unknown")


class NeverRaisedError(Exception):
    """No fault raises it."""


def told(reply: Any) -> Completion:
    return Completion.success(handle=str(reply["charge_id"]))


def plain(world: World) -> Completion:
    try:
        return told(world.tools.charge(order_id="A17"))
    except NeverRaisedError:  # never
        return BLOCKED
    except TimeoutError:
        return BLOCKED
    except Exception:
        return BLOCKED
    finally:
        world.task  # noqa: B018


async def asynchronous(world: World) -> Completion:
    for attempt in range(3):
        try:
            reply = await world.tools.aio.charge(order_id="A17")
        except NeverRaisedError:  # never
            await asyncio.sleep(1)
        except (TimeoutError, ConnectionError):
            if attempt < 0:  # never
                return BLOCKED
            await asyncio.sleep(1)
        else:
            return told(reply) if isinstance(reply, dict) and "charge_id" in reply else BLOCKED
    return BLOCKED


class Clerk:
    """A class, with the `try` in a helper."""

    def __init__(self, world: World) -> None:
        self.world = world

    def work(self) -> Completion:
        try:
            return told(self._charge())
        except (KeyError, TypeError):
            return BLOCKED
        except OSError as error:
            match error:
                case TimeoutError():
                    return BLOCKED
                case BlockingIOError():  # never
                    return BLOCKED
                case _:
                    return self._fall_back()

    def _charge(self) -> Any:
        try:
            return self.world.tools.charge(order_id="A17")
        except NeverRaisedError:  # never
            return {}

    def _fall_back(self) -> Completion:
        try:
            return BLOCKED
        except NeverRaisedError:  # never
            raise

    def unused(self) -> None:
        """Called by nobody: nothing is said of it."""
        try:
            self.work()
        except NeverRaisedError:
            raise


def classy(world: World) -> Completion:
    return Clerk(world).work()


def threaded(world: World) -> Completion:
    found: list[Completion] = []

    def work() -> None:
        try:
            found.append(told(world.tools.charge(order_id="A17")))
        except NeverRaisedError:  # never
            found.clear()
        except Exception:
            found.append(BLOCKED)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return found[0] if found else BLOCKED


def careful(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def around(*args: Any) -> Any:
        try:
            return function(*args)
        except NeverRaisedError:  # never
            return BLOCKED
        except Exception:
            return BLOCKED

    return around


@careful
@tenacity.retry(stop=tenacity.stop_after_attempt(2), reraise=True)
def decorated(world: World) -> Completion:
    try:
        return told(world.tools.charge(order_id="A17"))
    except NeverRaisedError:  # never
        return BLOCKED
    except OSError:
        raise


def attempts(world: World) -> Completion:
    try:
        for attempt in tenacity.Retrying(stop=tenacity.stop_after_attempt(3), reraise=True):
            with attempt:
                reply = world.tools.charge(order_id="A17")
        return told(reply)
    except Exception:
        return BLOCKED


def unneeded_attempts(world: World) -> Completion:
    try:
        for attempt in stamina.retry_context(on=NeverRaisedError, attempts=3):  # never
            with attempt:
                reply = world.tools.charge(order_id="A17")
        return told(reply)
    except Exception:
        return BLOCKED


def gives_up(world: World) -> Completion:
    """Its second round begins where a call failed; a third attempt fails in a burst alone."""
    for _ in range(2):
        try:
            reply = world.tools.charge(order_id="A17")
            return told(reply) if isinstance(reply, dict) and "charge_id" in reply else BLOCKED
        except (TimeoutError, ConnectionError):
            continue
    return BLOCKED


def once_only(world: World) -> Completion:
    """Nothing ever lets it go round again."""
    while True:  # never
        try:
            world.tools.charge(order_id="A17")
            return Completion.success(handle="ch_1")
        except NeverRaisedError:  # never
            continue
        except Exception:
            return BLOCKED


def items(world: World) -> Completion:
    """A loop over things to do, of which there is one: not over attempts."""
    failed = []
    for order in ("A17",):
        try:
            world.tools.charge(order_id=order)
        except Exception:
            failed.append(order)
    return BLOCKED if failed else Completion.success(handle="ch_1")


def of_one_line(world: World) -> Completion:
    # fmt: off
    try: reply = world.tools.charge(order_id="A17")  # noqa: E701
    except NeverRaisedError: return BLOCKED  # noqa: E701  # never
    except Exception: return BLOCKED  # noqa: E701
    # fmt: on
    return told(reply) if isinstance(reply, dict) and "charge_id" in reply else BLOCKED


def generating(world: World) -> Completion:
    def replies() -> Any:
        try:
            yield world.tools.charge(order_id="A17")
        except NeverRaisedError:  # never
            yield None
        except GeneratorExit:
            raise

    try:
        return told(next(replies()))
    except Exception:
        return BLOCKED
