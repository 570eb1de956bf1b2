"""What a model reads: the messages that it is shown, and what they say of the calls it issued.

Law: only the messages of one call and the ids that the model issued itself are looked at. Called
by the simulated model at every turn, and by cassettes, which read recorded messages alike.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agentfuzz.core.codec import plain
from agentfuzz.core.events import Shown
from agentfuzz.model.behaviour import ModelBehaviour
from agentfuzz.model.memory import SHOWN, Issue, Issued, Message, is_call, meant, told_of
from agentfuzz.model.results import reads_as_error, text_of
from agentfuzz.model.script import Call
from agentfuzz.world.toolbox import DONE

_ADDRESS = 24  # characters of a memory address, which a history does not keep: none is cut in two
NO_NAMES: Mapping[str, str] = {}


def shown(message: Message, names: Mapping[str, str] = NO_NAMES) -> Shown:
    """What a history keeps of one message: its role, its text, and the ids it binds; `names` are
    the model's own of ids that were renamed."""
    calls = message.get("tool_calls")
    content = message.get("content")
    text = content if isinstance(content, str) else "" if content is None else str(plain(content))
    ids = tuple([str(one.get("id") if is_call(one) else one) for one in calls]) if calls else ()
    answers = message.get("tool_call_id")
    if names:
        ids = tuple(names.get(one, one) for one in ids)
        answers = names.get(str(answers), answers)
    role = str(message.get("role"))
    text = plain(text[: SHOWN + _ADDRESS])[:SHOWN]
    return Shown(role, text, ids, None if answers is None else str(answers))


class Seen:
    """What a conversation shows of the calls issued. An error counts until the user's next
    message: whoever is asked again tries again."""

    def __init__(
        self,
        messages: Sequence[Message],
        issued: Issued,
        behaviour: ModelBehaviour,
        names: Mapping[str, str] = NO_NAMES,
    ) -> None:
        self.finished: set[int] = set()
        self.errors: dict[int, list[str]] = {}
        self.replies: dict[str, str] = {}
        self.last: Call | None = None
        self.done = False
        self._waiting: list[str] = []
        self._meant: dict[str, list[Issue]] = {}  # of the last turn with calls, by id
        for message in messages:
            role = message.get("role")
            if role == "user":
                self._asked_anew(behaviour)
            elif role == "tool":
                self._result(message, issued, names)
            elif message.get("tool_calls"):
                self._asks(message["tool_calls"], issued, names)
                if not behaviour.replans_missing:
                    known = (one.call for same in self._meant.values() for one in same)
                    self.finished.update(map(id, known))
        if issued:
            told = list(told_of(messages, issued))
            self.finished.update(id(call) for call, _ in told)
            self.replies = {**{call.tool: said for call, said in told}, **self.replies}

    def _asked_anew(self, behaviour: ModelBehaviour) -> None:
        self.errors.clear()
        self.done = False
        if behaviour.works_again:
            self.finished.clear()
            self.replies.clear()
            self.last = None

    def _asks(self, calls: Iterable[Any], issued: Issued, names: Mapping[str, str]) -> None:
        made = [one for one in calls if is_call(one)]
        ids = (str(one.get("id")) for one in made)
        self._waiting = [names.get(one, one) for one in ids]
        self._meant = {}
        for own, one in zip(self._waiting, made, strict=True):
            if own in issued:
                issue = meant(issued[own], str(one.get("name")), one.get("arguments"))
                self._meant.setdefault(own, []).append(issue)

    def _answered(self, own: str, issued: Issued) -> Issue | None:
        """What the next result under an id answers: each call that bears it, one by one."""
        here = self._meant.get(own)
        if here:
            return here.pop(0) if len(here) > 1 else here[0]
        return issued[own][-1] if own in issued else None

    def _result(self, message: Message, issued: Issued, names: Mapping[str, str]) -> None:
        given = str(message.get("tool_call_id") or "")
        own = names.get(given, given)
        issue = self._answered(own, issued) or self._unnamed(message, given, issued)
        if issue is None:
            return
        if own in self._waiting:
            self._waiting.remove(own)
        call = issue.call
        if call.tool == DONE:
            self.done = True
            return
        content = text_of(message.get("content"))
        if message.get("is_error") or reads_as_error(content):
            self.errors.setdefault(id(call), []).append(content)
            return
        self.finished.add(id(call))
        self.replies[call.tool] = content
        self.last = call

    def _unnamed(self, message: Message, given: str, issued: Issued) -> Issue | None:
        """The call that a result without an id of its own answers: the first open one of its turn
        with the tool's name, or, where there is no name, the first open one."""
        name = str(message.get("name") or given)
        for one in self._waiting:
            issue = issued[one][-1] if one in issued else None
            if issue is not None and name in ("", issue.call.tool):
                self._waiting.remove(one)
                return issue
        return None
