"""The walker: an agent that does what another one did, as long as it sees what that one saw.

Law: its world is the real one: each call is made, each fault strikes, each second passes. Where it
sees what nobody has seen, the run is over and says nothing (`Unknown`). Called by the memo, in the
place of the agent.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

from agentfuzz.core.errors import Crash, CutOff
from agentfuzz.engine.simulation import Agent
from agentfuzz.runtime.clock import Gate
from agentfuzz.search.memo.recorder import Turns, perform
from agentfuzz.search.memo.sight import LOOK, Sight
from agentfuzz.search.memo.tape import Book, End, Seen, Step, preempted, visible
from agentfuzz.search.memo.tree import Node, Root, Tree
from agentfuzz.search.memo.values import Key, Uncopied, fresh, key_of, key_of_error
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.world import World, inside

EXACT = 1e-5  # virtual seconds: timers come so near to where they were set


Place = tuple[object, ...]  # in a tree: what nobody has seen there


class Unknown(CutOff):
    """Nobody has seen what the agent does here."""

    def __init__(self) -> None:
        super().__init__("unknown", "nobody has seen what the agent does here")


class Walker:
    """One run without its agent. `missed` says that it came to something unknown, `place` where,
    if another run may show it."""

    def __init__(self, tree: Tree, book: Book, gate: Gate, agent: Agent) -> None:
        self.__wrapped__ = agent
        self.missed = False
        self.place: Place | None = None
        self._tree = tree
        self._book = book
        self._gate = gate

    def __call__(self, world: World) -> Any:
        sight = Sight(world, self._book.shared)
        try:
            start = self._book.start(world, sight.seen(b""))
        except Uncopied:
            self._unknown()
        root = self._tree.roots.get(start)
        if root is None or self.missed:
            self._unknown(start)
        gateway = inside(world)
        walk = self._awaited if root.awaits else self._walked
        return walk(gateway, root, sight)

    def _unknown(self, *place: object) -> NoReturn:
        if place and not self.missed:
            self.place = place
        self.missed = True
        raise Unknown

    def _walked(self, gateway: LocalGateway, root: Root, sight: Sight) -> Any:
        node: Node = root
        while (step := node.step) is not None:
            gateway.clock.until(step.at)
            begun, before = len(gateway.log), self._begins(gateway, step, sight)
            try:
                what = key_of(_done(gateway, step, sight))
            except BaseException as error:
                what = self._raised(error)
            finally:
                self._ends(gateway, before)
            node = self._next(gateway, node, sight, what, preempted(gateway, begun))
        gateway.clock.until(self._end(node).at)
        return self._ended(self._end(node), sight)

    async def _awaited(self, gateway: LocalGateway, root: Root, sight: Sight) -> Any:
        node: Node = root
        while (step := node.step) is not None:
            await self._until(gateway, step.at)
            begun, before, turned = len(gateway.log), self._begins(gateway, step, sight), False
            try:
                value = _done(gateway, step, sight)
                if step.verb == "acall":
                    work = Turns(value)
                    try:
                        value = await work
                    finally:
                        turned = work.turned
                what = key_of(value)
            except BaseException as error:
                what = self._raised(error)
            finally:
                self._ends(gateway, before)
            node = self._next(gateway, node, sight, what, turned or preempted(gateway, begun))
        await self._until(gateway, self._end(node).at)
        return self._ended(self._end(node), sight)

    async def _until(self, gateway: LocalGateway, at: float) -> None:
        """Wait until a time, as a task does."""
        clock = gateway.clock
        if at <= clock.now:
            return
        loop = asyncio.get_running_loop()
        waits = loop.create_future()
        loop.call_at(at, waits.set_result, None)
        await waits
        if abs(clock.now - at) > EXACT:
            self._unknown()
        clock.now = at

    def _begins(self, gateway: LocalGateway, step: Step, sight: Sight) -> Callable[[], bool] | None:
        """An action begins, where others could go on as well, or threads are about. Returns who
        was asked before whether others could, if not the world itself."""
        if not sight.same:
            self._unknown()
        calls, clock = gateway.calls, gateway.clock
        before: Callable[[], bool] | None = vars(calls).get("others_ready")
        calls.others_ready = lambda: step.ready  # type: ignore[method-assign]
        if step.gated and clock.gate is None:
            clock.gate = self._gate
        return before

    def _ends(self, gateway: LocalGateway, before: Callable[[], bool] | None) -> None:
        """It is over. A world that held its own method would be a circle."""
        if before is None:
            del gateway.calls.others_ready
        else:
            gateway.calls.others_ready = before  # type: ignore[method-assign]

    def _raised(self, error: BaseException) -> Any:
        """What an action came to that has raised, if an agent goes on after that."""
        if isinstance(error, Crash):
            raise Crash from None
        if not visible(error):
            self.missed = True
            raise error
        try:
            return key_of_error(error)
        except Uncopied:
            self._unknown()

    def _next(
        self, gateway: LocalGateway, node: Node, sight: Sight, what: Key, turned: bool
    ) -> Node:
        try:
            seen = Seen(sight.seen(what), gateway.clock.now, turned)
        except Uncopied:
            self._unknown()
        self._book.trail.append(seen)
        following = node.next.get(seen)
        if following is None:
            self._unknown(node, seen)
        return following

    def _end(self, node: Node) -> End:
        end = node.end
        if end is None:
            self._unknown()
        return end

    def _ended(self, end: End, sight: Sight) -> Any:
        if not sight.same:
            self._unknown()
        if end.how == "returned":
            return end.value
        if end.how == "raised":
            try:
                error = fresh(end.value)
            except Uncopied:
                self._unknown()
            raise error
        raise Crash


def _done(gateway: LocalGateway, step: Step, sight: Sight) -> Any:
    """One step is done: what it came to."""
    given = step.given.out()
    if step.verb != LOOK:
        return perform(gateway, step.verb, given)
    sight.names.extend(given)
    return None
