"""What an assertion, a skip and an expected failure mean in the body of a `@fuzz` test."""

import json

import pytest

from .conftest import Project
from .sources import BASE, body

LOOP = (
    BASE.replace("attempt-{attempt}", "charge-A17")
    + """

{head}
@fuzz(charge_order, only=("once/timeout",))
def test_billing(world):
{body}
"""
)


def shop(*lines: str, head: str = "") -> str:
    """A loop that keeps every law, in a test with this body."""
    return LOOP.replace("{head}", head).replace("{body}", body(*lines))


# An assertion that holds until a reply is lost.
ONCE = shop(
    "try:",
    "    world.tools.charge_card(order_id='A17', cents=4200, idempotency_key='k')",
    "    status = 'success'",
    "except TimeoutError:",
    "    status = 'blocked'",
    "assert status == 'success'",
    "return Completion.success(handle='ch_1')",
)


def test_an_assert_that_fails_under_a_fault_is_found(project: Project) -> None:
    """AF906: the assertion with pytest's values, its file and line, and the lines around it."""
    project.file("test_shop.py", ONCE)
    result = project.campaign()
    result.assert_outcomes(failed=1)
    number = ONCE.splitlines().index("    assert status == 'success'") + 1
    result.stdout.fnmatch_lines(
        [
            "AF906 assert status == 'success'",
            "  In test_billing an assertion failed: assert status == 'success' (assert*",
            "  fault    call 1 of charge_card: *timeout",
            f"  code     test_shop.py:{number} test_billing",
            f"  raised   test_shop.py:{number} test_billing",
            "*  status = 'blocked'",
            f"*> {number}      assert status == 'success'",
            f"*  {number + 1}      return Completion.success(handle='ch_1')",
            "*AssertionError: assert 'blocked' == 'success'",
            "*- success",
            "*+ blocked",
            "FAILED test_shop.py::test_billing - AF906 assert status == 'success'",
        ]
    )


def test_without_a_fault_it_is_found_by_plain_pytest(project: Project) -> None:
    """A failing assert fails the test, and is no AF900; there is nothing to search for."""
    project.file("test_shop.py", shop("assert billing_agent(world.tools) is None"))
    for option in ((), ("--agentfuzz",)):
        result = project.run(*option)
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["AF906 assert billing_agent(world.tools)*"])
        result.stdout.no_fnmatch_line("*AF900*")


def test_every_report_shows_where(project: Project) -> None:
    """HTML, Markdown and JSON hold the place and the values; the saved file does not."""
    project.file("test_shop.py", ONCE)
    project.campaign()
    (name,) = project.saved()
    reports = project.path / "reports/agentfuzz"
    for suffix in ("html", "md", "json"):
        text = (reports / f"{name}.{suffix}").read_text()
        assert "status = &#39;blocked&#39;" in text or "status = 'blocked'" in text, suffix
        assert str(project.path) not in text
    found = json.loads((reports / f"{name}.json").read_text())
    assert found["traceback"][0].endswith(" test_billing")
    assert "traceback" not in json.loads((project.path / f".agentfuzz/{name}.json").read_text())


def test_two_runs_with_addresses_in_the_values_are_the_same(project: Project) -> None:
    """Addresses of objects and mocks in a failed assertion make no two histories of one plan."""
    project.file(
        "test_shop.py",
        shop(
            "from unittest.mock import Mock",
            "billing_agent(world.tools)",
            "assert object() == Mock(), [object(), Mock()]",
        ),
    )
    result = project.campaign()
    result.stdout.fnmatch_lines(["AF906 *"])
    result.stdout.no_fnmatch_line("*AF904*")
    first = (project.path / "reports/agentfuzz" / f"{project.saved()[0]}.md").read_bytes()
    project.campaign()
    assert (project.path / "reports/agentfuzz" / f"{project.saved()[0]}.md").read_bytes() == first


def test_two_asserts_are_two_findings(project: Project) -> None:
    """Asserts are told apart by what they say, and not by their lines."""
    text = shop(
        "try:",
        "    world.tools.charge_card(order_id='A17', cents=4200, idempotency_key='k')",
        "    one, two = True, True",
        "except TimeoutError:",
        "    one, two = False, True",
        "except ConnectionError:",
        "    one, two = True, False",
        "assert one",
        "assert two",
        "return Completion.success(handle='ch_1')",
    ).replace('only=("once/timeout",)', 'only=("once/timeout", "once/error")')
    project.file("test_shop.py", text)
    project.campaign().stdout.fnmatch_lines(["*AF906*assert one*", "*AF906*assert two*"])
    before = project.saved()
    assert len(before) == 2
    project.file("test_shop.py", "\n\n" + text)
    project.campaign()
    assert project.saved() == before


def test_the_id_is_the_same_without_rewriting(project: Project) -> None:
    """Under --assert=plain the same assertion is the same finding, and shows its message."""
    multi = ONCE.replace(
        "assert status == 'success'", "assert (\n        status\n        == 'success'\n    ), 'no'"
    )
    project.file("test_shop.py", multi)
    project.campaign()
    before = project.saved()
    result = project.campaign("--assert=plain")
    assert project.saved() == before
    result.stdout.fnmatch_lines(["AF906 assert ( status == 'success' ), '*", "*AssertionError: no"])


@pytest.mark.parametrize("how", ["helper", "conftest", "unittest", "mock", "fail", "raises"])
def test_what_counts_as_the_test(project: Project, how: str) -> None:
    """A helper of the file, a file whose asserts pytest rewrites, an assertion of unittest or of
    a mock, `pytest.fail` and `pytest.raises`: each fails the test."""
    project.file(
        "conftest.py",
        "def check(status):\n    assert status == 'success', status\n",
    )
    ends = {
        "helper": "helper(status)",
        "conftest": "__import__('conftest').check(status)",
        "unittest": "__import__('unittest').TestCase().assertEqual(status, 'success')",
        "mock": "status == 'success' or __import__('unittest.mock').mock.Mock().assert_called()",
        "fail": "__import__('pytest').fail(status) if status != 'success' else 0",
        "raises": "raises(status)",
    }
    helpers = (
        "\nimport pytest\ndef helper(status):\n    assert status == 'success'\n"
        "def raises(status):\n    with pytest.raises(KeyError):\n"
        "        if status == 'success': raise KeyError\n"
    )
    project.file("test_shop.py", helpers + ONCE.replace("assert status == 'success'", ends[how]))
    result = project.campaign()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["AF906 *", "*raised   test_shop.py:*"])
    assert len(project.saved()) == 1


def test_what_the_agent_asserts_is_an_ending(project: Project) -> None:
    """An assert in a module of the agent, or in a tool's body, is how a run ended: no finding under
    a fault, AF900 without one."""
    project.file(
        "agent.py",
        "def run(tools):\n"
        "    try:\n"
        "        tools.charge_card(order_id='A17', cents=4200, idempotency_key='k')\n"
        "    except TimeoutError as error:\n"
        "        assert not error, 'the agent gives up'\n",
    )
    project.file(
        "test_shop.py",
        "import agent\n"
        + shop("agent.run(world.tools)", "return Completion.success(handle='ch_1')"),
    )
    project.campaign().assert_outcomes(passed=1)
    project.file("agent.py", "def run(tools):\n    assert tools is None\n")
    project.file("test_other.py", "import agent\n" + shop("agent.run(world.tools)"))
    import sys

    sys.modules.pop("agent", None)
    project.run("test_other.py").stdout.fnmatch_lines(["AF900 agent fails without any fault"])
    sys.modules.pop("agent", None)
    refuses = shop("world.tools.charge_card(order_id='A17', cents=1, idempotency_key='k')").replace(
        "        return {", "        assert cents > 1\n        return {"
    )
    project.file("test_tool.py", refuses)
    project.run("test_tool.py").stdout.fnmatch_lines(["AF900 agent fails without any fault"])


def test_an_async_body_and_a_task_group(project: Project) -> None:
    """An assertion in a coroutine, and one that a task group has wrapped, are the test's."""
    text = (
        BASE
        + """
import asyncio


@fuzz(charge_order, only=("once/timeout",))
async def test_grouped(world):
    async def charge():
        try:
            await world.tools.aio.charge_card(order_id="A17", cents=1, idempotency_key="k")
        except TimeoutError as error:
            assert not error

    async with asyncio.TaskGroup() as group:
        group.create_task(charge())
    return Completion.success(handle="ch_1")
"""
    )
    project.file("test_async.py", text)
    project.campaign().stdout.fnmatch_lines(["AF906 assert not error", "*test_grouped.charge*"])


@pytest.mark.parametrize("option", [(), ("--agentfuzz",)], ids=["once", "campaign"])
def test_skip_and_xfail_mean_what_they_mean(project: Project, option: tuple[str, ...]) -> None:
    """pytest.skip, importorskip and unittest.SkipTest skip the test, pytest.xfail xfails it."""
    heads = "import pytest, unittest\n"
    for name, line in {
        "skip": "pytest.skip('not here')",
        "none": "pytest.importorskip('no_such_module')",
        "unit": "raise unittest.SkipTest('not here')",
        "xfail": "pytest.xfail('known')",
    }.items():
        project.file(f"test_{name}.py", heads + shop("billing_agent(world.tools)", line))
    result = project.run("-rsx", *option)
    result.assert_outcomes(skipped=3, xfailed=1)
    result.stdout.fnmatch_lines(["*not here*"])
    assert project.saved() == []


def test_a_skip_under_a_fault_leaves_the_campaign(project: Project) -> None:
    """The test is skipped at once; what was found before that is reported, and not thrown away."""
    lines = (
        "try:",
        "    world.tools.charge_card(order_id='A17', cents=4200, idempotency_key='k')",
        "except TimeoutError:",
        "    pytest.skip('no network')",
        "return Completion.success(handle='ch_1')",
    )
    text = "import pytest\n" + shop(*lines)
    project.file("test_shop.py", text)
    project.campaign().assert_outcomes(skipped=1)
    twice = "import pytest\n" + shop(
        "world.tools.charge_card(order_id='A17', cents=1, idempotency_key='other')", *lines
    )
    project.file("test_shop.py", twice)
    result = project.campaign()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "AF101 charge_card ran 2x, expected 1",
            "*Stopped by skip.*",
            "note: the test was left before its campaign had ended: Skipped: no network",
        ]
    )


def test_marks_keep_their_meaning(project: Project) -> None:
    """xfail takes a finding for the failure that is expected, also with raises=; strict says when
    there is none."""
    heads = "import pytest\n"
    mark = "@pytest.mark.xfail(raises=AssertionError, strict=True)"
    fails = ONCE.replace("\n\n@fuzz", f"\n\n{mark}\n@fuzz")
    project.file("test_fails.py", heads + fails)
    project.file("test_holds.py", heads + shop("return billing_agent(world.tools)", head=mark))
    project.file("test_off.py", heads + shop("assert 0", head="@pytest.mark.skip"))
    project.campaign().assert_outcomes(xfailed=1, failed=1, skipped=1)


@pytest.mark.slow
def test_it_travels_from_a_worker(project: Project) -> None:
    """Under xdist the block and the reports are the same as without it."""
    project.file("test_shop.py", ONCE)
    done = project.spawn("-p", "xdist", "-n", "1", "--agentfuzz", "--junitxml=out.xml")
    assert "AF906 assert status == 'success'" in done.stdout
    assert "raised   test_shop.py:" in done.stdout
    (name,) = project.saved()
    assert "traceback" in (project.path / f"reports/agentfuzz/{name}.json").read_text()
    assert "AF906" in (project.path / "out.xml").read_text()


def test_the_agents_traceback(project: Project) -> None:
    """AF900 and AF901 show the agent's calls, outermost first, five lines around the one that
    raised, and the exception, without a frame of agentfuzz or a path of the machine."""
    project.file(
        "agent.py",
        "import json\n\n\ndef parse(text):\n    text = text.strip()\n    value = json.loads(text)\n"
        "    return value\n\n\ndef run(tools):\n    return parse('{')\n",
    )
    project.file("test_shop.py", "import agent\n" + shop("agent.run(world.tools)"))
    result = project.run()
    result.stdout.fnmatch_lines(
        [
            "AF900 agent fails without any fault",
            "  code     agent.py:6 parse",
            "  raised   test_shop.py:* test_billing",
            "           agent.py:11 run",
            "           agent.py:6 parse",
            "             4  def parse(text):",
            "             5      text = text.strip()",
            "           > 6      value = json.loads(text)",
            "             7      return value",
            "             8",
            "           decoder.py:* raw_decode",
            "           JSONDecodeError: Expecting property name*",
        ]
    )
    result.stdout.no_fnmatch_line("*simulation.py*")
    project.file("test_dies.py", shop("raise SystemExit(3)"))
    project.run("test_dies.py").stdout.fnmatch_lines(
        ["AF901 agent raised SystemExit", "*>*raise SystemExit(3)", "*SystemExit: 3"]
    )
