"""`constraints_survive`: what had to arrive arrives as it was, and what a model needs is shown."""

import pytest

from agentfuzz import Completion, ScenarioError, World, constraints_survive, scenario
from agentfuzz.core.events import ModelInput, Shown
from agentfuzz.core.faults import Slot
from invariants.histories import charged, done, happens, judge, looked_up, tell
from invariants.loops.handoffs import FAULTS, LIMIT, UNKNOWN, receives, refunded, refunds, wanted
from invariants.teams import accepts, acts, gets, rejects, sends

LAW = constraints_survive()
SENT = (acts("lead"), sends("desk", carry=LIMIT), acts("desk"), gets())


def shows(nth, *texts):
    said = tuple(Shown("user", text, (), None) for text in texts)
    return happens(ModelInput, Slot("model", "", nth), said)


@pytest.mark.parametrize(
    "steps",
    [
        (accepts(), charged(), done()),
        (accepts(carry={"limit": "50 "}), charged(), done()),
        (accepts(carry={"limit": 50, "more": 1}), charged(), done()),
        (accepts(carry={}), done("blocked")),
        (accepts(carry={}), looked_up(), acts("lead"), charged(), done("blocked")),
        (accepts(carry={}), gets(), accepts(), charged(), done()),
        (accepts(carry={}), sends("desk", version=2, carry=LIMIT), gets(), accepts(), done()),
    ],
    ids=[
        *("held", "read in a text", "more of it", "said", "another one acted", "asked again"),
        "in a later version",
    ],
)
def test_held(steps):
    """The receiver holds it when it acts, or nothing came of it."""
    assert judge(LAW, tell(*SENT, *steps)) == "HELD"


def test_broken():
    """AF608: accepted without it, or with another value, and acted on."""
    at = "AF608 limit: HandoffSent#1 HandoffReceived#1 HandoffAccepted#1"
    without, other = accepts(carry={}), accepts(carry={"limit": 500})
    assert judge(LAW, tell(*SENT, without, charged(), done("blocked"))) == [f"{at} Committed#1"]
    assert judge(LAW, tell(*SENT, other, charged())) == [f"{at} Committed#1"]
    assert judge(LAW, tell(*SENT, without, done())) == [f"{at} Done#1"]
    late = (without, charged(), gets(), accepts(), done())
    assert judge(LAW, tell(*SENT, *late)) == [f"{at} Committed#1"]
    someone = (*SENT[:2], gets("other"), accepts(carry={}), done())
    assert judge(LAW, tell(*someone)) == [f"{at} Done#1"]


def test_the_sentence():
    """It argues: what had to arrive, what is held, and what came of it."""
    lost = (*SENT[:3], gets(body={"task": "t", "carry": {}}), accepts(), charged())
    [told] = LAW(tell(*lost)).violations
    assert told.sentence == (
        "lead handed version 1 of t to desk at 1 s (handoff_1), and limit=50 had to arrive; desk "
        "accepted it at 4 s with no limit, from what was no longer what had been sent. However "
        "desk caused charge(order_id='A17') at 7 s."
    )


def test_not_exercised():
    """Nothing had to arrive, or nobody accepted it."""
    bare = (acts("lead"), sends("desk"), acts("desk"), gets(), accepts(), charged(), done())
    assert judge(LAW, tell(*bare)) == "NOT_EXERCISED"
    assert judge(LAW, tell(*SENT, rejects(), done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(shows(1, "hello"), done())) == "NOT_EXERCISED"
    assert judge(constraints_survive(facts=("limit 50",)), tell(done())) == "NOT_EXERCISED"


def test_facts_over_turns():
    """AF608: what the first turn shows the last one shows, too."""
    law = constraints_survive(facts=("limit 50",))
    kept = (shows(1, "limit 50"), shows(2, "be brief", "the limit 50 holds"))
    assert judge(law, tell(*kept)) == "HELD"
    assert judge(law, tell(*kept, shows(3, "x" * 500))) == "HELD"
    dropped = ["AF608 limit 50: ModelInput#2 ModelInput#3"]
    assert judge(law, tell(*kept, shows(3, "x" * 499), shows(4, "limit 50"))) == dropped
    assert judge(law, tell(shows(1, "hello"))) == ["AF608 limit 50: ModelInput#1"]
    both = constraints_survive(facts=("limit 50", "be brief"))
    assert judge(both, tell(*kept)) == ["AF608 be brief: ModelInput#1"]
    with pytest.raises(ScenarioError, match="write the texts"):
        constraints_survive(facts=(50,))


# on whole loops


def hands_over(desk, **said):
    """The lead hands over until it is answered, and claims what the desk has done."""

    def agent(world: World) -> Completion:
        done = False
        for version in (1, 2):
            with world.acting("lead"):
                receipt = world.handoff("desk", wanted(version, **said))
            done = desk(world) or done
            with world.acting("lead"):
                if world.answered(receipt, 60) and receipt.status == "accepted":
                    break
        return Completion.success() if done and receipt.status == "accepted" else UNKNOWN

    return agent


def skims(world: World) -> bool:
    """Victim: what no field holds it reads in the prose, the ends of it alone."""
    with world.acting("desk"):
        for handed in world.inbox_of("desk"):
            read = LIMIT if "limit: 50" in handed.text else {}
            handed.accept(carry=handed.payload["carry"] or read)
            return refunded(world)
    return False


def whole(world: World) -> bool:
    """Survivor: takes nothing over whose limit is not clear."""
    return receives(world, "desk")


@scenario(task="Sum up A17: limit 50.", script=[("find", {"order_id": "A17"}), "Summed up."])
def sums_up(world: World) -> None:
    @world.tool
    def find(order_id: str) -> dict:
        return {"order_id": order_id}


def talks(most):
    """A loop that shows a model the last messages, and the task before them, if it is not among
    them."""

    def agent(world: World) -> str:
        said = [{"role": "user", "content": world.task}]
        for _ in range(8):
            shown = said if len(said) <= most else [*said[: most > 1], *said[-2:]]
            turn = world.model(shown)
            said.append(turn)
            if not turn["tool_calls"]:
                return turn["content"]
            for call in turn["tool_calls"]:
                try:
                    found = str(world.call(call["name"], call["arguments"], asked=call["id"]))
                except FAULTS as error:
                    found = f"error: {error}"
                said.append({"role": "tool", "tool_call_id": call["id"], "content": found})
        return "I could not finish the task."

    return agent


def test_victim(found):
    """What had to arrive stood in the middle."""
    only = {"only": ("buried",)}
    assert found(LAW, refunds(), hands_over(skims, text="Refund it."), **only) == [
        "AF608 limit: handoff:desk#1:once/buried"
    ]


def test_a_conversation_that_is_trimmed(found, held):
    """AF608: the loop shows the model the last two messages."""
    law = constraints_survive(facts=("limit 50",))
    assert found(law, sums_up, talks(1)) == ["AF608 limit 50: no faults"]
    assert held(law, sums_up, talks(3), depth=1) > 0


def test_survivor(held):
    """Rejects what is not clear, and gets it again."""
    assert held(LAW, refunds(), hands_over(whole), depth=1) > 0
