"""A probe of a tool's body: does it recognise a repeat by itself?

Law: the body is called again with the arguments of its first call, and believed if that left the
state alone which the first call had changed; where nothing is seen to change, nothing is known. The
agent gets the first answer. Made by the engine, in a run that is thrown away.

A body that takes an `idempotency_key` is called with other keys as well: one that acts again for
another key goes by the key, one that does not goes by the scope.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple

from agentfuzz.core.codec import message
from agentfuzz.core.errors import ScenarioError
from agentfuzz.world.image import image, image_of_body
from agentfuzz.world.tools import KEY, ToolSpec

_Calls = Generator[Mapping[str, Any], Any, Any]


class Answer(NamedTuple):
    """What was found of one tool, and why; `certain`: that it could be found out at all."""

    dedup: str
    why: str
    certain: bool = True


class Probe:
    """Stands in for a tool's body in one run. `body` is what is called instead, `answer` what was
    found in the end, `trouble` what is wrong with the scenario, whatever the agent makes of it;
    `state` is the scenario's word on where the body's state lies."""

    def __init__(
        self,
        spec: ToolSpec,
        function: Callable[..., Any],
        world: Any,
        state: Callable[[], Any] | None,
    ) -> None:
        self.answer = Answer("none", "the run without faults never calls it", certain=False)
        self.body = self._awaited if spec.is_async else self._called
        self._function = function
        self._own_key = spec.own_key
        self._name = spec.name
        self._world = world
        self._state = state
        self._asked = False
        self.trouble: ScenarioError | None = None

    def _called(self, **arguments: Any) -> Any:
        calls, answered = self._calls(arguments), None
        try:
            wanted = next(calls)
            while True:
                try:
                    answered = self._function(**wanted)
                except Exception as error:
                    wanted = calls.throw(error)
                else:
                    wanted = calls.send(answered)
        except StopIteration as stop:
            return stop.value

    async def _awaited(self, **arguments: Any) -> Any:
        calls, answered = self._calls(arguments), None
        try:
            wanted = next(calls)
            while True:
                try:
                    answered = await self._function(**wanted)
                except Exception as error:
                    wanted = calls.throw(error)
                else:
                    wanted = calls.send(answered)
        except StopIteration as stop:
            return stop.value

    def _calls(self, arguments: Mapping[str, Any]) -> _Calls:
        """The arguments of each call that is made; what the agent gets."""
        if self._asked:
            return (yield arguments)
        before = self._look()
        try:
            value = yield arguments
        except Exception as error:
            why = f"its body raised {type(error).__name__}: {message(error)[:100]}"
            self.answer = Answer("none", why, certain=False)
            raise
        self._asked = True
        if self._look() == before:
            why = "its first call changes no state that can be seen"
            self.answer = Answer("none", why, certain=False)
        else:
            self.answer = yield from self._found(arguments)
        return value

    def _found(self, arguments: Mapping[str, Any]) -> Generator[Mapping[str, Any], Any, Answer]:
        alone, error = yield from self._again(arguments)
        if alone and error is not None:
            return Answer("none", f"its body refuses a repeat with {type(error).__name__}")
        if alone:
            if self._own_key and arguments.get(KEY) is not None:
                other = {**arguments, KEY: f"{arguments[KEY]}-probe"}
                if not (yield from self._again(other))[0]:
                    return Answer("key", "only a call with another key changes its state again")
            return Answer("scope", "a second call leaves its state alone")
        if self._own_key and arguments.get(KEY) is None:
            keyed = {**arguments, KEY: "probe"}
            yield from self._again(keyed)
            alone, error = yield from self._again(keyed)
            if alone and error is None:
                return Answer("key", "a second call with one key leaves its state alone")
        return Answer("none", "a second call changes its state again")

    def _again(
        self, arguments: Mapping[str, Any]
    ) -> Generator[Mapping[str, Any], Any, tuple[bool, Exception | None]]:
        """Whether a further call leaves the state alone, and what it raised."""
        before, raised = self._look(), None
        try:
            yield arguments
        except Exception as error:
            raised = error
        return self._look() == before, raised

    def _look(self) -> str:
        if self._state is None:
            return f"{image(self._world.state)} {image_of_body(self._function)}"
        try:
            found = self._state()
        except Exception as error:
            self.trouble = ScenarioError(
                f"state= of the tool {self._name!r} raised {type(error).__name__}: "
                f"{message(error)}. It is called without arguments, and returns what the body "
                "changes: rows, a dict, a number."
            )
            raise self.trouble from error
        return image(found)
