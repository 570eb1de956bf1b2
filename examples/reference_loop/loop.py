"""The loop: turns of a model, their calls, and the one event that ends them.

Law: a turn is written down before anything of it is done; its calls get one result each; only a
done event that the journal bears out, or a budget, ends a task. Called with each message of a
user's, each decision, and again after a crash.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .contract import REASONS, Done, Host, Limits, Outcome, Refused, Step, Tool
from .journal import Journal
from .steps import NO_ANSWER, Spent, Steps, Stopped

NUDGE = "Only the tool `done` ends the task. Call what is left to do, or `done`."
Message = dict[str, Any]
Decision = tuple[str, bool]  # the id of a call, and whether it may be made


@dataclass
class Loop:
    """One run of some tools; its keys are made of `run_id`, its journal is called `name`. `needs`
    are the intents without which success is none: a tool, then its scope. `ledger` are steps that
    were done before the task was handed over."""

    host: Host
    tools: Sequence[Tool]
    run_id: str
    needs: Sequence[tuple[Any, ...]] = ()
    limits: Limits = field(default_factory=Limits)
    name: str = ""
    ledger: Sequence[Step] = ()

    def _read(self) -> None:
        self.tool = {tool.name: tool for tool in self.tools}
        self.journal = Journal(self.host.store, self.run_id, self.name or self.run_id)
        self.steps = Steps(self.host, self.journal, self.tool, self.limits)
        self.state = self.journal.state
        if not self.state["heard"]:
            self.state["steps"] = [dict(step) for step in self.ledger]

    def run(
        self, message: str, text: str, *, decision: Decision | None = None, restarted: bool = False
    ) -> Done:
        """Go on with the run until it ends, or waits for a person. `restarted`: the process that
        was at it is dead; else whoever comes second leaves it alone."""
        lease = f"{self.name or self.run_id}/lease"
        mine = self.host.claim(lease) or restarted
        self._read()  # what was written before the lease was free
        if not mine:
            return self._known()
        self.journal.hear(message, text, self.host.now())
        end = self._known() if self.state["end"] else self._go(decision)
        del self.host.store[lease]
        return end

    def _known(self) -> Done:
        end = self.state["end"]
        if end is None:
            return Done("blocked", "other", detail="another worker is at it")
        return Done(**{**end, "reason": "already_done"} if end["status"] == "success" else end)

    def _go(self, decision: Decision | None) -> Done:
        try:
            if decision is not None:
                self._decide(*decision)
            end = self._turns()
        except Stopped:
            end = self._end("cancelled", "by_user")
        except Spent:
            end = self._end("partial", "budget_exhausted")
        if end.reason != "needs_approval":
            for call in self._open()[0]:  # nobody goes on with these
                self._give(call, "Error: no result, for the task ended before")
            self.state["end"] = asdict(end)
        self.journal.save()
        return end

    # Turns ----------------------------------------------------------------------------------

    def _turns(self) -> Done:
        while self._act():
            if self.state["said"]:
                return self._conclude(self.state["said"])
            spoke = self.state["talk"] and self.state["talk"][-1]["role"] == "assistant"
            if spoke and self.state["silent"] > self.limits.silent:
                return self._conclude("")
            self._listen()
            turn = self._ask()
            if turn is None:
                return self._end("blocked", "dependency_unavailable")
            self._plan(turn)
        return self._end("blocked", "needs_approval")

    def _listen(self) -> None:
        inbox = self.host.inbox()
        while inbox:
            self.state["queue"].append(inbox[0])
            self.journal.save()
            inbox.pop(0)
        self.state["talk"] += [{"role": "user", "content": text} for text in self.state["queue"]]
        self.state["queue"] = []

    def _ask(self) -> Message | None:
        """The next turn that came whole; nothing is done on half of one."""
        for _ in range(self.limits.attempts):
            if self.host.cancelled():
                raise Stopped
            if self.state["turns"] >= self.limits.turns:
                raise Spent
            self.state["turns"] += 1
            pause = self.limits.pause
            try:
                turn = self.host.ask(self._shown())
            except (Refused, *NO_ANSWER) as error:
                pause = getattr(error, "after", None) or pause
            else:
                if turn["stop"] in ("end", "tool_calls"):
                    return turn
            self.host.sleep(pause)
        return None

    def _plan(self, turn: Message) -> None:
        """Write the turn down, with a step for each of its calls, before any is made."""
        calls = list({call["id"]: call for call in turn["tool_calls"]}.values())
        said = {"role": "assistant", "content": turn["content"], "tool_calls": calls}
        self.state["talk"].append(said)
        for call in calls:
            if not self._problem(call):
                tool = self.tool[call["name"]]
                step = self.journal.step(tool, call["arguments"], call["id"])
                again = (Outcome.FAILED,) if tool.writes else (Outcome.FAILED, Outcome.APPLIED)
                left = step["attempts"] < self.limits.attempts
                if step["outcome"] in again and left and not tool.approval:
                    step.update(outcome=Outcome.PLANNED, arguments=dict(call["arguments"]))
        if not calls:
            self.state["silent"] += 1
            self.state["queue"].append(NUDGE)
        self.journal.save()

    def _open(self) -> tuple[list[Message], bool]:
        """The calls of the last turn that have no result yet, and whether it has one call only."""
        turns = [one for one in self.state["talk"] if one["role"] == "assistant"]
        calls = turns[-1]["tool_calls"] if turns else []
        answered = {one.get("tool_call_id") for one in self.state["talk"]}
        return [call for call in calls if call["id"] not in answered], len(calls) == 1

    def _give(self, call: Message, text: str) -> None:
        result = {"role": "tool", "tool_call_id": call["id"], "content": text}
        self.state["talk"].append(result)

    def _act(self) -> bool:
        """Give each open call of the last turn its result. False: one waits for a person."""
        calls, alone = self._open()
        for call in calls:
            text = self._result(call, alone=alone)
            if text is not None:
                self._give(call, text)
                self.journal.save()
        return not self._open()[0]

    def _result(self, call: Message, *, alone: bool) -> str | None:
        if call["name"] == "done":
            return self._done(call["arguments"], alone=alone)
        if problem := self._problem(call):
            return f"Error: {problem}"
        tool = self.tool[call["name"]]
        if tool.after and tool.after not in {one["tool"] for one in self.journal.done}:
            return f"Error: {tool.after} has to be done first, and is not, or is in doubt"
        step = self.journal.step(tool, call["arguments"], call["id"])
        if step["outcome"] == Outcome.APPLIED:
            known = {"outcome": Outcome.REPLAYED, "as": step["asked"], "receipt": step["receipt"]}
            return json.dumps(known) if tool.writes else str(step["said"])
        if tool.approval and not self._allowed(tool, step):
            return None if step["outcome"] == Outcome.PLANNED else str(step["said"])
        if not tool.approval:
            step["asked"] = call["id"]
        self.steps.settle(step)
        return str(step["said"])

    def _problem(self, call: Message) -> str:
        name, arguments = call["name"], call["arguments"]
        undoers = {tool.undo for tool in self.tools}
        if name not in self.tool or name in undoers:
            return f"{name} is no tool of this task"
        takes = self.tool[name].takes
        fits = isinstance(arguments, dict) and set(arguments) == set(takes)
        return "" if fits else f"{name} takes an object with exactly {', '.join(takes)}"

    def _shown(self) -> list[Message]:
        """The conversation; of a long one the user's words, a line for each old result, and the
        last turns whole."""
        talk: list[Message] = self.state["talk"]
        begins = [at for at, one in enumerate(talk) if one["role"] == "assistant"]
        if len(begins) <= self.limits.window:
            return talk
        cut = begins[-self.limits.window]
        asked = {one["id"]: one for each in talk[:cut] for one in each.get("tool_calls", ())}
        lines = [
            f"{made['name']} {json.dumps(made['arguments'])} returned {one['content']}"
            for one in talk[:cut] if (made := asked.get(one.get("tool_call_id")))
        ]  # fmt: skip
        told = [one for one in talk[:cut] if one["role"] == "user"]
        return [*told, {"role": "system", "content": "\n".join(lines)}, *talk[cut:]]

    # Approvals ------------------------------------------------------------------------------

    def _allowed(self, tool: Tool, step: Step) -> bool:
        """Whether a person has allowed this step; if nobody was asked yet, ask."""
        if step["approval"] is None:
            until = self.host.now() + self.limits.approval
            step["approval"] = {"call": step["asked"], "until": until, "id": "", "yes": None}
            self.journal.save()
        if not step["approval"]["id"]:
            step["approval"]["id"] = self.host.approve(tool.name, step["asked"])
            self.journal.save()
        return bool(step["approval"]["yes"])

    def _decide(self, call: str, yes: bool) -> None:
        """The first answer about a call uses the request up, and a late yes is a no."""
        for step in self.journal.writes(Outcome.PLANNED):
            asked = step["approval"]
            if asked is not None and asked["call"] == call and asked["yes"] is None:
                asked["yes"] = yes and self.host.now() <= asked["until"]
                if not asked["yes"]:
                    step.update(outcome=Outcome.FAILED, said="Error: nobody allowed it")
                self.journal.save()

    # Endings --------------------------------------------------------------------------------

    def _done(self, arguments: Any, *, alone: bool) -> str:
        """A done event: taken, or refused with the reason."""
        given = arguments if isinstance(arguments, dict) else {}
        status, reasons = given.get("status"), REASONS.get(str(given.get("status")), ())
        problem = "" if alone else "done has to be the only call of its turn"
        if not reasons or (given.get("reason") or reasons[0]) not in reasons:
            problem = f"status is one of {', '.join(REASONS)}, each with its own reasons"
        elif status == "success" and (
            self._missing() or self.journal.writes(Outcome.FAILED, Outcome.UNKNOWN)
        ):
            problem = f"not done: {self._missing() or 'a call that failed'}"
        if problem:
            self.state["silent"] += 1
            return f"Error: {problem}"
        self.state["said"] = str(status)
        return "ok"

    def _missing(self) -> list[str]:
        done = {(one["tool"], one["scope"]) for one in self.journal.done}
        return [str(one) for one in self.needs if (one[0], json.dumps([*one[1:]])) not in done]

    def _conclude(self, status: str) -> Done:
        """What the journal makes of the model's last word; "" if there was none."""
        if self.journal.doubt:
            return self._end("blocked", "outcome_unknown")
        if status == "success" or (not status and self.needs and not self._missing()):
            return self._end("success", "completed")
        if self.needs and not self._missing():
            return self._end("partial", "unverified")
        rejected = any(one["approval"] for one in self.journal.writes(Outcome.FAILED))
        waits = status in ("blocked", "partial")
        if not waits:
            self.steps.undo()
        if self.journal.doubt:
            return self._end("blocked", "outcome_unknown")
        if self.journal.done:
            return self._end("partial", "some_effects_missing")
        if waits:
            return self._end("blocked", "other")
        return self._end("failed", "rejected" if rejected else "tool_failed")

    def _end(self, status: str, reason: str) -> Done:
        """An ending with the truth in it: what stands, and what is in doubt."""
        done, doubt = self.journal.done, self.journal.doubt
        told = [f"done: {one['tool']} {one['scope']} {one['receipt']}" for one in done]
        told += [f"in doubt: {one['tool']} {one['scope']}" for one in doubt]
        handle = ", ".join(one["receipt"] for one in done)
        return Done(status, reason, handle, "; ".join(told))
