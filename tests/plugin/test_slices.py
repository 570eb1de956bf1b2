"""Doors: a sliced finding is shown, saved, replayed by its id and exported as it is told."""

from collections.abc import Callable

from .conftest import Project

CHAIN = """
from agentfuzz import Completion, at_most_once, fuzz, scenario

@scenario(at_most_once("charge"), task="Hand order A17 on.")
def chain(world):
    @world.tool(effect="charge", scope=("order_id",))
    def charge(order_id: str) -> str:
        return "ok"

@fuzz(chain, only=("twice/intact",))
def test_chain(world):
    team = world.agents(*(f"a{n}" for n in range(12)))
    for name, following in zip(team, [*team[1:], None]):
        with world.acting(name):
            for handed in world.inbox_of(name):
                handed.accept()
                if name == "a7":
                    world.tools.charge(order_id="A17")
            if following:
                world.handoff(following, {"task": "A17"})
    return Completion.success(handle="A17")
"""
PLAN = 'handoff:a7#1:twice + given:agents=["a0","a7"]'
WHO = "*agents   2 of 12 agents: a0, a7"


def test_a_slice_is_shown_replayed_and_exported(
    project: Project, found: Callable[..., str]
) -> None:
    """Two of twelve, each time; the exported test is red while the bug lives, and green after."""
    number = found(CHAIN, "AF101", "test_chain.py")
    again = project.run("--agentfuzz-replay", number, "test_chain.py")
    again.stdout.fnmatch_lines(["AF101 *", "*handoff:a7#1:twice*", WHO])
    project.run("--agentfuzz-export", number)
    (exported,) = project.path.glob("**/test_af_*.py")
    assert f"plan='{PLAN}'" in exported.read_text(encoding="utf-8")
    red = project.spawn("-q", str(exported))
    assert (red.returncode, "2 of 12 agents: a0, a7" in red.stdout) == (1, True), red.stdout
    fixed = CHAIN.replace('name == "a7"', 'name == "a7" and world.store.get("done") is None')
    fixed = fixed.replace(
        'charge(order_id="A17")', 'charge(order_id="A17"); world.store["done"] = 1'
    )
    project.file("test_chain.py", fixed)
    green = project.spawn("-q", str(exported))
    assert green.returncode == 0, green.stdout
