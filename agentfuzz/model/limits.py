"""Where a provider ends what a model says: at a stop sequence, and at the most that it may say.

Law: pure; a turn that ends in time is left as it is. Called by the simulated model, after its
faults.
"""

import json

from agentfuzz.model.model_faults.kind import Draft, Planned
from agentfuzz.providers.offer import Offer

CHARS_PER_TOKEN = 4  # a declared estimate, not a tokenizer


def ended(draft: Draft, offer: Offer) -> Draft:
    """A turn up to where its provider ends it. What comes behind a stop sequence is not said, nor
    is any call; at the limit a call breaks off within its JSON."""
    if draft.raises is not None:
        return draft
    if offer.stops and draft.text:
        draft = _stopped(draft, draft.text, offer.stops)
    return draft if offer.longest is None else _cut(draft, offer.longest * CHARS_PER_TOKEN)


def _stopped(draft: Draft, text: str, stops: tuple[str, ...]) -> Draft:
    places = [(text.find(stop), stop) for stop in stops if stop in text]
    if not places:
        return draft
    at, stop = min(places, key=lambda one: one[0])
    end = draft.stop if draft.stop == "cut" else "end"
    return draft._replace(text=text[:at], calls=(), stop=end, stopped_by=stop)


def _cut(draft: Draft, left: int) -> Draft:
    said = draft.text or ""
    written = [_written(one) for one in draft.calls]
    if len(said) + sum(map(len, written)) <= left:
        return draft
    calls: list[Planned] = []
    text, left = said[:left], left - len(said[:left])
    for call, arguments in zip(draft.calls, written, strict=True):
        if not left:
            break
        whole = len(arguments) <= left
        calls.append(call if whole else call._replace(arguments=arguments[:left]))
        left -= min(left, len(arguments))
    stop = draft.stop if draft.stop == "cut" else "length"
    only = draft.text if draft.text is None and calls else text
    return draft._replace(text=only, calls=tuple(calls), stop=stop, stopped_by=None)


def _written(call: Planned) -> str:
    return call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)
