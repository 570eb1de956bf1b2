"""What a model may say that is no error of the loop's: ids that come twice, words and blanks beside
a call, bad calls beside good ones, replies that are withheld, paused or all thought.

Law: loops of several shapes keep every law of protocol under each of them, and the work is done in
the end; a loop with one flaw is found out by a law that knows nothing of the manner.
"""

import json
from typing import Any

import pytest

from agentfuzz import (
    Completion,
    World,
    effects_remembered,
    errors_surface,
    executed_as_asked,
    no_act_on_cut_reply,
    no_stale_answer,
    receipt_once,
    receipts_shown,
    results_not_blanked,
    results_paired,
    run,
    scenario,
)
from agentfuzz.core.events import ModelTurn, Struck
from agentfuzz.wire.router import face_of
from invariants.loops.field import CHARGE, SHIP, EveryCall, Loop, Streams, plain

LAWS = (
    effects_remembered(),
    errors_surface(),
    executed_as_asked(),
    no_act_on_cut_reply(),
    no_stale_answer(),
    receipt_once(),
    receipts_shown(),
    results_not_blanked(),
    results_paired(),
)


def order(*laws: Any, done: bool = False) -> Any:
    """Charge, then ship: two turns with a call each."""
    end = Completion.success(handle="A17") if done else "Order A17 is on its way."

    @scenario(*(laws or LAWS), task="Charge and ship order A17.", script=[CHARGE, SHIP, end])
    def charge_and_ship(world: World) -> None:
        @world.tool(effect="charge", scope=("order_id",), dedup="scope")
        def charge_card(order_id: str, amount: int) -> dict:
            return {"charge_id": f"ch_{order_id}", "amount": amount}

        @world.tool(effect="shipment", scope=("order_id",), dedup="scope")
        def ship(order_id: str) -> dict:
            return {"parcel": f"p_{order_id}"}

    return charge_and_ship


class Refuses(Loop):
    """A turn with an id that it knows, or twice, is answered with a refusal, and nothing of it is
    kept."""

    def __init__(self, world):
        super().__init__(world)
        self.known: set[str] = set()

    def act(self, turn):
        ids = [call["id"] for call in turn["tool_calls"]]
        if len(set(ids)) < len(ids) or self.known & set(ids):
            self.messages.append({"role": "user", "content": "Ids must be new. Once more, please."})
            return
        self.known.update(ids)
        super().act(turn)


class Renames(Loop):
    """Gives every call an id of its own, and keeps the conversation with it."""

    def wanted(self, turn):
        made = []
        for call in turn["tool_calls"]:
            self.calls += 1
            made.append({**call, "id": f"own_{self.calls}", "asked": call["id"]})
        return made

    def execute(self, call):
        return super().execute({**call, "id": call["asked"]})


class FirstOfAnId(Loop):
    """Of two calls under one id it makes the first."""

    def wanted(self, turn):
        return list({call["id"]: call for call in reversed(turn["tool_calls"])}.values())


SHAPES = (Loop, Refuses, FirstOfAnId, Renames, EveryCall)
MANNERS = (
    *("duplicate_ids", "duplicate_ids=1", "duplicate_ids=2"),
    *("preamble", "preamble=1", "preamble=2"),
    *("malformed_args=3", "malformed_args=4", "unknown_tool=1"),
)


class Tolerant(Loop):
    """Survivor for what a closing may be: it asks again where a reply is none."""

    def run(self):
        for _ in range(9):
            turn = self.ask()
            if turn is None or turn["stop"] not in ("end", "tool_calls"):
                continue
            if turn["tool_calls"]:
                self.act(turn)
            elif turn["content"]:
                return turn["content"]
        return Completion.partial(reason="unverified")


HONEST = [
    pytest.param(shape, manner, id=f"{shape.__name__}-{manner}")
    for shape in SHAPES
    for manner in MANNERS
    if manner != "duplicate_ids" or shape not in (Renames, EveryCall)  # which make it twice
]


@pytest.mark.parametrize(("shape", "manner"), HONEST)
def test_an_honest_loop(shape, manner):
    """Keeps every law, and does the work once."""
    found = run(order(), plain(shape), f"model#2:{manner}")
    assert found.history.of(Struck), "the manner struck"
    assert [str(one) for one in found.violations] == []
    assert sorted(commit.tool for commit in found.history.ledger) == ["charge_card", "ship"]


@pytest.mark.parametrize(
    "manner", ["truncated", "truncated=1", "withheld", "withheld=1", "paused", "empty", "preamble"]
)
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_loop_that_asks_again(nth, manner):
    """A reply that is none is asked for again, and the work is done once."""
    found = run(order(), plain(Tolerant), f"model#{nth}:{manner}")
    assert [str(one) for one in found.violations] == []
    assert sorted(commit.tool for commit in found.history.ledger) == ["charge_card", "ship"]


class PrefersTheLatest(Loop):
    """Cleans its conversation before each request: of two items with one id, the later stays."""

    def ask(self):
        latest: dict[Any, int] = {}
        for at, message in enumerate(self.messages):
            for call in message.get("tool_calls", ()):
                latest["call", call["id"]] = at
            if message["role"] == "tool":
                latest["result", message["tool_call_id"]] = at
        kept = set(latest.values())
        self.messages = [
            message
            for at, message in enumerate(self.messages)
            if at in kept or not (message.get("tool_calls") or message["role"] == "tool")
        ]
        return super().ask()


class FirstWords(Loop):
    """Keeps the last text that there was, and answers with it where a reply has none."""

    last: Any = None

    def ask(self):
        turn = super().ask()
        self.last = (turn and turn["content"]) or self.last
        return turn

    def answer(self, turn):
        return self.last


class NoText(Loop):
    """Whatever has a text is the answer: its calls are left out."""

    def ask(self):
        turn = super().ask()
        return turn if turn is None or turn["content"] is None else {**turn, "tool_calls": []}

    def answer(self, turn):
        return turn["content"]


class OnlyGood(Loop):
    """Calls whose arguments cannot be read are none."""

    def wanted(self, turn):
        return [call for call in super().wanted(turn) if isinstance(call["arguments"], dict)]


class Whatever(Loop):
    """Never looks at the reason of an ending."""

    def finished(self, turn):
        return True

    def answer(self, turn):
        return turn["content"]


@pytest.mark.parametrize(
    ("flaw", "plan", "code"),
    [
        (PrefersTheLatest, "model#2:duplicate_ids=2", "AF405"),
        (PrefersTheLatest, "model#2:duplicate_ids=2", "AF412"),
        (EveryCall, "model#2:duplicate_ids", "AF404"),
        (EveryCall, "model#2:duplicate_ids", "AF407"),
        (FirstWords, "model#2:preamble + model#3:empty", "AF303"),
        (NoText, "model#2:preamble", "AF407"),
        (NoText, "model#2:preamble=1", "AF209"),
        (OnlyGood, "model#1:malformed_args=3", "AF407"),
        (Streams, "model#2:cut=1", "AF208"),
        (Streams, "model#3:cut=1", "AF208"),
        (Whatever, "model#3:withheld", "AF208"),
        (Whatever, "model#2:withheld=1", "AF208"),
        (Whatever, "model#3:paused", "AF208"),
        (Whatever, "model#3:truncated=1", "AF208"),
        (Whatever, "model#3:empty", "AF209"),
    ],
)
def test_a_flaw(flaw, plan, code):
    """A law of protocol finds it, and the flaw keeps them all where no manner strikes."""
    assert run(order(), plain(flaw)).violations == ()
    assert code in [one.code for one in run(order(), plain(flaw), plan).violations]


def test_a_malformed_completion_beside_a_call():
    """Behind the call stands a done tool whose status does not exist."""
    found = run(order(done=True), plain(Loop), "model#1:mixed_done=2")
    (_, name, said) = found.history.of(ModelTurn)[0].calls[1]
    assert (name, said["status"]) == ("done", "done")


def test_which_of_two_calls_was_answered():
    """A model that gave one id twice reads its conversation by tool and arguments."""

    def agent(world: World) -> str:
        first = world.model([{"role": "user", "content": world.task}])
        shown = [{"role": "user", "content": world.task}, first]
        shown.append({"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": "a"})
        second = world.model(shown)
        assert second["tool_calls"][0]["id"] == first["tool_calls"][0]["id"]
        third = world.model(shown)  # the second turn was lost
        assert [call["name"] for call in third["tool_calls"]] == ["ship"]
        shown += [second, {**shown[-1], "content": "b"}]
        return str(world.model(shown)["content"])

    found = run(order(results_paired()), agent, "model#2:duplicate_ids=2")
    assert found.history.ended is not None
    assert found.history.ended.value == "Order A17 is on its way."


PATHS = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Go."}]},
    "/v1/responses": {"input": "Go."},
    "/v1/messages": {"messages": [{"role": "user", "content": "Go."}], "max_tokens": 99},
}


def over(path: str, plan: str) -> list[Any]:
    """The body of the first reply over a wire."""
    found: list[Any] = []

    def agent(world: World) -> Completion:
        body = json.dumps({"model": "m", **PATHS[path]}).encode()
        found.clear()
        found.append(json.loads(face_of(world).answer("POST", path, {}, body).body))
        return Completion.blocked()

    run(order(results_paired()), agent, plan)
    return found


def test_how_a_provider_says_it():
    """A filter, a pause: in the words of each that has one."""
    (chat,) = over("/v1/chat/completions", "model#1:withheld")
    assert chat["choices"][0]["finish_reason"] == "content_filter"
    (response,) = over("/v1/responses", "model#1:withheld")
    assert response["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "content_filter"}
    assert over("/v1/messages", "model#1:withheld")[0]["stop_reason"] == "refusal"
    assert over("/v1/messages", "model#1:paused")[0]["stop_reason"] == "pause_turn"
    (none,) = over("/v1/chat/completions", "model#1:paused")  # it has no word for that
    assert none["choices"][0]["finish_reason"] == "stop"


def converse(plan: str) -> tuple[list[Any], Any]:
    """A conversation over Messages, each reply sent back as it came: the replies, and the run."""
    replies: list[Any] = []
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in ("charge_card", "ship")]

    def agent(world: World) -> Completion:
        replies.clear()
        shown: list[Any] = [{"role": "user", "content": world.task}]
        request = {"model": "m", "max_tokens": 99, "tools": tools, "messages": shown}
        for _ in range(5):
            body = json.dumps(request).encode()
            said = json.loads(face_of(world).answer("POST", "/v1/messages", {}, body).body)
            replies.append(said)
            calls = [one for one in said.get("content", ()) if one["type"] == "tool_use"]
            if not calls:
                break
            results = []
            for one in calls:
                text = json.dumps(world.call(one["name"], one["input"], one["id"]))
                found = {"type": "tool_result", "tool_use_id": one["id"], "content": text}
                results.append(found)
            shown += [
                {"role": "assistant", "content": said["content"]},
                {"role": "user", "content": results},
            ]
        return Completion.success(handle="A17")

    return replies, run(order(), agent, plan)


def test_a_provider_takes_what_it_gave():
    """Ids that it gave twice are refused to nobody; the id of a reply is the one before."""
    for variant in ("duplicate_ids=1", "duplicate_ids=2"):
        replies, found = converse(f"model#2:{variant}")
        assert [one.code for one in found.violations] == []
        assert [reply["type"] for reply in replies][-1] == "message"
    replies, found = converse("model#2:old_reply_id")
    assert [one.code for one in found.violations] == []
    first, second, third = (reply["id"] for reply in replies)
    assert first == second != third


def test_blanks_that_a_provider_gives_and_does_not_take():
    """AF419: they stand in its reply, and to send them back is to be refused."""
    _, found = converse("model#1:preamble=1")
    assert "AF419" in [one.code for one in found.violations]
    _, fine = converse("model#1:preamble")
    assert fine.violations == ()
