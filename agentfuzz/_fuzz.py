"""The decorator: a test function becomes an agent under test.

Law: `@fuzz(scenario)` changes nothing but who calls the function: its first parameter is the
world, every other one is a pytest fixture, and without the plugin it is still a plain function
that runs once without faults. Called by users; read by the plugin. Knows nothing of pytest.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from agentfuzz.core.errors import AgentfuzzError, ScenarioError
from agentfuzz.core.migrations import typed
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.existing import Existing
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.engine.single import compare_entrypoints, run
from agentfuzz.search.space import Space


@dataclass(frozen=True, slots=True)
class Fuzz:
    """What a decorated test carries: its scenario, its function, and what the search may do.
    With a `plan`, it is a regression test of that one plan and `code`."""

    scenario: Scenario
    function: Callable[..., Any]
    method: bool
    max_runs: int | None = None
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    plan: FaultPlan | None = None
    code: str = ""
    same_as: Agent | None = None
    allow_network: bool | tuple[str, ...] = False
    each_run: bool | tuple[str, ...] = False
    existing: Existing | None = None  # of a test that was there before

    def space(self) -> Space:
        """The fault space of this test's campaigns."""
        return Space(faults=self.scenario.faults, only=self.only, exclude=self.exclude)

    def agent(self, *owner: Any, **fixtures: Any) -> Callable[..., Any]:
        """The function of a world alone: bound to its instance and its fixtures."""
        return self.bound(owner, fixtures)

    def bound(self, owner: Sequence[Any], fixtures: Mapping[str, Any]) -> Callable[..., Any]:
        """The same, bound to what these hold when it is called."""
        function, renewed = self.function, self.each_run
        lasting = [one for one in fixtures if not (renewed is True or one in (renewed or ()))]

        if inspect.iscoroutinefunction(function):

            async def asynchronous(world: Any) -> Any:
                return await function(*owner, world, **fixtures)

            asynchronous.__wrapped__ = function  # type: ignore[attr-defined]
            asynchronous.fixtures = tuple(lasting)  # type: ignore[attr-defined]
            return asynchronous

        def synchronous(world: Any) -> Any:
            return function(*owner, world, **fixtures)

        synchronous.__wrapped__ = function  # type: ignore[attr-defined]
        synchronous.fixtures = tuple(lasting)  # type: ignore[attr-defined]
        return synchronous


def fuzz(
    scenario: Scenario,
    *,
    max_runs: int | None = None,
    faults: Iterable[str] = (),
    only: Iterable[str] = (),
    exclude: Iterable[str] = (),
    same_as: Agent | None = None,
    allow_network: bool | Iterable[str] = False,
    each_run: bool | Iterable[str] = False,
) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Decorate a sync or async test whose first parameter is the world.

    `max_runs` bounds the campaign; `only` and `exclude` choose faults by their text or by a
    value of an axis (`"timeout"`, `"twice"`, `"once/wrong"`, `"reword"`); `faults` adds ones
    that are off by default (`"lost"`: a tool that says it is done and is not). `same_as` is
    another entrypoint to the same loop, a function of a world: under each plan with at most one
    fault it must have the same effects and the same ending (AF305). `allow_network` lets runs
    reach beyond this machine, which is refused otherwise (AF905): True for all, or the names of
    hosts. `each_run` names function-scoped fixtures that are set up and torn down for each run,
    with those that they need and those that need them: True for all of the test.
    """
    if not isinstance(scenario, Scenario):
        name = getattr(scenario, "__name__", str(scenario))
        cure = "decorate that function with @scenario(...) first."
        if name.startswith("test"):
            cure = f"write its name in parentheses: @fuzz(a_scenario) above def {name}."
        raise ScenarioError(f"@fuzz({name}) needs a scenario; {cure}")
    if max_runs is not None and not isinstance(max_runs, int):
        raise ScenarioError(f"@fuzz(max_runs={max_runs!r}) is no whole number; give at least 1.")
    if max_runs is not None and max_runs < 1:
        raise ScenarioError(f"@fuzz(max_runs={max_runs}) would run nothing; give at least 1.")
    if same_as is not None and (not callable(same_as) or _generates(same_as)):
        raise ScenarioError(
            f"@fuzz(same_as={same_as!r}) needs a function of a world, sync or async, that runs the "
            "same loop; a generator would never run."
        )
    network, renewed = _hosts(allow_network), _fixtures(each_run)
    words = tuple(
        (text,) if isinstance(text, str) else tuple(text) for text in (faults, only, exclude)
    )
    Space(faults=words[0], only=words[1], exclude=words[2])  # a wrong word is an error here

    def decorate(function: Callable[..., Any]) -> Callable[..., None]:
        method = _is_method(function)
        story = replace(scenario, faults=scenario.faults + words[0]) if words[0] else scenario
        given = Fuzz(story, function, method, max_runs, words[1], words[2])
        given = replace(given, same_as=same_as, allow_network=network, each_run=renewed)
        return _wrapped(given)

    return decorate


def _hosts(allowed: Any) -> bool | tuple[str, ...]:
    """What `allow_network` says. Raises ScenarioError."""
    if isinstance(allowed, bool):
        return allowed
    hosts = (allowed,) if isinstance(allowed, str) else tuple(allowed)
    for host in hosts:
        if not (isinstance(host, str) and re.fullmatch(r"[\w.-]+|[0-9a-fA-F:.]+", host)):
            raise ScenarioError(
                f"@fuzz(allow_network=...): {host!r} is no name of a host; give True, or names "
                "such as 'api.example.com', without scheme and port."
            )
    return hosts


def _fixtures(renewed: Any) -> bool | tuple[str, ...]:
    """What `each_run` says. Raises ScenarioError."""
    if isinstance(renewed, bool):
        return renewed
    names = (renewed,) if isinstance(renewed, str) else tuple(renewed)
    for name in names:
        if not (isinstance(name, str) and name.isidentifier()):
            raise ScenarioError(
                f"@fuzz(each_run=...): {name!r} is no name of a fixture; give True for all "
                "function-scoped ones, or their names, such as ('db',)."
            )
    return names


def _generates(function: Any) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _is_method(function: Callable[..., Any]) -> bool:
    parameters = list(inspect.signature(function).parameters.values())
    owner, _, _ = function.__qualname__.rpartition(".")
    method = bool(owner) and not owner.endswith("<locals>")
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if len(parameters) <= method or parameters[method].kind not in positional:
        raise ScenarioError(
            f"{function.__qualname__}{inspect.signature(function)} has no parameter for the "
            "world; accepted: def test(world), def test(world, fixture), async def test(world), "
            "def test(self, world)."
        )
    first, *others = [one.name for one in parameters[method:]]
    if "world" in others:
        rest = ", ".join(["world", first, *(name for name in others if name != "world")])
        raise ScenarioError(
            f"{function.__qualname__}{inspect.signature(function)}: the first parameter is the "
            f"world, and the others are fixtures; write def {function.__name__}({rest})."
        )
    return method


def _wrapped(given: Fuzz) -> Callable[..., None]:
    function = given.function

    @wraps(function)
    def test(*owner: Any, **fixtures: Any) -> None:
        """Without the plugin: the one plan of a regression test, or one run without faults."""
        with Simulation(allow_network=given.allow_network) as simulation:
            agent = given.agent(*owner, **fixtures)
            plan = FaultPlan() if given.plan is None else given.plan
            result = run(given.scenario, agent, plan, simulation=simulation)
            result.check(*([given.code] if given.code else []))
            if given.same_as is not None and given.code in ("", "AF305"):
                entrypoints = {function.__name__: agent, "same_as": given.same_as}
                for verdict in compare_entrypoints(
                    given.scenario, entrypoints, plan, simulation=simulation
                ):
                    for violation in verdict.violations:
                        raise violation.error()

    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    del parameters[1 if given.method else 0]
    test.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=parameters, return_annotation=None
    )
    test.__annotations__ = {}
    test.agentfuzz = given  # type: ignore[attr-defined]
    test.agentfuzz_agent = function  # type: ignore[attr-defined]
    return test


def regression(test: Callable[..., Any], *, plan: str, code: str = "", **fixed: Any) -> Any:
    """A test of one plan: red while the law named by `code` breaks under it, green after.

    `test` is a `@fuzz` test (a bound method for one in a class); `fixed` fills in parameters
    that would come from parametrize. Fails clearly when the plan no longer applies.
    """
    given: Fuzz | None = getattr(test, "agentfuzz", None)
    if given is None:
        raise AgentfuzzError(f"regression({test!r}) needs a test decorated with @fuzz.")
    function, owner = given.function, getattr(test, "__self__", None)
    bound = given.agent(*([owner] if owner is not None else []), **fixed)
    signature = inspect.signature(function)
    left = [
        parameter
        for name, parameter in list(signature.parameters.items())[given.method :]
        if name not in fixed
    ]
    if len(left) == 1:
        agent = bound
    else:

        def agent(world: Any, **fixtures: Any) -> Any:
            return given.agent(*([owner] if owner is not None else []), **fixed, **fixtures)(world)

        agent.__wrapped__ = function  # type: ignore[attr-defined]
    agent.__name__ = function.__name__
    agent.__qualname__ = function.__name__
    agent.__module__ = function.__module__
    agent.__doc__ = f"Red while {code or 'a law'} breaks under {plan}."
    agent.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
    marks = [m for m in getattr(test, "pytestmark", []) if not fixed or m.name != "parametrize"]
    again = replace(given, function=agent, method=False, plan=typed(plan), code=code)
    if not isinstance(given.each_run, bool):
        again = replace(again, each_run=tuple(n for n in given.each_run if n not in fixed))
    wrapper = _wrapped(again)
    wrapper.pytestmark = marks  # type: ignore[attr-defined]
    return wrapper
