"""The confusion table: counted, not claimed; and safe to show."""

import pytest

from agentfuzz.model.closings import LANGUAGES, SIZE, Closing, classic_detector, corpus
from agentfuzz.report.confusion import PLAIN, Counts, confusion, headline, markdown, table

FOUR = (
    Closing("done", "en", True),
    Closing("not done", "en", False, ("negation",)),
    Closing("fertig, denke ich", "de", True, ("hedge", "politeness")),
    Closing("noch offen", "de", False, ("negation",)),
)


def test_counts():
    """One of each: overall, by language, and under every feature that a text has."""
    found = confusion(classic_detector, FOUR)
    assert found.detector == "classic_detector"
    assert found.overall == Counts(1, 1, 1, 1)
    assert (found.overall.total, found.overall.wrong) == (4, 2)
    assert found.by_language == {"en": Counts(1, 1, 0, 0), "de": Counts(0, 0, 1, 1)}
    assert found.by_feature == {
        PLAIN: Counts(1, 0, 0, 0),
        "hedge": Counts(0, 0, 0, 1),
        "negation": Counts(0, 1, 1, 0),
        "politeness": Counts(0, 0, 0, 1),
    }
    assert (found.premature, found.missed) == ((FOUR[1],), (FOUR[2],))


@pytest.fixture(scope="module")
def classic():
    """The classic detector over the whole corpus."""
    return confusion(classic_detector, corpus())


def test_the_classic_detector_is_wrong_both_ways_in_every_language(classic):
    """It misses completions and takes unfinished work for done, whatever the language."""
    assert classic.overall.total == SIZE
    assert list(classic.by_language) == list(LANGUAGES)
    for counts in classic.by_language.values():
        assert counts.false_positives > 100
        assert counts.false_negatives > 100
    languages = classic.by_language.values()
    for name in ("true_positives", "false_positives", "true_negatives", "false_negatives"):
        assert sum(getattr(c, name) for c in languages) == getattr(classic.overall, name)


def test_figures_are_those_of_the_detector(classic):
    """A constant answer and its opposite, and an oracle: the figures follow."""
    done = sum(each.done for each in corpus())
    assert confusion(lambda text: True, corpus()).overall == Counts(done, SIZE - done, 0, 0)
    assert confusion(lambda text: False, corpus()).overall == Counts(0, 0, SIZE - done, done)
    truth = {each.text: each.done for each in corpus()}
    assert confusion(truth.get, corpus()).overall == Counts(done, 0, SIZE - done, 0)
    said = sum(classic_detector(each.text) for each in corpus())
    assert classic.overall.true_positives + classic.overall.false_positives == said


def test_a_list_of_words_in_every_language_is_no_cure():
    """A detector that knows the word in each language misses fewer, and is taken in more often."""
    words = "done complete finished erledigt fertig termin fatto fini listo pronto feito 完了 完成"

    def learned(text):
        return any(word in text.lower() for word in words.split())

    wide, classic = (confusion(each, corpus()).overall for each in (learned, classic_detector))
    assert wide.false_negatives < classic.false_negatives
    assert wide.false_positives > classic.false_positives


def test_table(classic):
    """Every language and feature has a row, and each language an example of both mistakes."""
    text = table(classic)
    assert text.startswith("classic_detector is wrong about ")
    for code, name in LANGUAGES.items():
        assert f"\n{code} {name} " in text
        assert text.count(f"\n  {code}  ") == 2
    for name in classic.by_feature:
        assert f"\n{name} " in text
    assert f"\nall {SIZE:>18,} ".replace(" ", "") in text.replace(" ", "")


def test_markdown(classic):
    """The same rows as a table that a Markdown reader understands."""
    text = markdown(classic)
    assert text.endswith("\n")
    assert "| language | closings | done, seen | done, missed | not done, seen |" in text
    assert "| de German | 1,708 |" in text
    assert "- ja: `タスクは完了しました。`" in text


def test_nothing_to_count():
    """No closings, no rows, no division by zero."""
    found = confusion(classic_detector, [])
    assert found.overall == Counts()
    assert headline(found).startswith("classic_detector is wrong about 0 of 0 closings")
    assert "all" in table(found)
    assert "| all | 0 | 0 | 0 | 0 | 0 |  |" in markdown(found)


HOSTILE = Closing(
    "::error::\x1b[31mdone\u202e | [x](http://evil.example) `tick`\n::set-output", "xx|y", False
)


def test_hostile_text():
    """No escape sequence, no CI command, no link and no extra table cell gets through."""
    found = confusion(classic_detector, [HOSTILE])
    for text in (table(found), markdown(found)):
        assert not {"\x1b", "\u202e"} & set(text)
        assert not [line for line in text.split("\n") if line.lstrip().startswith("::")]
    assert "xx\\|y" in markdown(found)


def test_examples():
    """As many as asked for of each kind and language."""
    found = confusion(classic_detector, corpus(languages=["de", "fr"]), examples=3)
    assert [each.language for each in found.missed] == ["de"] * 3 + ["fr"] * 3
    assert all(not each.done and classic_detector(each.text) for each in found.premature)
    assert not confusion(classic_detector, FOUR, examples=0).missed
