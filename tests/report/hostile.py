"""Hostile text, and a counterexample in which every string is that text."""

from dataclasses import replace
from typing import Any

from agentfuzz.core.events import Event, Intent
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.findings import CampaignResult, Control, Counterexample
from agentfuzz.core.history import History, ToolFacts
from agentfuzz.core.matrix import Cell, Matrix, Row
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation

from .samples import ALL, campaign

PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</style><script>1</script>",
    "</title><svg onload=alert(1)>",
    "</text></svg><iframe src=//x>",
    "{{ 7*7 }}{% raw %}",
    "]]><!--",
    "--><script>1</script>",
    "&lt;script&gt;&#x3c;b&#62;",
    "\u202egnp.exe\u2066 \u200b",
    "\x1b[2J\x1b]0;title\x07\r\x00\x9b",
    "::error file=a.py,line=1::pwned",
    "  ::set-output name=x::y ##[error]x ##vso[task.complete]",
    "a\n::warning::b\n##[group]c\r\n# heading",
    "[x](javascript:alert(1)) ![y](http://e.vil/y.png) <http://e.vil> http://e.vil www.e.vil",
    "| a | b |\n|---|---|\n````\n```\n`x` @someone $x^2$ <b>",
    "\ud800 lone \udfff \u2028 \u2029 \ue000",
    "x" * 3000,
    "東京" * 200,
)


def poisoned(payload: str, sample: str = "two_faults") -> Counterexample:
    """A sample with every string replaced; only what binds the events together is kept."""
    cx = ALL[sample]
    fault = Fault(("once", "timeout"))
    plan = FaultPlan([(Slot("tool", payload, 1), fault), (Slot(payload, payload, 2), fault)])
    witness = cx.violation.witness
    return replace(
        cx,
        id=payload,
        nodeid=payload,
        scenario=payload,
        task=payload,
        law=payload,
        violation=Violation(
            code=payload,
            subject=payload,
            title=payload,
            sentence=payload,
            says=payload,
            world=payload,
            witness=witness,
            hint=payload,
        ),
        plan=plan,
        history=_history(cx.history, payload),
        baseline=_history(ALL["reworded"].history, payload),
        phase=payload,
        controls=(
            Control(payload, payload, False, payload),
            Control(payload, payload, True, payload),
        ),
        location=payload,
    )


def results(payload: str) -> list[CampaignResult]:
    """Two campaigns of nothing but the payload."""
    one = campaign(
        nodeid=payload,
        scenario=payload,
        stopped=payload,
        findings=(poisoned(payload), poisoned(payload, "late_delivery")),
        laws={payload: campaign().laws["valid_calls"]},
        kinds={payload: 0},
        tools={payload: 3},
        notes=(payload,),
        untested=(payload,),
        clean=payload,
        levels=(replace(campaign().levels[0], name=payload),),
        matrix=_matrix(payload),
        unjudged=(payload,),
        escapes=(payload,),
    )
    return [one, campaign("cut_off")]


def _matrix(payload: str) -> Matrix:
    codes = {payload: 1}
    cells = {payload: Cell(alone=1, codes=codes), "once/timeout": Cell(alone=1, together=codes)}
    slots = (Slot("tool", payload, 1), Slot(payload, payload, 2))
    return Matrix({payload: (payload, "twice")}, tuple(Row(one, payload, cells) for one in slots))


def _history(history: History, payload: str) -> History:
    tools = {payload: ToolFacts(payload, payload, (payload,), payload)}
    return History([_event(event, payload) for event in history.events], tools)


def _event(event: Event, payload: str) -> Event:
    changed: dict[str, Any] = {}
    for name, value in event._asdict().items():
        if name == "call":
            changed[name] = payload + value  # calls stay apart
        elif isinstance(value, Slot):
            changed[name] = Slot(value.boundary, payload, value.nth)
        elif isinstance(value, Intent):
            changed[name] = Intent(payload, ((payload, payload),))
        elif name == "calls":
            changed[name] = ((payload, payload, {payload: payload}),)
        elif isinstance(value, dict):
            changed[name] = {payload: payload, "list": [payload, float("nan"), 2**200, -0.0]}
        elif isinstance(value, str):
            changed[name] = payload
    return event._replace(**changed)
