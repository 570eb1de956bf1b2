"""Handoffs that a framework carries out: it gives control to the next agent, in the same process.

Law: nothing is on its way, so nothing comes twice, late or in another order; what is lost raises
TimeoutError at its sender. It is received when the next agent acts for the first time, or when the
run has returned, and accepted at once by whom it was meant for, where it is valid; by anybody else
with its first effect, and rejected when it is handed on without one. What is `under_way` has come
to nobody until the framework begins the agent. Used by the adapters.
"""

from collections.abc import Callable, Collection

from agentfuzz.core.events import Json
from agentfuzz.runtime.async_library import pause
from agentfuzz.world.acting import named
from agentfuzz.world.reply_faults import TIMEOUT
from agentfuzz.world.team.called import Taking, no_answer
from agentfuzz.world.team.damage import damaged
from agentfuzz.world.team.handoffs import Handoff
from agentfuzz.world.team.payload import Sent
from agentfuzz.world.team.state import Team


class Transferred(Taking):
    """A handoff that has reached an agent, which has not acted since."""

    def begins(self) -> None:
        """The agent acts."""
        self.received()
        if self.astray or self.letter.sent.problem(self.letter.payload):
            self.log.undecided.setdefault(self.agent, []).append(self)
        else:
            self.accepted()


def leaves(
    team: Team,
    to: str,
    sent: Sent,
    way: str,
    among: Collection[str],
    spoil: Callable[[str, int, Json, Json], Json] = damaged,
) -> Handoff:
    """Whoever acts hands control over. What it was handed itself, and did nothing for, it hands
    on."""
    team.knows(to)
    handoff = Handoff(team, to, sent, way, among, spoil)
    for one in team.log.undecided.pop(handoff.receipt.sender, ()):
        one.answered(None)
    return handoff


def arrives(handoff: Handoff) -> str:
    """The framework begins the next agent: its name."""
    team, agent = handoff.team, handoff.reaches
    for letter in handoff.letters():
        taking = Transferred(team, agent, letter)
        team.log.arriving.setdefault(agent, []).append(taking)
    return agent


def under_way(handoff: Handoff) -> str:
    """The framework is told whom to begin next, and may begin nobody, or another one: the name."""
    handoff.team.under_way.append(handoff)
    return handoff.reaches


def begins(team: Team, agent: str) -> None:
    """The framework begins an agent, or lets it go on: what is under way to it arrives."""
    going, team.under_way = team.under_way, []
    for handoff in going:
        if handoff.reaches == agent:
            arrives(handoff)
        else:
            team.under_way.append(handoff)


def refused(handoff: Handoff, error: Exception) -> None:
    """The framework did not let it in."""
    for letter in handoff.letters():
        taking = Transferred(handoff.team, handoff.reaches, letter)
        with named(taking.agent):
            taking.received()
            taking.answered(error)


def is_lost(handoff: Handoff) -> None:
    """Raise TimeoutError, 30 virtual seconds later, if nothing arrives."""
    if handoff.delivery == "lost":
        clock = handoff.team.log.clock
        if clock.gate is None or not clock.gate.waits(TIMEOUT, False):
            clock.advance(TIMEOUT)
        raise no_answer(handoff.to)


async def is_lost_aio(handoff: Handoff) -> None:
    """The same for an async sender."""
    if handoff.delivery == "lost":
        await pause(TIMEOUT)
        raise no_answer(handoff.to)
