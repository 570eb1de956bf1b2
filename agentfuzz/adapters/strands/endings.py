"""Why a run of Strands ended: an agent by its stop reason, a swarm by its status.

Law: nothing is read out of the text. Called by the strands adapter.
"""

from collections.abc import Mapping
from typing import Any

from strands.agent import AgentResult
from strands.multiagent.base import MultiAgentResult, Status
from strands.types.exceptions import MaxTokensReachedException

from agentfuzz.adapters.contract.adapter import Ended, Why

_WHY: Mapping[str, Why] = {
    "end_turn": "completed",
    "stop_sequence": "completed",
    "cancelled": "cancelled",
    "interrupt": "paused",
    "max_tokens": "length",
}


def ended(result: Any) -> Ended | None:
    """By the stop reason. A reply that is too long is an exception here."""
    if isinstance(result, MaxTokensReachedException):
        return Ended(why="length")
    if isinstance(result, BaseException):
        return None
    if isinstance(result, MultiAgentResult):
        return _of_agents(result)
    if not isinstance(result, AgentResult):
        return Ended(result)
    value = getattr(result, "structured_output", None) or str(result)
    reason = str(result.stop_reason)
    return Ended(value, "limit" if reason.startswith("limit") else _WHY.get(reason, "error"))


def _of_agents(result: Any) -> Ended:
    """What the last agent said; a swarm returns what an agent of it has raised."""
    if result.status.name == "INTERRUPTED":  # which old releases have not
        return Ended(why="paused")
    raised = [one.result for one in result.results.values() if isinstance(one.result, Exception)]
    if result.status != Status.COMPLETED:
        long = any(isinstance(one, MaxTokensReachedException) for one in raised)
        return Ended(why="length" if long else "error")
    last = result.results[result.node_history[-1].node_id].result
    return ended(last) or Ended(why="error")
