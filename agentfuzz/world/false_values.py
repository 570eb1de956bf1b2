"""Values that are plausible and false: pure functions of the honest one.

Law: a false value is of the honest one's type, and never equal to it; the same value and the same
number give the same bytes. Called where a reply is damaged.
"""

from collections.abc import Iterator

from agentfuzz.core.codec import plain

_Place = tuple[str | int, ...]  # the way to a value inside of containers


def one_false(value: object, nth: int) -> object:
    """The same with one false value in it: numbers first (ten times as much), then yes and no, then
    texts; then the numbers again, with their last digits exchanged. It begins again with the first
    after the last, and leaves out what is `transposed` as a whole, if anything else is left."""
    honest, whole = plain(value), transposed(value)
    found = [_with(honest, place, other) for place, other in _each_false(honest)]
    found = [one for one in found if one != whole] or found
    return found[nth % len(found)] if found else whole


def _each_false(honest: object) -> Iterator[tuple[_Place, object]]:
    places = list(_places(honest))
    numbers = [
        (place, one)
        for place, one in places
        if isinstance(one, (int, float)) and not isinstance(one, bool) and one not in _ODD
    ]
    bools = [one for one in places if isinstance(one[1], bool)]
    texts = [one for one in places if isinstance(one[1], str)]
    for place, number in numbers:
        yield place, number * 10 if number else transposed(number)
    for place, other in (*bools, *texts):
        yield place, transposed(other)
    for place, number in numbers:
        if number and isinstance(number, int):
            yield place, transposed(number)


_ODD = (float("inf"), float("-inf"))


def _places(value: object, at: _Place = ()) -> Iterator[tuple[_Place, object]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _places(item, (*at, name))
    elif isinstance(value, list):
        for nth, item in enumerate(value):
            yield from _places(item, (*at, nth))
    elif value is not None and value == value:  # NaN is none
        yield at, value


def _with(value: object, place: _Place, other: object) -> object:
    """A container with another value at a place."""
    if not place:
        return other
    first, *rest = place
    if isinstance(value, dict):
        return {n: _with(v, tuple(rest), other) if n == first else v for n, v in value.items()}
    assert isinstance(value, list), "a place leads through containers"
    return [_with(v, tuple(rest), other) if n == first else v for n, v in enumerate(value)]


def transposed(value: object) -> object:
    """Numbers with their last digits exchanged, texts with theirs, inside containers too."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        digits = str(abs(value))
        turned = int(digits[:-2] + digits[-1] + digits[-2]) if len(digits) > 1 else value + 1
        turned = turned if turned != abs(value) else abs(value) + 1
        return -turned if value < 0 else turned
    if isinstance(value, float):
        return value * 10 if value else 1.0
    if isinstance(value, str):
        turned_text = value[:-2] + value[-1] + value[-2] if len(value) > 1 else value + "x"
        return turned_text if turned_text != value else value + "x"
    if isinstance(value, dict):
        return {name: transposed(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [transposed(item) for item in value]
    return 0 if value is None else transposed(plain(value))
