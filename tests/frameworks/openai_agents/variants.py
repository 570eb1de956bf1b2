"""Options of the OpenAI Agents SDK, in named sets: functions of nothing that return them."""

from collections.abc import Callable, Mapping
from typing import Any

from agents import GuardrailFunctionOutput, OutputGuardrail


def by_intent(tool: str, arguments: Mapping[str, Any], call_id: str) -> str:
    """The key of every attempt at one order."""
    return f"{tool}:{arguments.get('order_id')}"


def _rejects(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)


def _blank(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    said = str(output or "").strip()
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=not said)


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
    # the first tool's result is the answer, and somebody checks it and says no
    "rejected": lambda: {
        "tool_use_behavior": "stop_on_first_tool",
        "output_guardrails": [OutputGuardrail(_rejects)],
    },
}
