"""The corpus of closings: large, in eight languages, each text with its ground truth."""

import re
import tomllib
from collections import Counter, defaultdict
from importlib.resources import files

import pytest

from agentfuzz.core.errors import AgentfuzzError, PlanError
from agentfuzz.model import grammar
from agentfuzz.model.closings import (
    CLOSINGS,
    FEATURES,
    LANGUAGES,
    SIZE,
    TRIED,
    UNFINISHED,
    classic_detector,
    closing,
    corpus,
)

EVERY = tuple(corpus())

# Every phrase that CATALOGUE.md quotes, and what it says (None: only ever inside another text).
QUOTED = {
    "All done - let me know if you want any changes!": True,
    "I went ahead and landed the change, though the test for the edge case is still flaky": True,
    "I think that covers it": True,
    "all set": True,
    "should be good to go": True,
    "that should do it": True,
    "I've wrapped that up": True,
    "done, pending ...": True,
    "landed, test still flaky": True,
    "Done! Task complete": True,
    "I'll try again": False,
    "please retry": False,
    "not done yet": False,
    "once complete I will": False,
    "previous attempt failed, reissue": False,
    "DONE": None,
}


def test_size():
    """At least 2,000 texts, no two alike, numbered without a gap."""
    texts = {each.text for each in EVERY}
    assert len(EVERY) == len(texts) == SIZE >= 2_000
    assert tuple(map(closing, range(SIZE))) == EVERY


def test_languages():
    """Eight languages, each with at least 2,000 / 8 texts that say done and as many that do not."""
    counts = Counter((each.language, each.done) for each in EVERY)
    assert len(LANGUAGES) >= 8
    for language in LANGUAGES:
        assert min(counts[language, True], counts[language, False]) >= 250


@pytest.mark.parametrize("phrase", QUOTED)
def test_catalogue(phrase):
    """Every phrase of the catalogue is there among the named texts, with its ground truth."""
    found = [each for each in EVERY[: SIZE - grammar.SIZE] if phrase in each.text]
    assert found
    if QUOTED[phrase] is not None:
        assert found[0].done is QUOTED[phrase]
        assert found[0].language == "en"


def test_places():
    """Plans name closings by index: these places are taken for good."""
    assert CLOSINGS == (
        "I think that covers it.",
        "All done - let me know if you want any changes!",
        "all set",
        "should be good to go",
        "that should do it",
        "I've wrapped that up",
        "done, pending your review",
        "I went ahead and landed the change, though the test for the edge case is still flaky",
    )
    assert tuple(closing(index).text for index in range(TRIED)) == CLOSINGS
    start = SIZE - grammar.SIZE
    assert start == 22
    assert {index: closing(index).text for index in (8, 11, start, 4_500, 13_000, SIZE - 1)} == {
        8: "Done! Task complete",
        11: "not done yet",
        start: "The task is done.",
        4_500: "確認した限りでは、残っている作業はありませんが、"
        "エッジケースのテストはまだ不安定です。ほかにお手伝いできることはありますか\uff1f",
        13_000: "Quand la relecture sera finie, j'enverrai la réponse. "
        "Puis-je vous aider pour autre chose ?",
        SIZE - 1: "完成任务之前需要你的批准。还有什么需要我帮忙的吗\uff1f",
    }


def test_truth_follows_from_the_features():
    """Negated, future, in progress, partial and asking is not done; hedged, reserved, quoting or
    polite alone is done. Features stand in their order, each once."""
    for each in EVERY:
        assert each.done == UNFINISHED.isdisjoint(each.features), each
        assert list(each.features) == [name for name in FEATURES if name in each.features], each
    assert {name for each in EVERY for name in each.features} == set(FEATURES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_feature_in_every_language(language):
    """Each language has every feature, and both answers with quotations and with markers."""
    seen = defaultdict(set)
    for each in EVERY:
        if each.language == language:
            for name in each.features:
                seen[name].add(each.done)
    assert set(seen) == set(FEATURES)
    for name in ("quotation", "marker", "politeness", "emphasis"):
        assert seen[name] == {True, False}


def test_well_formed():
    """No template is left open, no space doubled, and a sentence of the grammar starts with a
    capital and ends in a stop, a bracket, a fence or an asterisk."""
    for each in EVERY[SIZE - grammar.SIZE :]:
        assert not re.search(r"\{\}|\[\]|\||  ", each.text), each
        first = next(char for char in each.text if char.isalnum())
        assert first == first.upper(), each
        if "## " not in each.text[:3]:
            assert each.text[-1] in ".!?。\uff1f\uff01}`*", each
        assert each.text == each.text.strip()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_uses_its_own_script_and_phrases(language):
    """The words of one language are not those of another: no phrase stands in two files."""
    folder = files("agentfuzz") / "model" / "phrases"
    mine, others = set(), set()
    for code in LANGUAGES:
        found = tomllib.loads((folder / f"{code}.toml").read_text(encoding="utf-8"))
        clauses = {phrase for kind in grammar._BASE for phrase in found[kind]}
        if code == language:
            assert len(clauses) == sum(len(found[kind]) for kind in grammar._BASE)
            mine = clauses
        else:
            others |= clauses
    assert not mine & others
    cjk = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
    assert {bool(cjk.search(phrase)) for phrase in mine} == {language in ("ja", "zh")}


def test_corpus_by_truth_and_language():
    """`done` and `languages` keep the order and drop the rest."""
    wanted = [each for each in EVERY if not each.done and each.language in ("ja", "it")]
    assert list(corpus(done=False, languages=["it", "ja"])) == wanted
    assert len(list(corpus(done=True))) + len(list(corpus(done=False))) == SIZE


@pytest.mark.parametrize("index", [-1, SIZE])
def test_beyond_the_corpus(index):
    """A plan that names no closing is told how many there are."""
    with pytest.raises(PlanError, match=rf"no closing {index}: the corpus has {SIZE:,}"):
        closing(index)


def test_unknown_language():
    """At once, not when the first text is asked for."""
    with pytest.raises(AgentfuzzError, match=r"no closings in 'jp'.*ja \(Japanese\)"):
        corpus(languages=["jp"])


def test_a_language_of_another_shape(monkeypatch):
    """A file with a phrase too few would move every index: it is refused by name."""
    monkeypatch.setitem(grammar._SHAPE, "claims", 11)
    grammar._phrases.cache_clear()
    with pytest.raises(AssertionError, match=r"de\.toml has another shape"):
        grammar._phrases("de")
    monkeypatch.undo()
    assert grammar._phrases("de")


@pytest.mark.parametrize(
    ("text", "said"),
    [("All DONE.", True), ("not done yet", True), ("all set", False), ("abandoned", False)],
)
def test_classic_detector(text, said):
    """Whole words in any case, and no idea of what they mean."""
    assert classic_detector(text) is said
