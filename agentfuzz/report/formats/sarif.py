"""SARIF 2.1.0: the causes of a session for code scanning.

Law: valid by the official schema, and within what GitHub takes of a file: what is too much is left
out, the last causes first, and said so in a notification. No text of an agent becomes a link.
Called by the writer.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from agentfuzz.archive.shards import installed
from agentfuzz.core.codec import dump
from agentfuzz.core.codes import CODES, FAMILIES, page
from agentfuzz.core.escaping import visible
from agentfuzz.core.findings import Counterexample
from agentfuzz.core.lanes.words import count
from agentfuzz.report import packages
from agentfuzz.report.account import Account
from agentfuzz.report.fingerprints import fingerprints
from agentfuzz.report.formats.format import Format
from agentfuzz.report.places import Place
from agentfuzz.telling import story as stories
from agentfuzz.telling.causes import Cause

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
RESULTS, STEPS, BYTES = 5_000, 1_000, 9_000_000  # GitHub keeps 5,000 and 1,000, and 10 MB gzipped
FINGERPRINT = "agentfuzzCause/v1"
_TEXT, _STEP, _NOTES, _RELATED = 4_000, 300, 100, 50
_MILD = ("AF904", "AF905")  # of the harness, more than of the agent

Object = dict[str, Any]


def report(account: Account) -> str:
    """The log of a session: one run. Sequences are the first for which there is no room."""
    found = account.apart
    marks = fingerprints(found, account.places)
    results: list[Object] = []
    room = BYTES
    for cause, mark in zip(found[:RESULTS], marks, strict=False):
        result = _result(cause, mark, account)
        room -= _size(result)
        if room < 0:
            break
        results.append(result)
    if any(cause.known for cause in found):  # of all or of none
        for cause, result in zip(found, results, strict=False):
            result["baselineState"] = "unchanged" if cause.known else "new"
    bare = 0
    for cause, result in zip(found, results, strict=False):
        flow = _flow(cause.lead, account.places.of(cause.lead))
        if (size := _size(flow)) > room:
            bare += 1
        else:
            room -= size
            result["codeFlows"] = flow
    notes = []
    if len(results) < len(found):
        notes.append(f"{count(len(found) - len(results), 'more cause')}: see the other reports")
    if bare:
        notes.append(f"{count(bare, 'cause')} without the sequence, for which there was no room")
    return dump(_log(account, results, notes)) + "\n"


def _size(tree: Any) -> int:
    return len(dump(tree).encode())


def _log(account: Account, results: list[Object], notes: Sequence[str]) -> Object:
    rules = sorted({one["ruleId"] for one in results})
    for one in results:
        one["ruleIndex"] = rules.index(one["ruleId"])
    untested = [text for result in account.results for text in result.untested]
    invocation: Object = {
        "executionSuccessful": account.exit_code is None
        and all(result.stopped != "interrupt" for result in account.results),
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": _words(text)}}
            for level, texts in (("note", notes), ("warning", untested[:_NOTES]))
            for text in texts
        ],
    }
    if account.exit_code is not None:
        invocation["exitCode"] = account.exit_code
    driver: Object = {
        "name": "agentfuzz",
        "version": installed(),
        "rules": [_rule(code) for code in rules],
    }
    if home := packages.documentation():
        driver["informationUri"] = home
    run: Object = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "the repository"}}},
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> Object:
    """A code: its title, its page, and where that is on the web."""
    rule: Object = {"id": code, "defaultConfiguration": {"level": _level(code)}}
    if code not in CODES:
        return rule | {key: {"text": _words(code)} for key in ("shortDescription", "help")}
    text = page(code)
    rule |= {
        "shortDescription": {"text": CODES[code]},
        "fullDescription": {"text": " ".join(text.split("\n\n")[1].split())},
        "help": {"text": text, "markdown": text},
        "properties": {"tags": ["agentfuzz", "reliability"], "precision": "very-high"},
    }
    if home := packages.documentation():
        family = code[:3]
        anchor = f"{family}xx {FAMILIES[family]}".lower().replace(" ", "-")
        rule["helpUri"] = f"{home.rstrip('/')}/codes.html#{anchor}"
    return rule


def _level(code: str) -> str:
    return "warning" if code.startswith(_MILD) else "error"


def _result(cause: Cause, mark: str, account: Account) -> Object:
    cx, places = cause.lead, account.places
    place = places.of(cx)
    result: Object = {
        "ruleId": visible(cx.code),
        "level": "note" if cause.known else _level(cx.code),
        "message": {"text": _message(cause)},
        "locations": [_location(place, cx.location or "")],
        "partialFingerprints": {FINGERPRINT: mark},
        "properties": {
            "agentfuzz/id": visible(cx.id),
            "agentfuzz/plan": visible(str(cx.plan)),
            "agentfuzz/breaks": [visible(code) for code in cause.codes],
        },
    }
    related = [(places.test(one), "", f"the test {one}") for one in cause.tests]
    related += [
        (places.of(one.findings[0]), one.location, f"{' '.join(one.codes)} under {one.plan}")
        for one in cause.places[1:]
    ]
    result["relatedLocations"] = [
        _location(*one) | {"id": nth} for nth, one in enumerate(related[:_RELATED], 1)
    ]
    return result


def _message(cause: Cause) -> str:
    story = stories.tell(cause.lead)
    parts = [f"{story.title}: {story.sentence}", *story.warnings]
    parts += [f"It {cause.breaks}."] if cause.breaks else []
    parts += [f"Fault: {fault.words} ({fault.plan})." for fault in story.faults]
    parts += [f"Hint: {story.hint}."] if story.hint else []
    return _words("\n".join([*parts, f"Replay: {story.replay}"]))


def _flow(cx: Counterexample, place: Place) -> list[Object]:
    """The history as a code flow; none of a history without a row."""
    steps = list(_steps(cx, place))
    return [{"threadFlows": [{"locations": steps}]}] if steps else []


def _steps(cx: Counterexample, place: Place) -> Iterator[Object]:
    """The rows of the history; of many the first, and the last one that counts them."""
    rows = stories.tell(cx).rows
    shown = rows if len(rows) <= STEPS else rows[: STEPS - 1]
    for row in shown:
        lost = "lost" if row.arrow.endswith("_lost") else ""
        parts = (f"{row.t:.1f}s", row.agent, lost, row.backend, row.note)
        yield {
            "location": _location(place, "", "  ".join(filter(None, parts))[:_STEP]),
            "importance": "essential" if row.mark or row.witness else "important",
        }
    if len(shown) < len(rows):
        yield {"location": _location(place, "", f"{len(rows) - len(shown):,} more steps")}


def _location(place: Place, code: str, message: str = "") -> Object:
    location: Object = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(place.path), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": place.line},
        }
    }
    function = code.rpartition(":")[2].partition(" ")[2]
    if function:
        location["logicalLocations"] = [{"fullyQualifiedName": visible(function)}]
    return location | ({"message": {"text": _words(message)}} if message else {})


def _uri(path: str) -> str:
    return quote(path.encode("utf-8", "backslashreplace"))


def _words(text: str) -> str:
    """A message: controls visible, and no `[text](address)`, which a reader would make a link."""
    return visible(text[:_TEXT], "\n").replace("](", "] (")


FORMAT = Format(name="sarif", session=report, index="report.sarif", order=6)
