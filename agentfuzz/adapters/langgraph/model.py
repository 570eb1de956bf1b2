"""The world's simulated model as a chat model of LangChain's.

Law: a turn is said as LangChain's own models say theirs, with an id that no other turn has: with a
constant one `add_messages` would replace the turn before. Called by the langgraph adapter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from agentfuzz.adapters.contract import Asking
from agentfuzz.adapters.langgraph.messages import plain
from agentfuzz.adapters.langgraph.offers import bound, offer_of, structured
from agentfuzz.world.world import World

_FINISH = {"end": "stop", "withheld": "content_filter"}


class SimulatedChatModel(BaseChatModel):
    """A chat model that asks `world.model`."""

    cache: bool | None = False
    _asking: Asking = PrivateAttr()

    def __init__(self, world: World, agent: str | None = None) -> None:
        super().__init__()
        self._asking = Asking(world, agent)

    @property
    def _llm_type(self) -> str:
        return "agentfuzz"

    def bind_tools(self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any) -> Any:
        """The model, which is offered these tools."""
        return bound(self, tools, tool_choice, kwargs)

    def with_structured_output(
        self, schema: Any, *, include_raw: bool = False, **kwargs: Any
    ) -> Any:
        """The model with an answer of this schema: by a call (`method="function_calling"`, as is
        usual), by `"json_schema"`, or by `"json_mode"`."""
        method = kwargs.get("method")
        if method in ("json_schema", "json_mode"):
            by_schema = method == "json_schema"
            return structured(self, schema, by_schema=by_schema, raw=include_raw)
        return super().with_structured_output(schema, include_raw=include_raw, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _said(self._asking.turn(plain(messages), offer_of(kwargs, stop)))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _said(await self._asking.aturn(plain(messages), offer_of(kwargs, stop)))


def _said(turn: Mapping[str, Any]) -> ChatResult:
    good: list[Any] = []
    bad: list[Any] = []
    for call in turn["tool_calls"]:
        made = {"id": call["id"], "name": call["name"], "args": call["arguments"]}
        (good if isinstance(made["args"], dict) else bad).append(made)
    stop, usage = turn["stop"], turn["usage"]
    message = AIMessage(
        id=f"turn_{turn['serial']}",
        content=turn["content"] or "",
        tool_calls=good,
        invalid_tool_calls=[{**made, "error": "the arguments are no object"} for made in bad],
        usage_metadata={
            "input_tokens": usage["input"],
            "output_tokens": usage["output"],
            "total_tokens": usage["total"],
        },
        response_metadata={"finish_reason": _FINISH.get(stop, stop)},
    )
    return ChatResult(generations=[ChatGeneration(message=message)])
