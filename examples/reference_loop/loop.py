"""The loop: turns of a model, their calls, and the one event that ends them.

Law: a turn is written down before anything of it is done; its calls get one result each; only a
done event that the journal bears out, or a budget, ends a task.
"""

import json
import time

from .journal import Data
from .steps import ATTEMPTS, TURNS, Ended, Steps

NUDGE = "Only the tool `done` ends the task. Call what is left to do, or `done`."
STATUSES = ("success", "partial", "blocked", "failed")
Decision = tuple[str, bool]  # the id of a call, and whether it may be made


class Loop(Steps):
    """One run of some tools."""

    def run(
        self, message: str, text: str, decision: Decision | None = None, *, restarted: bool = False
    ) -> Data:
        """Go on with the run until it ends, or waits for a person. `restarted`: the process that
        was at it is dead; else whoever comes second leaves it alone."""
        mine = self.host.store.claim(f"{self.name}/lease") or restarted
        self.read()
        if mine:
            self.hear(message, text)
            end = self.state["end"]
            if end is None or (decision and end["reason"] == "needs_approval"):
                self._go(decision)
            del self.host.store[f"{self.name}/lease"]
        return self.state.get("end") or self._told("blocked", "other")  # another one is at it

    def _go(self, decision: Decision | None) -> None:
        self.state["end"] = None
        try:
            if decision:
                self._decide(*decision)
            status, reason = self._turns()
        except Ended as end:
            status, reason = end.args
        if reason != "needs_approval":
            for call in [*self.state["open"]]:  # nobody goes on with these
                self._give(call, "Error: no result, for the task ended before")
        self.state["end"] = self._told(status, reason)
        self.save()

    def _turns(self) -> tuple[str, str]:
        while True:
            for call in [*self.state["open"]]:
                text = self._result(call)
                if text is not None:
                    self._give(call, text)
            if self.state["open"]:
                return "blocked", "needs_approval"
            if self.state["said"]:
                return self._conclude(self.state["said"])
            self._ask()

    def _ask(self) -> None:
        """Take the next turn, if it came whole, and write it down before any call is made."""
        while self.host.inbox:
            self.state["queue"].append(self.host.inbox[0])
            self.save()
            self.host.inbox.pop(0)
        self.state["talk"] += [{"role": "user", "content": text} for text in self.state["queue"]]
        self.state["queue"] = []
        self.spend("turns", TURNS)
        try:
            turn = self.host.model(self.state["talk"], list(self.host.tools))
        except Exception as error:
            time.sleep(getattr(error, "retry_after", None) or 1.0)
            return
        if turn["stop"] in ("end", "tool_calls"):
            calls = list({call["id"]: call for call in turn["tool_calls"]}.values())
            said = {"role": "assistant", "content": turn["content"], "tool_calls": calls}
            self.state["talk"].append(said)
            self.state["open"] = [*calls]
            if not calls:
                self.state["queue"].append(NUDGE)
                self.state["silent"] += 1
                if self.state["silent"] == ATTEMPTS:  # it never says it: the journal alone decides
                    self.state["said"] = "success" if self._whole() else "partial"
            self.save()

    def _give(self, call: Data, text: str) -> None:
        self.state["open"].remove(call)
        self.state["talk"].append({"role": "tool", "tool_call_id": call["id"], "content": text})
        self.save()

    def _result(self, call: Data) -> str | None:
        """What comes of a call; None: it waits for a person."""
        name, arguments = call["name"], call["arguments"]
        if name == "done":
            return self._done(call)
        if problem := self._problem(name, arguments):
            return f"Error: {problem}"
        tool, step = self.tools[name], self.step(name, arguments, call["id"])
        if tool.writes and step["outcome"] == "applied":
            return json.dumps({"outcome": "replayed", "receipt": step["receipt"]})
        if not tool.approval:
            step["asked"] = call["id"]
            if step["outcome"] != "unknown" and step["attempts"] < ATTEMPTS:
                step.update(outcome="planned", arguments=arguments)
        elif not step["approval"]:
            self.host.request_approval(name, call=call["id"])
            step["approval"] = "asked"
            self.save()
        if step["approval"] == "asked":
            return None
        self.settle(step)
        return str(step["said"])

    def _problem(self, name: str, arguments: object) -> str:
        tool = self.tools.get(name)
        if tool is None or name in {one.undo for one in self.tools.values()}:
            return f"{name} is no tool of this task"
        if not isinstance(arguments, dict) or set(arguments) != set(tool.takes):
            return f"{name} takes an object with exactly {', '.join(tool.takes)}"
        if tool.after and tool.after not in {one["tool"] for one in self.writes("applied")}:
            return f"{tool.after} has to be done first, and is not, or is in doubt"
        return ""

    def _decide(self, call: str, yes: bool) -> None:
        """The first answer about a call uses the request up."""
        for step in self.writes("planned"):
            if step["approval"] == "asked" and step["asked"] == call:
                step["approval"] = "given"
                if not yes:
                    step.update(outcome="failed", said="Error: nobody allowed it")
                self.save()

    def _done(self, call: Data) -> str:
        """A done event: taken, or refused with the reason."""
        status = call["arguments"].get("status") if isinstance(call["arguments"], dict) else None
        left = [*self._missing(), *(one["tool"] for one in self.writes("failed", "unknown"))]
        if self.state["talk"][-1].get("tool_calls") != [call] or status not in STATUSES:
            return f"Error: done is the only call of its turn, and status one of {STATUSES}"
        if status == "success" and left:
            return f"Error: not done: {', '.join(left)}"
        self.state["said"] = status
        return "ok"

    def _missing(self) -> list[str]:
        done = {(one["tool"], one["scope"]) for one in self.writes("applied")}
        return [str(one) for one in self.needs if (one[0], json.dumps(one[1:])) not in done]

    def _whole(self) -> bool:
        return bool(self.needs) and not self._missing()

    def _conclude(self, status: str) -> tuple[str, str]:
        """What the journal makes of the model's last word."""
        if status == "failed" and not self._whole() and not self.writes("unknown"):
            self.undo()
        if self.writes("unknown"):
            return "blocked", "outcome_unknown"
        if status == "success":
            return "success", "completed"
        if self.writes("applied"):
            return "partial", "unverified" if self._whole() else "some_effects_missing"
        return ("failed", "tool_failed") if status == "failed" else ("blocked", "other")

    def _told(self, status: str, reason: str) -> Data:
        """An ending with the truth in it: what stands, and what is in doubt."""
        stands = self.writes("applied", "unknown")
        told = [f"{one['outcome']}: {one['tool']} {one['scope']}" for one in stands]
        handle = ", ".join(one["receipt"] for one in stands if one["receipt"]) or None
        return {"status": status, "reason": reason, "handle": handle, "detail": "; ".join(told)}
