"""A control counts what was committed without one fault: of the law's own effect, or of all.

Law: what a control says is the ledger of a run that was really made. Kills the mutants of the
count, which no other test looks at.
"""

import json

import pytest

from agentfuzz import Completion, at_most_once, scenario, truthful
from agentfuzz.archive import transport
from agentfuzz.search.space import Space

from .support import hunt, shown

DONE, BLOCKED = Completion.success(handle="h"), Completion.blocked()


def shop(*laws):
    @scenario(*laws, task="t")
    def tools(world):
        @world.tool(effect="pay", scope=("n",))
        def pay(n: int) -> str:
            return "ok"

        @world.tool(effect="mail", scope=("n",), dedup="scope")
        def mail(n: int) -> str:
            return "ok"

    return tools


def pays(times, *, mails, claims):
    """So many effects of each kind; once more of the first after a timeout."""

    def agent(world):
        met = False
        for n in range(mails):
            world.tools.mail(n=n)
        for n in range(times):
            try:
                world.tools.pay(n=n)
            except TimeoutError:
                met = True
                world.tools.pay(n=n)
        return DONE if claims and met else BLOCKED

    return agent


ONLY = Space(only=("once/timeout",))


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("mails", [0, 1, 2])
def test_of_the_laws_own_effect(times, mails, simulation):
    """As many as there are of it, whatever else was done."""
    agent = pays(times, mails=mails, claims=False)
    result = hunt(shop(at_most_once()), agent, simulation, space=ONLY, deep_runs=0)
    (found,) = result.findings
    assert shown(result) == ["AF101 pay: pay#1:once/timeout"]
    assert [(c.effects, c.broken) for c in found.controls] == [(f"{times} pay", False)]


@pytest.mark.parametrize(
    ("times", "mails", "effects"),
    [(1, 0, "1 pay"), (2, 1, "1 mail, 2 pay"), (1, 3, "3 mail, 1 pay")],
)
def test_of_every_effect(times, mails, effects, simulation):
    """Where the law is about none of them: each in the order in which it first happened."""
    law = truthful(postcondition=lambda history: False)
    agent = pays(times, mails=mails, claims=True)
    result = hunt(shop(law), agent, simulation, space=ONLY, deep_runs=0)
    (found,) = [one for one in result.findings if one.code == "AF301"]
    assert [control.effects for control in found.controls] == [effects]


def test_of_nothing(simulation):
    """Nothing was done without the fault: that is said in words."""

    def only_after_a_fault(world):
        try:
            if world.tools.look() == "free":
                return BLOCKED
        except TimeoutError:
            world.tools.pay(n=1)
            return DONE
        except Exception:
            pass
        return BLOCKED

    @scenario(truthful(postcondition=lambda history: False), task="t")
    def looking(world):
        @world.tool
        def look() -> str:
            return "free"

        @world.tool(effect="pay", scope=("n",))
        def pay(n: int) -> str:
            return "ok"

    result = hunt(looking, only_after_a_fault, simulation, space=ONLY, depth=1, deep_runs=0)
    (found,) = [one for one in result.findings if one.code == "AF301"]
    assert [control.effects for control in found.controls] == ["no effect"]


def test_of_an_effect_that_did_not_happen(simulation):
    """The law's own effect, none of it without the fault."""

    @scenario(at_most_once(), task="t")
    def looking(world):
        @world.tool
        def look() -> str:
            return "free"

        @world.tool(effect="pay", scope=("n",))
        def pay(n: int) -> str:
            return "ok"

    def agent(world):
        try:
            world.tools.look()
        except TimeoutError:
            world.tools.pay(n=1)
            world.tools.pay(n=1)
        except Exception:
            pass
        return BLOCKED

    result = hunt(looking, agent, simulation, space=ONLY, depth=1, deep_runs=0)
    (found,) = result.findings
    assert [control.effects for control in found.controls] == ["0 pay"]


def test_where_each_call_was_made(simulation):
    """Of every call of the run, by a path that is no machine's; and so it comes from a worker."""
    agent = pays(1, mails=1, claims=False)
    result = hunt(shop(at_most_once()), agent, simulation, space=ONLY, deep_runs=0)
    (found,) = result.findings
    assert set(found.called) == set(found.history.calls)
    files = {place.rpartition(":")[0] for place in found.called.values()}
    assert {file.rpartition("/")[2] for file in files} == {"test_confirm.py"}
    assert not any(file.startswith("/") for file in files)
    (sent,) = transport.from_json(json.loads(json.dumps(transport.to_json(result)))).findings
    assert sent.called == found.called
