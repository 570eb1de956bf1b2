"""`make house` sees what is wrong with a house, on houses of a few modules written by hand."""

from pathlib import Path

import pytest
from house import House, floors, read, told

FLOORS = [["plugin"], ["search", "report"], ["core"]]
GOOD = {
    "agentfuzz": ["agentfuzz.search.space", "agentfuzz.plugin"],
    "agentfuzz.plugin": ["agentfuzz.search.space", "agentfuzz.report", "agentfuzz.core"],
    "agentfuzz.search": [],
    "agentfuzz.search.space": ["agentfuzz.search.shrink", "agentfuzz.core"],
    "agentfuzz.search.shrink": [],
    "agentfuzz.report": ["agentfuzz.core"],
    "agentfuzz.core": [],
}


def house(lines: dict[str, int] | None = None, **more: list[str]) -> House:
    """The good house with other imports: `search__space=[...]`."""
    added = {f"agentfuzz.{name}".replace("__", "."): imports for name, imports in more.items()}
    imports = {**GOOD, **{name: [*GOOD.get(name, []), *new] for name, new in added.items()}}
    return House(imports, dict.fromkeys(imports, 10) | (lines or {}), FLOORS)


def test_a_house_that_stands() -> None:
    """Imports that go down, also past a floor and within a room, are all there is."""
    assert house().stands()
    assert "upward arrows: 0" in list(told(house()))


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("core", "agentfuzz.search.shrink"),  # up
        ("report", "agentfuzz.search.shrink"),  # across
        ("search__shrink", "agentfuzz"),  # to the door
    ],
)
def test_an_upward_arrow(importer: str, imported: str) -> None:
    """Up, across a floor, and to the door of the package are all the wrong way."""
    found = house(**{importer: [imported]})
    assert not found.stands()
    name = f"agentfuzz.{importer}".replace("__", ".")
    assert found.upward() == [(name, imported)]
    assert f"    {name} -> {imported}" in list(told(found))


def test_a_circle_of_modules_is_one_of_neighbours() -> None:
    """Within one room no arrow points up, and a circle is a circle."""
    found = house(search__shrink=["agentfuzz.search.space"])
    assert not found.stands()
    assert found.upward() == []
    around = ["agentfuzz.search.shrink", "agentfuzz.search.space", "agentfuzz.search.shrink"]
    assert found.module_circles() == [around]
    assert found.room_circles() == [around]


def test_a_circle_of_rooms_without_one_of_modules() -> None:
    """Two folders that need each other are a circle, whichever files of theirs do it."""
    found = house(
        search__a__up=["agentfuzz.search.b.down"],
        search__a__down=[],
        search__b__up=["agentfuzz.search.a.down"],
        search__b__down=[],
    )
    assert not found.stands()
    assert found.module_circles() == []
    assert found.room_circles() == [
        ["agentfuzz.search.a", "agentfuzz.search.b", "agentfuzz.search.a"]
    ]


def test_the_shortest_way_round() -> None:
    """Of a knot of modules one circle is told, with no step too many."""
    found = house(core__a=["agentfuzz.core.b", "agentfuzz.core.c"], core__b=["agentfuzz.core.c"])
    imports = {**found.imports, "agentfuzz.core.c": ["agentfuzz.core.a"]}
    assert House(imports, {}, FLOORS).module_circles() == [
        ["agentfuzz.core.a", "agentfuzz.core.c", "agentfuzz.core.a"]
    ]


def test_a_module_that_imports_itself() -> None:
    """The smallest circle."""
    assert house(core=["agentfuzz.core"]).module_circles() == [["agentfuzz.core"] * 2]


def test_a_module_that_is_too_long() -> None:
    """300 lines are a module, 301 are two."""
    assert house({"agentfuzz.core": 300}).stands()
    found = house({"agentfuzz.core": 301})
    assert not found.stands()
    assert "    agentfuzz.core 301" in list(told(found))


def test_a_room_without_a_floor() -> None:
    """A new folder must be given its floor."""
    found = house(attic__box=["agentfuzz.core"])
    assert not found.stands()
    assert found.homeless() == ["attic"]


def test_the_floors_are_those_of_the_linter() -> None:
    """From the top, rooms of one floor together, those that may be missing too."""
    text = "[importlinter:contract:floors]\nlayers =\n  plugin | (cli)\n  model : world\n  core\n"
    assert floors(text) == [["plugin", "cli"], ["model", "world"], ["core"]]


def test_this_house_is_read_whole() -> None:
    """Every module is in it, with its imports in functions and under TYPE_CHECKING; a page of 100
    columns holds it. A start is no module: it is copied, and imported by nobody here."""
    found = read()
    package = Path(__file__).parent.parent / "agentfuzz"
    modules = {path for path in package.rglob("*.py") if path.parent.name != "starts"}
    assert len(found.imports) == len(modules)
    assert "agentfuzz.strategies" in found.imports["agentfuzz"]  # under TYPE_CHECKING
    assert "agentfuzz.wire.mcp" in found.imports["agentfuzz.wire.server"]  # in a function
    assert found.lines["agentfuzz.strategies"] == len(
        (package / "strategies.py").read_text(encoding="utf-8").splitlines()
    )
    assert max(len(line) for line in told(found)) <= 100
