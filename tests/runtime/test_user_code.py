"""Whose code a frame is: agentfuzz's own, the event loop's, a library's, or the user's."""

import ast
import asyncio.base_events
import json
import os
import selectors
from pathlib import Path

import pytest

import agentfuzz.core.events
from agentfuzz.engine import judging
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime import user_code
from agentfuzz.runtime.user_code import (
    BEGINNINGS,
    BODIES,
    LETS_THROUGH,
    OPENS_FOR_ITSELF,
    PACKAGE,
    TAPED,
    begins_run,
    caller,
    is_around,
    is_beginning,
    is_own,
    is_users,
    opens_for_itself,
)
from agentfuzz.scenarios import charge_order
from agentfuzz.wire import server
from agentfuzz.wire.reach import block

NEIGHBOUR = f"{PACKAGE.removesuffix(os.sep)}_of_mine{os.sep}agent.py"
BUNDLED = f"{PACKAGE}scenarios{os.sep}charge_order.py"


@pytest.mark.parametrize(
    ("path", "own", "users", "around"),
    [
        (agentfuzz.core.events.__file__, True, False, True),
        (asyncio.base_events.__file__, False, False, True),
        (selectors.__file__, False, False, True),
        (json.__file__, False, False, False),
        (pytest.__file__, False, False, False),
        (__file__, False, True, False),
        (charge_order.__file__, False, True, False),
        (BUNDLED, False, True, False),
        (NEIGHBOUR, False, True, False),
        ("<string>", False, False, False),
        ("<frozen importlib._bootstrap>", False, False, False),
    ],
    ids=[
        "agentfuzz",
        "asyncio",
        "what asyncio waits with",
        "the standard library",
        "an installed library",
        "the user's",
        "a scenario of the checkout",
        "a scenario in the package",
        "a package of a like name",
        "code from a text",
        "frozen",
    ],
)
def test_whose_a_file_is(path, own, users, around):
    """By its folder alone; a bundled scenario is what a user could have written."""
    assert (is_own(path), is_users(path), is_around(path)) == (own, users, around)


def test_what_is_named_is_there():
    """The functions in which a run begins or a law is asked, and the files that open things for
    agentfuzz itself: whoever moves them is told here."""
    codes = [Simulation.execute.__code__, judging.asked.__code__]
    assert {(code.co_filename, code.co_name) for code in codes} == BEGINNINGS
    assert Path(PACKAGE) == Path(agentfuzz.__file__).parent
    for path in OPENS_FOR_ITSELF:
        assert Path(path).exists(), path
        assert path.endswith(os.sep) == Path(path).is_dir()
    for path in (TAPED, *BODIES):
        assert Path(path).is_file(), path


def test_where_a_run_begins():
    """One function of one file: neither its name elsewhere nor its neighbours will do."""

    def execute():
        """The user's own."""

    assert begins_run(Simulation.execute.__code__)
    assert not begins_run(Simulation.__enter__.__code__)
    assert not begins_run(execute.__code__)
    for path, name in BEGINNINGS:
        assert is_beginning(path, name)
        assert not is_beginning(__file__, name)


def test_what_opens_for_itself():
    """The server of a world, and the gate of its threads; no other file of agentfuzz."""
    assert opens_for_itself(server.__file__)
    assert opens_for_itself(f"{PACKAGE}runtime{os.sep}thread_pools{os.sep}gate.py")
    assert not opens_for_itself(agentfuzz.core.events.__file__)
    assert Path(LETS_THROUGH).is_dir()
    assert not opens_for_itself(block.__file__)
    assert not opens_for_itself(__file__)


def test_the_caller():
    """The nearest frame of the user's, through code of agentfuzz's, a library's and a text's."""
    here = test_the_caller.__code__
    assert caller() == f"{__file__}:{here.co_firstlineno + 3} test_the_caller"
    for path in (agentfuzz.core.events.__file__, json.__file__, "<string>"):
        line = here.co_firstlineno + 6
        assert eval(compile("caller()", path, "eval")) == f"{__file__}:{line} test_the_caller"


# Where else a file or a function is recognised by its name, and whose it is.
ELSEWHERE = {
    ("runtime/leaks.py", "co_name"): "steps of the standard library: socketpair, _posix_spawn",
    ("runtime/numbered.py", "co_name"): "asyncio's `wait`, which refuses coroutines",
    ("runtime/stack.py", "co_name"): "the event loop's run_until_complete, whose task is asked",
    ("world/image.py", "__file__"): "whether a class is the user's, whose state is looked into",
    ("plugin/hooks.py", "__file__"): "whether agentfuzz is there as a whole",
    ("plugin/paths.py", "__file__"): "the source of a module whose assertions pytest rewrote",
    ("plugin/actions/workflow.py", "__file__"): "the folder of the starts",
    ("runtime/paths/sources.py", "__file__"): "the source of a module of the project",
    ("runtime/paths/functions.py", "co_filename"): "whether compiled code is that of a function",
    ("runtime/paths/watch.py", "co_name"): "where a run begins, before `begins_run` is asked",
    ("search/memo/shared.py", "__file__"): "whether a module is the user's, in which is looked",
    ("scenarios/__init__.py", "__file__"): "the folder of the bundled scenarios in a checkout",
}


def recognising(tree):
    """What a module asks of code: `__file__`, or a comparison of the file or the name of code."""
    for node in ast.walk(tree):
        if getattr(node, "id", getattr(node, "attr", "")) == "__file__":
            yield "__file__"
        if isinstance(node, ast.Constant) and node.value in ("__file__", "co_name"):
            yield node.value
        sides = []
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        if isinstance(node, ast.Attribute) and node.attr in ("startswith", "endswith"):
            sides = [node.value]
        for side in sides:
            for part in ast.walk(side):
                if getattr(part, "attr", "") in ("co_name", "co_filename"):
                    yield part.attr


def test_code_is_recognised_in_one_module():
    """Nobody else looks at where a file lies or what a function is called, but for what is listed
    here; and what is listed is there."""
    found = set()
    for path in Path(PACKAGE).rglob("*.py"):
        if path != Path(user_code.__file__):
            name = path.relative_to(PACKAGE).as_posix()
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {(name, what) for what in recognising(tree)}
    assert found == set(ELSEWHERE)
