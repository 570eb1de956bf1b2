"""Declaring a law never weakens the check: what is judged always, and what may be left out."""

import pytest

from agentfuzz import (
    Completion,
    ScenarioError,
    World,
    at_most_once,
    exactly_once,
    replay_transparency,
    run,
    scenario,
    structured_termination,
    truthful,
)
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Campaign

BOTH = {"at_most_once", "replay_transparency"}


def story(*laws, **how):
    """Two effects, of which a law may name one."""

    @scenario(*laws, task="Charge and tell.", **how)
    def shop(world: World) -> None:
        @world.tool(effect="charge", scope=("order",))
        def charge(order: str) -> str:
            return "ok"

        @world.tool(effect="mail", scope=("to",))
        def mail(to: str) -> str:
            return "ok"

    return shop


def tells_twice(world):
    """Charges once, and tells again after a lost reply."""
    world.tools.charge(order="A17")
    for _ in range(2):
        try:
            world.tools.mail(to="ann")
            break
        except TimeoutError:
            continue
    return Completion.success(handle="A17")


def forgets(world):
    """Takes a lost order for done: no mail, and success."""
    try:
        world.tools.charge(order="A17")
        world.tools.mail(to="ann")
    except TimeoutError:
        pass
    return Completion.success(handle="A17")


def codes(story, agent, plan):
    return [f"{v.code} {v.subject}" for v in run(story, agent, plan).violations]


@pytest.mark.parametrize(
    "laws",
    [(), (structured_termination(),), (exactly_once("charge"),), (at_most_once("charge"),)],
    ids=["none", "another", "of the other effect", "narrower"],
)
def test_a_declared_law_takes_nothing_away(laws):
    """What no declared law speaks of is judged as if none were declared."""
    shop = story(*laws)
    assert {law.name for law in shop.invariants} >= BOTH
    assert codes(shop, tells_twice, "mail#1:once/timeout") == ["AF101 mail"]
    assert codes(shop, forgets, "charge#1:once/timeout") == ["AF105 mail"]


def test_each_is_judged_once():
    """A law that is declared as well is not judged twice, nor is one bug told under two codes."""
    shop = story(at_most_once(), replay_transparency(), exactly_once("mail"))
    lies = story(truthful())
    names = [law.name for law in shop.invariants]
    assert len(names) == len(set(names))
    assert codes(shop, tells_twice, "mail#1:once/timeout") == ["AF101 mail"]
    assert codes(shop, forgets, "charge#1:once/timeout") == ["AF103 mail"]
    assert codes(lies, forgets, "charge#1:once/timeout") == ["AF301 claim"]


def test_a_campaign_tells_it_once():
    """AF105 is no second finding of the plan that AF101 or AF103 tells of the same effect."""
    with Simulation() as simulation:
        campaign = Campaign(story(exactly_once("mail")), tells_twice, simulation)
        campaign.search()
        told = {
            (one.code, one.violation.subject, str(one.plan)) for one in campaign.result().findings
        }
    plans = {plan for code, subject, plan in told if (code, subject) == ("AF101", "mail")}
    assert plans
    assert not {(code, plan) for code, subject, plan in told if code == "AF105" and plan in plans}


def test_a_regression_by_its_own_code_stays_red():
    """Asked for by its code, AF105 is raised although AF101 says the same."""
    found = run(story(), tells_twice, "mail#1:once/timeout")
    assert [violation.code for violation in found.violations] == ["AF101"]
    with pytest.raises(AssertionError, match="AF105"):
        found.check("AF105")


def test_without_leaves_out():
    """`without=` names what is not judged: as a list, or one word."""
    assert codes(story(without="at_most_once"), tells_twice, "mail#1:once/timeout") == [
        "AF105 mail"
    ]
    none = story(truthful(), without=("at_most_once", "replay_transparency"))
    assert not BOTH & {law.name for law in none.invariants}
    assert codes(none, tells_twice, "mail#1:once/timeout") == []


def test_without_the_general_law_a_narrower_one_may_stand():
    """at_most_once of one effect, and not of the others."""
    only = story(at_most_once("charge"), without=("at_most_once", "replay_transparency"))
    assert codes(only, tells_twice, "mail#1:once/timeout") == []


@pytest.mark.parametrize(
    ("laws", "without", "says"),
    [
        ((), "replay_transparancy", "Did you mean 'replay_transparency'"),
        ((), "survives", "judged in every scenario; there is: at_most_once, replay_transparency"),
        ((), "truthful", "is left out by not declaring it"),
        ((at_most_once(),), "at_most_once", "this scenario declares: at_most_once()"),
    ],
)
def test_a_wrong_without_is_an_error(laws, without, says):
    """An unknown law, one that is always judged, one of the user's own, one that is declared."""
    with pytest.raises(ScenarioError, match="without=") as caught:
        story(*laws, without=(without,))
    assert says in str(caught.value)


def test_a_wrong_amount_is_found_without_being_asked_for():
    """Nobody lied to the agent, it claims success, and the amount is another one (AF116); unless
    the scenario does without, or the loop says what it did not do."""

    def paying(**how):
        @scenario(task="Pay 40.", **how)
        def shop(world: World) -> None:
            @world.tool(effect="pay", scope=("order",), dedup="scope")
            def pay(order: str, amount: int) -> str:
                return "ok"

        return shop

    def agent(amount, ending):
        def pays(world):
            try:
                world.tools.pay(order="A17", amount=40)
            except TimeoutError:
                world.tools.pay(order="A17", amount=amount)
                return ending
            return Completion.success(handle="A17")

        return pays

    done, plan = Completion.success(handle="A17"), "pay#1:lost/timeout"
    assert codes(paying(), agent(4, done), plan) == ["AF116 pay amount"]
    assert codes(paying(without="same_arguments"), agent(4, done), plan) == []
    assert codes(paying(), agent(40, done), plan) == []
    assert codes(paying(), agent(4, Completion.partial(handle="A17")), plan) == []
