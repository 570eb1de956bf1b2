"""Shards: a campaign in N parts, folded, is the campaign in one.

Law: whatever the agent, the budget and the number of parts; what others have run is not run again,
and is believed only where all before it came out the same.
"""

import os
import socket
from hashlib import sha256

import pytest

from agentfuzz import Completion, at_most_once, scenario
from agentfuzz.archive import shards as files
from agentfuzz.core.errors import ShardError
from agentfuzz.engine.simulation import Simulation
from agentfuzz.report.formats import json as json_format
from agentfuzz.search import runner
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.executors import recorded
from agentfuzz.search.executors.executor import Died
from agentfuzz.search.executors.processes import Processes
from agentfuzz.search.parts.shards import Merged, Share
from agentfuzz.search.space import Space
from tests.extent import some

from .campaign_bytes import MODES, shipping
from .support import shown

DONE, BLOCKED = Completion.success(handle="h"), Completion.blocked()
NODEID = "t.py::t"


@scenario(at_most_once("pay"), task="Pay thrice.")
def paying(world):
    @world.tool(effect="pay", scope=("n",))
    def pay(n: int) -> dict:
        return {"receipt": n}


def careless(world):
    """Calls again after a timeout."""
    for n in (1, 2, 3):
        for _ in range(2):
            try:
                world.tools.pay(n=n)
                break
            except TimeoutError:
                continue
            except Exception:
                return BLOCKED
    return DONE


def hopeful(world):
    """Goes on, and is content unless everything failed."""
    paid = 0
    for n in range(12):
        try:
            paid += bool(world.tools.pay(n=n))
        except Exception:
            continue
    return DONE if paid else BLOCKED


def searched(story, agent, dealing=None, *, space=None, **budget):
    """A campaign's result, and its report as bytes."""
    given = Budget(**{"max_seconds": 600.0, "deep_runs": 20, **budget})
    with Simulation() as simulation:
        campaign = Campaign(
            story, agent, simulation, nodeid=NODEID, budget=given, dealing=dealing, space=space
        )
        try:
            campaign.search()
        finally:
            campaign.dealing.close()
        result = campaign.result()
    text = json_format.text(json_format.run([result]))
    text += "".join(json_format.text(json_format.finding(cx)) for cx in result.findings)
    return result, sha256(text.encode()).hexdigest()


def parts(folder, of, story, agent, **given):
    """The results of all shards."""
    return [
        searched(story, agent, Share(folder / str(n), NODEID, n, of), **given)[0]
        for n in range(1, of + 1)
    ]


def folded(folder):
    """Who folds them."""
    return Merged(NODEID, files.gathered(files.found([folder]))[NODEID], [folder])


def counting(agent, counts):
    """The agent, whose runs are counted."""

    def counted(world):
        counts.append(1)
        return agent(world)

    return counted


@pytest.mark.parametrize("of", [1, 3, 8])
def test_the_same_bytes(tmp_path, of):
    """With findings, a covering array, pairs and random plans."""
    given = {"space": Space(only=("lost/timeout", "once/timeout", "once/error"))}
    alone, bytes_alone = searched(paying, hopeful, **given)
    assert any("covering array" in level.name for level in alone.levels)
    parts(tmp_path, of, paying, hopeful, **given)
    counts: list[int] = []
    merged, bytes_merged = searched(paying, counting(hopeful, counts), folded(tmp_path), **given)
    assert shown(merged) == shown(alone) != []
    assert bytes_merged == bytes_alone
    assert merged.runs == alone.runs
    dealt = sum(
        level.done for level in alone.levels if "pairs" in level.name or "two" in level.name
    )
    assert dealt > 300
    assert len(counts) <= alone.runs - dealt + 30  # and what confirms the findings


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("runs", some([150, 500], 1))
def test_the_same_bytes_whatever_the_agent(tmp_path, mode, runs):
    """Sync, async and on threads, with what happens to the process; cut short by the budget."""
    wanted = searched(shipping, MODES[mode], max_runs=runs)[1]
    parts(tmp_path, 3, shipping, MODES[mode], max_runs=runs)
    assert searched(shipping, MODES[mode], folded(tmp_path), max_runs=runs)[1] == wanted


def test_the_same_bytes_at_depth_three(tmp_path):
    """Of three levels the last is dealt."""
    given = {"depth": 3, "space": Space(only=("once/timeout", "once/error"))}
    wanted = searched(paying, careless, **given)
    told = parts(tmp_path, 2, paying, careless, **given)
    assert searched(paying, careless, folded(tmp_path), **given)[1] == wanted[1]
    for one in told:
        assert one.levels[-2].done == wanted[0].levels[-3].done
        assert 0 < one.levels[-1].done < wanted[0].levels[-2].done


def test_what_a_shard_says_of_itself(tmp_path):
    """It names its part, claims no level that it has not finished, and does not miss what another
    one may have come to; it reports what it finds."""
    alone, _ = searched(paying, careless)
    told = parts(tmp_path, 4, paying, careless)
    pairs = [next(v for v in one.levels if "two faults" in v.name) for one in told]
    whole = next(v for v in alone.levels if "two faults" in v.name)
    assert sum(level.done for level in pairs) == whole.done
    for n, (one, level) in enumerate(zip(told, pairs, strict=True), 1):
        assert f"shard {n}/4" in level.limits
        assert level.done + level.skipped < level.total
        assert f" of {level.total:,} plans with two faults (shard {n}/4" in one.covered()
        assert not any("random" in level.name for level in one.levels)
        assert any(note.startswith(f"shard {n}/4 of this campaign") for note in one.notes)
        assert one.untested == ()
        assert "AF101 pay: pay#1:once/timeout" in shown(one)


def test_nothing_was_tested_in_a_shard_either(tmp_path):
    """AF801 is said by each: every shard runs every plan with one fault."""
    one, _ = searched(paying, lambda world: DONE, Share(tmp_path, NODEID, 1, 2))
    assert one.untested == ("AF801 nothing was tested: the agent called nothing",)


def test_by_several_processes(tmp_path, monkeypatch):
    """Shards and merge with processes of their own: the same bytes."""
    monkeypatch.setattr(runner, "safe", lambda: True)
    wanted = searched(paying, careless)[1]
    parts(tmp_path, 2, paying, careless, workers=2)
    assert searched(paying, careless, folded(tmp_path), workers=2)[1] == wanted
    assert searched(paying, careless, folded(tmp_path))[1] == wanted


def test_nobody_makes_ahead_what_shards_have_made(tmp_path, monkeypatch):
    """Neither a row of the covering array nor a pair: it would lie in the way of what is asked."""
    monkeypatch.setattr(runner, "safe", lambda: True)
    given = {"space": Space(only=("lost/timeout", "once/timeout", "once/error")), "deep_runs": 0}
    wanted = searched(paying, hopeful, **given)[1]
    parts(tmp_path, 2, paying, hopeful, **given)
    sent, send = [], Processes._send

    def noted(self, child, chunk):
        sent.extend(chunk)
        send(self, child, chunk)

    monkeypatch.setattr(Processes, "_send", noted)
    assert searched(paying, hopeful, folded(tmp_path), **given, workers=2)[1] == wanted
    assert max(map(len, sent)) == 1


def test_a_shard_that_its_budget_ended(tmp_path):
    """What it has not run, the merge runs."""
    wanted = searched(paying, careless)[1]
    searched(paying, careless, Share(tmp_path / "1", NODEID, 1, 2), max_runs=200)
    searched(paying, careless, Share(tmp_path / "2", NODEID, 2, 2))
    assert searched(paying, careless, folded(tmp_path))[1] == wanted


def test_a_plan_of_which_processes_died(tmp_path, monkeypatch):
    """The merge tells it, and does not die of it."""
    monkeypatch.setattr(runner, "safe", lambda: True)
    home = os.getpid()

    def dies(world):
        failed = []
        for n in (1, 2):
            try:
                world.tools.pay(n=n)
            except (ConnectionError, TimeoutError) as error:
                failed.append(type(error))
        if failed == [ConnectionError, TimeoutError] and os.getpid() != home:
            os._exit(7)
        return BLOCKED if failed else DONE

    given = {"space": Space(only=("once/error", "once/timeout")), "workers": 2}
    parts(tmp_path, 2, paying, dies, **given)
    merged, _ = searched(paying, dies, folded(tmp_path), **{**given, "workers": 1})
    assert shown(merged) == ["AF902 process: pay#1:once/error + pay#2:once/timeout"]
    assert shown(merged) == shown(searched(paying, dies, **given)[0])


def test_what_escapes_control_in_a_shard(tmp_path):
    """Is told by the merge as by a campaign in one part."""

    def reaches(world):
        failed = 0
        for n in (1, 2):
            try:
                world.tools.pay(n=n)
            except Exception:
                failed += 1
        if failed == 2:
            with socket.socket() as one, pytest.raises(ConnectionRefusedError):
                one.connect(("192.0.2.1", 9))
        return BLOCKED

    alone, wanted = searched(paying, reaches)
    assert "192.0.2.1:9" in alone.escapes[0]
    parts(tmp_path, 2, paying, reaches)
    merged, found = searched(paying, reaches, folded(tmp_path))
    assert merged.escapes == alone.escapes
    assert found == wanted


# What is not believed ---------------------------------------------------------------------


def test_another_run_without_faults(tmp_path):
    """The shards are of another state of the code."""
    parts(tmp_path, 2, paying, careless)

    def changed(world):
        world.tools.pay(n=7)
        return DONE

    with pytest.raises(ShardError, match=r"without faults is another one; .*of one commit"):
        searched(paying, changed, folded(tmp_path))


def test_another_run_with_one_fault(tmp_path):
    """The same without faults, and not with them."""
    parts(tmp_path, 2, paying, careless)

    def changed(world):
        for n in (1, 2, 3):
            try:
                world.tools.pay(n=n)
            except Exception:
                return BLOCKED
        return DONE

    with pytest.raises(ShardError, match="another state of the code"):
        searched(paying, changed, folded(tmp_path))


def test_another_plan_in_its_place(tmp_path):
    """Whoever has changed a file: it is named."""
    parts(tmp_path, 2, paying, careless)
    one = files.read(files.found([tmp_path])[0])
    lines = list(files.runs(one.path))
    writer = files.Writer(one.path, one.head)
    for turn in lines:
        writer.line([*turn[:2], "pay#9:twice", turn[3]])
    writer.end(one.end)
    with pytest.raises(ShardError, match=r"\.runs: ran 'pay#9:twice' where .* comes here"):
        searched(paying, careless, folded(tmp_path))


def test_a_run_that_cannot_be_read(tmp_path):
    """A broken event ends the merge with the name of the file."""
    parts(tmp_path, 2, paying, careless)
    one = files.read(files.found([tmp_path])[0])
    lines = list(files.runs(one.path))
    writer = files.Writer(one.path, one.head)
    for turn in lines:
        writer.line([*turn[:3], {**turn[3], "events": [{"event": "os.system"}]}])
    writer.end(one.end)
    with pytest.raises(ShardError, match=r"\.runs: unknown event 'os.system'"):
        searched(paying, careless, folded(tmp_path))


@pytest.mark.parametrize(
    "other",
    [{"depth": 3}, {"seed": 4}, {"space": Space(exclude=("lost",))}],
    ids=["depth", "seed", "space"],
)
def test_other_options(tmp_path, other):
    """Those of the shards are named."""
    parts(tmp_path, 2, paying, careless)
    with pytest.raises(ShardError, match="Merge with the options of the shards"):
        searched(paying, careless, folded(tmp_path), **other)


def test_a_test_that_no_shard_has_run(tmp_path):
    """Is none that could be merged."""
    with pytest.raises(ShardError, match="no shard has run this test to its end"):
        searched(paying, careless, Merged(NODEID, [], [tmp_path]))


# The record of a run ----------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_run_comes_back(mode):
    """Every run of a campaign, to the last event and the order of its fields."""
    seen = []
    with Simulation() as simulation:
        campaign = Campaign(shipping, MODES[mode], simulation, budget=Budget(max_runs=300))
        made = campaign.runner.made
        campaign.runner.made = lambda plan: seen.append((plan, made(plan))) or seen[-1][1]
        campaign.search()
    assert len(seen) > 100
    for plan, outcome in seen:
        text = files.json.dumps(recorded.written(outcome, ()))
        again = recorded.read(plan, files.json.loads(text))
        assert again[1:] == outcome[1:]
        assert repr(again.history.events) == repr(outcome.history.events)
        assert again.history.tools == outcome.history.tools


def test_a_death_comes_back():
    """As what it was."""
    with pytest.raises(Died, match="SIGSEGV"):
        recorded.read(None, recorded.written(Died(None, "SIGSEGV"), ()))
