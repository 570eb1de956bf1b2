"""A world's tools as tools of AutoGen.

Law: a tool is its bridge; of a call the framework tells no id. Called by the autogen adapter.
"""

from typing import Any

from autogen_core import CancellationToken
from autogen_core.tools import BaseTool
from pydantic import BaseModel, ConfigDict, create_model

from agentfuzz.adapters.contract import Bridge


class WorldTool(BaseTool[BaseModel, str]):
    """A tool of a world as AutoGen's own. A request for a typed output takes `strict` tools alone:
    what may be left out of their arguments is null there."""

    def __init__(self, bridge: Bridge, *, strict: bool = False) -> None:
        kind = _strict(bridge.args_model) if strict else bridge.args_model
        words = {"strict": True} if strict else {}
        super().__init__(kind, str, bridge.name, bridge.description, **words)
        self._bridge, self._needed = bridge, bridge.schema.get("required", ())

    def strict(self) -> "WorldTool":
        """The same tool, strict."""
        return WorldTool(self._bridge, strict=True)

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> str:
        """What AutoGen has made of the model's arguments."""
        given = args.model_dump(exclude_unset=True)
        kept = {n: each for n, each in given.items() if each is not None or n in self._needed}
        return await self._bridge.acall(kept)


def _strict(kind: type[BaseModel]) -> type[BaseModel]:
    """The same parameters, of which the model is told that it must give them all."""
    fields: Any = {}
    for name, each in kind.model_fields.items():
        given: Any = each.annotation
        fields[name] = (given, ...) if each.is_required() else (given | None, None)
    return create_model(kind.__name__, __config__=ConfigDict(json_schema_extra=_all), **fields)


def _all(schema: dict[str, Any]) -> None:
    for part in schema["properties"].values():
        part.pop("default", None)
    schema["required"] = list(schema["properties"])
