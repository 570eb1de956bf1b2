"""A model plans within what it is offered, and several scripts are told apart by that."""

from types import SimpleNamespace

import pytest

from agentfuzz import Completion, ModelError, World, call, own, ref, scenario
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Called, ModelTurn
from agentfuzz.providers.offer import NOT_SAID, Offer, offered
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.world.injector import FromPlan


def shop(world: World) -> None:
    @world.tool
    def find(order_id: str):
        return {"order_id": order_id, "total": 42}

    @world.tool(effect="payment", scope=("order_id",))
    def pay(order_id: str, amount: int = 0):
        return {"receipt": "r1"}


FIND = ("find", {"order_id": "A17"})
PAY = call("pay", order_id="A17", amount=ref("find", "total"))


def story(*script, **how):
    return scenario(task="Pay A17.", **({"script": list(script)} if script else {}), **how)(shop)


def asked(world, tools, shown=()):
    """The calls of one turn, or its text."""
    turn = world.model([{"role": "user", "content": "Pay."}, *shown], tools)
    return [made["name"] for made in turn["tool_calls"]] or turn["content"]


def first(play, told, tools):
    """The same of the first turn of a run."""
    return play(told, lambda world: asked(world, tools)).history.ended.value


@pytest.mark.parametrize(
    ("tools", "names"),
    [
        (None, None),
        ([], ()),
        (["find"], ("find", "done")),
        (["done", "find"], ("done", "find")),
        ({"find": 1, "pay": 2}, ("find", "pay", "done")),
        (
            [{"name": "find"}, {"type": "function", "function": {"name": "pay"}}],
            ("find", "pay", "done"),
        ),
        ([SimpleNamespace(name="find"), shop], ("find", "shop", "done")),
        (["find", {"toolSpec": {"name": "pay"}}], None),
        (["find", SimpleNamespace()], None),
        (Offer(tools=({"name": "find"}, {"name": "pay"}), only=("pay",)), ("pay",)),
        (Offer(tools=({"name": "find"},), choice="none"), ()),
    ],
)
def test_what_a_caller_offers(tools, names):
    """Names as callers write them, and the done tool; where one cannot be read, nothing is said."""
    assert offered(tools).names == names
    assert (offered(tools) is NOT_SAID) == (names is None)


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        (None, ["find"]),
        (["find", "pay"], ["find"]),
        (["find"], ["find"]),
        (["pay"], "I could not finish the task: I am not offered find and pay here"),
        ([], "I could not finish the task: I am not offered find and pay here"),
    ],
)
def test_a_call_that_is_not_offered_is_not_made(play, tools, said):
    """Nor one whose argument waits for it; the model says what was left undone. A caller that
    says nothing of tools offers them all."""
    assert first(play, story(FIND, PAY, "Paid."), tools) == said


def test_what_is_offered_goes_on_beside_what_is_not(play):
    """Tools may come and go between the turns of a conversation."""

    def agent(world):
        found, shown = [], []
        for tools in (["mail"], ["find"], ["find"], ["find", "pay"], ["pay"]):
            turn = world.model([{"role": "user", "content": "Pay."}, *shown], tools)
            found.append([made["name"] for made in turn["tool_calls"]])
            shown.append(turn)
            for made in turn["tool_calls"]:
                text = (
                    "sent"
                    if made["name"] == "mail"
                    else world.call(made["name"], {**made["arguments"]})
                )
                shown.append({"role": "tool", "tool_call_id": made["id"], "content": str(text)})
        return found, turn["content"]

    told = story(FIND, [PAY, own("mail")], "Paid.")
    ended = play(told, agent).history.ended
    assert ended.value == [[["mail"], ["find"], [], ["pay"], []], "Paid."]


def test_a_value_closes_in_json(play):
    """Also where nobody asks for one; its references are those of the conversation."""
    told = story(FIND, {"total": ref("find", "total"), "ok": True})

    def agent(world):
        turn = world.model([{"role": "user", "content": "Pay."}])
        (made,) = turn["tool_calls"]
        text = str(world.call("find", made["arguments"]))
        return asked(
            world, None, [turn, {"role": "tool", "tool_call_id": made["id"], "content": text}]
        )

    assert play(told, agent).history.ended.value == '{"total": 42, "ok": true}'


# Several scripts --------------------------------------------------------------------------------

TEAM = [[own("ask"), "Asked."], [FIND, "Found."], ["No tools."]]


@pytest.mark.parametrize(
    ("tools", "said"),
    [(["ask"], ["ask"]), (["find", "pay"], ["find"]), ([], "No tools."), (None, ["ask"])],
)
def test_a_conversation_has_the_script_of_its_tools(play, tools, said):
    """By `world.model(messages, tools)` as well; where nothing is said, the first."""
    assert first(play, story(scripts=TEAM), tools) == said


def test_each_conversation_keeps_its_own_account(play):
    """What is finished is read from the messages of the conversation, whoever else asks."""

    def converse(world, tools, other):
        shown = [{"role": "user", "content": "Go."}]
        while True:
            turn = world.model(shown, tools)
            shown.append(turn)
            if not turn["tool_calls"]:
                return turn["content"]
            for made in turn["tool_calls"]:
                text = (
                    other() if made["name"] == "ask" else str(world.call("find", made["arguments"]))
                )
                shown.append({"role": "tool", "tool_call_id": made["id"], "content": text})

    def agent(world):
        def inner():
            assert asked(world, []) == "No tools."
            return converse(world, ["find", "pay"], None)

        return converse(world, ["ask"], inner)

    history = play(story(scripts=TEAM), agent).history
    assert history.ended.value == "Asked."
    said = [[name for _, name, _ in turn.calls] or turn.text for turn in history.of(ModelTurn)]
    assert said == [["ask"], "No tools.", ["find"], "Found.", "Asked."]
    assert len(history.of(Called)) == 1


def test_scripts_may_be_a_function_of_the_data(play):
    """As `script=` may."""
    from hypothesis import strategies as st

    told = story(
        given={"n": st.just("A17")}, scripts=lambda data: [[("find", {"order_id": data["n"]})]]
    )
    made = play(told, lambda world: world.model([], ["find"])["tool_calls"][0]["arguments"])
    assert made.history.ended.value == {"order_id": "A17"}


def test_scripts_and_follow_ups(play):
    """A later message of the user is answered by the same rule."""

    def agent(world):
        return asked(world, ["find"] if world.leg == 1 else [])

    told = story(scripts=TEAM, follow_ups=["And?"])
    turns = play(told, agent).history.of(ModelTurn)
    assert [turn.text for turn in turns] == [None, "No tools."]


def test_scripts_offer_the_done_tool(play):
    """Where one of them closes with it."""
    told = story(scripts=[[own("ask"), "Asked."], [Completion.success()]])
    assert first(play, told, ["done"]) == ["done"]
    assert first(play, told, []) == "The task is closed."


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"script": ["Hi."], "scripts": TEAM}, r"script= and scripts= both .* put the script into"),
        ({"cassette": "x.yaml", "scripts": TEAM}, "scripts= and cassette= both"),
        ({"tasks": ["a", "b"], "scripts": TEAM}, r"scripts= are those of one task.*script=\[\["),
        ({"scripts": [FIND, "Found."]}, "is a list of scripts, each a list itself"),
        ({"scripts": {"a": ["Hi."]}}, "is a list of scripts, each a list itself"),
        ({"scripts": "Hi."}, "is a list of scripts, each a list itself"),
        ({"scripts": [["Hi.", FIND]]}, "must come last"),
    ],
)
def test_scripts_that_cannot_be_read(how, message):
    """The error names the cure."""
    with pytest.raises(ScenarioError, match=message):
        scenario(task="" if "tasks" in how else "Go.", **how)(shop)


def test_a_script_of_several_that_calls_an_unknown_tool(play):
    """Said before anything is judged."""
    with pytest.raises(ScenarioError, match="calls 'fnd'"):
        play(story(scripts=[["Hi."], [("fnd", {})]]), lambda world: world.model([]))


# In a campaign ----------------------------------------------------------------------------------


@scenario(
    task="Pay A17.", scripts=[[own("ask"), "Asked."], [("pay", {"order_id": "A17"}), "Paid."]]
)
def paying(world):
    @world.tool(effect="payment", scope=("order_id",), dedup="scope")
    def pay(order_id: str):
        return {"receipt": "r1"}


def agent_of_two(world):
    """The outer agent asks the inner one, which pays once, whatever the models repeat."""
    done = []

    def converse(tools, act):
        shown = [{"role": "user", "content": "Go."}]
        for _ in range(6):
            try:
                turn = world.model(shown, tools)
            except (TimeoutError, ConnectionError, ModelError):
                continue
            shown.append(turn)
            if not turn["tool_calls"]:
                break
            shown += [
                {"role": "tool", "tool_call_id": made["id"], "content": act(made)}
                for made in turn["tool_calls"]
            ]
        return "Done."

    def pay(made):
        if not done:
            try:
                done.append(world.call("pay", {"order_id": "A17"}))
            except Exception as error:
                done.append(error)
        return str(done[0])

    converse(["ask"], lambda made: converse(["pay"], pay))
    if done and done[0] == {"receipt": "r1"}:
        return Completion.success()
    return Completion.blocked(reason="outcome_unknown")


@pytest.mark.slow
@pytest.mark.parametrize("memo", ["off", "on"])
def test_a_campaign_over_several_scripts(simulation, memo):
    """Nothing is found in an honest team, and a memo tells apart what is offered: both
    conversations begin with the same words."""
    budget = Budget(depth=1, deep_runs=0, memo=memo)
    campaign = Campaign(paying, agent_of_two, simulation, budget=budget)
    campaign.search()
    found = campaign.result()
    assert [str(one.plan) for one in found.findings] == []
    assert found.runs > 20
    history = simulation.execute(paying, agent_of_two, FromPlan())
    asked = [[name for _, name, _ in turn.calls] for turn in history.of(ModelTurn)]
    assert asked == [["ask"], ["pay"], [], []]
