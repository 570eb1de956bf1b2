"""What `--agentfuzz-init` writes: a demo test, or a bundled story with a test of its survivor.

Law: what is written runs at once, and nothing is ever overwritten. Called by `actions`.
"""

import ast
import os
import re
from pathlib import Path
from shlex import quote

import pytest

from agentfuzz.core.errors import AgentfuzzError, near_miss

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


def init(config: pytest.Config, name: str) -> int:
    """Write the demo, or the story of this name. Raises AgentfuzzError for an unknown one."""
    if name:
        path, text = config.invocation_params.dir / f"test_{name}.py", _story(name)
    else:
        path, text = config.rootpath / "tests" / "test_agentfuzz_demo.py", DEMO
    shown = from_here(config, path)
    try:
        path.parent.mkdir(exist_ok=True)
        whole(path, text)
        print(f"wrote {shown}")
    except OSError as error:
        if not path.exists():
            raise AgentfuzzError(f"{shown} cannot be written: {error.strerror}") from error
        print(f"{shown} exists, left alone")
    print(f"next: pytest --agentfuzz {quote(shown)}")
    return 0


def from_here(config: pytest.Config, path: Path) -> str:
    """A path as it is typed where pytest was called."""
    return Path(os.path.relpath(path, config.invocation_params.dir)).as_posix()


def whole(path: Path, text: str) -> None:
    """Write a new file, or nothing. Raises FileExistsError, or another OSError."""
    with path.open("x", encoding="utf-8") as file:
        try:
            file.write(text)
            file.flush()
        except BaseException:
            path.unlink()
            raise


def _story(name: str) -> str:
    """The source of a bundled story, with a test of its survivor at the end."""
    from agentfuzz import scenarios

    files = {file.stem: file for folder in scenarios.__path__ for file in Path(folder).glob("*.py")}
    names = sorted(files.keys() - {"__init__"})
    if name not in names:
        raise AgentfuzzError(
            f"there is no story {name!r}.{near_miss(name, names)} Stories are: {', '.join(names)}."
        )
    source = files[name].read_text(encoding="utf-8")
    return _with_fuzz(source) + _test(name, source)


def _with_fuzz(source: str) -> str:
    """A story that imports `fuzz`, too, in its place among the other names."""
    found = re.search(r"(?s)from agentfuzz import \(\n(.*?)\)\n", source)
    assert found, "a story imports what it needs of agentfuzz in one statement, a name a line"
    names = [*found[1].splitlines(), "    fuzz,"]
    ordered = sorted(names, key=lambda line: (not line.strip()[0].isupper(), line))
    return source[: found.start(1)] + "\n".join(ordered) + "\n" + source[found.end(1) :]


def _test(name: str, source: str) -> str:
    body = ast.parse(source).body
    survivor, victim = (_first(body, what) for what in ("SURVIVORS", "VICTIMS"))
    waits = any(isinstance(one, ast.AsyncFunctionDef) and one.name == survivor for one in body)
    words = ("async ", "await ") if waits else ("", "")
    return f"""

# Put your own loop in its place: a function of a world. With {victim} it is red.
@fuzz({name})
{words[0]}def test_{name}(world: World):
    return {words[1]}{survivor}(world)
"""


def _first(body: list[ast.stmt], what: str) -> str:
    """The loop that a story names first in its SURVIVORS or VICTIMS."""
    for one in body:
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == what:
            return next(each.id for each in ast.walk(one.value) if isinstance(each, ast.Name))
    raise AssertionError(f"a story has {what}")
