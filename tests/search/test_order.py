"""The order of a level: what costs money first, words last; and every wording of a reply alone.

Law: a small budget is spent on lost replies, double deliveries and crashes of effects; what a level
claims is what was run, also of the plans that are smaller than a counterexample's.
"""

import contextlib
import json

import pytest

from agentfuzz import Completion, RateLimited, at_most_once, scenario, truthful
from agentfuzz.archive.frontier import FIRST
from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.core.events import Struck
from agentfuzz.core.findings import Smaller
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.outcome import Outcome
from agentfuzz.search.phases.foresight import foreseen
from agentfuzz.search.phases.systematic import Level, every
from agentfuzz.search.space import Space, size
from agentfuzz.telling import story
from agentfuzz.world.reply_faults import VARIANTS

from .support import hunt, shown
from .test_deep import BLOCKED, DONE, acting
from .test_systematic import Lab

SCRIPT = [("look", {"n": 1}), ("pay", {"n": 1}), "Paid."]


@scenario(at_most_once("pay"), task="t", script=SCRIPT, resume=True)
def shop(world):
    @world.tool
    def look(n: int) -> dict:
        return {"n": n}

    @world.tool(effect="pay", scope=("n",))
    def pay(n: int) -> dict:
        return {"receipt": n}


def loop(world):
    """Asks the model, and calls again after a timeout."""
    messages = [{"role": "user", "content": world.task}]
    for _ in range(6):
        turn = world.model(messages)
        messages.append(turn)
        if not turn["tool_calls"]:
            return turn["content"]
        for call in turn["tool_calls"]:
            for _ in range(2):
                try:
                    reply = world.call(call["name"], call["arguments"], asked=call["id"])
                    text = json.dumps(reply)
                    break
                except TimeoutError as error:
                    text = str(error)
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": text})
    return None


class Noting(Campaign):
    """Keeps the plans of each phase in the order in which they were run."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.order = {}

    def _folded(self, outcome, phase, plan=None):
        super()._folded(outcome, phase, plan)
        if len(outcome.history.of(Struck)) == len(plan or ()):
            self.order.setdefault(phase, []).append(plan)


@pytest.fixture(scope="module")
def ordered(simulation):
    campaign = Noting(shop, loop, simulation)
    campaign.search()
    return campaign.order


def place(plan):
    """Which of the kinds of trouble a plan with one fault is."""
    ((slot, fault),) = plan
    if (slot.boundary == "tool" and fault.variant) or BOUNDARIES[slot.boundary].alone(fault):
        return 7
    if slot.boundary == "model":
        return 6 if fault.variant or fault.axes[0] == "reword" else 5
    if (slot.boundary, fault.axes) == ("process", ("crash", "after")) and slot.name == "pay":
        return 2
    if slot.boundary != "tool":
        return 4
    known = {("once", "timeout"): 0, ("once", "error"): 0, ("twice", "intact"): 1}
    return known.get(fault.axes, 3) if slot.name == "pay" else 3


def test_what_costs_money_comes_first(ordered):
    """Reply lost, delivered twice, crash after the call, other faults of tools, the process, the
    model, rewordings, and last the further wordings of replies, and what else is tried alone."""
    singles = ordered["plans with one fault"]
    places = [place(plan) for plan in singles]
    assert places == sorted(places)
    assert set(places) == set(range(8))
    assert [str(plan) for plan in singles[:4]] == [
        *("pay#1:once/timeout", "pay#1:once/error", "pay#1:twice"),
        "process:pay#1:crash/after",
    ]


def test_pairs_of_what_costs_money_come_first(ordered):
    """The parents are in that order, and so is what extends each of them."""
    pairs = ordered["plans with two faults"]
    assert {str(slot) for plan in pairs[:8] for slot, _ in plan} <= {
        "pay#1",
        "pay#2",
        "process:pay#2",
    }


def test_twelve_runs_find_a_double_charge(simulation):
    result = hunt(shop, loop, simulation, max_runs=12)
    assert "AF101 pay: pay#1:once/timeout" in shown(result)


def test_a_first_hit_that_is_not_the_smallest_is_made_so(simulation):
    """The budget ends between the two: smaller ones are tried before it is shown."""

    def both(world):
        try:
            world.tools.act(what="a")
        except (TimeoutError, ConnectionError):
            return DONE
        except Exception:
            pass
        with contextlib.suppress(Exception):
            world.tools.act(what="b")
        return BLOCKED

    space = Space(only=("error", "rate_limited", "lost/timeout"), exclude=("late", "twice"))
    result = hunt(acting, both, simulation, space=space, depth=1, deep_runs=0, max_runs=5)
    (found,) = result.findings
    sizes = [size(found.plan)]
    whole = hunt(acting, both, simulation, space=space, depth=1, deep_runs=0)
    assert sizes == [size(one.plan) for one in whole.findings]


def test_every_wording_of_a_reply_is_tried_alone(simulation):
    """All of them, at each call, and the coverage says that pairs have the first one alone."""

    def once(world):
        with contextlib.suppress(Exception):
            world.tools.act(what="a")
            world.tools.act(what="b")
        return BLOCKED

    campaign = Noting(acting, once, simulation)
    campaign.search()
    tried = {str(plan) for plan in campaign.order["plans with one fault"]}
    for kind, count in VARIANTS.items():
        wanted = {f"act#1:once/{kind}{f'={n}' if n else ''}" for n in range(count)}
        assert wanted <= tried
    pairs = campaign.order["plans with two faults"]
    assert not any(fault.variant for plan in pairs for _, fault in plan)
    covered = campaign.result().covered()
    assert f"all {len(tried)} plans with one fault, " in covered
    assert " plans with two faults (first wording of each reply)" in covered


def test_what_has_no_wordings_needs_no_remark(simulation):
    def twice(world):
        for what in ("a", "b"):
            with contextlib.suppress(Exception):
                world.tools.act(what=what)
        return BLOCKED

    result = hunt(acting, twice, simulation, space=Space(only=("timeout",)), deep_runs=0)
    assert "wording" not in result.covered()


def test_a_bug_in_a_wording_is_found_by_the_exhaustive_phase(simulation):
    """The fourth wording of a hostile reply, whatever the seed."""

    def obedient(world):
        try:
            reply = world.tools.act(what="a")
        except Exception:
            return BLOCKED
        return DONE if "final" in str(reply) else BLOCKED

    result = hunt(acting, obedient, simulation, deep_runs=0)
    assert shown(result) == ["AF301 claim: act#1:once/hostile=3"]
    assert result.findings[0].phase == "plans with one fault"


@scenario(truthful(postcondition=lambda history: False))
def claiming(world):
    @world.tool(effect="act", scope=("what",), dedup="scope")
    def act(what: str) -> dict:
        return {"ok": True}


def test_smaller_plans_are_counted(simulation):
    """As many as there are that are smaller by size; and whether that is all there are."""

    def agent(world):
        try:
            world.tools.act(what="a")
        except ConnectionError:
            return DONE
        except Exception:
            pass
        return BLOCKED

    campaign = Noting(claiming, agent, simulation)
    campaign.search()
    found = next(one for one in campaign.result().findings if len(one.plan) == 1)
    smaller = [
        plan for plan in campaign.order["plans with one fault"] if size(plan) < size(found.plan)
    ]
    assert str(found.plan) == "act#1:once/error"
    assert found.smaller == Smaller(run=1 + len(smaller))
    assert story.tell(found).shrink == "no smaller plan breaks it: all 2 were run"


def test_of_two_faults_those_with_fewer_are_counted(simulation):
    def agent(world):
        met = []
        for what in ("a", "b"):
            try:
                world.tools.act(what=what)
            except Exception as error:
                met.append(type(error))
        return DONE if met == [TimeoutError, ConnectionError] else BLOCKED

    result = hunt(claiming, agent, simulation, deep_runs=0)
    found = next(one for one in result.findings if len(one.plan) == 2)
    singles = result.levels[0].done + result.levels[1].done  # and those that last
    assert found.smaller == Smaller(run=1 + singles)
    fewer, simpler = story.tell(found).shrink.split("; ")
    assert fewer == f"no plan with fewer faults breaks it: all {singles + 1} were run"
    assert simpler == f"nothing simpler was found ({found.shrink_runs} runs)"


def test_a_search_that_was_cut_short_claims_no_whole(simulation):
    """Not all smaller ones were run, and it does not say so."""

    def agent(world):
        try:
            world.tools.act(what="a")
        except ConnectionError:
            return Completion.success(handle="h")
        except Exception:
            pass
        return BLOCKED

    result = hunt(claiming, agent, simulation, max_runs=6)
    (found,) = result.findings
    assert found.smaller is not None
    assert not found.smaller.whole
    told = story.tell(found).shrink
    assert told == "no smaller plan was found: 2 were run before the budget ended"


def test_what_cannot_strike_here_is_no_gap(simulation):
    """Nothing undoes anything, so that no model can take it back: AF803 does not ask for it; the
    budget is blamed where it ended first."""
    whole = hunt(shop, loop, simulation, depth=1, deep_runs=0)
    assert not [text for text in whole.untested if text.startswith("AF803")]
    assert "contradict" not in whole.kinds
    short = hunt(shop, loop, simulation, depth=1, deep_runs=0, max_runs=20)
    (line,) = [text for text in short.untested if text.startswith("AF803")]
    assert line.endswith(" (the budget (max_runs) ended before)")


def test_what_was_asked_for_by_name_is_named_if_it_never_struck(simulation):
    """Nobody can cancel a sync loop that never looks."""
    space = Space(faults=(*shop.faults, "cancel"))
    result = hunt(shop, loop, simulation, space=space, depth=1, deep_runs=0)
    (line,) = [text for text in result.untested if text.startswith("AF803")]
    assert "cancel" in line.removeprefix("AF803 never struck: ").split(", ")


def test_pairs_whose_first_fault_changes_what_follows_come_first(simulation):
    """A look whose reply nobody minds, and then a call that is tried again: every pair with a fault
    at the call comes before those with one at the look."""

    def agent(world):
        with contextlib.suppress(Exception):
            world.tools.look(n=1)
        for _ in range(2):
            try:
                world.tools.pay(n=1)
                return DONE
            except Exception:
                continue
        return BLOCKED

    lab = Lab(shop, agent, simulation, Space(only=("once/timeout", "lost/timeout")))
    level = Level({FaultPlan(): 1}, lab.space)
    for plan in level.plans(lab.run):
        level.grew(plan, *lab.run(plan))
    first = [slot.name for plan in level.next for slot in plan.by_slot]
    assert first == sorted(first, key=["pay", "look"].index)
    assert set(first) == {"pay", "look"}


def test_pairs_of_a_run_that_loops_come_last(simulation):
    """After one fault it looks forty times more, as a model in a loop does: what extends that plan
    does not keep what extends the others from being tried, whether or not they change what
    follows."""

    def agent(world):
        again = 40 if pays(world) is RateLimited else 0
        for _ in range(1 + again):
            with contextlib.suppress(Exception):
                world.tools.look(n=1)
        return DONE

    def pays(world):
        try:
            world.tools.pay(n=1)
        except Exception as error:
            return type(error)

    space = Space(only=("once/rate_limited", "lost/error", "lost/timeout", "once/error"))
    lab = Lab(shop, agent, simulation, space)
    level = Level({FaultPlan(): 1}, lab.space)
    for plan in level.plans(lab.run):
        level.grew(plan, *lab.run(plan))
    parents = [str(plan) for plan in level.next]
    assert parents[-1] == "pay#1:once/rate_limited"
    assert len(parents) > 1


class Told:
    """Makes runs ahead, and keeps what it was told; those of the `unknown` it cannot say."""

    def __init__(self, lab, unknown=()):
        self.lab, self.unknown, self.said = lab, unknown, []

    def expect(self, plans):
        self.said += [str(plan) for plan in plans]

    expect_last = expect

    def expect_again(self, plans):
        self.parents = [*plans]

    def look(self, plan, *, wait=True):
        history, crossings = self.lab.run(plan)
        return None if plan in self.unknown else Outcome(history, crossings, (), 0.0)


def outcomes(simulation, unknown, most, late=bool):
    """What was expected when each plan came, of so many at most; the plans; what is noted."""
    lab = Lab(shop, loop, simulation, Space(only=("once/timeout", "once/error", "empty", "repeat")))
    first = Level({FaultPlan(): 1}, lab.space)
    for plan in first.plans(lab.run):
        first.grew(plan, *lab.run(plan))
    told = None if unknown is None else Told(lab, {*list(first.next)[unknown:]})
    level, known, plans = Level(first.next, lab.space), [], []
    foresight = foreseen(Level(first.next, lab.space), told, every, FIRST, late=late)
    for plan in level.plans(lab.run, foresight=foresight):
        known.append(0 if told is None else len(told.said))
        plans.append(str(plan))
        if len(plans) == most:
            break
    return known, plans, level.vain, [] if told is None else told.said


@pytest.mark.parametrize("unknown", [0, 2, 99])
def test_nobody_waits_between_two_parents(simulation, unknown):
    """What extends the next parent is expected, once and in order, while there is still something
    of this one; where it is not known what the next one leads to, at its turn."""
    _, alone, vain, _ = outcomes(simulation, None, 999)
    known, plans, seen, said = outcomes(simulation, unknown, 999)
    assert plans == alone == said
    assert seen == vain
    ahead = [told - n for n, told in enumerate(known, 1) if told < len(plans)]
    assert (min(ahead, default=1) > 0) == (unknown == 99)


def test_when_it_is_late_nobody_waits_for_what_a_parent_leads_to(simulation):
    """Its plans are expected at its turn."""
    assert outcomes(simulation, 99, 999, late=lambda: True) == outcomes(simulation, 0, 999)


def test_what_is_expected_is_not_noted(simulation):
    """A campaign that ends before a parent's turn tells nothing of it."""
    most = outcomes(simulation, None, 999)[1]
    for stop in range(1, len(most)):
        assert outcomes(simulation, 99, stop)[1:3] == outcomes(simulation, None, stop)[1:3]
