"""The fault-free run as the oracle: what may stand in for what, and when it is none."""

import pytest

from agentfuzz import Completion, ScenarioError, at_most_once, run, scenario
from agentfuzz.invariants import replay_transparency
from trust.plain import another_channel, desk, tell_somehow

REFUSED = " + ".join(f"sms#{n}:lost/rate_limited" for n in (1, 2, 3))


def test_one_effect_stands_in_for_another(simulation):
    """`instead=` says that a mail is as good as a text message; one name needs no list."""
    plain = scenario(task="Tell Ann.")(desk)
    found = run(plain, another_channel, REFUSED, simulation=simulation).violations
    assert [(one.code, one.subject) for one in found] == [("AF105", "sms")]
    line = found[0].hint.partition(" in @scenario")[0]
    assert line == 'instead={"sms": ("mail",)}'
    pasted = eval(f"dict({line})")
    for given in (pasted["instead"], {"sms": "mail"}):
        story = scenario(task="Tell Ann.", instead=given)(desk)
        assert run(story, another_channel, REFUSED, simulation=simulation).violations == ()
    other = scenario(task="Tell Ann.", instead={"sms": ("ticket",)})(desk)
    assert len(run(other, another_channel, REFUSED, simulation=simulation).violations) == 1


@pytest.mark.parametrize(
    ("instead", "message"),
    [
        ({"sns": ("mail",)}, r"instead= of scenario 'desk' names the effect 'sns'.*mean 'sms'\?"),
        ({"sms": ("mial",)}, r"names the effect 'mial'; its tools have sms, mail, ticket\."),
        ([("sms", "mail")], r"instead=\[\('sms', 'mail'\)\]: write which effects may stand in"),
    ],
)
def test_names_of_effects_are_checked(simulation, instead, message):
    """A misspelt effect is an error that names what there is."""
    with pytest.raises(ScenarioError, match=message):
        run(
            scenario(task="Tell Ann.", instead=instead)(desk),
            another_channel,
            simulation=simulation,
        )


def twice(world):
    world.tools.sms(to="ann", idempotency_key="1")
    world.tools.sms(to="ann", idempotency_key="2")
    return Completion.success()


def says_nothing(world):
    world.tools.sms(to="ann", idempotency_key="1")


@pytest.mark.parametrize(
    ("agent", "note"),
    [
        (twice, "the run without faults breaks at_most_once itself"),
        (
            says_nothing,
            "the run without faults claims nothing (outcome= says what its answer means)",
        ),
    ],
)
def test_no_oracle(simulation, agent, note):
    """Where the fault-free run breaks a law, or claims nothing, nothing is compared with it, and
    the story of a run says why."""
    story = scenario(at_most_once(), replay_transparency(), task="Tell Ann.")(desk)
    judged = run(story, agent, "sms#1:lost/error", simulation=simulation)
    (verdict,) = [one for one in judged.verdicts if one.law == "replay_transparency"]
    assert (verdict.status, verdict.note) == ("NOT_EXERCISED", note)
    text = " ".join(run(story, says_nothing, simulation=simulation).story().split())
    assert "replay_transparency: the run without faults claims nothing" in text


def test_a_restart_goes_on_with_its_request(simulation):
    """A process that dies over a follow-up is started again for that follow-up."""
    heard = []

    def agent(world):
        heard.append((world.why, world.task))
        world.tools.sms(to=world.task, idempotency_key=world.task)
        return Completion.success(handle=world.task)

    story = scenario(task="ann", follow_ups=("bob", "cy"), resume=True)(desk)
    judged = run(story, agent, "process:sms#2:crash", simulation=simulation)
    assert heard[3:] == [
        ("", "ann"),
        ("follow_up", "bob"),
        ("restart", "bob"),
        ("follow_up", "cy"),
    ]
    assert judged.violations == ()


def test_it_is_compared_by_hand_as_well(simulation):
    """The baseline of a run knows what it breaks and what may stand in."""
    judged = run(tell_somehow, another_channel, simulation=simulation)
    assert judged.baseline.instead == {"sms": ("mail",)}
    assert judged.baseline.breaks == ()
    story = scenario(task="Tell Ann.")(desk)
    assert run(story, twice, simulation=simulation).baseline.breaks == ("at_most_once",)
