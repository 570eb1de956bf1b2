"""The law that a model is shown what somebody declared (AF416).

Law: a sentence that a framework adds by itself is read like one of the user's, and nobody who
debugs the loop has written it. Source: CATALOGUE law X2; Tian Pan, "When Your Agent Framework
Becomes the Bug" (2026).
"""

import re
from collections.abc import Iterable

from agentfuzz.core.between import Finished, HandoffReceived, SharedRead
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Json, Messaged, ModelInput, ModelTurn, Replied, Shown
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.conversations import NOT_SAID
from agentfuzz.invariants.queries.texts import CUT, forms, leaves

_TELLING = 8  # characters by which a result, or the beginning of a text, is recognised
_PART = re.compile(r"\[?\{'type': '(?:input_|output_)?text', 'text': ['\"]|['\"]\}[,\]]?")


@law(codes={"AF416": "The model was shown what nobody declared"}, catalogue="X2")
def known_input(*texts: str | re.Pattern[str]) -> Check:
    """Each message that a model is shown is one that somebody declared, said or was answered.

    Known is what the scenario says (task, tasks, follow-ups), a message of the user, what a model
    said before, and `texts`: the system prompt and whatever else the loop adds knowingly, whole or
    as a compiled pattern. A message may hold several of these; what is left of it without them must
    hold no letter and no digit. A result is known with all that stands around it: a message that
    answers a call, or that holds a whole reply or such a message, or what another agent has said or
    handed over.

    A history keeps 500 characters of a message, and what comes after them is not looked at.
    NOT_EXERCISED when no model was shown anything.
    """
    for text in texts:
        if not isinstance(text, (str, re.Pattern)):
            raise ScenarioError(
                f"known_input({text!r}) is no text; give the system prompt as a text, or what "
                "varies as re.compile(...)."
            )
    declared = [text for text in texts if isinstance(text, str)]
    patterns = [text for text in texts if not isinstance(text, str)]

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        inputs = history.of(ModelInput)
        if not inputs:
            return None
        known, seen = {_even(text) for text in (*declared, *history.asked)}, set[Shown]()
        results: set[str] = set()
        found: dict[str, Violation] = {}
        for event in history.events:
            known.update(map(_even, _said(event)))
            results.update(form for form in map(_even, _told(event)) if len(form) >= _TELLING)
            if not isinstance(event, ModelInput):
                continue
            for one in event.messages:
                if one in seen or one.answers is not None:
                    continue
                seen.add(one)
                rest = _left(one.text, known, patterns)
                if rest and not any(form in _even(one.text) for form in results):
                    found.setdefault(one.role, _unknown(event, one, rest))
        return list(found.values())

    return check


def _said(event: object) -> Iterable[str]:
    """What the user, or a model, has said."""
    if isinstance(event, ModelTurn):
        return () if event.stop in NOT_SAID else (event.text or "",)
    return (event.text,) if isinstance(event, Messaged) else ()


def _told(event: object) -> Iterable[str]:
    """What a tool, or another agent, has said, as it may stand in a message."""
    body: Json
    if isinstance(event, ModelInput):
        return [one.text for one in event.messages if one.answers is not None]
    if isinstance(event, Replied):
        return forms(event.body)
    if isinstance(event, HandoffReceived):
        body = event.payload
    elif isinstance(event, (Finished, SharedRead)):
        body = event.value
    else:
        return ()
    return (*forms(body), *leaves(body))


def _even(text: str) -> str:
    """A text without its line breaks, and without what makes it a part of a list."""
    if text.startswith("[{'type': "):
        text = _PART.sub(" ", text).replace("\\n", " ")
    return " ".join(text.split())


def _left(text: str, known: Iterable[str], patterns: Iterable[re.Pattern[str]]) -> str:
    """What is left of a text without all that is known, or nothing."""
    whole = len(text) < CUT
    for pattern in patterns:
        text = pattern.sub(" \0 ", text)
    rest = _even(text)
    pieces = sorted(filter(None, known), key=lambda piece: (-len(piece), piece))
    for piece in pieces:
        if piece in rest:
            rest = re.sub(_edged(piece), " \0 ", rest)
    if not whole:
        rest = _without_end(rest, pieces)
    rest = " ".join(rest.replace("\0", " ").split())
    return rest if any(map(str.isalnum, rest)) else ""


def _edged(piece: str) -> str:
    """A piece where it is no part of a longer word."""
    before = r"(?<!\w)" if piece[0].isalnum() else ""
    return before + re.escape(piece) + (r"(?!\w)" if piece[-1].isalnum() else "")


def _without_end(rest: str, pieces: Iterable[str]) -> str:
    """A text that was cut, without the beginning of a piece at its end."""
    for piece in pieces:
        for begins in re.finditer(re.escape(piece[:_TELLING]), rest):
            if piece.startswith(rest[begins.start() :]):
                return rest[: begins.start()]
    return rest


def _unknown(given: ModelInput, one: Shown, rest: str) -> Violation:
    return Violation(
        code="AF416",
        subject=one.role,
        title=titled(f"{one.role}: nobody declared it"),
        sentence=(
            f"{given.slot} was shown a message of the role {one.role} that holds {rest[:80]!r}: no "
            "task, no message, no result, and not declared."
        ),
        says=f"{rest[:80]!r} as {one.role}",
        world="nobody said so",
        witness=(given.seq,),
        hint="find who adds it and take it out, or declare it: known_input(PROMPT, ...)",
    )
