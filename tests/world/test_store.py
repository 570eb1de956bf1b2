"""What is stored is a copy, of whatever it is."""

from collections import OrderedDict

from agentfuzz.world.store import copied


class Note:
    """Something that is no plain data."""

    def __init__(self, text):
        self.text = text


def test_plain_data():
    """Nothing in it is the same object, and all of it the same type."""
    value = {"a": [1, 2.5, True, None, "x", {"b": [[]]}], "c": {}}
    copy = copied(value)
    assert repr(copy) == repr(value)
    assert copy["a"] is not value["a"]
    assert copy["a"][5]["b"][0] is not value["a"][5]["b"][0]


def test_what_was_one_object_is_one_again():
    """Also where a value holds itself."""
    items = [1]
    value = {"a": items, "b": [items]}
    value["it"] = value
    copy = copied(value)
    assert copy["a"] is copy["b"][0]
    assert copy["it"] is copy
    assert copy["a"] is not items


def test_other_things():
    """They are copied whole, and keep their types."""
    note = Note(["x"])
    value = {"a": [note, note], 1: ([2],), "c": OrderedDict(d={3})}
    copy = copied(value)
    assert copy["a"][0] is copy["a"][1]
    assert copy["a"][0].text == ["x"]
    assert copy["a"][0].text is not note.text
    assert copy[1] == ([2],)
    assert copy[1][0] is not value[1][0]
    assert type(copy["c"]) is OrderedDict
    assert copy["c"]["d"] is not value["c"]["d"]


def test_one_that_is_very_deep():
    """It takes no longer way than Python lets it."""
    value = []
    for _ in range(150):
        value = [value]
    assert copied(value) == value
