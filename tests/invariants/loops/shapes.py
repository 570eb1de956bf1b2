"""Honest loops of many shapes: each does one thing otherwise than the plainest one, as loops in the
field do, and none of it is wrong.

Law: what a loop distrusts it repeats with the same key, and tells the model of an error. Called by
the test that runs them under all laws of protocol and endings.
"""

import time
from collections.abc import Mapping
from typing import Any

from agentfuzz import Completion, World
from agentfuzz.world.reply_faults import as_text
from invariants.loops.react import FAULTS, Plain, good


class Trims(Plain):
    """Shows the beginning of each result."""

    def show(self, reply: Any) -> str:
        return as_text(reply)[:30] + "..."


class AsPython(Plain):
    """Shows what `str` makes of a result, and the type of an error."""

    def show(self, reply: Any) -> str:
        return str(reply)

    def tell(self, error: Exception) -> str:
        return f"{type(error).__name__}: {error}"


class Prose(Plain):
    """Shows a result as a line of text."""

    def show(self, reply: Any) -> str:
        fields = reply.items() if isinstance(reply, dict) else [("result", reply)]
        return "; ".join(f"{name} is {value}" for name, value in fields)


class Distrusts(Plain):
    """Believes only what it expects; asks three times, with the same key and under the same id."""

    tries = 3


class InFewWords(Distrusts):
    """Says as good as nothing about an answer that it distrusts."""

    def distrust(self, tool: str, reply: Any) -> str:
        return "?"


class ShowsHalf(Distrusts):
    """Shows a piece of an answer that it distrusts."""

    def distrust(self, tool: str, reply: Any) -> str:
        return f"{str(reply)[:7]} [...] (unreadable)"


class InGerman(Distrusts):
    """Tells its errors in another language."""

    def tell(self, error: Exception) -> str:
        return "Fehler: keine Antwort"

    def distrust(self, tool: str, reply: Any) -> str:
        return "Antwort unbrauchbar"


class ClientRetries(Distrusts):
    """A client repeats by itself, and knows nothing of ids; the key is the same."""

    def send(self, one: Mapping[str, Any], arguments: Mapping[str, Any], nth: int) -> Any:
        if nth:
            return self.world.call(one["name"], arguments)
        return super().send(one, arguments, nth)


class BacksOff(Distrusts):
    """Waits before it asks again."""

    def send(self, one: Mapping[str, Any], arguments: Mapping[str, Any], nth: int) -> Any:
        time.sleep(4**nth if nth else 0)
        return super().send(one, arguments, nth)


class Logs(Distrusts):
    """Returns its own log: what it believed, and each attempt that failed."""

    def run(self) -> Any:
        self.log: list[str] = []
        return {"end": super().run(), "calls": self.log}

    def send(self, one: Mapping[str, Any], arguments: Mapping[str, Any], nth: int) -> Any:
        last = nth == self.tries - 1 or self.made == self.calls
        try:
            reply = super().send(one, arguments, nth)
        except FAULTS:
            self.log.append(one["name"])
            raise
        if last or reply == good(one["name"], arguments.get("order_id")):
            self.log.append(one["name"])
        return reply


class Summarises(Plain):
    """Shows the last turn as it was, and one line for each result before it."""

    def shown(self) -> list[dict[str, Any]]:
        begins = [at for at, one in enumerate(self.messages) if one["role"] == "assistant"]
        if len(begins) < 2:
            return self.messages
        old = [one for one in self.messages[: begins[-1]] if one["role"] == "tool"]
        lines = "; ".join(f"{one['tool_call_id']}: {one['content']}" for one in old)
        summary = {"role": "assistant", "content": f"So far: {lines}"}
        return [self.messages[0], summary, *self.messages[begins[-1] :]]


class TakesBack(Distrusts):
    """Takes a turn of which nothing came back, and says in words what failed; not the third one."""

    back = 0

    def act(self, turn: Mapping[str, Any]) -> None:
        before, had, self.failed = len(self.messages), set(self.receipts), ""
        super().act(turn)
        if self.failed and self.receipts == had and self.back < 2:
            self.messages[before:] = [{"role": "system", "content": self.failed}]
            self.back += 1

    def result(self, one: Mapping[str, Any]) -> str:
        text = super().result(one)
        if text.startswith("Error"):
            self.failed = f"{one['name']} failed: {text}"
        return text


class Resumes(Distrusts):
    """Writes the conversation down after each result, and goes on with it after a crash."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.messages = world.store.get("messages") or self.messages
        self.receipts = set(world.store.get("receipts") or ())

    def run(self) -> Any:
        if "end" in self.world.store:
            return Completion(**self.world.store["end"])
        answered = {one.get("tool_call_id") for one in self.messages}
        for one in [call for each in self.messages for call in each.get("tool_calls", ())]:
            if one["id"] not in answered:
                self.keep({"role": "tool", "tool_call_id": one["id"], "content": self.result(one)})
        end = super().run()
        self.world.store["end"] = end.model_dump()
        return end

    def keep(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        self.world.store["messages"] = self.messages  # first: what it knows, the model knows
        self.world.store["receipts"] = sorted(self.receipts)

    def act(self, turn: Mapping[str, Any]) -> None:
        calls = list({one["id"]: one for one in turn["tool_calls"]}.values())
        self.keep({**turn, "tool_calls": calls})
        for one in calls:
            self.keep({"role": "tool", "tool_call_id": one["id"], "content": self.result(one)})


class ResumesTurns(Resumes):
    """Writes it down after each turn."""

    def act(self, turn: Mapping[str, Any]) -> None:
        Plain.act(self, turn)
        self.keep(self.messages.pop())
