"""The memo: a campaign with it finds, covers and tells what it does without it.

Law: where the memo cannot know, it says so and the run is real; where it is wrong, nothing that it
said is left.
"""

import _thread
import asyncio
import copy
import logging
import os
import re
import threading
import time
import uuid
from collections import Counter, OrderedDict
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from io import StringIO
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from agentfuzz import Completion, at_most_once, scenario, truthful
from agentfuzz._fuzz import Fuzz
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.child.process import in_child
from agentfuzz.engine.simulation import Simulation
from agentfuzz.providers.offer import Offer
from agentfuzz.report.formats import json as json_format
from agentfuzz.search import maker
from agentfuzz.search import runner as runners
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.memo import fitness, sight
from agentfuzz.search.memo.audit import Audit
from agentfuzz.search.memo.beside import Beside
from agentfuzz.search.memo.memo import Memo
from agentfuzz.search.memo.shared import Shared
from agentfuzz.search.memo.sight import Sight
from agentfuzz.search.memo.tape import unfinished
from agentfuzz.search.memo.tree import Tree
from agentfuzz.search.memo.values import Packed, Uncopied, key_of
from agentfuzz.world.injector import FromPlan
from agentfuzz.world.world import World
from tests.extent import some, upto

from .campaign_bytes import MODES, shipping
from .support import shown
from .test_same_histories import STORIES, Watched, campaigns

DONE, BLOCKED = Completion.success(handle="h"), Completion.blocked()


def searched(story, agent, memo, kind=Campaign, **budget):
    """A campaign, and its result."""
    given = {"max_seconds": 600.0, "max_runs": 300, "deep_runs": 10, **budget}
    with Simulation(run_timeout=120.0) as simulation:  # no run is cut off for a busy machine
        campaign = kind(story, agent, simulation, nodeid="t::t", budget=Budget(memo=memo, **given))
        campaign.search()
        return campaign, campaign.result()


def text_of(result):
    """Its report, and the findings', but for the note that it was begun anew."""
    notes = tuple(note for note in result.notes if not note.startswith("begun anew"))
    told = json_format.text(json_format.run([replace(result, notes=notes)]))
    return [told, *(json_format.text(json_format.finding(cx)) for cx in result.findings)]


def same(story, agent, **budget):
    """How many runs the memo has answered, in a campaign that is the same without it."""
    alone, wanted = searched(story, agent, "off", Watched, **budget)
    campaign, found = searched(story, agent, "on", Watched, **budget)
    assert campaign.seen.hexdigest() == alone.seen.hexdigest()
    assert text_of(found) == text_of(wanted)
    assert found.covered() == wanted.covered()
    assert campaign.runner.memo is not None, "it was not begun anew"
    return campaign.runner.memo.answered


def test_a_memo_changes_nothing():
    """The same histories, crossings, findings and report; and it says how many runs were real."""
    agents = [(story, agent) for _, story, agent in campaigns("saga")]
    assert all(same(*one) > 100 for one in agents)
    campaign, found = searched(*agents[0], "on")
    real = found.runs - campaign.runner.memo.answered
    assert any(note.startswith(f"{found.runs} runs, {real} of them real") for note in found.made)


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
def test_a_memo_changes_nothing_in_the_scenarios(name):
    for title, story, agent in campaigns(name):
        assert same(story, agent, max_runs=upto(100, 200)) > 0, title


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_memo_changes_nothing_whatever_the_agent(mode):
    """Crashes, second deliveries and cancels; sync, async and on threads."""
    same(shipping, MODES[mode])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", some(["async", "sync", "two", "run", "stream", "in_sync", "both"], 2)
)
def test_a_memo_changes_nothing_in_frameworks(name):
    """LangGraph and the OpenAI Agents SDK, with one call a turn and with two at once. `run_sync`
    has an event loop of its own, and is real."""
    from adapters import shop, test_langgraph, test_openai_agents

    agent = {
        "sync": lambda: test_langgraph.sync_agent(),
        "async": lambda: test_langgraph.async_agent(),
        "two": lambda: test_langgraph.sync_agent(),
        "run": lambda: test_openai_agents.runner(),
        "stream": lambda: test_openai_agents.streamed,
        "in_sync": lambda: test_openai_agents.in_sync,
        "both": lambda: test_openai_agents.runner(),
    }[name]()
    story = shop.charge_two if name in ("two", "both") else shop.charge_and_tell
    answered = same(story, agent, max_runs=upto(60, 120))
    assert answered == 0 if name == "in_sync" else answered > 0


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["langgraph", "openai_agents"])
@pytest.mark.parametrize("name", some(["approved", "recalled"], 1))
def test_a_memo_changes_nothing_where_a_default_loop_has_legs(name, framework):
    """What a loop keeps from leg to leg it has as well while it is taped."""
    from agentfuzz.adapters.contract import agent, found
    from agentfuzz.adapters.testing import situation

    adapter = found(framework)
    chosen = situation(adapter, name)
    same(chosen.scenario, agent(adapter, **chosen.words), max_runs=25)


# What it cannot know ----------------------------------------------------------------------


@scenario(at_most_once("pay"), task="Pay.", max_crossings=30)
def paying(world):
    @world.tool(effect="pay", scope=("n",))
    def pay(n: int) -> dict:
        return {"receipt": n}


@pytest.mark.parametrize("memo", ["on", "off"])
def test_a_plan_that_is_extended_is_not_run_again_where_it_is_remembered(memo, monkeypatch):
    """Its crossings are those of the memo; they are counted as runs, and as made without the
    agent."""
    calls, extended = [], []

    def counted(world):
        calls.append(world)
        for n in (1, 2):
            with suppress(Exception):
                world.tools.pay(n=n)
        return BLOCKED

    def reached(self, plan, real=maker.Maker.reached):
        before = len(calls), self.runs
        found = real(self, plan)
        if plan:
            extended.append((len(calls) - before[0], self.runs - before[1]))
        return found

    monkeypatch.setattr(maker.Maker, "reached", reached)
    searched(paying, counted, memo, depth=2, max_runs=5_000)
    assert len(extended) > 3
    assert set(extended) == {(0, 1) if memo == "on" else (1, 1)}


@scenario(task="Pay.", faults=("cancel",))
def stopped(world):
    paying.build(world)


@scenario(task="Pay.", resume=lambda world: BLOCKED)
def resumed(world):
    paying.build(world)


@scenario(task="Pay.", script=[("pay", {"n": 1}), "Paid."])
def talking(world):
    paying.build(world)


@scenario(task="Pay.")
def drawing(world):
    @world.tool(effect="pay", scope=("n",))
    def pay(n: int) -> str:
        return uuid.uuid4().hex


@scenario(task="Pay.")
def living(world):
    rows: list[int] = []

    @world.tool(effect="pay", scope=("n",))
    def pay(n: int) -> list[int]:
        rows.append(n)
        return rows


@scenario(task="Pay.")
def slow(world):
    @world.tool(effect="pay", scope=("n",))
    async def pay(n: int) -> int:
        await asyncio.sleep(1)
        return n


@scenario(task="Pay.")
def forgetting(world):
    @world.tool(effect="pay", scope=("n",))
    async def pay(n: int) -> int:
        asyncio.create_task(asyncio.sleep(1))  # noqa: RUF006 (a tool's, as people write them)
        return n


def plain(world: Any) -> Completion:
    """Calls again after a timeout."""
    for _ in range(2):
        try:
            world.tools.pay(n=1)
            world.tools.pay(n=2)
        except TimeoutError:
            continue
        except Exception:
            return BLOCKED
        return DONE
    return BLOCKED


async def together(world):
    await asyncio.gather(world.tools.aio.pay(n=1), world.tools.aio.pay(n=2))


async def impatient(world):
    await asyncio.wait_for(world.tools.aio.pay(n=1), 5)


def leaves_work(world):
    def later():
        time.sleep(1)
        world.tools.pay(n=1)

    threading.Thread(target=later).start()


def raw_thread(world):
    done = _thread.allocate_lock()
    done.acquire()

    def work():
        with suppress(Exception):
            world.tools.pay(n=1)
        done.release()

    _thread.start_new_thread(work, ())
    done.acquire()


class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(one)

    def __copy__(self):  # a library may have taught all exceptions that exist to be copied
        raise TypeError("not to be copied")


def raises_oddly(world):
    try:
        world.tools.pay(n=1)
    except Exception:
        raise Odd("a", "b") from None


def saves(world):
    with world.saving("file"):
        world.tools.pay(n=1)


def reads_mail(world):
    world.tools.pay(n=len(world.inbox))


def brings_a_model(world):
    world.gateway.model = lambda messages: {"content": "pay", "tool_calls": []}
    world.model([])
    world.tools.pay(n=1)


def begins_early(world):
    world.tools.pay(n=1)
    return asyncio.sleep(0, DONE)


def own_loop(world):
    asyncio.run(world.tools.aio.pay(n=1))


async def unheard(world):
    async def dies():
        raise ValueError("nobody asks")

    dying = asyncio.create_task(dies())
    await world.tools.aio.pay(n=1)
    await asyncio.sleep(0)
    del dying


async def async_plain(world):
    await world.tools.aio.pay(n=1)


def asserts(world):
    try:
        world.tools.pay(n=1)
    except Exception as error:
        assert isinstance(error, TimeoutError)  # noqa: PT017 (an agent's)


async def hangs(world):
    try:
        await world.tools.aio.pay(n=1)
    except Exception:
        await asyncio.get_running_loop().create_future()


REASONS = {
    fitness.OVERLAP: (slow, together),
    fitness.DEADLINE: (paying, impatient),
    fitness.AFTERWARDS: (paying, leaves_work),
    fitness.ANOTHER_WAY: (paying, in_child(plain)),
    fitness.THREADS: (paying, raw_thread),
    fitness.DRAWS: (drawing, plain),
    fitness.LEAVES: (forgetting, async_plain),
    fitness.CHANGES: (living, plain),
    fitness.UNCOPIED: (paying, raises_oddly),
    fitness.SAVES: (paying, saves),
    fitness.INBOX: (paying, reads_mail),
    fitness.OWN_MODEL: (talking, brings_a_model),
    fitness.EARLY: (paying, begins_early),
    fitness.LOOPS: (paying, own_loop),
    fitness.UNHEARD: (paying, unheard),
    fitness.STOPPED: (stopped, async_plain),
    fitness.ASSERTS: (paying, asserts),
    fitness.CUT_OFF: (paying, hangs),
    fitness.ANOTHER: (resumed, plain),
}


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.replace(" ", "_")[:30])
def test_what_it_cannot_know_is_real(reason):
    """The result is that of a campaign without it, and it says why."""
    story, agent = REASONS[reason]
    budget = {"max_runs": upto(60, 120), "deep_runs": 0}
    campaign, found = searched(story, agent, "on", **budget)
    _, wanted = searched(story, agent, "off", **budget)
    memo = campaign.runner.memo
    assert memo is not None
    assert reason in memo.reasons or reason == memo.off
    assert text_of(found) == text_of(wanted)


def test_a_leg_that_is_ended_from_outside_is_not_learnt():
    class Tape:
        bad, end = "", None

    assert unfinished(Tape()) == fitness.NEVER_ENDED


def test_it_says_that_every_run_was_real():
    """After twenty runs of which none could be learnt."""
    campaign, found = searched(paying, reads_mail, "on")
    assert campaign.runner.memo.off == fitness.INBOX
    assert f"every run was real: {fitness.INBOX}" in found.made


# Where it is wrong ------------------------------------------------------------------------


def test_hidden_state_is_found_out():
    """An agent that counts its runs in a global does what no reply explains."""
    count = [0]

    def forgetful(world):
        count[0] += 1
        try:
            world.tools.pay(n=1)
        except Exception:
            if count[0] % 7:
                return BLOCKED
            world.tools.pay(n=1)
        return DONE

    campaign, found = searched(paying, forgetful, "on")
    assert campaign.runner.memo is None
    assert any(note.startswith("begun anew, every run real") for note in found.notes)
    assert "AF904" in {cx.code for cx in found.findings}


def test_hidden_state_that_fills_up_is_found():
    """A breaker that stays open from run to run: when it is found out, and everything begins anew,
    all runs come out alike. Only the first of all did not."""
    failed = [0]

    def breaker(world):
        if failed[0] == 5:
            return BLOCKED
        try:
            world.tools.pay(n=1)
        except Exception:
            failed[0] += 1
            return BLOCKED
        return DONE

    campaign, found = searched(paying, breaker, "on")
    assert campaign.runner.memo is None
    assert [cx.code for cx in found.findings] == ["AF904"]
    assert "0 of 4 replays gave the first history" in found.findings[0].violation.sentence


@scenario(at_most_once("pay"), truthful(), task="Pay.")
def claiming(world):
    paying.build(world)


def poisoned(monkeypatch, says, instead):
    """The memo remembers another answer than the agent gave."""
    real = Tree.learn

    def learn(self, leg):
        if leg.end.value == says:
            leg = leg._replace(end=leg.end._replace(value=instead, key=key_of(instead)))
        real(self, leg)

    monkeypatch.setattr(Tree, "learn", learn)


def test_a_lie_that_would_be_a_finding_is_none(monkeypatch):
    """Confirmation is real: what only the memo has seen is dropped, and nothing is said of two
    histories."""
    wanted = searched(claiming, plain, "off")[1]
    monkeypatch.setattr(Audit, "wanted", lambda self: False)
    poisoned(monkeypatch, BLOCKED, DONE)
    campaign, found = searched(claiming, plain, "on")
    assert campaign.runner.memo is None
    assert shown(found) == shown(wanted)
    assert "AF904" not in {cx.code for cx in found.findings}
    assert any(note.startswith("begun anew") for note in found.notes)


def test_a_lie_that_hides_a_finding_is_audited(monkeypatch):
    wanted = searched(claiming, plain, "off")[1]
    poisoned(monkeypatch, DONE, BLOCKED)
    found = searched(claiming, plain, "on")[1]
    assert text_of(found) == text_of(wanted)
    assert any("the agent did something else than it had said" in note for note in found.notes)


@pytest.mark.parametrize("seed", range(5))
def test_at_least_one_answer_in_fifty_is_audited(seed):
    """And the first three; of a thousand not many more than that."""
    audit = Audit(seed)
    for answers in range(1, 1_001):
        audit.wanted()
        assert audit.made >= max(min(answers, 3), answers / 50)
    assert audit.made <= 40


# When it is used --------------------------------------------------------------------------


def test_it_is_used_for_dear_agents(monkeypatch):
    """By `auto` above two milliseconds a run, and never unless it is wanted."""
    monkeypatch.setattr(maker, "DEAR", float("inf"))
    assert searched(paying, plain, "auto", depth=1)[0].runner.memo is None
    monkeypatch.setattr(maker, "DEAR", 0.0)
    assert searched(paying, plain, "auto", depth=1)[0].runner.memo is not None
    assert searched(paying, plain, "off", depth=1)[0].runner.memo is None


@pytest.fixture
def forks(monkeypatch):
    """Beside the threads of whoever runs these tests."""
    monkeypatch.setattr(runners, "safe", lambda: True)


@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize("agent", [plain, together])
def test_beside_other_processes_nothing_changes(agent):
    """The same histories, findings and report; and as many answers whatever their number."""
    alone, wanted = searched(paying, agent, "off", Watched)
    found = [searched(paying, agent, "on", Watched, workers=n) for n in (2, 3)]
    for campaign, result in found:
        assert campaign.seen.hexdigest() == alone.seen.hexdigest()
        assert text_of(result) == text_of(wanted)
    two, three = (campaign.runner.memo for campaign, _ in found)
    assert two.answered == three.answered > 0
    assert two.audited == three.audited > 0
    assert two.reasons == three.reasons


@pytest.mark.usefixtures("forks")
def test_beside_other_processes_as_much_is_answered():
    """What another plan is about to show is waited for, and not run twice."""
    alone, beside = (
        searched(paying, plain, "on", deep_runs=0, workers=n)[0].runner.memo for n in (1, 2)
    )
    assert beside.answered == alone.answered


def reads(ends):
    ends += os.pipe()
    asyncio.get_running_loop().add_reader(ends[-2], bool)


def awaits_a_thread(ends):
    asyncio.get_running_loop().run_in_executor(None, time.sleep, 1)


def leaves_a_task(ends):
    asyncio.get_running_loop().create_task(asyncio.sleep(1))


async def generates(ends):
    async def rows():
        yield 1
        yield 2

    ends.append(rows())
    await anext(ends[-1])


@pytest.mark.parametrize(
    ("leaves", "plan", "kept"),
    [
        (leaves_a_task, "pay#2:once/malformed", True),
        (reads, "pay#2:once/malformed", False),
        (awaits_a_thread, "pay#2:once/malformed", False),
        (generates, "pay#2:once/malformed", False),
        (leaves_a_task, "pay#2:late/timeout", False),  # it is still to come
    ],
)
def test_only_a_loop_with_nothing_but_tasks_is_kept(leaves, plan, kept):
    """After a run that nobody knows; and then it is empty."""
    ends = []
    known = []  # a tool that leaves something is not learnt

    @scenario(at_most_once("pay"), task="Pay.")
    def story(world):
        @world.tool(effect="pay", scope=("n",))
        async def pay(n: int) -> dict:
            left = leaves(ends) if known else None
            if left is not None:
                await left
            return {"receipt": n}

    async def twice(world):
        for n in (1, 2):
            await world.tools.aio.pay(n=n)
        return DONE

    with Simulation() as simulation:
        memo = Memo(story, twice, simulation, seed=0)
        memo.learn(simulation.execute(story, memo.taped, FromPlan()))
        known.append(memo)
        before = simulation._loops.current()
        assert memo.answer(FromPlan(FaultPlan.parse(plan))) is None
        after = simulation._loops.current()
        assert (after is before) is kept
        assert not after.waits
        assert not asyncio.all_tasks(after)
    for end in ends:
        if isinstance(end, int):
            os.close(end)


@pytest.mark.usefixtures("forks")
def test_those_that_wait_are_counted(monkeypatch):
    """So many plans wait, and so many are about to show something, as are kept; at the end none."""
    counts, take = [], Beside.take

    def counted(self, plan):
        found = take(self, plan)
        counts.append(waiting := sum(map(len, self._waiting.values())))
        assert self._wait == waiting
        places = Counter(place for place in self._sent.values() if place is not None)
        assert +self._shown_by == places
        return found

    monkeypatch.setattr(Beside, "take", counted)
    searched(paying, plain, "on", deep_runs=0, workers=2)
    assert max(counts) > 0 == counts[-1]


@pytest.mark.slow
@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize("name", some(["langgraph", "openai_agents"], 1))
def test_frameworks_beside_other_processes(name):
    """What they return and raise is sent, and most of it answered."""
    from adapters import shop, test_langgraph, test_openai_agents

    make = {"langgraph": test_langgraph.sync_agent, "openai_agents": test_openai_agents.runner}
    budget = {"max_runs": upto(200, 300), "deep_runs": 0}
    alone, wanted = searched(shop.charge_and_tell, make[name](), "off", Watched, **budget)
    campaign, found = searched(
        shop.charge_and_tell, make[name](), "on", Watched, workers=2, **budget
    )
    assert found.findings
    assert campaign.seen.hexdigest() == alone.seen.hexdigest()
    assert text_of(found) == text_of(wanted)
    assert campaign.runner.memo.answered > 50


@pytest.mark.usefixtures("forks")
def test_a_lie_beside_other_processes_is_audited(monkeypatch):
    """They make some of the answers again, with the agent."""
    wanted = searched(claiming, plain, "off")[1]
    poisoned(monkeypatch, DONE, BLOCKED)
    found = searched(claiming, plain, "on", workers=2)[1]
    assert text_of(found) == text_of(wanted)
    assert any("the agent did something else than it had said" in note for note in found.notes)


@pytest.mark.usefixtures("forks")
def test_what_cannot_be_sent_is_not_remembered():
    """An exception of a class that no other process can find."""

    class Local(Exception):
        pass

    def agent(world):
        try:
            world.tools.pay(n=1)
        except Exception as error:
            raise Local("no") from error
        return DONE

    campaign, found = searched(paying, agent, "on", workers=2)
    assert shown(found) == shown(searched(paying, agent, "off")[1])
    assert campaign.runner.memo.reasons[fitness.UNSENT]


@pytest.mark.usefixtures("forks")
def test_a_process_that_dies_is_told_beside_a_memo():
    """As it is without one: its plan, and nothing else."""
    home = os.getpid()

    def dies(world):
        try:
            world.tools.pay(n=1)
        except ConnectionError:
            if os.getpid() != home:
                os._exit(7)
        except Exception:
            return BLOCKED
        return DONE

    wanted = searched(paying, dies, "off", workers=2, depth=1)[1]
    found = searched(paying, dies, "on", workers=2, depth=1)[1]
    assert shown(found) == shown(wanted)
    assert "AF902" in {cx.code for cx in found.findings}


def test_confirmation_is_real(monkeypatch):
    """`execute` never asks the memo."""
    campaign, _ = searched(paying, plain, "on")
    memo = campaign.runner.memo
    answered, plan = memo.answered, FaultPlan.parse("pay#1:once/error")
    with campaign.runner.simulation:
        campaign.runner.made(plan)
        assert memo.answered == answered + 1
        campaign.runner.execute(plan)
    assert memo.answered == answered + 1


class Resp:
    """A reply as clients give it: its `repr` says little."""

    def __init__(self, status, body):
        self.status, self._body = status, body

    def json(self):
        return self._body

    def __repr__(self):
        return f"<Response [{self.status}]>"


class Slotted(Resp):
    """The same, and not all of it is seen from outside."""

    __slots__ = ("hidden",)


class Rows(dict):
    """A reply that is its body, and says nothing of it."""

    def __init__(self, status, body):
        super().__init__(body)

    def json(self):
        return self

    def __repr__(self):
        return "<Rows>"


@pytest.mark.parametrize("kind", [Resp, Slotted, Rows])
def test_replies_that_look_alike_are_told_apart(kind):
    """By their parts; what has parts that nobody sees is not remembered."""

    @scenario(at_most_once("pay"), task="Pay.")
    def shop(world):
        paid = []

        @world.tool(effect="pay", scope=("n",))
        def pay(n: int) -> dict:
            paid.append(n)
            return {"ok": True}

        @world.tool
        def payments() -> object:
            return kind(200, {"paid": list(paid)})

    def agent(world):
        for n in range(2):
            try:
                world.tools.pay(n=n)
            except TimeoutError:
                pass
            except Exception:
                return BLOCKED
        try:
            if world.tools.payments().json()["paid"] == []:
                world.tools.pay(n=7)
                world.tools.pay(n=7)
        except Exception:
            return BLOCKED
        return DONE

    wanted = searched(shop, agent, "off")[1]
    campaign, found = searched(shop, agent, "on")
    assert shown(found) == shown(wanted)
    assert any(one.startswith("AF101") for one in shown(found))
    assert (fitness.UNTOLD in campaign.runner.memo.reasons) == (kind is Slotted)


class Order:
    def __init__(self):
        self.status = "new"


def test_an_agent_that_changes_what_a_tool_has_given_it():
    """The tool still has it: what it does with it later no reply need tell."""

    @scenario(at_most_once("ship"), task="Ship.")
    def shop(world):
        order = Order()

        @world.tool
        def find() -> object:
            return order

        @world.tool(effect="ship", scope=(), effect_if=lambda _: order.status == "paid")
        def ship() -> str:
            return "ok"

    def agent(world):
        try:
            world.tools.find().status = "paid"
            world.tools.ship()
        except Exception:
            return BLOCKED
        return DONE

    campaign, found = searched(shop, agent, "on")
    assert campaign.runner.memo is not None, "it was not begun anew"
    assert campaign.runner.memo.reasons[fitness.CHANGES]
    assert text_of(found) == text_of(searched(shop, agent, "off")[1])


class Number(int):
    pass


class Words(list):
    pass


class Day(datetime):
    def __repr__(self):
        return "a day"


class Told(str):
    pass


def told(text, **more):
    made = Told(text)
    vars(made).update(more)
    return made


ALIKE = {
    "int": (Number(1), Number(2)),
    "list": (Words("a"), Words("b")),
    "within": ({"a": [Words("a")]}, {"a": [Words("b")]}),
    "counter": (Counter("a"), Counter("b")),
    "order": (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
    "date": (Day(2020, 1, 1), Day(2020, 1, 2)),
    "text": (told("a"), told("b")),
    "beside a text": (told("a", by=1), told("a", by=2)),
    "namespace": (SimpleNamespace(a=1), SimpleNamespace(a=2)),
}


@pytest.mark.parametrize("name", ALIKE)
def test_what_is_within_a_class_of_ones_own_is_told_apart(name):
    """Of a built-in one, too; and a copy is the same."""
    one, other = ALIKE[name]
    assert key_of(one) != key_of(other)
    assert key_of(copy.deepcopy(one)) == key_of(one)


@pytest.mark.parametrize("value", [StringIO("a"), partial(int, "1"), lambda: 1, set("a")])
def test_what_lies_in_c_code_is_not_told(value):
    with pytest.raises(Uncopied):
        key_of(value)


def test_a_buffer_is_no_text_of_bytes():
    """A tool tells them apart, and so does the memo."""

    @scenario(task="Put.")
    def puts(world):
        @world.tool(effect="put", scope=())
        def put(data: object) -> str:
            return type(data).__name__

    def agent(world):
        try:
            world.tools.put(data=bytearray(b"x"))
        except Exception:
            return BLOCKED
        return DONE

    campaign, found = searched(puts, agent, "on")
    assert campaign.runner.memo is not None, "it was not begun anew"
    assert shown(found) == shown(searched(puts, agent, "off")[1])


def test_an_agent_that_writes_into_the_state_of_the_tools():
    """Its hand is seen, and such a run is not remembered."""

    @scenario(at_most_once("pay"), task="Pay.")
    def closing(world):
        world.state["closed"] = False

        @world.tool(effect="pay", scope=("n",))
        def pay(n: int) -> dict:
            if world.state["closed"]:
                raise ValueError("closed")
            return {"ok": True}

    def agent(world):
        for n in range(3):
            try:
                world.tools.pay(n=n)
            except TimeoutError:
                world.state["closed"] = True
            except Exception:
                return BLOCKED
        return DONE

    wanted = searched(closing, agent, "off")[1]
    campaign, found = searched(closing, agent, "on")
    assert shown(found) == shown(wanted)
    assert found.laws == wanted.laws
    assert campaign.runner.memo.reasons[fitness.STATE]


@scenario(task="Pay.", without=("at_most_once", "replay_transparency"))
def keeping(world):
    world.paid = world.state["paid"] = []

    @world.tool(effect="pay", scope=("n",))
    def pay(n: int) -> str:
        world.state["paid"].append(n)
        assert world.paid is world.state["paid"]
        return "paid"


KEPT: list[int] = []
times = 0


class Ledger:
    rows: list[int] = []

    def add(self, n):
        self.rows.append(n)


@scenario(task="Pay.", without=("at_most_once", "replay_transparency"))
def sharing(world):
    global times
    times = 0
    KEPT.clear()
    Ledger.rows.clear()

    @world.tool(effect="pay", scope=("n",))
    def pay(n: int) -> str:
        global times
        times += 1
        KEPT.append(n)
        Ledger().add(n)
        return "paid"


def how_many(kept):
    """A helper of the agent's."""
    return len(KEPT) if kept == "by a helper" else times


def looks_with(paid, look=lambda world: None):
    """Asks again after a timeout; asserts of what the tools have kept."""

    def agent(world):
        kept = look(world)
        for n in (1, 2):
            with suppress(TimeoutError):
                world.tools.pay(n=n)
        time.sleep(50)  # what is late arrives
        kept = paid(world) if kept is None else kept
        assert len(kept) < 3
        return DONE

    return agent


LOOKS = {
    "at its state": looks_with(lambda world: world.state["paid"]),
    "at what lies on it": looks_with(lambda world: world.paid),
    "at first": looks_with(None, lambda world: world.state["paid"]),
}


SHARES = {
    "a global": looks_with(lambda world: KEPT),
    "a class": looks_with(lambda world: Ledger.rows),
    "by a helper": looks_with(lambda world: range(how_many("by a helper"))),
    "a number": looks_with(lambda world: range(how_many("a number"))),
}


@pytest.mark.parametrize("name", SHARES)
def test_what_an_agent_shares_with_its_tools_is_told_apart(name, monkeypatch):
    """What the code of both names, directly or in a function that it calls."""
    monkeypatch.setattr(Audit, "wanted", lambda self: False)
    assert same(sharing, SHARES[name], depth=1) > 10
    found = searched(sharing, SHARES[name], "on", depth=1)[1]
    assert any(one.startswith("AF906") for one in shown(found))


def test_what_they_share_and_nobody_can_tell_is_not_remembered():
    rows = StringIO()

    @scenario(task="Pay.", without=("at_most_once",))
    def story(world):
        rows.truncate(0)

        @world.tool(effect="pay", scope=("n",))
        def pay(n: int) -> str:
            return str(rows.write("."))

    def agent(world):
        plain(world)
        return rows.getvalue()

    campaign, _ = searched(story, agent, "on", depth=1)
    assert campaign.runner.memo.off == fitness.UNTOLD


def test_what_they_share_and_is_large_is_not_looked_at_all_the_time():
    """Every run is real then: looking would take longer."""
    table = {str(n): n for n in range(50_000)}

    @scenario(task="Pay.", without=("at_most_once",))
    def story(world):
        @world.tool(effect="pay", scope=("n",))
        def pay(n: int) -> int:
            return table[str(n)]

    def agent(world):
        plain(world)
        return table["2"]

    campaign, _ = searched(story, agent, "on", depth=1)
    assert campaign.runner.memo.off == fitness.UNTOLD


def test_what_both_name_and_nothing_passes_through_costs_nothing():
    """Constants, loggers, patterns, libraries, the scenario's own parts."""

    log, pattern = logging.getLogger("x"), re.compile("x")

    def both(world, most=3):
        return log, pattern, most, DONE, os.getpid, asyncio.sleep, Completion, Resp, world

    assert Shared(both, both).looks == []


class Proxy:
    """Stands for something that is not there, as that of a framework outside of a request."""

    @property
    def __class__(self):
        raise RuntimeError("outside")


class Nothing:
    pass


PROXY = Proxy()


def test_what_cannot_be_looked_at_is_left_out():
    """And all else is found beside a name that is not bound yet, a proxy, a circle of wrappers."""

    def circle(world):
        return PROXY

    def agent(world):
        return circle, PROXY, KEPT, later

    circle.__wrapped__ = circle
    shared = Shared(agent, lambda world, kept=KEPT: (kept, PROXY))
    assert len(shared.looks) == 2
    with pytest.raises(Uncopied):
        Sight(Nothing(), shared).seen(b"")
    later = 1
    assert later


class Asked:
    """Raises whatever it is asked for, but what it is made for."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __call__(self, world):
        return KEPT


class CallableProxy(Proxy):
    def __call__(self, world):
        raise RuntimeError("outside")


def test_agents_and_names_that_answer_nothing_are_looked_at_all_the_same():
    """No attribute of theirs is asked for, but of which decorator they are the inside."""
    proxy, module = (
        CallableProxy(),
        type("Lazy", (ModuleType,), {"__getattr__": Asked.__getattr__})("lazy"),
    )
    [look] = Shared(Asked(), lambda world, kept=KEPT: (kept, proxy, module)).looks
    assert look() is KEPT
    assert Shared(proxy, lambda world: (proxy, module)).looks == []


class Shop:
    """Tools and agent of one object."""

    def build(self, world):
        return self.kept

    def __init__(self):
        self.kept = KEPT

    def act(self, world):
        return self._look()

    def _look(self):
        return self.kept

    @property
    def looking(self):
        return KEPT


class Branch(Shop):
    def look(self, world):
        return self.looking


def told(world):
    return world


def told_by(world):
    return KEPT


told_by.__wrapped__ = told
SHOP = Branch()


@pytest.mark.parametrize(
    ("agent", "build"),
    [
        (SHOP.act, SHOP.build),
        (partial(told, KEPT), lambda world, kept=KEPT: kept),
        (partial(told, world=KEPT), lambda world, kept=KEPT: kept),
        (SHOP.act, lambda world, kept=KEPT: kept),
        (SHOP.look, lambda world, kept=KEPT: kept),
        (told_by, lambda world, kept=KEPT: kept),
    ],
)
def test_what_an_object_has_and_a_decorator_names_is_found(agent, build):
    """And what is given to a part of a function; in a base class, too, or behind a property."""
    assert KEPT in [look() for look in Shared(agent, build).looks]


class Small:
    def __init__(self, text):
        self.text = text


def test_what_is_large_in_its_parts_is_looked_at_once(monkeypatch):
    """Many small objects, or one large text: then none of it is, in that campaign."""
    rows, looks = [Small(str(n)) for n in range(20_000)], []
    monkeypatch.setattr(sight, "key_of", lambda value: (looks.append(1), key_of(value))[1])

    @scenario(task="Pay.", without=("at_most_once",))
    def story(world):
        @world.tool(effect="pay", scope=("n",))
        def pay(n: int) -> str:
            return rows[n].text

    def agent(world):
        plain(world)
        return rows[2].text

    campaign, _ = searched(story, agent, "on", depth=1)
    assert campaign.runner.memo.off == fitness.UNTOLD
    assert len(looks) == 1


def test_an_agent_that_asks_for_the_class_of_its_world_is_not_accused():
    """It sees another class where it is taped: that is the memo's doing, so every run is real."""

    def agent(world):
        plain(world)
        return DONE if type(world) is World else BLOCKED

    _, wanted = searched(keeping, agent, "off", depth=1)
    campaign, found = searched(keeping, agent, "on", depth=1)
    assert text_of(found) == text_of(wanted)
    assert campaign.runner.memo is None
    assert any(note.startswith("begun anew") for note in found.notes)


class Looking:
    def __call__(self, world):
        return self.paid(world)

    def paid(self, world):
        return fitness.OVERLAP, KEPT


@pytest.mark.parametrize(
    "agent",
    [
        *(Looking(), Looking().paid, partial(Looking().paid), lambda world, kept=KEPT: kept),
        Fuzz(sharing, lambda world, kept: kept, method=False).agent(kept=KEPT),
    ],
)
def test_the_code_of_an_agent_is_found(agent):
    """Of an object that is called, a method, a part of a function; and what is given by default,
    or is a fixture."""
    [look] = Shared(agent, lambda world, kept=KEPT: kept).looks
    assert look() is KEPT


@pytest.mark.parametrize("name", LOOKS)
def test_what_an_agent_looks_at_beside_replies_is_told_apart(name, monkeypatch):
    """An assertion on what the tools keep fails in the same runs, though no answer is audited: the
    agent would have got the same replies where nothing was kept."""
    monkeypatch.setattr(Audit, "wanted", lambda self: False)
    assert same(keeping, LOOKS[name], depth=1) > 10
    found = searched(keeping, LOOKS[name], "on", depth=1)[1]
    assert any(one.startswith("AF906") for one in shown(found))


def test_what_an_agent_lays_on_its_world_is_seen(monkeypatch):
    """In the place of what the scenario has laid there: such a run is not remembered."""

    def agent(world):
        with suppress(Exception):
            world.tools.pay(n=1)
        world.paid = world.state["paid"] = [1, 1]
        with suppress(Exception):
            world.tools.pay(n=2)
        return DONE if hasattr(world, "paid") and not hasattr(world, "other") else BLOCKED

    monkeypatch.setattr(Audit, "wanted", lambda self: False)
    same(keeping, agent, depth=1)
    assert fitness.STATE in searched(keeping, agent, "on", depth=1)[0].runner.memo.reasons


class Text(str):
    """What a framework gives for a text."""

    __slots__ = ()


class Carries(Exception):
    """What a framework raises in the end: it carries the whole run."""

    def __init__(self, said):
        super().__init__(said)
        self.run = object()


def answers_with_a_text_of_its_own(world):
    return Text(plain(world).status)


def raises_with_all_that_it_has(world):
    try:
        world.tools.pay(n=1)
    except Exception as error:
        raise Carries("too many turns") from error
    return DONE


@pytest.mark.parametrize("agent", [answers_with_a_text_of_its_own, raises_with_all_that_it_has])
def test_an_ending_is_told_by_what_a_history_has_of_it(agent):
    """A text of another class, an error of which not all can be told: both are remembered."""
    assert same(paying, agent) > 0
    assert not searched(paying, agent, "on")[0].runner.memo.reasons


def test_arguments_are_told_apart_and_copied():
    """Messages are copies each time; an offer is itself, told from others by all that it says."""
    tools = ({"name": "pay", "schema": {"type": "object"}},)
    offers = [Offer(tools), Offer(tools, choice="none"), Offer((*tools, {"name": "look"}))]
    messages = [{"role": "user", "content": "Pay."}]
    packed = [Packed((messages, offer)) for offer in offers]
    assert len({one.key for one in packed}) == 3
    assert packed[0].key == Packed((copy.deepcopy(messages), Offer(copy.deepcopy(tools)))).key
    messages.append("more")
    first, second = packed[0].out(), packed[0].out()
    assert first == second == ([{"role": "user", "content": "Pay."}], offers[0])
    assert first[0] is not second[0]
    assert first[1] is offers[0]
    assert Packed(((1, 2),)).key != Packed(([1, 2],)).key != Packed(([True, 2],)).key
