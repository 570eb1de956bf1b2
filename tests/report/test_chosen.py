"""Which formats are written: those that are asked for, and no other."""

from pathlib import Path

import pytest

from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.report.formats.format import Format
from agentfuzz.report.write import append, chosen, properties, write

from .samples import RESULTS, TOLD, campaign

GITHUB = {"GITHUB_ACTIONS": "true"}


def names(words: str, **environ: str) -> list[str]:
    return [each.name for each in chosen(words, environ)]


def test_by_default_those_for_people_and_the_one_for_machines() -> None:
    """And GitHub's where a job of it runs."""
    assert names("auto") == ["html", "markdown", "json"]
    assert names("auto", **GITHUB) == ["html", "markdown", "json", "github"]
    assert names("auto", GITHUB_ACTIONS="false") == ["html", "markdown", "json"]


def test_a_list_is_what_it_says() -> None:
    """With commas or blanks, in any order; wherever it runs."""
    assert names("json, sarif", **GITHUB) == ["json", "sarif"]
    assert names("sarif json html") == ["html", "json", "sarif"]
    assert names("github") == ["github"]


def test_auto_can_be_added_to_and_taken_from() -> None:
    assert names("auto,sarif") == ["html", "markdown", "json", "sarif"]
    assert names("auto,no-github,gitlab", **GITHUB) == ["html", "markdown", "json", "gitlab"]
    assert names("no-markdown") == ["html", "json"]
    assert names("html,json,no-html") == ["json"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("sarf", "there is no format 'sarf'. Did you mean 'sarif'? Known: auto, html,"),
        ("html,no-githb", "there is no format 'githb'. Did you mean 'github'?"),
        ("html;json", "there is no format 'html;json'."),
        ("zzzzzz", "there is no format 'zzzzzz'. Known: auto, html, markdown, json,"),
    ],
)
def test_an_unknown_name_is_an_error_with_a_near_miss(words: str, said: str) -> None:
    with pytest.raises(AgentfuzzError) as raised:
        chosen(words, {})
    assert said in str(raised.value)


def test_only_what_is_chosen_is_written(tmp_path: Path) -> None:
    """No folder for a format without a file."""
    write(tmp_path / "none", TOLD, chosen("github,junit", {}))
    assert not (tmp_path / "none").exists()
    files = write(tmp_path / "some", TOLD, chosen("sarif,gitlab,receipt", {}))
    assert [path.name for path in files] == [
        "AF-a78d.receipt.json",
        "AF-f204.receipt.json",
        "report.sarif",
        "report.gitlab.json",
    ]


# A file to which several steps append ------------------------------------------------------


def test_what_is_there_already_stays_and_takes_room(tmp_path: Path) -> None:
    """A runner takes one megabyte of a step, and nothing of a file that is longer."""
    path = tmp_path / "summary.md"
    environ = {"GITHUB_STEP_SUMMARY": str(path)}
    path.write_text("before\n")
    append(TOLD, chosen("github", {}), environ)
    assert path.read_text().startswith("before\n\n## agentfuzz: 2 findings")
    path.write_bytes(b"x" * 899_000)
    append(TOLD, chosen("github", {}), environ)
    assert path.stat().st_size <= 900_000


@pytest.mark.parametrize("environ", [{}, {"GITHUB_STEP_SUMMARY": ""}])
def test_without_such_a_file_nothing_is_appended(environ: dict[str, str]) -> None:
    def never(*_: object) -> str:
        raise AssertionError("there is no file")

    append(TOLD, [Format(name="x", appended=never, to="GITHUB_STEP_SUMMARY")], environ)


def test_a_file_that_cannot_be_written_is_the_callers_to_report(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        append(TOLD, chosen("github", {}), {"GITHUB_STEP_SUMMARY": str(tmp_path)})


# Properties of a test case -----------------------------------------------------------------


def test_properties_are_few_unless_they_are_asked_for() -> None:
    """Ids and codes; with `junit` what they mean, with `no-junit` none."""
    few = properties("auto", RESULTS[0])
    assert few == [
        ("agentfuzz.finding", "AF-a78d"),
        ("agentfuzz.code", "AF101"),
        ("agentfuzz.finding", "AF-f204"),
        ("agentfuzz.code", "AF204"),
    ]
    assert properties("html,json", RESULTS[0]) == few
    assert properties("auto,no-junit", RESULTS[0]) == []
    assert properties("junit", RESULTS[0])[:5] == [
        *few[:2],
        ("agentfuzz.cause", "tool:charge_card:reply"),
        ("agentfuzz.plan", "charge_card#1:once/timeout"),
        (
            "agentfuzz.message",
            "AF101 charge_card ran 2x, expected 1: charge(order_id='A17') took effect 2 times: the "
            "agent called charge_card again.",
        ),
    ]
    assert properties("junit", campaign()) == [("agentfuzz.runs", "214")]


def test_a_plan_without_faults_is_said_in_words() -> None:
    """An empty value says nothing."""
    told = dict(properties("junit", campaign("empty_plan")))
    assert (told["agentfuzz.plan"], told["agentfuzz.cause"]) == ("no faults", "no fault")
