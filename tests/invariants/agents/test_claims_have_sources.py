"""`claims_have_sources`: each claim names a source, and each source leads to something."""

import asyncio

import pytest

from agentfuzz import Completion, World, claims_have_sources, scenario
from agentfuzz.core.events import Messaged, ModelInput, Shown
from agentfuzz.core.faults import Slot
from invariants.conversations import under
from invariants.histories import charged, done, happens, judge, looked_up, tell
from invariants.teams import acts, claims, finishes, gets, reads, sends, spawns

LAW = claims_have_sources()
PAGE = looked_up(body={"results": [{"id": "doc-7", "text": "as said in (RFC 2119)"}]})


def shown(role, text):
    """A model is told something."""
    return happens(ModelInput, Slot("model", "", 1), (Shown(role, text, (), None),))


@pytest.mark.parametrize(
    ("steps", "sources"),
    [
        ((looked_up(),), ["c1"]),
        ((under("tc_1", charged()),), ["tc_1"]),
        ((charged(),), ["e1"]),
        ((PAGE,), ["doc-7"]),
        ((PAGE,), ["RFC 2119"]),
        ((PAGE,), ["c1", "doc-7"]),
        ((looked_up(body={"doc-7": "text"}),), ["doc-7"]),
        ((looked_up(body=17),), ["17"]),
        ((looked_up(), claims("floor", 3, "c1", agent="b")), ["floor"]),
        ((looked_up(), claims("floor", 3, "lost", agent="b")), ["lost"]),
        ((looked_up(), claims("floor", 3, "c1", agent="a")), ["floor"]),
        ((spawns("b"),), ["b"]),
        ((sends("a", claims=["doc-7"]), gets()), ["doc-7"]),
        ((reads("found", 1, ["doc-7"]),), ["doc-7"]),
        ((spawns("b"), finishes("b", value={"from": "doc-7"})), ["doc-7"]),
        ((happens(Messaged, "see doc-7", "inbox"),), ["doc-7"]),
        ((shown("user", "see doc-7"),), ["doc-7"]),
    ],
    ids=[
        *("call", "the model's id", "effect", "in a reply", "in its words", "two", "a name in it"),
        *("a number", "an item", "its source", "an item of its own", "an agent", "handed over"),
        *("shared", "returned", "the user's", "told to a model"),
    ],
)
def test_held(steps, sources):
    """There was something of that name before."""
    history = tell(acts("a"), *steps, claims("rent", 900, *sources, agent="a"), done())
    lost = [claim for claim in LAW(history).violations if claim.subject == "rent"]
    assert lost == []
    assert LAW(history).status != "NOT_EXERCISED"
    if "lost" not in sources:
        assert judge(LAW, history) == "HELD"


@pytest.mark.parametrize(
    ("steps", "sources"),
    [
        ((looked_up(),), []),
        ((looked_up(),), [""]),
        ((PAGE,), ["doc-7", "doc-8"]),
        ((PAGE,), ["oc-7"]),
        ((), ["a"]),
        ((), ["rent"]),
        ((shown("assistant", "see doc-7"),), ["doc-7"]),
    ],
    ids=[
        *("none", "empty", "one of two", "a part of a word", "itself"),
        *("its own item", "the model's own words"),
    ],
)
def test_broken(steps, sources):
    """AF706: there is no source, or it leads nowhere."""
    steps = (acts("a"), *steps, claims("rent", 900, *sources))
    assert judge(LAW, tell(*steps, done())) == ["AF706 rent: Claimed#1"]


def test_a_source_is_there_first():
    """AF706: what was found afterwards is no source; each item is told once."""
    late = (acts("a"), claims("rent", 900, "c1"), looked_up(), claims("rent", 900))
    assert judge(LAW, tell(*late, done())) == ["AF706 rent: Claimed#1"]


def test_not_exercised():
    """Nothing was claimed."""
    assert judge(LAW, tell(looked_up(), done())) == "NOT_EXERCISED"


# on whole loops


@scenario(task="Where is the office?")
def office(world: World) -> None:
    @world.tool
    def find() -> dict:
        return {"id": "doc-1", "street": "Main Street"}


async def _find(world: World) -> dict:
    reply = await world.tools.aio.find()
    return reply if isinstance(reply, dict) else {"street": str(reply)}


async def _found(world: World) -> dict:
    child = world.spawn("searcher", _find, world)
    try:
        return await asyncio.wait_for(child, 60)
    except Exception:
        return {}


async def as_it_came(world: World) -> Completion:
    """Victim: takes the text, and whatever id there is."""
    found = await _found(world)
    if "street" not in found:
        return Completion.failed()
    world.claim("street", found["street"], [found["id"]] if "id" in found else [])
    return Completion.success()


async def makes_one_up(world: World) -> Completion:
    """Victim: numbers its sources itself."""
    found = await _found(world)
    world.claim("street", found.get("street"), ["[1]"])
    return Completion.success()


async def with_its_id(world: World) -> Completion:
    """Survivor: without an id there is no finding."""
    found = await _found(world)
    if not isinstance(found.get("id"), str) or not found["id"] or "street" not in found:
        return Completion.failed()
    world.claim("street", found["street"], [found["id"]])
    return Completion.success()


def test_victim(found):
    """A reply that broke off has no id; an invented one needs no fault."""
    assert found(LAW, office, as_it_came) == ["AF706 street: find#1:once/truncated"]
    assert found(LAW, office, makes_one_up) == ["AF706 street: no faults"]


def test_survivor(held):
    """Whatever the reply was like."""
    assert held(LAW, office, with_its_id, depth=1) > 0
