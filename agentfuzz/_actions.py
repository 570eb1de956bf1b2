"""The one-shot options: explain a code, write a demo test, export and replay a counterexample.

Law: nothing is ever overwritten, and every answer names the next command. Called by the plugin.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from agentfuzz import codes
from agentfuzz._session import SAVED
from agentfuzz.errors import AgentfuzzError, near_miss
from agentfuzz.search.saved import Saved, load, load_all

DEMO = '''"""A billing agent that charges twice, and the test that finds it."""

from agentfuzz import Completion, World, exactly_once, fuzz, scenario, structured_termination


@scenario(exactly_once("charge"), structured_termination(), task="Charge order A17, 42.00 EUR.")
def charge_order(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, cents: int, idempotency_key: str | None = None) -> dict:
        """Charge the card of an order."""
        return {"charge_id": "ch_1", "cents": cents}


def billing_agent(task, tools):
    for attempt in range(3):
        key = f"attempt-{attempt}"  # a new key for every attempt: the bug
        # key = "charge-A17"  # one key per order: the fix
        try:
            reply = tools.charge_card(order_id="A17", cents=4200, idempotency_key=key)
        except (TimeoutError, ConnectionError):
            continue
        if isinstance(reply, dict) and "charge_id" in reply:
            return Completion.success(handle=str(reply["charge_id"]))
    return Completion.blocked(reason="outcome_unknown")


@fuzz(charge_order)
def test_billing_agent(world):
    return billing_agent(world.task, world.tools)
'''


def main(config: pytest.Config) -> int | None:
    """Answer an option that needs no tests, or prepare one that does (then None)."""
    try:
        if code := config.getoption("--agentfuzz-explain"):
            print(codes.listing() if code == "list" else codes.page(code.upper()))
            return 0
        if config.getoption("--agentfuzz-init"):
            return _init(config)
        wanted = config.getoption("--agentfuzz-export") or config.getoption("--agentfuzz-replay")
        found = find(config, wanted)
        if not config.invocation_params.args or _no_paths(config):
            config.args[:] = sorted({saved.nodeid for saved in found})
        return None
    except AgentfuzzError as error:
        raise pytest.UsageError(str(error)) from error


def _no_paths(config: pytest.Config) -> bool:
    """Whether the command line names no test to look in."""
    return config.args_source is not pytest.Config.ArgsSource.ARGS


def find(config: pytest.Config, wanted: str) -> list[Saved]:
    """The saved counterexamples of an id, a file, or `all`. Raises AgentfuzzError if none."""
    if wanted.endswith(".json"):
        return [load(Path(wanted))]
    folder = config.rootpath / SAVED
    saved, notes = load_all(folder)
    found = [one for one in saved if wanted in ("all", one.id)]
    if not found:
        ids = [one.id for one in saved]
        told = "; ".join(notes) if notes else f"saved are: {', '.join(ids) or 'none'}"
        raise AgentfuzzError(
            f"no saved counterexample {wanted!r} in {SAVED}/ ({told}).{near_miss(wanted, ids)} "
            "Find counterexamples with pytest --agentfuzz."
        )
    return found


def keep_replayed(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect every test that has nothing to replay."""
    nodeids = {one.nodeid for one in find(config, config.getoption("--agentfuzz-replay"))}
    kept = [item for item in items if item.nodeid in nodeids]
    dropped = [item for item in items if item.nodeid not in nodeids]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def _init(config: pytest.Config) -> int:
    folder = config.rootpath / "tests"
    path = folder / "test_agentfuzz_demo.py"
    shown = path.relative_to(config.rootpath).as_posix()
    try:
        folder.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(DEMO)
    except FileExistsError:
        print(f"{shown} exists, left alone")
    except OSError as error:
        raise AgentfuzzError(f"{shown} cannot be written: {error.strerror}") from error
    else:
        print(f"wrote {shown}")
    print(f"next: pytest --agentfuzz {shown}")
    return 0


def export(session: pytest.Session) -> None:
    """Write the regression test of a saved counterexample beside the test that found it."""
    config = session.config
    try:
        for saved in find(config, config.getoption("--agentfuzz-export")):
            item = next((item for item in session.items if item.nodeid == saved.nodeid), None)
            if item is None:
                raise AgentfuzzError(
                    f"{saved.id} was found by {saved.nodeid}, which is not collected any more."
                )
            _write(config, saved, item)
    except AgentfuzzError as error:
        raise pytest.UsageError(str(error)) from error


def _write(config: pytest.Config, saved: Saved, item: Any) -> None:
    word = re.sub(r"\W+", "_", saved.id.lower())
    path = Path(item.path).parent / f"test_{word}.py"
    shown = path.relative_to(config.rootpath).as_posix()
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(regression_test(saved, item, word))
    except FileExistsError:
        print(f"\n{shown} exists, left alone")
        return
    except OSError as error:
        raise AgentfuzzError(f"{shown} cannot be written: {error.strerror}") from error
    print(f"\nwrote {shown}: red while the bug lives, green after the fix")
    print(f"next: pytest {shown}; git add {shown}")


def regression_test(saved: Saved, item: Any, word: str) -> str:
    """The source of a regression test."""
    owner = item.cls.__qualname__ if item.cls is not None else None
    name = owner or item.originalname
    target = f"_{name}().{item.originalname}" if owner else f"_{name}"
    fixed = {}
    if hasattr(item, "callspec"):
        fixed = {n: v for n, v in item.callspec.params.items() if _literal(v)}
    extra = "".join(f",\n    {n}={v!r}" for n, v in fixed.items())
    return (
        f'"""{saved.code} {saved.title}. Red while the bug lives, green after the fix.\n\n'
        f'Written by: pytest --agentfuzz-export {saved.id}\n"""\n\n'
        f"from {item.module.__name__} import {name} as _{name}\n\n"
        f"from agentfuzz import regression\n\n"
        f"test_{word} = regression(\n"
        f"    {target},\n"
        f'    plan="{saved.plan}",\n'
        f'    code="{saved.code}"{extra},\n'
        f")\n"
    )


def _literal(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))
