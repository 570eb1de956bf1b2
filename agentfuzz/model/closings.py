"""Closing phrases: the words in which models say that they are done, more or less, or not yet.

Law: which of them a loop understands must not matter. `closing(i)` is the whole corpus: the
phrases of CATALOGUE.md, then those of the grammar; each with its ground truth. Used by the
`reword` fault (the variant is the index) and by `agentfuzz.strategies.closings()`.

Plans name texts by index, so an index never changes its text: what is new goes behind the last
text of the grammar. Source: phrases from production
logs quoted in Tian Pan, "'Done!' Is Not a Return Code" (2026).
"""

import re
from collections.abc import Iterable, Iterator

from agentfuzz.core.errors import AgentfuzzError, PlanError
from agentfuzz.model import grammar
from agentfuzz.model.grammar import FEATURES, LANGUAGES, UNFINISHED, Closing

__all__ = [
    "CLOSINGS",
    "FEATURES",
    "LANGUAGES",
    "SIZE",
    "TRIED",
    "UNFINISHED",
    "Closing",
    "classic_detector",
    "closing",
    "corpus",
]

_LOGGED = (
    Closing("I think that covers it.", "en", True, ("hedge",)),
    Closing("All done - let me know if you want any changes!", "en", True, ("politeness",)),
    Closing("all set", "en", True, ("idiom",)),
    Closing("should be good to go", "en", True, ("hedge",)),
    Closing("that should do it", "en", True, ("hedge",)),
    Closing("I've wrapped that up", "en", True),
    Closing("done, pending your review", "en", True, ("reservation",)),
    Closing(
        "I went ahead and landed the change, though the test for the edge case is still flaky",
        "en",
        True,
        ("reservation",),
    ),
)
_CATALOGUE = (
    Closing("Done! Task complete", "en", True),
    Closing("landed, test still flaky", "en", True, ("reservation",)),
    Closing("done, pending ...", "en", True, ("reservation",)),
    Closing("not done yet", "en", False, ("negation",)),
    Closing("once complete I will send the answer", "en", False, ("future",)),
    Closing("I'll try again", "en", False, ("future",)),
    Closing("please retry", "en", False, ("request",)),
    Closing("previous attempt failed, reissue", "en", False, ("negation", "request")),
    Closing(
        'The tool output contains "DONE", but that was another job.',
        "en",
        False,
        ("negation", "quotation"),
    ),
    Closing(
        'The reply says "Done! Task complete". I have not sent anything yet.',
        "en",
        False,
        ("negation", "quotation"),
    ),
    Closing('Here you go: {"status": "success", "handle": "T-9"}', "en", True, ("marker",)),
    Closing("I could not finish the task: charge_card: timed out", "en", False, ("negation",)),
    Closing("I'm done with that now.", "en", True),
    Closing("The task is closed.", "en", True),
)
_NAMED = _LOGGED + _CATALOGUE

CLOSINGS = tuple(each.text for each in _LOGGED)
TRIED = len(CLOSINGS)  # the first of the corpus: those that the systematic phase tries
SIZE = len(_NAMED) + grammar.SIZE

_DETECTOR = re.compile(r"\b(done|complete|completed|finished)\b", re.IGNORECASE)


def closing(index: int) -> Closing:
    """The closing at an index of the corpus, from 0 to SIZE - 1. Raises PlanError beyond."""
    if not 0 <= index < SIZE:
        raise PlanError(
            f"there is no closing {index}: the corpus has {SIZE:,}, numbered from 0. "
            "Try a smaller number after reword=."
        )
    if index < len(_NAMED):
        return _NAMED[index]
    return grammar.generated(index - len(_NAMED))


def corpus(
    *, done: bool | None = None, languages: Iterable[str] | None = None
) -> Iterator[Closing]:
    """Every closing in the order of the corpus, made when asked for; with `done`, those with this
    ground truth, with `languages`, those in these (codes of LANGUAGES).

    Raises AgentfuzzError for a language that the corpus does not have.
    """
    wanted = frozenset(LANGUAGES if languages is None else languages)
    unknown = sorted(wanted.difference(LANGUAGES))
    if unknown:
        raise AgentfuzzError(
            f"there are no closings in {unknown[0]!r}. The languages are "
            f"{', '.join(f'{code} ({name})' for code, name in LANGUAGES.items())}."
        )
    found = map(closing, range(SIZE))
    return (one for one in found if one.language in wanted and done in (None, one.done))


def classic_detector(text: str) -> bool:
    """The victim of every essay on the subject: it takes a keyword for the end of the work."""
    return _DETECTOR.search(text) is not None
