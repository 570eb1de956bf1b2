"""What a server in real time has been asked: the clock stands still until it has answered."""

import asyncio
import socket
import threading

import pytest

from agentfuzz.core.errors import CutOff
from agentfuzz.runtime import outstanding
from agentfuzz.runtime.clock import Clock, Real
from agentfuzz.runtime.eventloop import VirtualLoop


async def heard(loop, socket_, patience):
    """What comes over a connection, within so many virtual seconds."""
    with loop.asks("a server"):
        return await asyncio.wait_for(loop.sock_recv(socket_, 5), patience)


def both():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    return ours, theirs


def test_no_deadline_comes_before_an_answer_that_takes_its_time():
    loop, (ours, theirs) = VirtualLoop(Clock()), both()

    def answers():
        Real.sleep(0.3)
        theirs.send(b"hello")

    thread = threading.Thread(target=answers)
    thread.start()
    with ours, theirs:
        assert loop.run_until_complete(heard(loop, ours, 0.01)) == b"hello"
    thread.join()
    assert loop.time() == 0.0
    loop.close()


def test_a_server_that_never_answers_is_waited_for_until_patience_ends(monkeypatch):
    monkeypatch.setattr(outstanding, "PATIENCE", 0.05)
    loop, (ours, theirs) = VirtualLoop(Clock()), both()
    with ours, theirs, pytest.raises(TimeoutError):
        loop.run_until_complete(heard(loop, ours, 5))
    assert loop.time() == 5.0
    loop.close()


def test_a_run_that_hangs_says_who_has_not_answered(monkeypatch):
    monkeypatch.setattr(outstanding, "PATIENCE", 0.05)
    loop, (ours, theirs) = VirtualLoop(Clock()), both()
    with ours, theirs, pytest.raises(CutOff, match="a server has not answered"):
        loop.run_until_complete(heard(loop, ours, None))
    loop.close()


def test_what_answers_in_virtual_time_is_not_waited_for(monkeypatch):
    """A server on the same loop: nothing comes from outside."""
    monkeypatch.setattr(outstanding, "PATIENCE", 3600.0)
    loop = VirtualLoop(Clock())

    async def asks():
        with loop.asks("a server"):
            await asyncio.sleep(60)

    loop.run_until_complete(asks())
    assert loop.time() == 60.0
    loop.close()
