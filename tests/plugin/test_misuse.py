"""Misuse that looks right: each is one clear message with the cure, and no law is read past it."""

import contextlib
import pickle

import pytest

import agentfuzz
from agentfuzz import World, exactly_once, invariant, scenario
from agentfuzz.core.errors import ScenarioError, violation_type
from agentfuzz.core.faults import TABLES
from agentfuzz.core.selection import select

from .conftest import Project
from .sources import BASE, SCENARIO, SHOP

CALL = "return world.tools.charge_card(order_id='A17', cents=1, idempotency_key='k')"


def tools(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge(order_id: str) -> dict[str, str]:
        return {"id": "ch_1"}


def pay(world: World) -> None:
    world.tools.charge(order_id="A17")


def test_a_misspelt_effect_of_a_law() -> None:
    """A law about an effect that no tool has is an error at the first run."""
    with pytest.raises(
        ScenarioError, match=r"exactly_once.*effect 'chrage'; its tools have charge"
    ):
        agentfuzz.run(scenario(exactly_once("chrage"))(tools), pay)
    with pytest.raises(ScenarioError, match="Did you mean 'charge'"):
        agentfuzz.run(scenario(exactly_once(effect="chrage"))(tools), pay)
    agentfuzz.run(scenario(exactly_once("charge"))(tools), pay)


def test_an_effect_that_is_no_text() -> None:
    """exactly_once(5), and a tool's effect=5, name="", undoes= of a tool that is not there."""
    with pytest.raises(ScenarioError, match="an effect is a text"):
        exactly_once(5)  # type: ignore[arg-type]
    for word, value in (("effect", 5), ("name", ""), ("effect", "")):

        def build(world: World, word: str = word, value: object = value) -> None:
            world.tool(**{word: value})(tools)  # type: ignore[call-overload]

        with pytest.raises(ScenarioError, match=f"{word}={value!r} is no name"):
            agentfuzz.run(scenario()(build), pay)

    def undone(world: World) -> None:
        tools(world)

        @world.tool(effect="refund", undoes="chrage")
        def refund(order_id: str) -> dict[str, str]:
            return {}

    with pytest.raises(ScenarioError, match=r"undoes='chrage' of tool 'refund'.*Did you mean"):
        agentfuzz.run(scenario()(undone), pay)


@pytest.mark.parametrize("answer", [5, True, [3], {"a": 1}.values()], ids=str)
def test_a_law_that_returns_no_text(answer: object) -> None:
    """The law is named, and what it may return."""

    @invariant
    def never_late(history):  # type: ignore[no-untyped-def]
        return answer

    with pytest.raises(ScenarioError, match=r"the law never_late returned .*; return sentences"):
        agentfuzz.run(scenario(never_late)(tools), pay)


def test_run_the_other_way_round() -> None:
    """run(agent, scenario) says so."""
    with pytest.raises(ScenarioError, match="pay is none: they are the other way round"):
        agentfuzz.run(pay, scenario()(tools))  # type: ignore[arg-type]


def test_a_violation_travels_between_processes() -> None:
    """It is pickled with its own type."""
    error = violation_type("AF101", "charge card")("twice")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert again.args == ("twice",)


def test_a_scenario_without_parentheses() -> None:
    """@scenario alone above a function."""
    with pytest.raises(ScenarioError, match="@scenario on tools has no parentheses: write"):
        scenario(tools)  # type: ignore[arg-type]


def test_a_scenario_with_more_than_the_world() -> None:
    """def scenario(orders, world) is called with a world alone."""

    def shop(orders: object, world: World) -> None: ...

    with pytest.raises(ScenarioError, match=r"shop\(orders.*write def shop\(world\)"):
        scenario()(shop)  # type: ignore[arg-type]


def test_a_tool_in_exclude() -> None:
    """exclude= names faults, and says so."""
    with pytest.raises(agentfuzz.PlanError, match=r"'charge_card' names no fault.*and no tools"):
        select(TABLES["tool"], exclude=["charge_card"])


@pytest.mark.parametrize(
    ("test", "line"),
    [
        ("@fuzz\ndef test_x(world): pass\n", "write its name in parentheses: @fuzz(a_scenario)"),
        (
            "@fuzz(charge_order)\ndef test_x(orders, world): pass\n",
            "write def test_x(world, orders).",
        ),
    ],
    ids=["no parentheses", "world second"],
)
def test_a_test_that_cannot_be_collected(project: Project, test: str, line: str) -> None:
    """The decorator names the test and how to write it."""
    project.file("test_broken.py", BASE + SCENARIO + test)
    result = project.run()
    result.assert_outcomes(errors=1)
    assert line in result.stdout.str()


def test_a_fixture_where_the_world_stands(project: Project) -> None:
    """def test(orders) with a fixture `orders` would get the world in its place."""
    project.file(
        "test_x.py",
        BASE + SCENARIO + "import pytest\n@pytest.fixture\ndef orders(): return ['A17']\n"
        f"@fuzz(charge_order)\ndef test_x(orders): pass\n"
        f"@fuzz(charge_order)\ndef test_y(world, orders): {CALL}\n",
    )
    result = project.run()
    result.assert_outcomes(failed=2)
    assert "AF204" in result.stdout.str(), "the second one ran"
    assert "'orders' is the name of a fixture. Write def test_x(world, orders)" in (
        " ".join(result.stdout.str().split())
    )


def test_without_capture(project: Project) -> None:
    """`-p no:capture` takes an option away, and changes nothing else."""
    project.shop()
    done = project.spawn("-p", "no:capture", "--agentfuzz", "--agentfuzz-max-runs=60")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "AF101" in done.stdout
    assert "INTERNALERROR" not in done.stdout


@pytest.mark.parametrize("made", ["iter(['k'])", "(k for k in ['k'])", "io.StringIO('k')"])
def test_a_fixture_that_the_first_run_uses_up(project: Project, made: str) -> None:
    """The second run without faults differs: the fixture is named as the likely cause."""
    project.file(
        "test_x.py",
        BASE + SCENARIO + "import io\nimport pytest\n"
        f"@pytest.fixture\ndef keys(): return {made}\n"
        "@fuzz(charge_order)\ndef test_x(world, keys):\n"
        "    for key in keys:\n"
        "        world.tools.charge_card(order_id='A17', cents=1, idempotency_key=key)\n",
    )
    result = project.run("--agentfuzz", "--agentfuzz-max-runs=30")
    told = " ".join(result.stdout.str().split())
    assert "AF904" in told, told
    assert "likely a fixture (keys)" in told, told


def test_a_cassette_that_no_scenario_names(project: Project) -> None:
    """--agentfuzz-record with a wrong path: exit 4, with the paths that there are."""
    project.file(
        "test_x.py",
        BASE + "@scenario(cassette='billing.yaml')\ndef other(world): pass\n"
        "@fuzz(other)\ndef test_x(world): pass\n",
    )
    result = project.run("--agentfuzz-record", "biling.yaml")
    assert result.ret == 4, result.stdout.str()
    told = " ".join(result.stdout.str().split())
    assert "nothing was recorded" in told
    assert "they name: billing.yaml. Did you mean 'billing.yaml'?" in told


def folder_export(project: Project, *words: str, folder: str, name: str) -> str:
    project.file(f"{folder}/{name}", SHOP)
    project.campaign(*words)
    ids = project.saved()
    assert ids
    with contextlib.chdir(project.path / folder):
        result = project.run(*words, "--agentfuzz-export", ids[0])
    assert result.ret == 0, result.stdout.str()
    (line,) = [one for one in result.outlines if one.startswith("next: ")]
    return line


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
@pytest.mark.parametrize("folder", ["my-tests", "1st", "class", "a b"])
def test_export_into_any_folder(project: Project, folder: str, mode: str) -> None:
    """What is exported is Python, and red, whatever its folder is called; the next line is right
    where it was typed."""
    project.file("pytest.ini", "[pytest]\n")
    project.file(f"{folder}/__init__.py", "")
    words = ("--import-mode", mode)
    line = folder_export(project, *words, folder=folder, name="test_shop.py")
    _, _, command = line.partition("pytest ")
    shown = command.partition(";")[0]
    assert "/" not in shown
    with contextlib.chdir(project.path / folder):
        ran = project.run(*words, shown)
    assert ran.ret == 1, ran.stdout.str()
    assert "AF1" in ran.stdout.str()
