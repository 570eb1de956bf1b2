"""The tools of CrewAI's agents: a world's, and the one that ends a typed task.

Law: a tool is its bridge; of a call the framework tells no id, and what the model left out it gives
as None. Called by the crewai adapter.
"""

from typing import Any

from crewai.tools import BaseTool
from pydantic import BaseModel, PrivateAttr

from agentfuzz.adapters.contract.bridge import Bridge
from agentfuzz.core.completion import Completion
from agentfuzz.world.toolbox import DONE


class WorldTool(BaseTool):
    """A tool of the framework that calls one of the world's, without knowing the id of the call."""

    _bridge: Bridge = PrivateAttr()

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(
            name=bridge.name, description=bridge.description, args_schema=bridge.args_model
        )
        self._bridge = bridge

    def _run(self, **arguments: Any) -> str:
        return self._bridge.call(self._given(arguments))

    async def _arun(self, **arguments: Any) -> str:
        return await self._bridge.acall(self._given(arguments))

    def _given(self, arguments: dict[str, Any]) -> dict[str, Any]:
        needed = self._bridge.schema.get("required", ())
        return {
            name: each for name, each in arguments.items() if each is not None or name in needed
        }


class TypedAnswer(BaseTool):
    """The tool whose result is the answer of a typed task: a Completion."""

    name: str = DONE
    description: str = "How the task ended."
    args_schema: type[BaseModel] = Completion
    result_as_answer: bool = True

    def _run(self, **arguments: Any) -> str:
        given = {name: each for name, each in arguments.items() if each is not None}
        return Completion(**given).model_dump_json()
