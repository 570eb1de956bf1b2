"""A guess at what a tool declares, from what is known of it: its name, its parameters, its texts.

Law: a guess is one, and says of each of its words where it comes from; what nothing is known of is
taken for an effect, for a tool wrongly taken for a reading one would hide what it does twice. Pure:
asked by whoever meets tools that nobody has declared for a world.

What is told first counts: the hints of an MCP server, then the HTTP verb, then the verb in the
name, then the first word of the description.
"""

import inspect
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agentfuzz.world import verbs
from agentfuzz.world.verbs import own_name, words

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
REPEATABLE = frozenset({"PUT", "DELETE"})
FLAG, OBJECT = "flag", "object"
_KINDS = {bool: FLAG, dict: OBJECT, "boolean": FLAG, "object": OBJECT}


class Parameter(NamedTuple):
    """One parameter of a tool. `kind` is `flag`, `object` or empty: anything else."""

    name: str
    kind: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Guess:
    """What `world.tool` would be told: `effect` None means that it only reads. `origins` says of
    each of these four words where it comes from. `verb` is what it does, where that is known."""

    effect: str | None
    scope: tuple[str, ...]
    dedup: str
    transport: str
    origins: Mapping[str, str] = field(default_factory=dict)
    verb: str = ""

    @property
    def harmless(self) -> str:
        """Why a repeat may do no harm, or nothing: then it is known to do some."""
        if self.dedup != "none":
            return self.origins["dedup"]
        if self.verb not in verbs.TWICE_IS_TOO_OFTEN:
            return "twice may be as good as once"
        return ""


class _Found(NamedTuple):
    reads: bool
    origin: str
    verb: str = ""


def of_function(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The parameters of a Python function."""
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # a name that only a type checker knows
        hints = {}
    return tuple(
        Parameter(
            one.name,
            _KINDS.get(typing.get_origin(kind := hints.get(one.name)) or kind, ""),
            one.default is inspect.Parameter.empty,
        )
        for one in inspect.signature(function).parameters.values()
        if one.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    )


def of_schema(schema: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The parameters that a JSON schema declares (`inputSchema` of MCP, `parameters` of others)."""
    required = schema.get("required") or ()
    properties = schema.get("properties") or {}
    found = []
    for name, said in properties.items():
        kind = said.get("type") if isinstance(said, Mapping) else None
        known = _KINDS.get(kind, "") if isinstance(kind, str) else ""
        found.append(Parameter(str(name), known, name in required))
    return tuple(found)


def guess(
    name: str,
    parameters: Iterable[Parameter] = (),
    doc: str = "",
    *,
    hints: Mapping[str, Any] | None = None,
    method: str = "",
    remote: bool = False,
) -> Guess:
    """What a tool of this name may declare.

    `hints` are the annotations of an MCP tool (`{}` where it has none), `method` is the verb of an
    HTTP call, `remote` that it is called over a network in another way.
    """
    known, own = tuple(parameters), own_name(name)
    transport, where = _transport(name, hints, method, remote)
    found = (
        _by_hints(hints or {}) or _by_method(own, method) or _by_name(own) or _by_doc(doc)
    ) or _by_parameters(known)
    if found.reads:
        said = {"effect": found.origin, "scope": "it reads", "dedup": "it reads"}
        return Guess(None, (), "none", transport, {**said, "transport": where})
    scope, why = scope_of(name, known, found.verb)
    dedup, because = _dedup(hints or {}, method, known)
    effect = "_".join(words(own)) or own
    said = {"effect": found.origin, "scope": why, "dedup": because, "transport": where}
    verb = found.verb or _verb(own)
    return Guess(effect, scope, dedup, transport, said, verb)


def _transport(
    name: str, hints: Mapping[str, Any] | None, method: str, remote: bool
) -> tuple[str, str]:
    if hints is not None or name.startswith("mcp__"):
        return "network", "a tool of an MCP server"
    if method:
        return "network", "an HTTP call"
    if remote:
        return "network", "it is called over a network"
    return "local", "a function of this process"


def _by_hints(hints: Mapping[str, Any]) -> _Found | None:
    reads = hints.get("readOnlyHint")
    if isinstance(reads, bool):
        said = "readOnlyHint" if reads else "readOnlyHint (false)"
        return _Found(reads, f"{said} of the MCP server")
    for hint in ("destructiveHint", "idempotentHint"):
        if isinstance(hints.get(hint), bool):  # which mean something of a tool that writes alone
            return _Found(False, f"{hint} of the MCP server")
    return None


def _by_method(name: str, method: str) -> _Found | None:
    method = method.upper()
    if not method:
        return None
    if method in SAFE:
        return _Found(True, f"the HTTP verb {method}")
    found = _by_name(name)
    if method == "POST" and found is not None and found.reads and found.verb:
        return found._replace(origin=f"{found.origin}, though its HTTP verb is POST")
    return _Found(False, f"the HTTP verb {method}")


def _by_name(name: str) -> _Found | None:
    """The verb of a name. One that may be a noun counts at its beginning, or if there is no other;
    what is looked at, at its end, if there is no better one."""
    parts = words(name)
    sure = [
        place
        for place, word in enumerate(parts)
        if word in verbs.READS | verbs.WRITES and word not in verbs.NOUNS
    ]
    for place in sure[:1]:
        word, rest = parts[place], parts[place + 1 :]
        if word == "check" and rest[:1] in (["in"], ["out"]):
            return _said(f"check {rest[0]}", False)
        if word in verbs.READS and verbs.JOINED & {*rest}:
            for other in rest:
                if other in verbs.WRITES:
                    return _said(other, False)
        return _said(word, word in verbs.READS)
    if len(parts) > 1 and parts[-1] in verbs.LOOKED_AT:
        return _Found(True, f"the noun '{parts[-1]}' at the end of its name")
    for place, word in enumerate(parts):
        if word in verbs.NOUNS and not (place and word in verbs.READS):
            return _said(word, word in verbs.READS)
    if parts and parts[-1] in verbs.LOOKED_AT:
        return _Found(True, f"the noun '{parts[-1]}' in its name")
    return None


def _said(verb: str, reads: bool) -> _Found:
    return _Found(reads, f"the verb '{verb}' in its name", verb)


def _verb(name: str) -> str:
    found = _by_name(name)
    return "" if found is None else found.verb


def _by_doc(doc: str) -> _Found | None:
    """The first word of a description is what a tool does: `Get ...`, `Returns ...`."""
    first = re.match(r"\W*([A-Za-z]+)", doc)
    if first is None:
        return None
    word = first[1].lower()
    if word in ("return", "returns"):
        return _Found(True, f"the first word of its description, '{first[1]}'", "get")
    for verb in (word, word.removesuffix("s"), word.removesuffix("es")):
        if verb in verbs.READS or verb in verbs.WRITES:
            reads = verb in verbs.READS
            return _Found(reads, f"the first word of its description, '{first[1]}'", verb)
    return None


def _by_parameters(parameters: tuple[Parameter, ...]) -> _Found:
    if parameters and all(one.name.lower() in verbs.ASKED for one in parameters if one.required):
        return _Found(True, "no verb known, and it is asked a question")
    return _Found(False, "no verb known: taken for an effect")


def scope_of(
    name: str, parameters: tuple[Parameter, ...], verb: str = ""
) -> tuple[tuple[str, ...], str]:
    """The parameters that tell one effect of this tool from another, and why these."""
    verb = verb or _verb(own_name(name))
    naming = [one for one in parameters if _names(one)]
    if naming and verb in verbs.CHANGES:
        chosen = [one for one in naming if one.required] or naming
        why = "the parameters that name what it changes"
    else:
        chosen = [one for one in parameters if one in naming or _tells(one)]
        if any(one.required for one in chosen):
            chosen = [one for one in chosen if one.required or one in naming]
        why = "its parameters but for texts, measures and options"
    if not chosen:
        return (), "no parameter that tells one from another"
    return tuple(one.name for one in chosen), why


def _names(one: Parameter) -> bool:
    """Whether a parameter names one thing."""
    parts = words(one.name)
    if not parts or one.kind or parts[0] in ("new", "updated") or "".join(parts) in verbs.KEYS:
        return False
    return parts[-1] in verbs.NAMING


def _tells(one: Parameter) -> bool:
    parts = {*words(one.name)}
    if one.kind == FLAG or "".join(words(one.name)) in verbs.KEYS:
        return False
    return not parts & (verbs.FREE | verbs.MEASURES)


def _dedup(
    hints: Mapping[str, Any], method: str, parameters: tuple[Parameter, ...]
) -> tuple[str, str]:
    for one in parameters:
        if "".join(words(one.name)) in verbs.KEYS:
            return "key", f"its parameter '{one.name}'"
    if hints.get("idempotentHint") is True:
        return "scope", "idempotentHint of the MCP server"
    if method.upper() in REPEATABLE:
        return "scope", f"the HTTP verb {method.upper()}"
    return "none", "nothing says that a repeat is recognised"
