"""Loops and scenarios for the faults of the model: one loop that nothing of the model's moves, and
loops with one realistic flaw each.

Law: a flaw is one method on top of a loop of `invariants.loops.field`; nothing here knows a plan.
Called by the tests of model faults.
"""

import json
import re
from difflib import get_close_matches
from typing import Any

from agentfuzz import Completion, Invariant, ModelError, World, scenario
from agentfuzz.wire.router import face_of
from agentfuzz.world.reply_faults import as_text
from invariants.loops.field import CHARGE, FAULTS, Loop, Streams

CLOSED = "Done! Order A17 is charged."
DETECTOR = re.compile(r"\b(done|complete|finished)\b", re.IGNORECASE)


def order(*laws: Invariant, tool: bool = False, calls: bool = True, dedup: Any = "none", **given):
    """One order to be charged. The model closes in prose or, with `tool`, by the done tool;
    without `calls` it has nothing to do. A charge can be taken back. Laws that are given are judged
    without the two that need no declaration."""
    closing = Completion.success(handle="ch_A17") if tool else CLOSED
    declared = {law.name for law in laws}
    others = {"at_most_once", "replay_transparency"} - declared if laws else ()

    @scenario(
        *laws,
        without=sorted(others),
        task="Charge order A17.",
        script=[*[CHARGE] * calls, closing],
        **given,
    )
    def charge_order(world: World) -> None:
        @world.tool(effect="charge", scope=("order_id",), dedup=dedup)
        def charge_card(order_id: str, amount: int) -> dict:
            return {"charge_id": f"ch_{order_id}", "amount": amount}

        @world.tool(effect="refund", scope=("order_id",), undoes="charge_card")
        def cancel_charge(order_id: str) -> dict:
            return {"cancelled": order_id}

    return charge_order


SUCCESS = Completion.success(handle="ch_A17")
CLOSING = {"stop": "end", "content": "", "tool_calls": []}  # a turn that never came


class Careful(Loop):
    """The survivor: reads receipts and never words, calls once per order, takes nothing back,
    ends at the first completion that is one, after the other calls of its turn."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.receipts: dict[tuple[str, str], str] = {}
        self.ended: dict[str, Any] | None = None

    def run(self) -> Any:
        answer = super().run()
        return None if self.ended is not None else answer

    def ask(self) -> Any:
        if self.ended is not None:
            return CLOSING
        return super().ask()

    def wanted(self, turn):
        return sorted(super().wanted(turn), key=lambda call: call["name"] == "done")

    def answer(self, turn):
        known = self.receipts.get(("charge_card", "A17"))
        if known is None:
            return Completion.partial(reason="unverified")
        return Completion.success(handle=json.loads(known)["charge_id"])

    def execute(self, call):
        name, arguments = call["name"], call["arguments"]
        if not isinstance(arguments, dict):
            raise ValueError("the arguments are no JSON object")
        if name == "done":
            return self.complete(arguments)
        if name not in self.world.gateway.specs:
            raise ValueError(f"there is no tool {name}")
        scope = (name, str(arguments.get("order_id")))
        if name == "cancel_charge":
            raise ValueError("nothing is taken back without a person's word")
        if scope not in self.receipts:
            text = super().execute(call)
            found = json.loads(text)  # raises ValueError: the model is told
            if not isinstance(found, dict) or not isinstance(found.get("charge_id"), str):
                raise ValueError("that is no receipt")
            self.receipts[scope] = text
        return self.receipts[scope]

    def complete(self, arguments: dict[str, Any]) -> str:
        if self.ended is None:
            said = Completion(**arguments)  # raises ValueError: the model is told
            if said.status == "success" and ("charge_card", "A17") not in self.receipts:
                raise ValueError("there is no receipt")
            self.ended = arguments
            self.world.tools.done(**arguments)
        return "ok"


# Flaws of loops that believe in the words -------------------------------------------------------


class ReadsWords(Loop):
    """Unclear words mean that the task is run again, from the start."""

    def run(self):
        for _ in range(3):
            words = Loop(self.world).run()
            if isinstance(words, Completion) or DETECTOR.search(words):
                break
        return words


class TakesTheEndForSuccess(Loop):
    """Does what it is asked; whoever asks for nothing more has finished."""

    def answer(self, turn):
        return SUCCESS


class HandsOnTheText(Careful):
    """No call of the done tool: then the text will do."""

    def answer(self, turn):
        return turn["content"]


# Flaws of loops that trust a call ---------------------------------------------------------------


class KeyPerCall(Loop):
    """Every layer is idempotent, and the key is the id that the model gave its call."""

    def execute(self, call):
        if isinstance(call["arguments"], dict) and call["name"] == "charge_card":
            call = {**call, "arguments": {**call["arguments"], "idempotency_key": call["id"]}}
        return super().execute(call)


class KeyOfArguments(Loop):
    """The key is a hash of the arguments, to the letter."""

    def execute(self, call):
        if isinstance(call["arguments"], dict) and call["name"] == "charge_card":
            key = json.dumps(call["arguments"], sort_keys=True)
            call = {**call, "arguments": {**call["arguments"], "idempotency_key": key}}
        return super().execute(call)


class Soothes(Loop):
    """What was refused is shown to the model as done, so that it goes on."""

    def attempt(self, call):
        given = call["arguments"] if isinstance(call["arguments"], dict) else {}
        try:
            return as_text(self.world.call(call["name"], given, asked=call["id"]))
        except FAULTS:
            return "ok"

    def answer(self, turn):
        return SUCCESS


class NearestName(Loop):
    """A tool that is not there is mended: the one with the nearest name is called."""

    def execute(self, call):
        known = get_close_matches(call["name"], self.world.gateway.specs, 1)
        return super().execute({**call, "name": known[0]})


class Relays(Loop):
    """Calls what the turn says in the order in which it stands there, the done tool too."""

    def execute(self, call):
        if call["name"] == "done":
            return as_text(self.world.tools.done(**call["arguments"]))
        return super().execute(call)


class NeverTires(Loop):
    """As long as the model asks, it is served."""

    def run(self):
        while (turn := self.ask()) is not None and turn["tool_calls"]:
            self.act(turn)
        return SUCCESS

    def execute(self, call):
        self.calls = 0
        return super().execute(call)


# Flaws of loops whose model fails -----------------------------------------------------------------


class StartsOver(Loop):
    """A decorator around the whole task runs it again when the API says 429."""

    def run(self):
        for _ in range(3):
            try:
                return super().run()
            except ModelError:
                self.messages = self.messages[:1]
        return Completion.failed(reason="dependency_unavailable")

    def ask(self):
        try:
            return self.world.model(self.messages)
        except (TimeoutError, ConnectionError):
            return None


class QuotesTheError(Loop):
    """The answer is whatever came last, the text of an exception too."""

    def run(self):
        try:
            return super().run()
        except ModelError as error:
            return f"Error: {error}"

    def ask(self):
        return self.world.model(self.messages)


class OnlyTheClosing(Loop):
    """The model is slow; it will only have wanted to say goodbye."""

    def ask(self):
        try:
            return self.world.model(self.messages)
        except TimeoutError:
            return CLOSING
        except (ModelError, ConnectionError):
            return None

    def answer(self, turn):
        return SUCCESS


def without_a_model(world: World) -> Completion:
    """Needs no model: it knows which call to make."""
    try:
        found = world.tools.charge_card(order_id="A17", amount=42)
    except FAULTS:
        return Completion.blocked()
    return SUCCESS if "charge_id" in found else Completion.partial(reason="unverified")


# Flaws of loops that read a provider's reply ------------------------------------------------------


class StopsAtAText(Loop):
    """Whatever has a text is an answer, its calls notwithstanding."""

    def act(self, turn):
        if not turn["content"]:
            super().act(turn)

    def run(self):
        turn = self.ask()
        while turn is not None and not turn["content"]:
            self.act(turn)
            turn = self.ask()
        return Completion.blocked() if turn is None else turn["content"]


class StreamsWords(Streams):
    """Makes no call of a stream that broke, and believes in its words."""

    def finished(self, turn):
        return super().finished(turn) and not (turn["stop"] == "cut" and turn["tool_calls"])


class Posts(Careful):
    """Asks over a wire, as it asks everybody, and reads what a provider says of a reply: why it
    ended, and its id."""

    path = "/v1/chat/completions"
    reply = ""

    def ask(self):
        if self.ended is not None:
            return CLOSING
        said = [self.worded(message) for message in self.messages]
        tools = [{"type": "function", "function": {"name": n}} for n in self.world.gateway.specs]
        body = json.dumps({"model": "m", "messages": said, "tools": tools}).encode()
        found = face_of(self.world).answer("POST", self.path, {}, body, is_strict=False)
        if found.status != 200:
            return None
        whole = json.loads(found.body)
        self.reply, (choice,) = whole["id"], whole["choices"]
        return {
            "content": choice["message"]["content"],
            "stop": {"stop": "end"}.get(choice["finish_reason"], choice["finish_reason"]),
            "tool_calls": [
                {"id": call["id"], "name": call["function"]["name"], "arguments": read(call)}
                for call in choice["message"].get("tool_calls", ())
            ],
        }

    def worded(self, message):
        calls = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": json.dumps(call["arguments"])},
            }
            for call in message.get("tool_calls", ())
        ]
        return {**message, "tool_calls": calls} if calls else message


def read(call: Any) -> Any:
    return json.loads(call["function"]["arguments"])


class PostsAndNeverLooks(Posts):
    """What came with a status of 200 and asks for nothing is the answer, whatever ended it."""

    def finished(self, turn):
        return turn["stop"] == "tool_calls" or not turn["tool_calls"]

    def answer(self, turn):
        return turn["content"]


class Waits(Careful):
    """Asks a provider whose replies may pause; ends where one does."""

    def ask(self):
        if self.ended is not None:
            return CLOSING
        try:
            return self.world.model.turn(self.messages, ids="toolu_01")
        except (ModelError, TimeoutError, ConnectionError):
            return None


class TakesAPauseForTheEnd(Waits):
    """Nothing is asked for, so it is over."""

    def finished(self, turn):
        return True

    def answer(self, turn):
        return turn["content"]


class KeepsByTheId(Posts):
    """Keeps the conversation by the ids of its messages: what bears a known one takes its place."""

    def __init__(self, world):
        super().__init__(world)
        self.kept = {}

    def run(self):
        for _ in range(4):
            turn = self.ask()
            if turn is None:
                break
            self.act(turn)
            if not self.messages[-1].get("tool_calls") and self.messages[-1]["role"] != "tool":
                return turn["content"]
        return Completion.blocked()

    def said(self, turn, calls):
        place = self.kept.setdefault(self.reply, len(self.messages))
        message = {"role": "assistant", "content": turn["content"]}
        self.messages[place : place + 1] = [{**message, "tool_calls": calls} if calls else message]
