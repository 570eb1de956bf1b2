"""One step, from its key to its outcome: planned, unknown, then applied, failed or still unknown.

Law: what may have happened is never done again blindly. It is repeated where its backend knows the
repeat, looked up once nothing of it can arrive any more, or left unknown.
"""

import json
import time

from .journal import Data, Journal, Tool

ATTEMPTS = 3  # of a step, over all layers, and readings of its truth
CALLS, TURNS, SECONDS = 60, 16, 6 * 3600.0  # for a message of the user's
SETTLES, KEYS_LAST = (
    60.0,
    23 * 3600.0,
)  # until nothing can arrive any more; until keys are forgotten
UNCLEAR = (401, 409, 429)  # statuses that say nothing of what was sent before


class Ended(Exception):
    """Somebody pressed Stop, or a budget is used up: a status and its reason."""


class Steps(Journal):
    """A journal that brings its steps to their outcomes."""

    def settle(self, step: Data) -> None:
        """Try a step until it is applied, failed, or cannot be known."""
        tool = self.tools[step["tool"]]
        while step["outcome"] in ("planned", "unknown"):
            doubt = step["outcome"] == "unknown" and tool.writes
            blind = doubt and not self._recognised(tool, step)
            if blind and tool.look_up and len(step["seen"]) < ATTEMPTS:
                self._look_up(tool, step)
            elif not blind and step["attempts"] < ATTEMPTS:
                self._attempt(tool, step)
            elif doubt:
                return
            else:
                step["outcome"] = "failed"

    def undo(self) -> None:
        """Take back what was done and can be, the last first; each undo is a step with a key."""
        for step in reversed(self.writes("applied")):
            if name := self.tools[step["tool"]].undo:
                given = {one: step["arguments"][one] for one in self.tools[name].takes}
                back = self.step(name, given, None)
                self.settle(back)
                if back["outcome"] == "applied":
                    step["outcome"] = back["outcome"] = "undone"
                self.save()

    def spend(self, what: str, most: int) -> None:
        """Count a call or a turn, before it is made."""
        if self.host.cancelled:
            raise Ended("cancelled", "by_user")
        if time.time() - self.state["began"] >= SECONDS or self.state[what] >= most:
            raise Ended("partial", "budget_exhausted")
        self.state[what] += 1

    def _recognised(self, tool: Tool, step: Data) -> bool:
        kept = time.time() - step["first"] < KEYS_LAST
        return tool.dedup == "scope" or (tool.dedup == "key" and kept)

    def _attempt(self, tool: Tool, step: Data) -> None:
        time.sleep(max(0.0, step["next"] - time.time()))
        self.spend("calls", CALLS)
        step.update(outcome="unknown", attempts=step["attempts"] + 1, sent=time.time())
        step.setdefault("first", step["sent"])
        self.save()  # ahead of the call: whoever finds this knows that it may have been made
        keyed = {"idempotency_key": step["key"]} if tool.dedup == "key" else {}
        try:
            reply = self.host.call(step["tool"], step["arguments"] | keyed, step["asked"])
        except Exception as error:
            step["said"] = f"Error: {type(error).__name__}: {error}"
            step["next"] = time.time() + (getattr(error, "retry_after", None) or 1.0)
            lost = isinstance(error, (TimeoutError, ConnectionError))
            if not lost and getattr(error, "status", None) not in UNCLEAR:
                step["outcome"] = "failed"
            return
        step["said"] = reply if isinstance(reply, str) else json.dumps(reply)
        step["receipt"] = tool.receipt(step["arguments"], reply)
        if step["receipt"] or not tool.writes:
            step["outcome"] = "applied"
        elif isinstance(reply, dict) and reply.get("error"):
            step["outcome"] = "failed"
        else:
            step["said"] = f"Error: the answer proves nothing: {step['said']}"

    def _look_up(self, tool: Tool, step: Data) -> None:
        """Read the truth once nothing can arrive any more; two readings that agree are true."""
        time.sleep(max(0.0, step["sent"] + SETTLES - time.time()))
        self.spend("calls", CALLS)
        given = {name: step["arguments"][name] for name in self.tools[tool.look_up].takes}
        try:
            found = tool.found(given, self.host.call(tool.look_up, given))
        except Exception as error:
            found = None
            time.sleep(getattr(error, "retry_after", None) or 1.0)
        if found is not None and found in step["seen"]:
            outcome = "applied" if found else "planned"
            step.update(outcome=outcome, receipt=found, said=f"{outcome}: {found}")
        step["seen"] = [*step["seen"], found] if step["outcome"] == "unknown" else []
