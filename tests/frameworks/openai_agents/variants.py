"""Options of the OpenAI Agents SDK, in named sets: functions of nothing that return them."""

from collections.abc import Callable, Mapping
from typing import Any

from agents import GuardrailFunctionOutput, OutputGuardrail


def by_intent(tool: str, arguments: Mapping[str, Any], call_id: str) -> str:
    """The key of every attempt at one order."""
    return f"{tool}:{arguments.get('order_id')}"


def _blank(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    said = str(output or "").strip()
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=not said)


def _half(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    said = str(output)
    half = said.startswith("{") and not said.endswith("}")
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=half)


def _at_the_first() -> dict[str, Any]:
    return {"stop_at_tool_names": ["charge_card", "ship"]}


VARIANTS: Mapping[str, Callable[[], dict[str, Any]]] = {
    # a tool that is cancelled by itself, as a task within it may be
    "cancelled": lambda: {"failures": "cancelled"},
    # a key for each intent, and no blank answer
    "careful": lambda: {"key": by_intent, "output_guardrails": [OutputGuardrail(_blank)]},
    # a server that speaks Chat Completions, and is not OpenAI's
    "compatible": lambda: {"base_url": "https://llm.example/v1"},
    # a tool that fails ends the run
    "fatal": lambda: {"failure_error_function": None},
    # an answer that says nothing is refused
    "guarded": lambda: {"output_guardrails": [OutputGuardrail(_blank)]},
    # a key for each intent
    "keyed": lambda: {"key": by_intent},
    # the result of a tool that acts is the answer
    "stopping": lambda: {"tool_use_behavior": _at_the_first()},
    # the same of an agent that is a tool of another one
    "stopping_tool": lambda: {"tool_use_behavior": _at_the_first(), "as_tools": True},
    # the same, and half a receipt is refused
    "stopping_guarded": lambda: {
        "tool_use_behavior": _at_the_first(),
        "output_guardrails": [OutputGuardrail(_half)],
    },
}
