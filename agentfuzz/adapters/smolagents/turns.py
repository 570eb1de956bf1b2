"""What a request of smolagents offers its model, and what the model's turn asks for.

Law: the framework ends by a call of `final_answer`; a closing in words is one. Called by the models
of the smolagents adapter.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from smolagents.models import get_tool_json_schema

from agentfuzz.providers.offer import Offer
from agentfuzz.world.toolbox import DONE

FINAL = "final_answer"
Call = tuple[str, str, Any]  # its id, its tool, its arguments


def offer_of(tools: Sequence[Any] | None) -> Offer:
    """What a request offers: the tools; the one that ends the task is the done tool where its
    arguments are more than words, and what is said else."""
    offered = list[dict[str, Any]]()
    for tool in tools or ():
        made = get_tool_json_schema(tool)["function"]
        if made["name"] != FINAL:
            offered.append({"name": made["name"], "schema": made["parameters"]})
        elif set(made["parameters"]["properties"]) != {"answer"}:
            offered.append({"name": DONE, "schema": made["parameters"]})
    return Offer(tuple(offered))


def calls_of(turn: Mapping[str, Any], tools: Sequence[Any] | None) -> list[Call]:
    """The calls of a turn; words that close are a call of `final_answer`, and as much of its
    arguments as there is of them."""
    named = [tool.name for tool in tools or ()]
    made = [
        (call["id"], FINAL if name == DONE and DONE not in named else name, call["arguments"])
        for call in turn["tool_calls"]
        for name in (call["name"],)
    ]
    text = turn["content"]
    if made or not text or FINAL not in named:
        return made
    if turn["stop"] == "length":
        return [("", FINAL, json.dumps({"answer": text}).removesuffix('"}'))]
    return [("", FINAL, {"answer": text})]
