"""What LangChain offers a chat model: tools that are bound, a choice among them, a form of the
answer, in the words of Chat Completions, as its own models for that API take them.

Law: a model that no tools are bound to is offered none. Called by the langgraph adapter.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from pydantic import BaseModel

from agentfuzz.core.errors import ModelError
from agentfuzz.providers import openai_chat
from agentfuzz.providers.offer import Offer
from agentfuzz.providers.turns import BadRequest

_SHOWN = [{"role": "user", "content": "?"}]
_TERMS = (
    *("tools", "tool_choice", "parallel_tool_calls", "response_format"),
    *("stop", "max_tokens", "max_completion_tokens"),
)


def bound(model: BaseChatModel, tools: Sequence[Any], choice: Any, more: Mapping[str, Any]) -> Any:
    """The model with tools, and a choice as LangChain words it: a tool's name, `any`, True."""
    made = [convert_to_openai_tool(one) for one in tools]
    names = [one.get("function", {}).get("name") for one in made]
    if choice in ("any", True):
        choice = "required"
    elif isinstance(choice, str) and choice in names:
        choice = {"type": "function", "function": {"name": choice}}
    chosen = {"tool_choice": choice} if choice else {}
    return model.bind(tools=made, **chosen, **more)


def offer_of(given: Mapping[str, Any], stop: list[str] | None) -> Offer:
    """The offer of what is bound. Raises ModelError, as the API would."""
    terms = {name: given[name] for name in _TERMS if given.get(name) is not None}
    if stop:
        terms["stop"] = stop
    try:
        return openai_chat.parse({"model": "agentfuzz", "messages": _SHOWN, **terms}, {}).offer
    except BadRequest as bad:
        raise ModelError(str(bad), bad.status) from bad


def structured(model: BaseChatModel, schema: Any, *, by_schema: bool, raw: bool) -> Any:
    """The model, asked to answer in JSON, of this schema or of any, and what reads the answer."""
    told = convert_to_json_schema(schema)
    form: dict[str, Any] = {"type": "json_object"}
    if by_schema:
        name = told.get("title", "answer")
        form = {"type": "json_schema", "json_schema": {"name": name, "schema": told}}
    typed = isinstance(schema, type) and issubclass(schema, BaseModel)
    reads: Any = PydanticOutputParser(pydantic_object=schema) if typed else JsonOutputParser()
    asking = model.bind(response_format=form)
    if not raw:
        return asking | reads
    parsed: Runnable[Any, Any] = RunnablePassthrough.assign(
        parsed=itemgetter("raw") | reads, parsing_error=lambda _: None
    )
    failed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=asking) | parsed.with_fallbacks([failed], exception_key="parsing_error")
