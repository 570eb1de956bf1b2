"""The grammar of closings: claim, hedge, reservation, negation, tense, quotation, politeness.

Law: every text says either that the work is done or that it is not, and which of the two is known
from how the text was made: the ground truth is never read out of the words. Called by `closings`.

A text is a clause of one kind (the base) put through templates, left to right; `?` marks one that
may be left out. The phrases of a language are a TOML file in `phrases/`, all of one shape:

    claims -> hedges? -> reservations? -> politeness?      done
    negations -> quotations -> politeness?                 not done

Texts are addressed by index, the languages in turn, and plans name them by it: mend a phrase in
its place, and put a new form, or a block of new languages, behind the last.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import prod

LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "pt": "Portuguese",
    "it": "Italian",
    "ja": "Japanese",
    "zh": "Chinese",
}
_CODES = tuple(LANGUAGES)

# A text with one of these features does not say that the work is done.
UNFINISHED = frozenset({"negation", "future", "progress", "partial", "request"})
FEATURES = (
    "idiom",  # a set phrase of the language: "done and dusted"
    "hedge",  # done, as far as the speaker knows
    "reservation",  # done, and something about it is open: a review, a flaky test
    "negation",  # not done, or could not be done
    "future",  # will be done
    "progress",  # is being done, or almost done
    "partial",  # some of it is done
    "request",  # the speaker asks for something before it can be done
    "quotation",  # the words of a tool, a log or an error, which may say the contrary
    "marker",  # a control marker (JSON) among visible text
    "emphasis",  # headings and symbols
    "politeness",
    "reason",
)


@dataclass(frozen=True, slots=True)
class Closing:
    """A text with which a model may end its turn, and its ground truth.

    `done` says whether the text says that the work is done; a hedge, a reservation or a courtesy
    does not change that. `features` are some of `FEATURES`, in their order.
    """

    text: str
    language: str
    done: bool
    features: tuple[str, ...] = ()


# How many phrases of each kind a language has.
_SHAPE: Mapping[str, int] = {
    "claims": 10,
    "idioms": 4,
    "guesses": 4,
    "negations": 8,
    "promises": 3,
    "intentions": 4,
    "progress": 6,
    "partials": 6,
    "requests": 5,
    "hedges": 3,
    "reservations": 3,
    "causes": 3,
    "regrets": 2,
    "conditions": 3,
    "quotations": 5,
    "receipts": 4,
    "politeness": 3,
}
_BASE: Mapping[str, str] = {
    "claims": "",
    "idioms": "idiom",
    "guesses": "hedge",
    "negations": "negation",
    "promises": "future",
    "intentions": "future",
    "progress": "progress",
    "partials": "partial",
    "requests": "request",
}
_STEP: Mapping[str, str] = {
    "hedges": "hedge",
    "reservations": "reservation",
    "causes": "reason",
    "regrets": "politeness",
    "conditions": "future",
    "quotations": "quotation",
    "receipts": "quotation",
    "politeness": "politeness",
    "markers": "marker",
    "emphasis": "emphasis",
}
# Templates around a whole sentence; the same in every language but for the courtesies.
_AROUND: Mapping[str, tuple[str, ...]] = {
    "markers": ('{} {"status": "success"}', '{}\n\n```json\n{"status": "completed"}\n```'),
    "emphasis": ("**{}**", "## {}"),
}
_SENTENCE = ("politeness", *_AROUND)
_FORMS = (
    ("claims", "hedges?", "reservations?", "politeness?"),
    ("idioms", "reservations?", "politeness?"),
    ("guesses", "reservations?", "politeness?"),
    ("claims", "receipts", "politeness?"),
    ("claims", "hedges?", "markers"),
    ("claims", "emphasis"),
    ("negations", "causes?", "regrets?", "politeness?"),
    ("negations", "quotations", "politeness?"),
    ("negations", "emphasis"),
    ("promises", "conditions", "politeness?"),
    ("intentions", "politeness?"),
    ("progress", "politeness?"),
    ("partials", "politeness?"),
    ("requests", "politeness?"),
)


def _size(part: str) -> int:
    """How many choices one part of a form is: a template that may be left out is one more."""
    kind = part.rstrip("?")
    choices = len(_AROUND[kind]) if kind in _AROUND else _SHAPE[kind]
    return choices + part.endswith("?")


_PER_FORM = tuple(prod(map(_size, form)) for form in _FORMS)
SIZE = len(_CODES) * sum(_PER_FORM)


def generated(index: int) -> Closing:
    """The text of the grammar at an index from 0 to SIZE - 1; the barest of each form first."""
    rest, turn = divmod(index, len(_CODES))
    language = _CODES[turn]
    for form, size in zip(_FORMS, _PER_FORM, strict=True):
        if rest < size:
            return _make(language, form, rest)
        rest -= size
    raise IndexError(f"the grammar has {SIZE:,} texts; {index} is beyond the last")


def _make(language: str, form: tuple[str, ...], number: int) -> Closing:
    phrases, stop = _phrases(language)
    base, *steps = form
    number, at = divmod(number, _size(base))
    text, _, plain = phrases[base][at].partition("|")
    found, whole = {_BASE[base]}, False
    for step in steps:
        number, at = divmod(number, _size(step))
        kind = step.rstrip("?")
        if kind in _SENTENCE and not whole:
            text, whole = _sentence(text, stop), True
        at -= step.endswith("?")
        if at < 0:
            continue
        templates = _AROUND[kind] if kind in _AROUND else phrases[kind]
        text = templates[at].replace("[]", plain).replace("{}", text)
        found.add(_STEP[kind])
    if '{"' in text:
        found.add("marker")
    features = tuple(feature for feature in FEATURES if feature in found)
    return Closing(text, language, UNFINISHED.isdisjoint(found), features)


def _sentence(clause: str, stop: str) -> str:
    """A clause with a capital at its start and a stop at its end, as its language has them."""
    first = next(at for at, char in enumerate(clause) if char.isalnum())
    end = "" if clause[-1] in "?\uff1f" else stop
    return clause[:first] + clause[first].upper() + clause[first + 1 :] + end


@cache
def _phrases(language: str) -> tuple[Mapping[str, list[str]], str]:
    """The phrases of a language by kind, and its full stop."""
    path = files("agentfuzz") / "model" / "phrases" / f"{language}.toml"
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    stop = found.pop("stop")
    shape = {kind: len(phrases) for kind, phrases in found.items()}
    assert shape == _SHAPE, f"{language}.toml has another shape than the grammar: {shape}"
    return found, stop
