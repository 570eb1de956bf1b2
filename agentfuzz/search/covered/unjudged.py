"""What of a fault-free run no law can judge: an answer that claims nothing, no effect at all.

Law: a green test says what it did not look at, once, with the line that would change it. Asked by
the campaign when it is over.
"""

from collections.abc import Mapping

from agentfuzz.core.events import Called, Done, Json
from agentfuzz.core.history import History

_CLAIM = "what the agent claims is not judged"


def unjudged(baseline: History) -> tuple[str, ...]:
    """The notes on a run without faults, each with the line to write."""
    return tuple(filter(None, (_claim(baseline), _effect(baseline))))


def _claim(baseline: History) -> str:
    ended = baseline.ended
    if ended is None or ended.how != "returned" or baseline.claim is not None:
        return ""
    if done := baseline.of(Done):
        problem = done[-1].problem
        return f"the clean run ended with a done event that is not valid ({problem}): {_CLAIM}"
    if ended.value is None:
        return (
            f"the clean run returned nothing: {_CLAIM}. Return the agent's answer from the test, "
            "as a Completion, or with a line that maps it in @scenario(...): "
            "outcome=lambda answer: Completion.success() if answer else Completion.blocked()"
        )
    return (
        f"the clean run returned {_kind(ended.value)}, no Completion: {_CLAIM}. A line in "
        f"@scenario(...) would judge it: outcome=lambda answer: Completion.success() if "
        f"{_test(ended.value)} else Completion.blocked()"
    )


def _kind(value: Json) -> str:
    if isinstance(value, str):
        return "a text"
    if isinstance(value, Mapping):
        return "a dict"
    return f"a {type(value).__name__}"


def _test(value: Json) -> str:
    """What may say of such an answer that the work is done."""
    if isinstance(value, str):
        return '"..." in answer'
    if isinstance(value, Mapping) and value:
        return f'answer["{next((n for n in _SAYS if n in value), next(iter(value)))}"] == "..."'
    return "answer"


_SAYS = ("status", "ok", "success", "done", "result", "state")


def _effect(baseline: History) -> str:
    ended = baseline.ended
    if baseline.ledger or ended is None or ended.how != "returned":
        return ""
    called = list(dict.fromkeys(call.slot.name for call in baseline.of(Called)))
    having = [facts for facts in baseline.tools.values() if facts.effect]
    if having:
        return (
            "the clean run had no effect, so none can be missing or happen twice: it did not get "
            f"as far as {', '.join(facts.name for facts in having)}"
        )
    if not called:
        return ""  # AF801 says that
    return (
        "the clean run had no effect, so none can be missing or happen twice. Of a tool that does "
        f'something say so: @world.tool(effect="{called[0]}", scope=(...))'
    )
