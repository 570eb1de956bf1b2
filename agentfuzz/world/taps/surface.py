"""What a World shows of taps: functions of an application become its tools.

Law: a base of World, without a state of its own but the taps of the run. Used by scenario authors.
"""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, cast

from agentfuzz.core.errors import ScenarioError, near_miss
from agentfuzz.runtime import detours
from agentfuzz.world.declaration import Dedup, Transport
from agentfuzz.world.taps.hidden import hidden
from agentfuzz.world.taps.tap import Says, Tap, Way, unwrapped
from agentfuzz.world.tools import KEY


class OfApplications:
    """What a world has for an application that has its tools already."""

    tool: Callable[..., Any]
    _local: Any  # the gateway of this leg
    _taps: tuple[Any, ...] = ()  # what follows the run from leg to leg

    def tap(
        self,
        function: Callable[..., Any] | str,
        /,
        *,
        effect: str | None = None,
        scope: tuple[str, ...] | None = None,
        dedup: Dedup = "none",
        undoes: str | None = None,
        name: str | None = None,
        transport: Transport = "local",
        effect_if: Callable[[Any], object] | None = None,
        observe: Callable[[Any], Iterable[Any]] | None = None,
        state: Callable[[], Any] | None = None,
        hide: Iterable[str] = (),
        key: str | None = None,
    ) -> None:
        """Make a tool of a function that an application, or its framework, has in its hands: until
        the run is over each of its calls is one of this world's, whoever makes it, and its body is
        the function as it is.

        `function` is a plain or async function, a method of a class, or where to find one:
        `"shop.tools:charge"`, `"shop.tools:Till.charge"`. The innermost one of a decorated function
        is tapped, below whatever retries or caches it. `hide` names parameters that are no business
        of the model's (a context, a connection); hidden by themselves are `self`, and those whose
        types are contexts of a framework. `scope` may name what lies in them (`"self.name"`); left
        out, each object of a class has intents of its own. `key` is the function's own name for
        its idempotency key (`dedup="key"`). `transport` is `local` unless said otherwise: such a
        function raises or hangs, and is never lost or doubled on its way; say `network` for one
        that asks a service. The other words are those of `tool`; arguments are taken as they come.

        Raises ScenarioError for what is no Python function, for a generator, for an unknown
        parameter, and for a function that is tapped twice.
        """
        found = located(function)
        label = name or found.__name__
        made = Tap(label, cast(Way, self))
        if detours.generates(found):
            raise ScenarioError(
                f"world.tap({label}): it is a generator, and a call has one answer; tap the "
                "function that it is called by."
            )
        try:
            detour = detours.of(found)
        except ValueError:
            raise ScenarioError(f"world.tap({label}): this function is tapped already.") from None
        known = detour.signature.parameters
        hide = frozenset((hide,) if isinstance(hide, str) else hide)
        for one in hide:
            if one not in known:
                raise ScenarioError(
                    f"world.tap({label}): hide names {one!r}, which is no parameter of it "
                    f"({', '.join(known) or 'it has none'}).{near_miss(one, known)}"
                )
        hide = hide.union(hidden(found, detour.signature))
        scope = (scope,) if isinstance(scope, str) else scope
        body = made.of(detour, _says(label, hide, scope, key, known, keyed=dedup == "key"))
        self.tool(
            name=label,
            effect=effect,
            scope=scope,
            dedup=dedup,
            undoes=undoes,
            transport=transport,
            effect_if=effect_if,
            observe=observe,
            state=state,
        )(body)
        self._taps = (*self._taps, made)
        detour.open(found, made)


def _says(
    label: str,
    hide: frozenset[str],
    scope: tuple[str, ...] | None,
    key: str | None,
    known: Mapping[str, Any],
    *,
    keyed: bool,
) -> Says:
    """What is said of a function. Raises ScenarioError for what it has not."""
    paths = tuple(path for path in scope or () if "." in path)
    for word, names in (("scope", [path.partition(".")[0] for path in paths]), ("key", [key])):
        for name in filter(None, names):
            if name not in known:
                raise ScenarioError(
                    f"world.tap({label}): {word} names {name!r}, which is no parameter of it "
                    f"({', '.join(known) or 'it has none'}).{near_miss(name, known)}"
                )
    if keyed and key is None and KEY not in known:
        raise ScenarioError(
            f"world.tap({label}, dedup='key'): it has no parameter {KEY}; say what it calls its "
            f"key: key='...' ({', '.join(known) or 'it has none'})."
        )
    owner = next((name for name in ("self", "cls") if name in hide and name in known), "")
    return Says(hide, paths, key, owner if scope is None else "")


def located(given: Callable[..., Any] | str) -> Any:
    """The function that is meant. Raises ScenarioError."""
    found = _at(given) if isinstance(given, str) else given
    function = unwrapped(found)
    if function is None:
        raise ScenarioError(
            f"world.tap({given!r}): {type(found).__name__} is no Python function, whose calls "
            "could be led here. Tap the function that it calls, or the method of its class; of a "
            "framework's tool object, the function that was decorated: see agentfuzz.taps."
        )
    return function


def _at(place: str) -> Any:
    module, _, path = place.partition(":")
    try:
        found: Any = import_module(module)
        for word in path.split("."):
            found = getattr(found, word)
    except (ImportError, AttributeError, ValueError) as error:
        raise ScenarioError(
            f"world.tap({place!r}): {error}; write 'package.module:function' or "
            "'package.module:Class.method'."
        ) from error
    return found
