"""What ADK asks Gemini: contents in the words of a world's model, and what is offered as an offer.

Law: nothing is added or left out; ADK's own tool for a typed output is a form of the answer. Called
by `model`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agentfuzz.providers.offer import Choice, Offer

FORCED = "set_model_response"  # ADK's tool for a typed output beside other tools
_CHOICES: Mapping[str, Choice] = {"ANY": "required", "NONE": "none"}


def messages(contents: Sequence[Any], config: Any) -> list[dict[str, Any]]:
    """What the model is shown, in the words of `world.model`."""
    system = getattr(config, "system_instruction", None)
    found = [{"role": "system", "content": _text(system)}] if system else []
    for content in contents:
        found += _messages(content)
    return found


def _messages(content: Any) -> Iterator[dict[str, Any]]:
    parts = content.parts or []
    for part in parts:
        answer = part.function_response
        if answer is not None:
            yield {
                "role": "tool",
                "tool_call_id": answer.id or "",
                "name": answer.name,
                "content": _said(answer.response),
            }
    calls = [
        {"id": part.function_call.id, "name": part.function_call.name, "arguments": args(part)}
        for part in parts
        if part.function_call is not None
    ]
    between = "" if content.role == "model" else "\n"
    text = between.join(part.text for part in parts if part.text)
    if calls or text or not parts:
        role = "assistant" if content.role == "model" else "user"
        yield {"role": role, "content": text, **({"tool_calls": calls} if calls else {})}


def args(part: Any) -> dict[str, Any]:
    return dict(part.function_call.args or {})


def _said(response: Any) -> str:
    """A result as a text: ADK puts one that is no object under `result`."""
    if isinstance(response, Mapping) and list(response) == ["result"]:
        response = response["result"]
    return response if isinstance(response, str) else json.dumps(response, default=str)


def _text(system: Any) -> str:
    if isinstance(system, str):
        return system
    return "".join(part.text or "" for part in getattr(system, "parts", None) or ())


def offer_of(config: Any) -> Offer:
    """What a request offers: its functions, a choice among them, the form of the answer."""
    declared = [
        one
        for tool in config.tools or ()
        for one in getattr(tool, "function_declarations", ()) or ()
    ]
    choice = getattr(config.tool_config, "function_calling_config", None)
    schema = config.response_schema
    return Offer(
        tuple({"name": one.name, "schema": _schema(one)} for one in declared),
        tuple(choice.allowed_function_names or ()) or None if choice else None,
        _CHOICES.get(str(getattr(choice and choice.mode, "value", "")), "auto"),
        answer=schema.model_json_schema() if hasattr(schema, "model_json_schema") else None,
        longest=config.max_output_tokens,
    )


def _schema(declared: Any) -> dict[str, Any]:
    found: Any = declared.parameters_json_schema
    if found is None and declared.parameters is not None:
        found = declared.parameters.json_schema.model_dump(exclude_none=True, mode="json")
    return dict(found or {})


def typed(offer: Offer) -> Offer:
    """The offer as the model reads it: who has a tool for a typed answer asks for one."""
    if FORCED not in (offer.names or ()):
        return offer
    return Offer(
        tuple(one for one in offer.tools or () if one["name"] != FORCED),
        offer.only,
        offer.choice,
        answer=offer.schema(FORCED),
        longest=offer.longest,
    )
