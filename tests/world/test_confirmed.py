"""Corrections: lines of an ini file that confirm or correct what was guessed of tools."""

import pytest

from agentfuzz.core.errors import ScenarioError
from agentfuzz.world.confirmed import corrected, corrections, unused
from agentfuzz.world.guessing import Parameter, guess

PLACE = "pyproject.toml"
BOOK = (Parameter("flight"), Parameter("seat"), Parameter("text"))


def test_what_is_confirmed_counts_and_the_rest_stays_a_guess() -> None:
    """Each word says where it comes from."""
    lines = corrections(
        ["", "# ours", "book_flight: effect=booking scope=flight,seat transport=network dedup=key"],
        PLACE,
    )
    found = corrected("book_flight", guess("book_flight", BOOK), lines, BOOK)
    assert (found.effect, found.scope, found.dedup, found.transport) == (
        "booking",
        ("flight", "seat"),
        "key",
        "network",
    )
    assert set(found.origins.values()) == {"confirmed in pyproject.toml"}
    (one,) = corrections(["book_flight:dedup=scope"], PLACE)
    found = corrected("book_flight", guess("book_flight", BOOK), [one], BOOK)
    assert found.effect == "book_flight"
    assert found.origins["effect"] == "the verb 'book' in its name"
    assert found.origins["dedup"] == "confirmed in pyproject.toml"


def test_globs_first_and_then_names() -> None:
    """A later line says more; a name says more than a glob, wherever it stands."""
    lines = corrections(
        ["get_token: effect=token", "get_*: reads", "*: transport=at_most_once"], PLACE
    )
    assert corrected("get_page", guess("get_page"), lines).effect is None
    token = corrected("get_token", guess("get_token"), lines)
    assert (token.effect, token.transport) == ("token", "at_most_once")
    book = corrected("book", guess("book"), lines)
    assert (book.effect, book.transport) == ("book", "at_most_once")


def test_a_tool_is_named_with_or_without_its_server() -> None:
    """As the client names it, or as the server does; a name may hold spaces and colons."""
    name = "mcp__shop__buy"
    for line in ("buy: reads", "mcp__shop__*: reads", "mcp__shop__buy: reads"):
        assert corrected(name, guess(name), corrections([line], PLACE)).effect is None
    lines = corrections(["shop:buy now: effect='two words'"], PLACE)
    assert corrected("shop:buy now", guess("shop:buy now"), lines).effect == "two words"


def test_a_tool_that_was_guessed_to_read() -> None:
    """With an effect, it gets the scope that is guessed of others; a scope alone is an error."""
    lines = corrections(["get_seat: effect=seat"], PLACE)
    found = corrected("get_seat", guess("get_seat", BOOK), lines, BOOK)
    assert found.scope == ("flight", "seat")
    assert found.origins["scope"] == "its parameters but for texts, measures and options"
    with pytest.raises(
        ScenarioError, match=r"get_seat was guessed to read \(the verb 'get' in its"
    ):
        corrected("get_seat", guess("get_seat"), corrections(["get_seat: scope=seat"], PLACE))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("book_flight", "a name of a tool and a colon are missing. Write one line a tool"),
        ("effect=booking", "a name of a tool and a colon are missing"),
        (": reads", "a name of a tool and a colon are missing"),
        ("book:", "it says nothing of the tool"),
        ("book: efect=x", "'efect' is no word for a tool. Did you mean 'effect'?"),
        ("book: read", "'read' is no word for a tool. Did you mean 'reads'?"),
        ("book: xyz=1", "Known are effect, scope, dedup, transport and reads."),
        ("book: dedup=keys", "dedup=keys is none. It is one of none, key, scope, probe. Did you"),
        ("book: transport=http", "It is one of network, at_most_once, local."),
        ("book: effect=", "effect= is empty. A tool without an effect: reads."),
        ("book: effect=a effect=b", "effect is said twice. Say it once."),
        ("book: reads effect=a", "a tool that reads has no effect, scope or dedup"),
        ("book: effect='a", "a quotation mark is not closed"),
    ],
)
def test_a_line_that_cannot_be_read(line: str, says: str) -> None:
    """It is named, with its cure."""
    with pytest.raises(ScenarioError) as refused:
        corrections(["get_*: reads", line], PLACE)
    assert str(refused.value).startswith(f"pyproject.toml: agentfuzz_tools: {line!r}: ")
    assert says in str(refused.value)


def test_two_lines_of_one_name() -> None:
    """They are joined by whoever wrote them."""
    with pytest.raises(ScenarioError, match=r"book has a line already\. Join the two\."):
        corrections(["book: effect=a", "book: dedup=key"], PLACE)


def test_a_scope_that_names_no_parameter() -> None:
    """An error with the nearest one; where no parameters are known, it is believed."""
    lines = corrections(["book: scope=flihgt"], PLACE)
    with pytest.raises(ScenarioError, match=r"'flihgt' is no parameter of book .*'flight'"):
        corrected("book", guess("book", BOOK), lines, BOOK)
    assert corrected("book", guess("book"), lines).scope == ("flihgt",)


def test_a_line_that_fits_no_tool() -> None:
    """It is told, with the nearest tool."""
    lines = corrections(["get_*: reads", "bok_flight: effect=booking"], PLACE)
    assert unused(lines[:1], ["get_page"]) == []
    (told,) = unused(lines, ["get_page", "book_flight"])
    assert "fits no tool that was met. Did you mean 'book_flight'" in told


def test_a_line_that_says_where_a_function_is() -> None:
    """It is about the tool of this name."""
    (line,) = corrections(["shop.tills:Till.charge: effect=charge"], PLACE)
    assert line.is_place
    assert [name for name in ("charge", "Till", line.pattern) if line.fits(name)] == [
        "charge",
        line.pattern,
    ]
    assert corrected("charge", guess("charge"), [line]).effect == "charge"
