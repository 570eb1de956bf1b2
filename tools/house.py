"""The house as it stands: rooms, floors, arrows, circles, read from the imports: `make house`.

Law: every import counts, also those in functions and under TYPE_CHECKING; the floors are those of
`.importlinter`. It measures and moves nothing. Called by `make check`: it fails if there is a
circle, an upward arrow, a room without a floor or a module past 300 lines.
"""

import configparser
import sys
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import grimp

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "agentfuzz"
DOOR = "__init__"  # the package's own: it stands above all floors, for it names all of them
LONG = 300
WIDTH = 100
GLUE = "\xa0"  # holds a name and its number together on one line

Graph = Mapping[str, Collection[str]]
Floors = list[list[str]]


@dataclass(frozen=True)
class House:
    """Modules by their full names: what each imports and how long it is; the rooms of each floor,
    from the top."""

    imports: Graph
    lines: Mapping[str, int]
    floors: Floors

    def rooms(self) -> dict[str, list[str]]:
        """The modules of each room, whether or not it has a floor."""
        found: dict[str, list[str]] = defaultdict(list)
        for module in sorted(self.imports):
            found[room(module)].append(module)
        return found

    def arrows(self) -> list[tuple[str, str]]:
        """Every import of one module by another."""
        return [(one, other) for one in sorted(self.imports) for other in sorted(self.imports[one])]

    def homeless(self) -> list[str]:
        """Rooms that have no floor."""
        housed = {name for floor in self.floors for name in floor}
        return sorted(set(self.rooms()) - housed - {DOOR})

    def upward(self) -> list[tuple[str, str]]:
        """Imports that do not go down: up, or into another room of the same floor."""
        level = {name: i for i, floor in enumerate(self.floors, 1) for name in floor} | {DOOR: 0}
        return [
            (one, other)
            for one, other in self.arrows()
            if room(one) != room(other) and level.get(room(one), 0) >= level.get(room(other), 0)
        ]

    def module_circles(self) -> list[list[str]]:
        """Circles of modules."""
        return [circle(group, self.imports) for group in knots(self.imports)]

    def room_circles(self) -> list[list[str]]:
        """Circles of neighbours: rooms, and what lies side by side in a room, at any depth."""
        found = []
        for folder in sorted({above for name in self.imports for above in parents(name)}):
            beside: dict[str, set[str]] = defaultdict(set)
            for one, other in self.arrows():
                here, there = neighbour(one, folder), neighbour(other, folder)
                if here and there and here != there:
                    beside[here].add(there)
                    beside.setdefault(there, set())
            found += [circle(group, beside) for group in knots(beside)]
        return found

    def long(self) -> list[str]:
        """Modules that are too long; the list of what is public, which is generated, may be."""
        own = (name for name in self.lines if name != "agentfuzz")
        return sorted(name for name in own if self.lines[name] > LONG)

    def stands(self) -> bool:
        """Whether nothing is wrong."""
        wrong = self.upward() or self.homeless() or self.long()
        return not (wrong or self.module_circles() or self.room_circles())


def room(module: str) -> str:
    """The room of a module: the folder or file at the root of the package that it is in."""
    return [*module.split("."), DOOR][1]


def parents(module: str) -> Iterator[str]:
    """The packages that a module lies in."""
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


def neighbour(module: str, folder: str) -> str | None:
    """What a module belongs to among all that lies side by side in a folder."""
    if module == folder:
        return f"{folder}.{DOOR}"
    if not module.startswith(f"{folder}."):
        return None
    return f"{folder}.{module[len(folder) + 1 :].partition('.')[0]}"


def knots(graph: Graph) -> list[set[str]]:
    """Groups of names that all reach each other (Tarjan's strongly connected components)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[set[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        path.append(name)
        for other in sorted(graph[name]):
            if other not in order:
                visit(other)
            if other in path:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == order[name]:
            cut = path.index(name)
            if len(path) - cut > 1 or name in graph[name]:
                found.append(set(path[cut:]))
            del path[cut:]

    for name in sorted(graph):
        if name not in order:
            visit(name)
    return found


def circle(group: set[str], graph: Graph) -> list[str]:
    """One shortest way round through the first of a group."""
    start = min(group)
    before: dict[str, str] = {}
    waiting = deque([start])
    while start not in before:
        one = waiting.popleft()
        for other in sorted(set(graph[one]) & group):
            if other not in before:
                before[other] = one
                waiting.append(other)
    way = [start, before[start]]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]


def floors(text: str) -> Floors:
    """The layers of an `.importlinter`, from the top; optional ones too."""
    config = configparser.ConfigParser()
    config.read_string(text)
    layers = config["importlinter:contract:floors"]["layers"].split("\n")
    split = (layer.replace("|", " ").replace(":", " ").split() for layer in layers)
    return [[name.strip("()") for name in floor] for floor in split if floor]


def read() -> House:
    """The house of this checkout."""
    sys.path.insert(0, str(ROOT))
    graph = grimp.build_graph(PACKAGE, exclude_type_checking_imports=False, cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    lines = {}
    for name in imports:
        path = ROOT / name.replace(".", "/")
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        lines[name] = len(file.read_text(encoding="utf-8").splitlines())
    return House(imports, lines, floors((ROOT / ".importlinter").read_text(encoding="utf-8")))


def told(house: House) -> Iterator[str]:
    """The house, line by line."""
    rooms, arrows = house.rooms(), house.arrows()
    levels = [found for floor in house.floors if (found := [one for one in floor if one in rooms])]
    yield (
        f"{len(rooms)} rooms on {len(levels)} floors: {len(house.imports)} modules, "
        f"{sum(house.lines.values()):,} lines, {len(arrows)} imports"
    )
    yield ""
    yield f"{'floor':>5}  {'room':<12}{'modules':>8}{'lines':>8}  imports from"
    between = Counter((room(one), room(other)) for one, other in arrows)
    order = [one for floor in levels for one in floor] + house.homeless()
    numbers = {one: str(len(levels) - i) for i, floor in enumerate(levels, 1) for one in floor}
    for name in [DOOR, *order]:
        size = sum(house.lines[module] for module in rooms[name])
        floor = numbers.get(name, "")
        start = f"{floor:>5}  {name:<12}{len(rooms[name]):>8}{size:>8,}  "
        below = [f"{one} {between[name, one]}" for one in order if one != name]
        below = [each.replace(" ", GLUE) for each in below if not each.endswith(" 0")]
        for line in wrap(start + (", ".join(below) or "-"), WIDTH, subsequent_indent=" " * 35):
            yield line.replace(GLUE, " ")
    yield ""
    yield from _list("rooms without a floor", house.homeless())
    yield from _list("upward arrows", (f"{one} -> {other}" for one, other in house.upward()))
    yield from _list("circles of modules", (" -> ".join(way) for way in house.module_circles()))
    yield from _list("circles of neighbours", (" -> ".join(way) for way in house.room_circles()))
    lengths = (f"{name} {house.lines[name]}" for name in house.long())
    yield from _list(f"modules past {LONG} lines", lengths)


def _list(title: str, found: Iterable[str]) -> Iterator[str]:
    every = list(found)
    yield f"{title}: {len(every)}"
    for one in every:
        yield from wrap(one, WIDTH, initial_indent="    ", subsequent_indent=" " * 8)


def main() -> int:
    """Print the house. Returns the exit code."""
    house = read()
    print("\n".join(told(house)))
    return 0 if house.stands() else 1


if __name__ == "__main__":
    sys.exit(main())
