"""What the OpenAI Agents SDK offers a model with one request, as an offer.

Law: the tools, the handoffs, the schema and the settings that the runner hands over, and no others;
a tool that the provider runs is not the model's to call. Called by the openai_agents adapter.
"""

from collections.abc import Sequence
from typing import Any

from agents import FunctionTool, Handoff, ModelSettings, Tool

from agentfuzz.core.errors import ModelError
from agentfuzz.providers.offer import Choice, Offer

_WORDS: dict[Any, Choice] = {None: "auto", "auto": "auto", "required": "required", "none": "none"}


def offer_of(
    settings: ModelSettings,
    tools: Sequence[Tool],
    output: Any,
    handoffs: "Sequence[Handoff[Any, Any]]",
) -> Offer:
    """The offer of one request. Raises ModelError, as its API would, for a choice of a tool that is
    not among them."""
    made = [
        {"name": one.name, "schema": one.params_json_schema}
        for one in tools
        if isinstance(one, FunctionTool)
    ]
    made += [{"name": one.tool_name, "schema": one.input_json_schema} for one in handoffs]
    only, choice = None, settings.tool_choice
    if isinstance(choice, str) and choice not in _WORDS and not _hosted(choice, tools):
        if choice not in [one["name"] for one in made]:
            raise ModelError(f"tool_choice: {choice!r} is not among the tools", 400)
        only, choice = (choice,), "required"
    return Offer(
        tuple(made),
        only,
        _WORDS.get(choice, "auto") if isinstance(choice, (str, type(None))) else "auto",
        answer=None if output is None or output.is_plain_text() else output.json_schema(),
        most_calls=1 if settings.parallel_tool_calls is False else None,
        longest=settings.max_tokens,
    )


def _hosted(choice: str, tools: Sequence[Tool]) -> bool:
    return any(one.name == choice for one in tools if not isinstance(one, FunctionTool))
