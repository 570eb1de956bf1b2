"""Names of tests, as short as they are clear.

Law: two tests that differ bear names that differ, as far as the room allows. Pure; called by
whatever tells of several tests.
"""

from collections.abc import Sequence

from agentfuzz.core.lanes.layout import cells, cut


def shortened(nodeids: Sequence[str], room: int = 0) -> dict[str, str]:
    """Each node id with a short name: its last part, with as much before it as tells it from the
    others; of at most `room` cells, if that is given. What they have in common goes first, then the
    middle."""
    every = list(dict.fromkeys(nodeids))
    names = {one: one for one in every}
    for parts in range(1, max((_parts(one) for one in every), default=0) + 1):
        shorter = {one: _last(one, parts) for one in every}
        if len(set(shorter.values())) == len(every):
            names = shorter
            break
    return {one: _fitted(name, room) for one, name in names.items()} if room else names


def _pieces(nodeid: str) -> list[str]:
    path, colons, rest = nodeid.partition("::")
    name, bracket, values = rest.partition("[")  # the values of a parameter are one name with it
    *above, last = name.split("::")
    names = [*above, f"{last}{bracket}{values}"] if colons else []
    return [*(f"{part}/" for part in path.split("/")[:-1]), path.rpartition("/")[2], *names]


def _parts(nodeid: str) -> int:
    return len(_pieces(nodeid))


def _last(nodeid: str, parts: int) -> str:
    pieces = _pieces(nodeid)[-parts:]
    joined = ""
    for piece in pieces:
        joined += piece if not joined or joined.endswith("/") else f"::{piece}"
    return joined


def _fitted(name: str, room: int) -> str:
    """Its start and its end: two that differ in a parameter differ at the end."""
    if cells(name) <= room:
        return name
    end = max(room * 2 // 3, 4)
    return cut(name, max(room - end + 3, 3)).removesuffix("...") + cut(name, end, tail=True)
