"""How an error may be told: which texts say that something went wrong, and which name what did.

Law: pure functions of texts and events; a text in another language than English is none. Asked by
the laws about what a model is shown of its calls.
"""

import json
import re
from collections.abc import Mapping

from agentfuzz.core.events import Called, Json, Replied
from agentfuzz.invariants.queries.texts import CUT

_NONE_OF_IT = re.compile(r"\b(no|0|zero|without)( \w+)? (errors?|failures?|problems?)\b", re.I)
_TROUBLE = re.compile(
    r"error|exception|fail|time[ds]?[ -]?out|timeout|refus|reject|denied|invalid|unknown|unclear"
    r"|uncertain|unconfirmed|unexpected|unavailable|unable|aborted|cancell?ed|interrupted|in doubt"
    r"|not (be|been|yet|known|found|possible|confirmed|executed|carried|done)|n't\b|cannot"
    r"|could not|did not|no (reply|answer|response)|reset|lost|conflict|too many|rate.?limit|busy"
    r"|try again|retry|blocked|in.flight|pending",
    re.IGNORECASE,
)


def reads_as_error(text: str) -> bool:
    """Whether a text says that something went wrong, or is not known to have gone well."""
    try:
        body = json.loads(text)
    except ValueError:
        return bool(_TROUBLE.search(_NONE_OF_IT.sub("", text)))
    return _says_error(body)


def _says_error(body: Json) -> bool:
    if isinstance(body, Mapping):
        for name, item in body.items():
            if _TROUBLE.search(str(name)):
                if item and item not in (0, "0", "none", "None"):
                    return True
            elif (
                str(name).lower() in ("ok", "success", "successful") and item in (False, None)
            ) or _says_error(item):
                return True
        return False
    if isinstance(body, list):
        return any(map(_says_error, body))
    return isinstance(body, str) and bool(_TROUBLE.search(_NONE_OF_IT.sub("", body)))


def quotes(text: str, call: Called, reply: Replied) -> bool:
    """Whether a text names the error that a call was answered with: its type, its message, or the
    tool together with trouble."""
    error = str(reply.body or "").strip()[:CUT]
    if any(word in text for word in (reply.raised, error) if word):
        return True
    return call.slot.name in text and reads_as_error(text)
