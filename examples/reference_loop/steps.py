"""One step, from its key to its outcome: attempts, look-ups, compensation.

Law: what may have happened is never done again blindly. It is repeated where its backend knows the
repeat, looked up once nothing of it can arrive any more, or left unknown.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .contract import Host, Limits, Outcome, Refused, Step, Tool
from .journal import Journal

NO_ANSWER = (TimeoutError, ConnectionError)


class Stopped(Exception):
    """Somebody pressed Stop."""


class Spent(Exception):
    """A budget is used up."""


@dataclass
class Steps:
    """Brings the steps of a journal to their outcomes."""

    host: Host
    journal: Journal
    tools: Mapping[str, Tool]
    limits: Limits

    def settle(self, step: Step) -> None:
        """Try a step until it is applied, failed, or cannot be known."""
        tool = self.tools[step["tool"]]
        while step["outcome"] not in (Outcome.APPLIED, Outcome.FAILED):
            doubt = step["outcome"] in (Outcome.IN_FLIGHT, Outcome.UNKNOWN)
            if doubt and not self._knows_a_repeat(tool, step) and not self._reconciled(tool, step):
                step["outcome"] = Outcome.UNKNOWN
                return
            if step["outcome"] != Outcome.APPLIED:
                if step["attempts"] >= self.limits.attempts:
                    unknown = doubt and step["writes"]
                    step["outcome"] = Outcome.UNKNOWN if unknown else Outcome.FAILED
                    return
                self._attempt(tool, step)

    def undo(self) -> None:
        """Take back what was done and can be, the last first; each undo is a step with a key."""
        for step in reversed(self.journal.done):
            if undo := self.tools.get(self.tools[step["tool"]].undo):
                arguments = {name: step["arguments"][name] for name in undo.takes}
                back = self.journal.step(undo, arguments, None)
                self.settle(back)
                step["undone"] = back["undone"] = back["outcome"] == Outcome.APPLIED
                self.journal.save()

    def spend(self) -> None:
        """Count a call. Raises Stopped or Spent before it would be made."""
        state = self.journal.state
        if self.host.cancelled():
            raise Stopped
        late = self.host.now() - state["began"] >= self.limits.seconds
        if late or state["calls"] >= self.limits.calls:
            raise Spent
        state["calls"] += 1

    def _attempt(self, tool: Tool, step: Step) -> None:
        self.host.sleep(max(0.0, step["next"] - self.host.now()))
        self.spend()
        step["sent"] = self.host.now()
        step.setdefault("first", step["sent"])
        doubt = step["outcome"] != Outcome.PLANNED or (step["writes"] and tool.dedup == "none")
        step.update(outcome=Outcome.IN_FLIGHT, attempts=step["attempts"] + 1)
        if step["writes"]:
            self.journal.save()  # ahead of the call: whoever finds this knows that it may have been
        keyed = {"idempotency_key": step["key"]} if tool.dedup == "key" else {}
        pause: float | None = self.limits.pause
        try:
            reply = self.host.call(tool.name, {**step["arguments"], **keyed}, step["asked"])
        except Refused as no:
            pause, step["said"] = no.after, f"Error: {no}"
            # who may say yes later says nothing of what was sent before; without a key, of this
            later = Outcome.UNKNOWN if doubt else Outcome.PLANNED
            step["outcome"] = Outcome.FAILED if no.after is None else later
        except NO_ANSWER as error:
            step.update(outcome=Outcome.UNKNOWN, said=f"Error: {type(error).__name__}: {error}")
        else:
            self._answered(tool, step, reply)
        step["next"] = self.host.now() + (pause or 0.0)

    def _answered(self, tool: Tool, step: Step, reply: Any) -> None:
        step["said"] = reply if isinstance(reply, str) else json.dumps(reply)
        step["receipt"] = tool.receipt(step["arguments"], reply) if step["writes"] else ""
        if step["receipt"] or not step["writes"]:
            step["outcome"] = Outcome.APPLIED
        elif isinstance(reply, dict) and reply.get("error"):
            step["outcome"] = Outcome.FAILED
        else:  # no error, and no proof either
            step["outcome"] = Outcome.UNKNOWN
            step["said"] = f"Error: the answer proves nothing: {step['said']}"

    def _knows_a_repeat(self, tool: Tool, step: Step) -> bool:
        kept = self.host.now() - step["first"] < tool.keys_last
        return not step["writes"] or tool.dedup == "scope" or (tool.dedup == "key" and kept)

    def _reconciled(self, tool: Tool, step: Step) -> bool:
        """Whether two readings agree on what happened, made when nothing can arrive any more."""
        reader = self.tools.get(tool.look_up)
        if reader is None:
            return False
        self.host.sleep(max(0.0, step["sent"] + tool.settles - self.host.now()))
        seen: list[str] = []
        while step["looked"] < self.limits.attempts:
            self.spend()
            step["looked"] += 1
            arguments = {name: step["arguments"][name] for name in reader.takes}
            try:
                found = tool.found(arguments, self.host.call(reader.name, arguments, None))
            except (Refused, *NO_ANSWER) as error:
                self.host.sleep(getattr(error, "after", None) or self.limits.pause)
                continue
            if found is not None and found in seen:
                outcome = Outcome.APPLIED if found else Outcome.PLANNED
                step.update(outcome=outcome, receipt=found, looked=0)
                step["said"] = json.dumps({"outcome": outcome, "receipt": found})
                return True
            seen += [] if found is None else [found]
        return False
