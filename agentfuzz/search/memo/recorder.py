"""The recorder: a gateway that writes down what passes through it, and changes nothing.

Law: whatever an agent asks of its world is asked of the real gateway, once and in the same words;
what a tape cannot hold is passed on and makes it unfit. It takes the place of the gateway of the
world of each leg that is taped.
"""

from collections.abc import Awaitable, Generator, Iterator, Mapping, MutableMapping, MutableSequence
from contextlib import AbstractContextManager
from typing import Any, NoReturn

from agentfuzz.core.faults import Slot
from agentfuzz.model.planner import ByOffer, Scripted
from agentfuzz.providers.offer import offered
from agentfuzz.search.memo.fitness import DECISIONS, INBOX, OWN_MODEL, SAVES
from agentfuzz.search.memo.sight import watch
from agentfuzz.search.memo.tape import Action, Tape
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.process import Decision
from agentfuzz.world.toolbox import Toolbox
from agentfuzz.world.world import World, inside


def perform(gateway: LocalGateway, verb: str, given: tuple[Any, ...]) -> Any:
    """Do one thing to a world: `call`, `model.turn`, `store.claim`, ..."""
    place, _, name = verb.rpartition(".")
    found = getattr(getattr(gateway, place) if place else gateway, name)
    if verb in ("cancelled", "model.usage"):
        return found
    value = found(*given)
    return list(value) if name == "__iter__" else value


class Turns:
    """What is awaited, and whether it let others have their turn."""

    def __init__(self, work: Awaitable[Any]) -> None:
        self._work = work
        self.turned = False

    def __await__(self) -> Generator[Any, Any, Any]:
        inner: Any = self._work.__await__()
        step: tuple[Any, Any] = inner.send, None
        while True:
            try:
                asked = step[0](step[1])
            except StopIteration as stop:
                return stop.value
            self.turned = True
            try:
                step = inner.send, (yield asked)
            except GeneratorExit:
                inner.close()
                raise
            except BaseException as error:
                step = inner.throw, error


class Recorder:
    """See `Gateway`."""

    def __init__(self, world: World, tape: Tape) -> None:
        here = self._here = inside(world)
        self.tape = tape
        self.clock, self.log, self.leg = here.clock, here.log, here.leg
        self.specs, self.offers_done = here.specs, here.offers_done
        self.outside, self.went_out = here.outside, here.went_out
        self._model: Any = None if here.model is None else _Model(self, here.model)
        self.store: MutableMapping[str, Any] = _Store(self)

    def put_in(self, world: World) -> None:
        """This world's agent is taped."""
        world.gateway = self
        world.tools = Toolbox(self)
        watch(world, self.tape.laid, self.tape.looks)

    def __deepcopy__(self, memo: Any) -> NoReturn:
        raise TypeError("a world cannot be copied")

    def do(self, verb: str, *given: Any, draws: bool = True) -> Any:
        """One action, from its beginning to its end."""
        action = self.tape.begins(verb, given, draws=draws)
        try:
            value = perform(self._here, verb, given)
        except BaseException as error:
            action.raised(error)
            raise
        return action.got(value)

    def call(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        spec = self.specs.get(name)
        if spec is not None and spec.is_async:
            return self.acall(name, arguments, asked)
        return self.do("call", name, arguments, asked)

    async def acall(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        action: Action = self.tape.begins("acall", (name, arguments, asked))
        work = Turns(self._here.acall(name, arguments, asked))
        try:
            value = await work
        except BaseException as error:
            action.turned = work.turned
            action.raised(error)
            raise
        action.turned = work.turned
        return action.got(value)

    def crossing(self) -> None:
        self.do("crossing")

    def living(self) -> None:
        self._here.living()

    def request_approval(self, tool: str, call: str) -> str:
        return str(self.do("request_approval", tool, call))

    def decision_on(self, request: str) -> Decision | None:
        self.tape.fail(DECISIONS)
        return self._here.decision_on(request)

    def complete(
        self,
        via: str,
        status: Any,
        reason: Any,
        handle: Any,
        detail: Any = "",
        unknown: Mapping[str, Any] | None = None,
    ) -> str:
        return str(self.do("complete", via, status, reason, handle, detail, unknown))

    @property
    def cancelled(self) -> bool:
        return bool(self.do("cancelled"))

    # What is passed on, and not remembered ----------------------------------------------------

    @property
    def model(self) -> Any:
        return self._model

    @model.setter
    def model(self, given: Any) -> None:
        self.tape.fail(OWN_MODEL)
        self._model = self._here.model = given

    @property
    def inbox(self) -> MutableSequence[str]:
        self.tape.fail(INBOX)
        return self._here.inbox

    def saving(self, name: str, value: Any = None) -> AbstractContextManager[None]:
        self.tape.fail(SAVES)
        return self._here.saving(name, value)

    def may_die(self, boundary: str, name: str, group: str) -> AbstractContextManager[Slot]:
        self.tape.fail(SAVES)
        return self._here.may_die(boundary, name, group)

    def slot_for(self, boundary: str, name: str, asked: str | None = None) -> Slot:
        self.tape.fail(SAVES)
        return self._here.slot_for(boundary, name, asked)

    def reserve(self, call_id: str, tool: str) -> None:
        self.tape.fail(SAVES)
        self._here.reserve(call_id, tool)


class _Store(MutableMapping[str, Any]):
    """The store, taped."""

    def __init__(self, recorder: Recorder) -> None:
        self._do = recorder.do

    def __getitem__(self, key: str) -> Any:
        return self._do("store.__getitem__", key)

    def __setitem__(self, key: str, value: Any) -> None:
        self._do("store.__setitem__", key, value)

    def __delitem__(self, key: str) -> None:
        self._do("store.__delitem__", key)

    def claim(self, key: str, value: Any = True) -> bool:
        return bool(self._do("store.claim", key, value))

    def __iter__(self) -> Iterator[str]:
        return iter(self._do("store.__iter__"))

    def __len__(self) -> int:
        return int(self._do("store.__len__"))

    def __repr__(self) -> str:
        return str(self._do("store.__repr__"))


class _Model:
    """The simulated model, taped: what it is offered is data. A script draws nothing."""

    def __init__(self, recorder: Recorder, model: Any) -> None:
        self._do = recorder.do
        self._draws = not isinstance(getattr(model, "planner", None), (Scripted, ByOffer))

    def __call__(self, messages: Any, tools: Any = None) -> Any:
        return self._do("model.__call__", messages, _data(tools), draws=self._draws)

    async def aio(self, messages: Any, tools: Any = None) -> Any:
        return self(messages, tools)

    def turn(self, messages: Any, tools: Any = None, ids: str = "", stream: bool = False) -> Any:
        return self._do("model.turn", messages, _data(tools), ids, stream, draws=self._draws)

    def refuse(self, messages: Any, words: str) -> None:
        self._do("model.refuse", messages, words, draws=False)

    @property
    def usage(self) -> Any:
        return self._do("model.usage")


def _data(tools: Any) -> Any:
    return None if tools is None else offered(tools)
