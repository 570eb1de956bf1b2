"""The simulated model: it follows its script, believes what it is shown, and gives up honestly."""

import json

import pytest

from agentfuzz import Completion, ModelBehaviour, World, call, ref, scenario
from agentfuzz.core.events import Called, Done, ModelTurn, Struck
from agentfuzz.model.closings import closing
from agentfuzz.world.reply_faults import as_text
from world.stories import told


def chat(world, *, show=lambda message: message, turns=12, then=()):
    """An agent loop as everybody writes it. `show` alters a tool message before the model sees
    it (None: the message is lost); `then` are later messages of the user."""
    messages = [{"role": "user", "content": world.task}]
    later = list(then)
    for _ in range(turns):
        turn = world.model(messages, world.tools)
        messages.append(turn)
        if turn["stop"] != "tool_calls":
            if not later:
                return turn["content"]
            messages.append({"role": "user", "content": later.pop(0)})
        for made in turn["tool_calls"]:
            message = show(
                {"role": "tool", "tool_call_id": made["id"], "content": act(world, made)}
            )
            if message is not None:
                messages.append(message)
    return None


def act(world, made):
    if made["name"] == "done":
        return json.dumps(world.tools.done(**made["arguments"]))
    try:
        return as_text(world.call(made["name"], made["arguments"], asked=made["id"]))
    except Exception as error:
        return f"Error: {error}"


def shop(world: World) -> None:
    @world.tool
    def find(order_id: str):
        return {"order_id": order_id, "total": 42, "lines": [{"sku": "x"}]}

    @world.tool(effect="payment", scope=("order_id",))
    def pay(order_id: str, amount: int = 0):
        return {"receipt": "r1"}


def story(*script, **how):
    return scenario(task="Pay A17.", script=list(script), **how)(shop)


FIND = ("find", {"order_id": "A17"})
PAY = call("pay", order_id="A17", amount=ref("find", "total"))
PAID = "Paid A17."
BOTH = story(FIND, PAY, PAID)


def calls(history):
    return [str(event.slot) for event in history.of(Called)]


# the script


def test_it_plans_one_step_a_turn_and_closes(play):
    """Call by call, each once, then the closing."""
    history = play(BOTH, chat).history
    assert told(history, ModelTurn) == ["0 turn find", "0 turn pay", "0 turn 'Paid A17.'"]
    assert history.ended.value == PAID


def test_one_turn_as_adapters_see_it(play):
    """A dict with role, content, tool_calls and stop; arguments are a dict, ids are fresh."""

    def agent(world):
        messages = [{"role": "user", "content": world.task}]
        first, again = world.model(messages), world.model(messages)
        assert first["role"] == "assistant"
        assert (first["content"], first["stop"]) == (None, "tool_calls")
        (made,) = first["tool_calls"]
        assert (made["name"], made["arguments"]) == ("find", {"order_id": "A17"})
        assert again["tool_calls"][0]["id"] != made["id"]
        return True

    assert play(BOTH, agent).history.ended.value is True


def test_async_agents_get_the_same(play):
    """`world.model.aio` is awaited."""

    async def agent(world):
        turn = await world.model.aio([{"role": "user", "content": world.task}], world.tools)
        return turn["tool_calls"][0]["name"]

    assert play(BOTH, agent).history.ended.value == "find"


def test_a_list_is_one_parallel_turn(play):
    """Its calls come together; only those without a result are planned again."""
    parallel = story([FIND, ("find", {"order_id": "B2"})], PAID)
    history = play(parallel, chat).history
    assert told(history, ModelTurn)[0] == "0 turn find find"
    assert calls(history) == ["find#1", "find#2"]
    history = play(parallel, chat, "find#2:once/error").history
    assert told(history, ModelTurn)[1] == "0 turn find"
    assert [event.args["order_id"] for event in history.of(Called)] == ["A17", "B2", "B2"]


def test_an_argument_refers_to_an_earlier_reply(play):
    """By the path into the last reply of that tool."""
    history = play(BOTH, chat).history
    assert history.of(Called)[1].args == {"order_id": "A17", "amount": 42}


# what it is shown


def test_an_error_is_tried_again_with_a_fresh_id(play):
    """Twice at most: the third error in a row ends the work."""
    history = play(BOTH, chat, "find#1:once/error + find#2:once/timeout").history
    assert calls(history) == ["find#1", "find#2", "find#3", "pay#1"]
    assert len({event.asked for event in history.of(Called)}) == 4
    assert history.ended.value == PAID


LOST = "find#1:once/error + find#2:once/error + find#3:once/{}"


@pytest.mark.parametrize(
    ("last", "status", "reason"),
    [
        ("error", "blocked", "outcome_unknown"),
        ("timeout", "blocked", "outcome_unknown"),
        ("rate_limited", "failed", "tool_failed"),
    ],
)
def test_it_gives_up_honestly(play, last, status, reason):
    """In words, or by the done tool with a status that fits the last error."""
    history = play(BOTH, chat, LOST.format(last)).history
    assert calls(history) == ["find#1", "find#2", "find#3"]
    assert history.ended.value.startswith("I could not finish the task: find: Error: find")
    closing = story(FIND, PAY, Completion.success(handle="r1"))
    (done,) = play(closing, chat, LOST.format(last)).history.of(Done)
    assert (done.via, done.status, done.reason) == ("tool", status, reason)


def test_a_truncated_result_is_planned_again(play):
    """JSON that was cut in the middle is no answer."""
    history = play(BOTH, chat, "find#1:once/truncated").history
    assert calls(history) == ["find#1", "find#2", "pay#1"]


@pytest.mark.parametrize("content", ['{"error": "x"}', '{"status": "failed"}', "Error: x", "[1,"])
def test_what_reads_as_an_error(play, content):
    """A field that says so, a word that says so, or JSON that does not end."""
    seen = []

    def show(message):
        seen.append(message)
        return {**message, "content": content} if len(seen) == 1 else message

    history = play(BOTH, lambda world: chat(world, show=show)).history
    assert calls(history) == ["find#1", "find#2", "pay#1"]


def test_a_message_marked_as_an_error(play):
    """`is_error` says it, whatever the text."""
    history = play(BOTH, lambda world: chat(world, show=lambda m: {**m, "is_error": True})).history
    assert calls(history) == ["find#1", "find#2", "find#3"]


def test_a_missing_result_is_planned_again(play):
    """A call whose result it cannot see, it does again: F31 and P1 break loops by this."""
    dropped = []

    def show(message):
        if not dropped:
            dropped.append(message)
            return None
        return message

    history = play(BOTH, lambda world: chat(world, show=show)).history
    assert calls(history) == ["find#1", "find#2", "pay#1"]


def test_results_of_nobodys_calls_are_ignored(play):
    """Only ids that it issued itself count."""

    def agent(world):
        strange = {"role": "tool", "tool_call_id": "not mine", "content": "ok"}
        turn = world.model([{"role": "user", "content": "go"}, strange, {"role": "tool"}])
        return turn["tool_calls"][0]["name"]

    assert play(BOTH, agent).history.ended.value == "find"


def test_a_new_message_of_the_user_is_answered_in_words(play):
    """The work is done, and is seen: only a model that is told to works again."""

    def later(world):
        return chat(world, then=["Are you done?"])

    history = play(BOTH, later).history
    assert calls(history) == ["find#1", "pay#1"]
    assert told(history, ModelTurn)[2:] == ["0 turn 'Paid A17.'"] * 2
    eager = story(FIND, PAY, PAID, model_behaviour=ModelBehaviour(works_again=True))
    assert calls(play(eager, later).history) == ["find#1", "pay#1", "find#2", "pay#2"]


# the done tool


CLOSES = story(FIND, Completion.success(handle="r1", detail="All paid."))


def test_it_closes_with_the_done_tool(play):
    """Once, with the closing's fields, and then with words only."""
    history = play(CLOSES, chat).history
    assert told(history, ModelTurn)[:2] == ["0 turn find", "0 turn done"]
    (done,) = history.of(Done)
    assert (done.via, done.status, done.reason, done.handle) == (
        "tool",
        "success",
        "completed",
        "r1",
    )
    assert history.ended.value == "All paid."


def test_the_done_tool_is_offered(play):
    """Tools are named with it where the script closes with it, and only there."""
    for one, offered in ((CLOSES, ["find", "pay", "done"]), (BOTH, ["find", "pay"])):
        assert play(one, lambda world: list(world.tools)).history.ended.value == offered


# misbehaviour


def test_skip(play):
    """The planned call is not made, and the task is closed all the same."""
    history = play(BOTH, chat, "model#1:skip").history
    assert (calls(history), history.ended.value) == ([], PAID)
    history = play(CLOSES, chat, "model#1:skip").history
    assert told(history, ModelTurn)[0] == "0 turn done"


def test_repeat(play):
    """A call is made again under a fresh id: beside itself, or when nothing was left to do."""
    history = play(BOTH, chat, "model#2:repeat").history
    assert calls(history) == ["find#1", "pay#1", "pay#2"]
    assert len({event.asked for event in history.of(Called)}) == 3
    history = play(BOTH, chat, "model#3:repeat").history
    assert told(history, ModelTurn)[2:] == ["0 turn pay", "0 turn 'Paid A17.'"]


@pytest.mark.parametrize("variant", [0, 1, 7])
def test_reword(play, variant):
    """The closing in other words; the variant is its place in the corpus."""
    history = play(BOTH, chat, f"model#3:reword={variant}").history
    assert history.ended.value == closing(variant).text
    assert calls(history) == ["find#1", "pay#1"]


def test_no_done(play):
    """Closed in prose, and no completion event."""
    history = play(CLOSES, chat, "model#2:no_done").history
    assert history.of(Done) == []
    assert isinstance(history.ended.value, str)


@pytest.mark.parametrize(
    ("one", "plan"),
    [
        (BOTH, "model#1:reword"),
        (BOTH, "model#1:no_done"),
        (BOTH, "model#3:no_done"),
        (BOTH, "model#3:skip"),
        (BOTH, "model#9:skip"),
        (CLOSES, "model#2:reword"),
        (CLOSES, "model#2:skip"),
        (CLOSES, "model#1:no_done"),
        (story(PAID), "model#1:repeat"),
    ],
)
def test_where_a_fault_means_nothing(play, one, plan):
    """It does not strike, and the run is the fault-free one."""
    history = play(one, chat, plan).history
    assert history.of(Struck) == []
    assert calls(history) == calls(play(one, chat).history)


def test_giving_up_cannot_be_reworded(play):
    """An honest failure in the words of a success would be another claim."""
    plan = f"{LOST.format('error')} + model#4:reword"
    history = play(BOTH, chat, plan).history
    assert history.ended.value.startswith("I could not finish")
    assert len(history.of(Struck)) == 3


def test_what_the_model_did_is_in_the_history(play):
    """Each turn with its slot, how many messages it was shown, its text, calls and stop."""
    history = play(BOTH, chat).history
    turns = history.of(ModelTurn)
    assert [(str(turn.slot), turn.shown, turn.stop) for turn in turns] == [
        ("model#1", 1, "tool_calls"),
        ("model#2", 3, "tool_calls"),
        ("model#3", 5, "end"),
    ]
    assert turns[1].calls[0][1:] == ("pay", {"order_id": "A17", "amount": 42})
    assert [event.asked for event in history.of(Called)] == [t.calls[0][0] for t in turns[:2]]
