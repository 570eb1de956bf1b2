"""Gemini as ADK knows it, whose client asks a world's model.

Law: what ADK does with a request and with a reply, streamed or not, is its own Gemini class's; here
is only what lies behind the client: contents become plain messages, a turn becomes what the Gemini
API answers. Called by the google_adk adapter.

A reply that is cut off in its stream ends as `model.endings` says; a call whose arguments are no
JSON is what the API makes of it, MALFORMED_FUNCTION_CALL and no content.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from google.adk.models.google_llm import Gemini
from google.genai import errors, types

from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.core.errors import ModelError
from agentfuzz.model.endings import CLOSED, broken
from agentfuzz.providers.offer import Choice, Offer
from agentfuzz.providers.turns import made_id, pieces
from agentfuzz.world.world import World

_FORCED = "set_model_response"  # ADK's tool for a typed output beside other tools
_CHOICES: Mapping[str, Choice] = {"ANY": "required", "NONE": "none"}


class _Gemini(Gemini):
    """ADK's Gemini, with something else behind its client."""

    def __init__(self, models: Any) -> None:
        super().__init__(model="gemini-2.5-flash")
        self.__dict__["api_client"] = SimpleNamespace(
            vertexai=False, aio=SimpleNamespace(models=models)
        )


class WorldGemini(_Gemini):
    """Behind it is a world's model. `agent` is who asks; left out, whoever acts."""

    def __init__(self, world: World, agent: str | None = None) -> None:
        _ = world.model  # a scenario without a script says so here
        super().__init__(_Models(world, agent))


class Hello(_Gemini):
    """Behind it is nobody: it calls the only tool, and says hello."""

    def __init__(self) -> None:
        super().__init__(self)

    async def generate_content(self, *, model: str, contents: Any, config: Any) -> Any:
        """One turn."""
        if len(contents) > 1:
            return _reply([types.Part(text="Hello.")], types.FinishReason.STOP)
        call = types.FunctionCall(name="_hello", args={"name": "you"})
        return _reply([types.Part(function_call=call)], types.FinishReason.STOP)


class _Models:
    """What ADK uses of `google.genai.Client().aio.models`."""

    def __init__(self, world: World, agent: str | None) -> None:
        self._world = world
        self._acting = performing(world, agent)
        self._forced = 0

    async def generate_content(self, *, model: str, contents: Any, config: Any) -> Any:
        """One turn. Raises what the client raises."""
        said, offer = messages(contents, config), offer_of(config)
        with self._acting():
            try:
                turn = await self._world.model.aio(said, _typed(offer))
            except ModelError as error:
                raise _api_error(error) from error
        return _reply(self._parts(turn, offer), _finish(turn), turn)

    async def generate_content_stream(
        self, *, model: str, contents: Any, config: Any
    ) -> AsyncIterator[Any]:
        """One turn, piece by piece."""
        said, offer = messages(contents, config), offer_of(config)
        await asyncio.sleep(0)
        with self._acting():
            try:
                turn = self._world.model.turn(said, _typed(offer), stream=True)
            except ModelError as error:
                raise _api_error(error) from error
        return self._streamed(turn, offer)

    async def _streamed(self, turn: Mapping[str, Any], offer: Offer) -> AsyncIterator[Any]:
        finish = _finish(turn)
        for part in self._parts(turn, offer):
            for piece in pieces(part.text) if part.text else (part,):
                yield _reply([types.Part(text=piece) if part.text else piece])
                await asyncio.sleep(0)
        if finish is not None:
            yield _reply([], finish, turn)
        elif turn.get("ending", CLOSED) != CLOSED:
            raise broken(turn["ending"])

    def _parts(self, turn: Mapping[str, Any], offer: Offer) -> list[Any]:
        """The content of a turn, without calls that are torn; a typed answer is a call of ADK's own
        tool for it."""
        text, calls = turn["content"], turn["tool_calls"]
        made = [
            types.Part(
                function_call=types.FunctionCall(
                    id=one["id"], name=one["name"], args=one["arguments"]
                )
            )
            for one in calls
            if isinstance(one["arguments"], Mapping)
        ]
        if text and not calls and _FORCED in (offer.names or ()):
            typed = _object(text)
            if typed is not None:
                self._forced += 1
                id = made_id("call_", self._forced)
                call = types.FunctionCall(id=id, name=_FORCED, args=typed)
                return [types.Part(function_call=call)]
        return [types.Part(text=text), *made] if text else made


def _typed(offer: Offer) -> Offer:
    """The offer as the model reads it: who has a tool for a typed answer asks for one."""
    if _FORCED not in (offer.names or ()):
        return offer
    return Offer(
        tuple(one for one in offer.tools or () if one["name"] != _FORCED),
        offer.only,
        offer.choice,
        answer=offer.schema(_FORCED),
        longest=offer.longest,
    )


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


# A reply ---------------------------------------------------------------------------------------


def _finish(turn: Mapping[str, Any]) -> Any:
    """Why a turn ended; None where it was cut."""
    if turn["stop"] == "cut":
        return None
    if turn["stop"] == "length":
        return types.FinishReason.MAX_TOKENS
    if any(not isinstance(one["arguments"], Mapping) for one in turn["tool_calls"]):
        return types.FinishReason.MALFORMED_FUNCTION_CALL
    return types.FinishReason.STOP


def _reply(parts: Sequence[Any], finish: Any = None, turn: Mapping[str, Any] | None = None) -> Any:
    if finish == types.FinishReason.MALFORMED_FUNCTION_CALL:
        parts = []
    used = (turn or {}).get("usage")
    return types.GenerateContentResponse(
        candidates=[
            types.Candidate(
                content=types.Content(role="model", parts=list(parts)) if parts else None,
                finish_reason=finish,
            )
        ],
        usage_metadata=types.GenerateContentResponseUsageMetadata(
            prompt_token_count=used["input"],
            candidates_token_count=used["output"],
            total_token_count=used["input"] + used["output"],
        )
        if used
        else None,
    )


def _api_error(error: ModelError) -> Exception:
    """What the client raises for an error of the API."""
    kind = errors.ClientError if error.status < 500 else errors.ServerError
    words = {"error": {"code": error.status, "message": str(error), "status": "UNAVAILABLE"}}
    made: Exception = kind(error.status, words)
    return made


# A request -------------------------------------------------------------------------------------


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
