"""A tool of a world as a LangChain tool.

Law: what the world's tool raises, LangChain sees, and what it does about it by default is what is
tested; only arguments that do not fit the schema are raised as LangChain raises them. Called by
the langgraph adapter.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool
from pydantic import PrivateAttr
from pydantic_core import PydanticCustomError, ValidationError

from agentfuzz.adapters.contract import Bridge
from agentfuzz.adapters.langgraph.pauses import allowed
from agentfuzz.core.errors import InvalidArguments

_call_id: ContextVar[str | None] = ContextVar("agentfuzz_langchain_call_id", default=None)


class WorldTool(BaseTool):
    """Its schema is a JSON schema: LangChain passes the arguments on as they are, and the world
    checks them."""

    _bridge: Bridge = PrivateAttr()
    _asks: bool = PrivateAttr(default=False)

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(
            name=bridge.name, description=bridge.description, args_schema=bridge.schema
        )
        self._bridge = bridge

    def asking(self) -> "WorldTool":
        """The tool, which interrupts the graph to ask a person first."""
        self._asks = True
        return self

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Note the id of the call: LangChain passes it to `run`, and not on."""
        token = _call_id.set(kwargs.get("tool_call_id"))
        try:
            return super().run(*args, **kwargs)
        finally:
            _call_id.reset(token)

    async def arun(self, *args: Any, **kwargs: Any) -> Any:
        """The same for async graphs."""
        token = _call_id.set(kwargs.get("tool_call_id"))
        try:
            return await super().arun(*args, **kwargs)
        finally:
            _call_id.reset(token)

    def _run(self, /, **arguments: Any) -> Any:
        if self._bridge.is_async:
            raise NotImplementedError(f"{self.name} is async and has no sync form: use ainvoke.")
        if refused := self._refused(arguments):
            return refused
        try:
            return self._bridge.call(arguments, _call_id.get())
        except InvalidArguments as error:
            raise _invalid(self.name, arguments, error) from None

    async def _arun(self, /, **arguments: Any) -> Any:
        if refused := self._refused(arguments):
            return refused
        try:
            return await self._bridge.acall(arguments, _call_id.get())
        except InvalidArguments as error:
            raise _invalid(self.name, arguments, error) from None

    def _refused(self, arguments: Mapping[str, Any]) -> ToolMessage | None:
        return allowed(self.name, _call_id.get(), arguments) if self._asks else None


def _invalid(tool: str, arguments: Mapping[str, Any], error: InvalidArguments) -> ValidationError:
    """What LangChain raises for arguments that do not fit a tool's schema."""
    kind = PydanticCustomError("invalid_arguments", "{why}", {"why": str(error)})
    return ValidationError.from_exception_data(
        tool, [{"type": kind, "loc": ("arguments",), "input": dict(arguments)}]
    )
