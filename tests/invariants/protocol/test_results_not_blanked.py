"""`results_not_blanked`: a result that holds something is not shown as nothing."""

import pytest

from agentfuzz import Completion, ModelError, ToolError, World, results_not_blanked, scenario
from agentfuzz.world.reply_faults import as_text
from invariants.conversations import asks, gets, says, shows, under, user, wants
from invariants.histories import charged, done, judge, looked_up, ok, strikes, tell, timeout
from invariants.histories import lookup as look

LAW = results_not_blanked()
BODY = {"orders": ["A17"], "total": 42}
ASK = asks(("tc_1", "lookup", {"order_id": "A17"}))


def told(text, *more, body=BODY, found=None):
    """The result of one look-up, and what the model is shown of it."""
    found = found or under("tc_1", looked_up(body=body))
    shown = shows(user(), wants("tc_1"), gets("tc_1", text), *more)
    return judge(LAW, tell(shows(user()), ASK, found, shown, says("Done."), done()))


def one_by_one(steps):
    return lambda story: [step(story) for step in steps] and None


@pytest.mark.parametrize("text", ['{"total": 42}', "1 order", "?", "Error: too long", "0"])
def test_held(text):
    """Something is shown, in whatever words."""
    assert told(text) == "HELD"


@pytest.mark.parametrize("text", ["", "  ", "null", "None", "{}", "[]", '""', "[object Object]"])
def test_broken(text):
    """AF414: nothing is shown, or a word for it."""
    assert told(text) == ["AF414 lookup: Called#1 Replied#1 ModelInput#2"]


def test_shown_elsewhere():
    """Another message shows the result."""
    assert told("", user("It found A17.")) == "HELD"
    assert told("", gets(None, '{"orders": ["A17"]}')) == "HELD"


@pytest.mark.parametrize("body", [None, "", [], {}, {"orders": []}, {"paid": False}], ids=repr)
def test_not_exercised(body):
    """There was nothing to show; or no call was answered well, or what was answered is an
    effect's."""
    assert told("", body=body) == "NOT_EXERCISED"
    asked = under("tc_1", look())
    for steps in ((asked, timeout()), (asked, strikes("lookup#1:once/wrong"), ok(BODY))):
        assert told("", found=one_by_one(steps)) == "NOT_EXERCISED"
    assert told("", found=under("tc_1", charged())) == "NOT_EXERCISED"


# on whole loops

FAULTS = (TimeoutError, ConnectionError, ToolError)
DONE, UNKNOWN = Completion.success(), Completion.blocked()


@scenario(task="What is open?", script=[("search", {"text": "open"}), "Two are open."])
def desk(world: World) -> None:
    @world.tool
    def search(text: str) -> dict:
        return {"orders": ["A17", "B18"], "total": 2}


def talks(show, once=False):
    """A plain loop; `show` turns a result into a text. `once`: an answer is retried."""

    def agent(world: World) -> Completion:
        messages: list[dict] = [{"role": "user", "content": world.task}]
        for _ in range(6):
            try:
                turn = world.model(messages, list(world.tools))
            except (ModelError, TimeoutError, ConnectionError):
                return UNKNOWN
            if turn["stop"] not in ("end", "tool_calls"):
                return UNKNOWN
            messages.append(turn)
            if not turn["tool_calls"]:
                return DONE
            for one in turn["tool_calls"]:
                text = "Error: bad arguments"
                for _ in range(2):
                    try:
                        if isinstance(one["arguments"], dict):
                            found = world.call(one["name"], one["arguments"], asked=one["id"])
                            text = show(found)
                        break
                    except FAULTS as error:
                        text = f"Error: {error}"
                messages.append({"role": "tool", "tool_call_id": one["id"], "content": text})
        return UNKNOWN

    return agent


def only_text(found):
    """Victim: what is no text is not shown, once something went wrong."""
    return found if isinstance(found, str) else ""


def unless_struck(world: World):
    """Victim: after a failure an empty message keeps the result's place."""
    failed = []

    def show(found):
        return "" if failed else as_text(found)

    original = world.model
    try:
        original([{"role": "user", "content": "warm up"}])
    except (ModelError, TimeoutError, ConnectionError):
        failed.append(True)
    return talks(show)(world)


def first_lines(found):
    return as_text(found)[:12] + "..."


def in_words(found):
    return ", ".join(map(str, found)) if isinstance(found, dict) else f"it says {found}"


def test_victim(found):
    """What is no text is not shown; at all, or when something had failed before."""
    assert found(LAW, desk, talks(only_text)) == ["AF414 search: no faults"]
    assert found(LAW, desk, unless_struck) == ["AF414 search: model#1:cut"]


@pytest.mark.parametrize("show", [as_text, first_lines, in_words, str])
def test_survivor(held, show):
    """As JSON, in part, in words, as Python writes it."""
    assert held(LAW, desk, talks(show), depth=1) > 0
