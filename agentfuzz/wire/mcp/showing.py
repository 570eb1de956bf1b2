"""Resources and prompts as the protocol shows them: lists, contents, messages, completions.

Law: a world that declares none says nothing of them. A reply that is made as the protocol writes
contents or messages is sent as those, and any other as the text that it is. Called by the server.
"""

import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel, TypeAdapter, ValidationError

from agentfuzz.wire.mcp.call import Answers
from agentfuzz.wire.mcp.faults import at_nothing, at_request
from agentfuzz.wire.mcp.listing import page
from agentfuzz.world.reply_faults import as_text
from agentfuzz.world.resources import Resource, prompts, read_as, resources
from agentfuzz.world.tools import ToolSpec
from agentfuzz.world.world import World

JSON = "application/json"
Handler = Callable[[Any, Any], Awaitable[Any]]
_CONTENT = ({"text"}, {"blob"})  # what an item of contents has, and what it may have besides
_BESIDE = frozenset({"uri", "mimeType", "_meta"})
COMPLETED = 100  # the most values of one completion
_CONTENTS: TypeAdapter[Any] = TypeAdapter(types.TextResourceContents | types.BlobResourceContents)
_MESSAGE: TypeAdapter[Any] = TypeAdapter(types.PromptMessage)


def handlers(world: World, answers: Answers) -> dict[str, tuple[type, Handler]]:
    """What the server answers about the resources and prompts of a world: by method, the type of
    its parameters and who answers."""
    paged = types.PaginatedRequestParams
    found: dict[str, tuple[type, Handler]] = {}
    if resources(world):
        found["resources/list"] = paged, _lists(world, "resources", _listed)
        found["resources/templates/list"] = paged, _lists(world, "templates", _templates)
        found["resources/read"] = types.ReadResourceRequestParams, _reads(world, answers)
    if prompts(world):
        found["prompts/list"] = paged, _lists(world, "prompts", _prompts)
        found["prompts/get"] = types.GetPromptRequestParams, _gets(world, answers)
    if prompts(world) or any(one.pattern for one in resources(world)):
        found["completion/complete"] = types.CompleteRequestParams, _completes(world)
    return found


def _lists(world: World, name: str, listed: Callable[[World, Any], Any]) -> Handler:
    async def lists(ctx: Any, params: Any) -> Any:
        await at_request(world, ctx, name)
        return listed(world, params.cursor)

    return lists


def _listed(world: World, cursor: str | None) -> Any:
    found = [
        types.Resource(
            uri=one.uri, name=one.name, mime_type=one.mime, description=_told(world, one)
        )
        for one in resources(world)
        if one.pattern is None
    ]
    shown, more = page(found, cursor, "resource")
    return types.ListResourcesResult(resources=shown, next_cursor=more)


def _templates(world: World, cursor: str | None) -> Any:
    found = [
        types.ResourceTemplate(
            uri_template=one.uri, name=one.name, mime_type=one.mime, description=_told(world, one)
        )
        for one in resources(world)
        if one.pattern is not None
    ]
    shown, more = page(found, cursor, "template")
    return types.ListResourceTemplatesResult(resource_templates=shown, next_cursor=more)


def _told(world: World, resource: Resource) -> str | None:
    return world.gateway.specs[resource.uri].description or None


def _prompts(world: World, cursor: str | None) -> Any:
    found = []
    for name, tool in prompts(world).items():
        spec = world.gateway.specs[tool]
        given = [
            types.PromptArgument(
                name=one,
                required=one in spec.required,
                description=_properties(spec)[one].get("description"),
            )
            for one in spec.names
        ]
        found.append(types.Prompt(name=name, description=spec.description or None, arguments=given))
    shown, more = page(found, cursor, "prompt")
    return types.ListPromptsResult(prompts=shown, next_cursor=more)


def _reads(world: World, answers: Answers) -> Handler:
    async def reads(ctx: Any, params: Any) -> Any:
        found = read_as(world, str(params.uri))
        if isinstance(found, str):
            await at_nothing(world, ctx, "read")
            raise MCPError(types.INVALID_PARAMS, found, data={"uri": str(params.uri)})
        resource, given = found
        reply = await answers.read(ctx, "read", resource.uri, given)
        return types.ReadResourceResult(contents=_contents(reply, str(params.uri), resource.mime))

    return reads


def _contents(reply: object, uri: str, mime: str) -> list[Any]:
    """A reply as the contents of a resource."""
    given = reply if isinstance(reply, list) and reply else [reply]
    items: list[Any] = [_as_said(one) for one in given]
    if all(isinstance(one, dict) and one.keys() - _BESIDE in _CONTENT for one in items):
        try:
            filled = [{"uri": uri, "mimeType": mime, **one} for one in items]
            return [_CONTENTS.validate_python(one, by_name=False, by_alias=True) for one in filled]
        except ValidationError:
            pass
    kind = mime if isinstance(reply, str) else JSON
    return [types.TextResourceContents(uri=uri, mime_type=kind, text=as_text(reply))]


def _as_said(item: object) -> object:
    """An item as the protocol writes it: bytes in base64, the SDK's own types by their aliases."""
    if isinstance(item, bytes):
        return {"blob": b64encode(item).decode()}
    if isinstance(item, dict) and isinstance(item.get("blob"), bytes):
        return {**item, "blob": b64encode(item["blob"]).decode()}
    if isinstance(item, BaseModel):
        return item.model_dump(mode="json", by_alias=True, exclude_none=True)
    return item


def _gets(world: World, answers: Answers) -> Handler:
    async def gets(ctx: Any, params: Any) -> Any:
        tool = prompts(world).get(params.name)
        if tool is None:
            await at_nothing(world, ctx, "get")
            raise MCPError(types.INVALID_PARAMS, f"Unknown prompt: {params.name}")
        spec = world.gateway.specs[tool]
        given = {name: _read(spec, name, said) for name, said in (params.arguments or {}).items()}
        reply = await answers.read(ctx, "get", tool, given)
        told = world.gateway.specs[tool].description or None
        return types.GetPromptResult(description=told, messages=_messages(reply))

    return gets


def _read(spec: ToolSpec, name: str, said: str) -> Any:
    """An argument, which is a text in the protocol: a list or an object is its JSON."""
    kinds = {str(one.get("type")) for one in _shapes(spec, _properties(spec).get(name, {}))}
    if "string" in kinds or not kinds & {"array", "object"}:
        return said
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        return said


def _messages(reply: object) -> list[Any]:
    """A reply as the messages of a prompt."""
    items = [_as_said(one) for one in (reply if isinstance(reply, list) else [reply])]
    if items and all(isinstance(one, dict) for one in items):
        try:
            return [_message(one) for one in items if isinstance(one, dict)]
        except ValidationError:
            pass
    said = types.TextContent(type="text", text=as_text(reply))
    return [types.PromptMessage(role="user", content=said)]


def _message(said: dict[str, Any]) -> Any:
    if isinstance(said.get("content"), str):
        said = {**said, "content": {"type": "text", "text": said["content"]}}
    return _MESSAGE.validate_python(said, by_name=False, by_alias=True)


def _completes(world: World) -> Handler:
    async def completes(ctx: Any, params: Any) -> Any:
        await at_request(world, ctx, "complete")
        ref = params.ref
        known = (
            prompts(world) if ref.type == "ref/prompt" else {o.uri: o.uri for o in resources(world)}
        )
        tool = known.get(ref.name if ref.type == "ref/prompt" else ref.uri)
        if tool is None:
            said = ref.name if ref.type == "ref/prompt" else ref.uri
            raise MCPError(types.INVALID_PARAMS, f"Unknown {ref.type.removeprefix('ref/')}: {said}")
        spec = world.gateway.specs[tool]
        fits = [one for one in _values(spec, params.argument.name) if _fits(one, params.argument)]
        return types.CompleteResult(
            completion=types.Completion(
                values=fits[:COMPLETED], total=len(fits), has_more=len(fits) > COMPLETED
            )
        )

    return completes


def _fits(value: str, argument: Any) -> bool:
    return value.lower().startswith(argument.value.lower())


def _values(spec: ToolSpec, name: str) -> list[str]:
    """The values that an argument may have, where they are few."""
    return [
        str(value)
        for shape in _shapes(spec, _properties(spec).get(name, {}))
        for value in shape.get("enum", (shape["const"],) if "const" in shape else ())
    ]


def _shapes(spec: ToolSpec, shape: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a value may be: each of several, and what stands elsewhere, as it is."""
    kind = str(shape.get("$ref", "")).rpartition("/")[2]
    defined: Any = spec.schema.get("$defs", {})
    shape = defined.get(kind, shape)
    yield shape
    for one in shape.get("anyOf", ()):
        yield from _shapes(spec, one)


def _properties(spec: ToolSpec) -> Mapping[str, Any]:
    found: Any = spec.schema["properties"]
    return found  # type: ignore[no-any-return]
