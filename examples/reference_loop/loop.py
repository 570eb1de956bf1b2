"""The loop: turns of a model, their calls, and the one event that ends them, over one journal.

Law: an intent is written down before it is carried out, and its outcome after; what may have
happened is never done again blindly; the journal, and not the model, says how a task has ended.
What is handed to another loop is typed and sealed, and is checked before anything is done.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

Data = dict[str, Any]  # plain, for it is written down
ATTEMPTS = 3  # at a step, by all layers together; reminders
MOST = {"turns": 16, "calls": 60, "seconds": 6 * 3600.0}  # for a message of the user's
SETTLES, KEYS_LAST = 60.0, 23 * 3600.0  # until nothing can arrive; until a key is forgotten
UNCLEAR = (401, 409, 429)  # statuses that say nothing of what was sent before
NUDGE = "Only the tool `done` ends the task. Call what is left to do, or `done`."
STATUSES = ("success", "partial", "blocked", "failed")


class Ended(Exception):
    """The task ends here: a status and its reason."""


class Tool(NamedTuple):
    """What may be relied on of a tool: without that no loop can be right."""

    takes: tuple[str, ...]  # its parameters, without the key
    scope: tuple[str, ...]  # those that name the business object
    dedup: str  # how its backend knows a repeat: none, key, or scope (of a read: any)
    writes: bool = False
    undoes: str = ""  # the tool that it takes back
    after: str = ""  # the tool on whose effect it rests
    approval: bool = False  # by a person
    look_up: str = ""  # the tool whose replies prove whether it has happened
    proof: Callable[[Data, Any], str | None] = lambda arguments, reply: None  # a receipt; "": no

    def outcome(self, arguments: Data, reply: Any) -> Data:
        """What a reply, or an error, lets conclude: applied, failed or unknown."""
        if isinstance(reply, Exception):
            lost = isinstance(reply, (TimeoutError, ConnectionError))
            outcome = "unknown" if lost or getattr(reply, "status", 0) in UNCLEAR else "failed"
            return {"outcome": outcome, "said": f"Error: {type(reply).__name__}: {reply}"}
        said, proof = json.dumps(reply), self.proof(arguments, reply)
        if proof or not self.writes:
            return {"outcome": "applied", "said": said, "receipt": proof}
        return {"outcome": "unknown" if proof is None else "failed", "said": f"Error: {said}"}


@dataclass
class Loop:
    """One run of some tools. What it knows is one record, `name`, written in one step. Its host has
    `store` (durable, with `claim`), `model(messages, tools)`, `call(tool, arguments, asked)`,
    `request_approval`, `decision`, `why` (it was started), `cancelled`."""

    host: Any
    tools: Mapping[str, Tool]
    run_id: str  # the same in every process: keys are made of it
    name: str
    needs: Sequence[tuple[Any, ...]] = ()  # tools and scopes without which success is none
    ledger: Sequence[Data] = ()  # steps that were done before the task was handed over
    nudge: str = NUDGE  # said to a model that ends without `done`

    def run(self, message: str, text: str) -> Data:
        """Go on until the task ends, or waits for a person. One process is at it."""
        lease = f"{self.name}/lease"
        if not self.host.store.claim(lease) and self.host.why != "restart":  # by a supervisor
            return {"status": "blocked", "reason": "other", "detail": "another process is at it"}
        self.hear(message, text)
        try:
            while not (end := self.state["end"]):
                self.turn()
        except Ended as ended:
            end = self.end(*ended.args)
        del self.host.store[lease]
        return end  # type: ignore[no-any-return]

    def hear(self, message: str, text: str) -> None:
        """Go on from what was written. A message counts once, and the first answer to a request."""
        empty: Data = {"heard": [], "talk": [], "open": [], "answers": {}, "steps": self.ledger}
        self.state: Data = self.host.store.get(self.name) or empty
        state, answers, decision = self.state, self.state["answers"], self.host.decision
        if message not in state["heard"] and not state["open"]:
            state["heard"].append(message)
            state["talk"].append({"role": "user", "content": text})
            state |= {"end": None, "turns": 0, "calls": 0, "next": 0.0, "began": time.time()}
            state["steps"] = [one | {"attempts": 0} for one in state["steps"]]  # new budgets
        if decision and answers.get(decision.call, "") is None:
            answers[decision.call] = decision.granted is True
        self.save()

    def save(self) -> None:
        """Write all of it down."""
        self.host.store[self.name] = self.state

    def tried(self, what: str, step: Data, make: Callable[..., Any], *given: Any) -> Any:
        """What a call or a turn answers or raises: counted, and written down as unknown, ahead."""
        time.sleep(max(0.0, self.state["next"] - time.time()))
        if self.host.cancelled:
            raise Ended("cancelled", "by_user")
        if self.state[what] >= MOST[what] or time.time() - self.state["began"] >= MOST["seconds"]:
            raise Ended("partial", "budget_exhausted")
        self.state[what] += 1
        step |= {"outcome": "unknown", "attempts": step.get("attempts", 0) + 1}
        self.save()
        try:
            return make(*given)
        except Exception as error:
            self.state["next"] = time.time() + (getattr(error, "retry_after", None) or 1.0)
            return error

    def writes(self, *outcomes: str) -> list[Data]:
        """The steps that write and stand at one of these outcomes."""
        steps = [one for one in self.state["steps"] if self.tools[one["tool"]].writes]
        return [one for one in steps if one["outcome"] in outcomes]

    def step(self, name: str, given: Data, asked: str = "") -> Data:
        """The step of a call: the same business object is the same step, in whatever words."""
        arguments, steps = {one: given[one] for one in self.tools[name].takes}, self.state["steps"]
        scope = json.dumps([arguments[one] for one in self.tools[name].scope])
        for one in steps:
            if (one["tool"], one["scope"]) == (name, scope) and one["outcome"] != "undone":
                return one  # type: ignore[no-any-return]
        step: Data = {"tool": name, "scope": scope, "arguments": arguments, "asked": asked}
        step |= {"key": f"{self.run_id}/{len(steps)}/{name}/{scope}", "began": time.time()}
        step |= {"outcome": "planned", "said": "", "receipt": "", "attempts": 0}
        steps.append(step)
        return step

    def settle(self, step: Data) -> Data:
        """Try a step until it is applied or failed, or cannot be known. What may have happened is
        looked up once nothing can arrive, or repeated where the backend knows the repeat."""
        tool = self.tools[step["tool"]]
        while step["outcome"] in ("planned", "unknown") and step["attempts"] < ATTEMPTS:
            lasts = tool.dedup == "key" and time.time() - step["began"] < KEYS_LAST
            if tool.look_up and step["outcome"] == "unknown":
                time.sleep(SETTLES)
                read = self.step(tool.look_up, step["arguments"])
                self.attempt(self.tools[tool.look_up], read)
                if read["outcome"] != "applied" or (found := read["receipt"]) is None:
                    step["attempts"] += 1
                    continue
                step |= {"outcome": "applied" if found else "planned", "receipt": found}
                step["said"] = found or "Error: it was not done"
            elif lasts or tool.dedup == "scope" or step["outcome"] == "planned":
                self.attempt(tool, step)
            else:
                break
        return step

    def attempt(self, tool: Tool, step: Data) -> None:
        """Make the call of a step."""
        key = {"idempotency_key": step["key"]} if tool.dedup == "key" else {}
        call = (step["tool"], step["arguments"] | key, step["asked"])
        step |= tool.outcome(step["arguments"], self.tried("calls", step, self.host.call, *call))

    def turn(self) -> None:
        """Make the calls that are open, and take the next turn, if it came whole."""
        state = self.state
        for call in [*state["open"]]:
            if (text := self.result(call)) is not None:
                state["open"].remove(call)
                state["talk"].append({"role": "tool", "tool_call_id": call["id"], "content": text})
                self.save()
        if state["open"]:
            raise Ended("blocked", "needs_approval")
        turn = self.tried("turns", {}, self.host.model, state["talk"], [*self.tools, "done"])
        if not isinstance(turn, Exception) and turn["stop"] in ("end", "tool_calls"):
            state["open"] = calls = list({call["id"]: call for call in turn["tool_calls"]}.values())
            said = {"role": "assistant", "content": turn["content"], "tool_calls": [*calls]}
            state["talk"] += [said] if calls else [said, {"role": "user", "content": self.nudge}]
            self.save()
            nudges = [one["content"] for one in state["talk"]].count(self.nudge)
            if not calls and nudges >= ATTEMPTS:
                self.conclude("success" if self.needs else "partial")  # it never says it

    def result(self, call: Data) -> str | None:
        """What comes of a call; None: it waits for a person."""
        name, arguments, tool = call["name"], call["arguments"], self.tools.get(call["name"])
        if name == "done":
            return self.done(call)
        if tool is None or tool.undoes:
            return f"Error: {name} is no tool of this task"
        if not isinstance(arguments, dict) or set(arguments) != set(tool.takes):
            return f"Error: {name} takes an object with exactly {', '.join(tool.takes)}"
        if tool.after and tool.after not in [one["tool"] for one in self.writes("applied")]:
            return f"Error: {tool.after} has to be done first, and is not, or is in doubt"
        step, answers = self.step(name, arguments, call["id"]), self.state["answers"]
        if tool.writes and step["outcome"] == "applied":
            return json.dumps({"outcome": "replayed", "receipt": step["receipt"]})
        if tool.approval:  # of the arguments that were shown first
            if step["asked"] not in answers:
                self.host.request_approval(name, call=step["asked"])
                answers[step["asked"]] = None
                self.save()
            if not answers[step["asked"]]:
                return None if answers[step["asked"]] is None else "Error: nobody allowed it"
        else:
            step["asked"] = call["id"]
            if step["outcome"] != "unknown" and step["attempts"] < ATTEMPTS:
                step |= {"outcome": "planned", "arguments": arguments}
        return str(self.settle(step)["said"])

    def done(self, call: Data) -> str:
        """A done event: refused with the reason, or taken for what the journal makes of it."""
        status = call["arguments"].get("status") if isinstance(call["arguments"], dict) else None
        if self.state["talk"][-1].get("tool_calls") != [call] or status not in STATUSES:
            return f"Error: done is the only call of its turn, and status one of {STATUSES}"
        if status == "success" and (left := self.left()):
            return f"Error: not done: {', '.join(left)}"
        return self.conclude(status)

    def left(self) -> list[str]:
        """What a success lacks."""
        done = {(one["tool"], one["scope"]) for one in self.writes("applied")}
        missing = [str(one) for one in self.needs if (one[0], json.dumps(one[1:])) not in done]
        return missing + [one["tool"] for one in self.writes("planned", "failed", "unknown")]

    def conclude(self, status: str) -> NoReturn:
        """The end, as the journal has it. What was done of a task that failed is taken back, the
        last first, if nothing is in doubt; each undo is a step with a key."""
        left, undone_by = self.left(), {tool.undoes: name for name, tool in self.tools.items()}
        taken_back = status == "failed" and left and not self.writes("unknown")
        for step in reversed(self.writes("applied") if taken_back else []):
            if name := undone_by.get(step["tool"]):
                back = self.settle(self.step(name, step["arguments"]))
                if back["outcome"] == "applied":
                    step["outcome"] = back["outcome"] = "undone"
        if self.writes("unknown"):
            raise Ended("blocked", "outcome_unknown")
        if status == "success" and not left:
            raise Ended("success", "completed")
        if self.writes("applied"):
            raise Ended("partial", "some_effects_missing" if left else "unverified")
        raise Ended("failed", "tool_failed") if status == "failed" else Ended("blocked", "other")

    def end(self, status: str, reason: str) -> Data:
        """An ending with the truth in it: what stands, and what is in doubt."""
        stands = self.writes("applied", "unknown")
        told = "; ".join(f"{one['outcome']}: {one['tool']} {one['scope']}" for one in stands)
        handle = ", ".join(one["receipt"] for one in stands if one["receipt"]) or None
        end = {"status": status, "reason": reason, "handle": handle, "detail": told}
        if reason != "needs_approval":  # else somebody goes on with what is open
            closed = {"role": "tool", "content": "The task has ended."}
            talk = [closed | {"tool_call_id": call["id"]} for call in self.state["open"]]
            self.state |= {"talk": self.state["talk"] + talk, "open": [], "end": end}
            self.save()
        return end


def seal(payload: Data) -> str:
    """A digest of everything in a handoff but the seal itself."""
    said = json.dumps({**payload, "carry": {**payload["carry"], "seal": ""}}, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def handoff(steps: Sequence[Data], task: str, version: int, owner: str, **facts: Any) -> Data:
    """A run to be handed over: `facts` must arrive as they are, and so must what was done, with its
    keys; `claims` are what was found, each with its source; `text` is what a model is told."""
    done = [step for step in steps if step["outcome"] == "applied"]
    claims = [{"item": one["tool"], "value": one["said"], "source": one["asked"]} for one in done]
    ledger = [one for one in done if one["receipt"]]
    payload: Data = {"task": task, "version": version, "owner": owner, "claims": claims}
    payload |= {"effects": [one["receipt"] for one in ledger], "questions": []}
    payload["text"] = json.dumps({**payload, "facts": facts})
    payload["carry"] = {**facts, "ledger": ledger}
    payload["carry"]["seal"] = seal(payload)
    return payload


def hand_over(send: Callable[[Data], str], payload: Data) -> bool:
    """Send a handoff until its receiver has it; without an answer, the same one again."""
    return any(send(payload) in ("accepted", "known") for _ in range(ATTEMPTS))


def receive(store: MutableMapping[str, Any], me: str, payload: Any) -> str:
    """What an agent makes of an arrival: `accepted`, and written down as its own, or why not."""
    try:
        if payload["carry"]["seal"] != seal(payload):
            return "changed on the way"
    except (KeyError, TypeError):
        return "invalid"
    if payload["owner"] != me:
        return f"for {payload['owner']}"
    name = f"{me}/owns/{payload['task']}"
    had = store.get(name, {"version": 0})["version"]
    if payload["version"] <= had:
        return "known" if payload["version"] == had else "out of date"
    store[name] = payload
    return "accepted"


def owned(store: MutableMapping[str, Any], me: str) -> list[Data]:
    """The handoffs that an agent has accepted, also before its process died."""
    return [store[name] for name in sorted(store) if name.startswith(f"{me}/owns/")]
