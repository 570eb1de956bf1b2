"""The pytest plugin: options and hooks.

Law: with the plugin installed and unused, starting pytest imports this file, `settings`
and nothing else of agentfuzz; whatever costs something is imported when the first `@fuzz` test
runs or an option asks for it. Called by pytest through its entry point.
"""

import argparse
import importlib.metadata
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agentfuzz.plugin.carried import carried
from agentfuzz.plugin.options import (
    ACTIONS,
    ANSWERS,
    EXISTING,
    MERGE,
    OTHERS,
    PATHS,
    PROFILES,
    SETTINGS,
    STRICT,
    TOOLS,
)
from agentfuzz.plugin.settings import campaigns_on, ini_key, refuse_unknown_keys, setting

if TYPE_CHECKING:
    from agentfuzz.plugin.session import Session

MARKER = "agentfuzz: a test whose body runs under faults with --agentfuzz (@fuzz sets it)"
KEY = pytest.StashKey["Session"]()
DISTRIBUTION = "pytest-agentfuzz"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("agentfuzz", "agentfuzz: simulation testing for agent loops")
    group.addoption(
        "--agentfuzz",
        action="store_true",
        default=None,
        help="run a campaign for every @fuzz test (without: one run, and saved counterexamples)",
    )
    parser.addini("agentfuzz", "run campaigns by default", type="bool", default=False)
    for switch, text in (("strict", STRICT), ("paths", PATHS)):
        for word, action in (("", "store_true"), ("no-", "store_false")):
            group.addoption(
                f"--{word}agentfuzz-{switch}",
                action=action,
                default=None,
                dest=f"agentfuzz_{switch}",
                help=text if not word else "do not",
            )
        parser.addini(f"agentfuzz_{switch}", text, type="bool", default=None)
    parser.addini("agentfuzz_tools", TOOLS, type="linelist", default=[])
    parser.addini("agentfuzz_profiles", PROFILES, type="linelist", default=[])
    for name, metavar, kind, default, text in SETTINGS:
        shown = text if default == "" else f"{text} (default: {default})"
        group.addoption(f"--agentfuzz-{name}", metavar=metavar, type=kind, help=shown)
        ini = {int: "int", float: "float", str: "string"}[kind]
        parser.addini(ini_key(name), text, type=ini, default=None)  # type: ignore[arg-type]
    group.addoption("--agentfuzz-serve", help=argparse.SUPPRESS)  # a campaign's own processes
    group.addoption("--agentfuzz-existing", action="append", metavar="PATH", help=EXISTING)
    group.addoption(MERGE, action="append", metavar="DIR", help=argparse.SUPPRESS)
    for name, metavar, text in (*ACTIONS, *OTHERS):
        words: dict[str, Any] = {"nargs": "?", "const": ""} if metavar[:1] == "[" else {}
        words |= {"metavar": metavar.strip("[]")} if metavar else {"action": "store_true"}
        group.addoption(f"--agentfuzz-{name}", help=text, **words)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    _refuse_namesake()
    refuse_unknown_keys(config)
    if setting(config, "report") != "auto":
        from agentfuzz.plugin import reporting

        reporting.formats(config)
    config.stash[SEEN] = seen = _Seen(config)
    config.pluginmanager.register(seen, "agentfuzz-seen")
    asked = ("--agentfuzz-baseline-update", "--agentfuzz-baseline-prune")
    if setting(config, "baseline") or any(map(config.getoption, asked)):
        from agentfuzz.plugin.baseline import baseline

        baseline.begin(config)


def _refuse_namesake() -> None:
    """Stop when another distribution owns the import package `agentfuzz`, or has taken files of it
    along when it was uninstalled."""
    try:
        other = importlib.metadata.version("agentfuzz")
    except importlib.metadata.PackageNotFoundError:
        if Path(__file__).parents[1].joinpath("__init__.py").exists():
            return
        raise pytest.UsageError(
            f"files of {DISTRIBUTION} are missing, as where another distribution 'agentfuzz' was "
            f"uninstalled. Install it again: pip install --force-reinstall {DISTRIBUTION}"
        ) from None
    raise pytest.UsageError(
        f"two distributions own the import package 'agentfuzz': {DISTRIBUTION} and agentfuzz "
        f"{other}. Each overwrites files of the other. Uninstall both, then install the one you "
        f"want: pip uninstall agentfuzz {DISTRIBUTION}; pip install {DISTRIBUTION}"
    )


def session_of(config: pytest.Config) -> "Session":
    """The state of this pytest session, made (and its imports done) on first use."""
    if KEY not in config.stash:
        from agentfuzz.plugin.session import Session

        config.stash[KEY] = Session(config, campaigns_on(config))
    return config.stash[KEY]


class _Seen:
    """What the test reports of one session bring, its own or those of workers, and the call of a
    test. Registered with its config, because pytest may run inside pytest."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.any = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # before anybody counts it
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, Any, Any]:
        self.any = self.any or "agentfuzz" in report.keywords
        if hasattr(report, "agentfuzz") or KEY in self.config.stash:
            session_of(self.config).collect(report)
        return (yield)

    @pytest.hookimpl(tryfirst=True)  # registered last, before others that run async tests
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        given = carried(pyfuncitem)
        if given is None:
            return None
        from agentfuzz.plugin import paths

        with paths.watched(self.config, given):
            session_of(self.config).run(pyfuncitem, given)
        return True

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> bool | None:
        if carried(item) is None:
            return None
        from agentfuzz.plugin.ends import timeouts

        return timeouts.instead_of_a_thread(item, settings)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node: Any) -> None:
        if campaigns_on(self.config) and node.gateway.spec.popen:
            with suppress(Exception):  # of execnet's own
                session_of(self.config).workers.append(node.gateway._rinfo().pid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        lines = getattr(node, "workeroutput", {}).get("agentfuzz", ())
        if lines:
            session_of(self.config).findings.note(lines)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, report: pytest.TestReport) -> None:
        if _left(self.config):
            from agentfuzz.plugin.ends import process_death

            process_death.crashed(session_of(self.config).findings, report)


def _left(config: pytest.Config) -> bool:
    """Whether a process has written a plan ahead, and is still at it or dead."""
    return any((config.rootpath / ".agentfuzz").glob("ahead-*.plan"))


SEEN = pytest.StashKey[_Seen]()


def _asked(config: pytest.Config) -> bool:
    return any(config.getoption(f"--agentfuzz-{name}") is not None for name, *_ in ACTIONS)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if not _asked(config) and all(config.getoption(one) is None for one in ANSWERS):
        return None
    from agentfuzz.plugin.actions import actions

    return actions.main(config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    if not session.config.getoption("--agentfuzz-export") or session.testsfailed:
        return None
    from agentfuzz.plugin.actions import actions

    actions.export(session)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    if campaigns_on(config) and not config.option.collectonly and not _asked(config):
        from agentfuzz.plugin.ends import sigterm

        config.add_cleanup(sigterm.on_sigterm())
    if hasattr(config, "workerinput") or config.option.collectonly or _asked(config):
        return
    if _left(config):
        from agentfuzz.plugin.ends import process_death

        process_death.tell(session_of(config).findings)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if hasattr(getattr(item, "obj", None), "agentfuzz"):
            item.add_marker(pytest.mark.agentfuzz)
    replayed = config.getoption("--agentfuzz-replay")
    if replayed:
        from agentfuzz.plugin.actions import actions

        actions.keep_replayed(config, items)
    if replayed or (campaigns_on(config) and _marked(config, items)):
        from agentfuzz.plugin import existing

        existing.adopt(config, items)
    if config.getoption(MERGE):
        from agentfuzz.plugin import sharding

        sharding.keep_merged(config, items)


def _marked(config: pytest.Config, items: list[pytest.Item]) -> bool:
    """Whether a test that exists is to be a campaign."""
    return bool(config.getoption("--agentfuzz-existing")) or any(
        carried(item) is None and item.get_closest_marker("agentfuzz") for item in items
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" and carried(item) is not None:
        session_of(item.config).told(item, call, report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    if config.option.collectonly:
        return
    if hasattr(config, "workeroutput"):
        if KEY in config.stash:
            config.workeroutput["agentfuzz"] = config.stash[KEY].findings.lines
        if exitstatus == pytest.ExitCode.INTERRUPTED and campaigns_on(config):
            from agentfuzz.plugin.ends import interruption

            if not session_of(config).left:
                interruption.leave(config.rootpath / ".agentfuzz", None)
    elif KEY in config.stash or (config.pluginmanager.hasplugin("dsession") and _left(config)):
        session_of(config).finish(session)
    elif _no_campaign(config, exitstatus) and not config.getoption("--agentfuzz-export"):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def _no_campaign(config: pytest.Config, exitstatus: int) -> bool:
    return campaigns_on(config) and exitstatus in (0, 5) and not config.stash[SEEN].any


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    if KEY in config.stash:
        config.stash[KEY].summary(terminalreporter)
    elif _no_campaign(config, exitstatus) and not config.option.collectonly:
        terminalreporter.write_line(
            "agentfuzz: no campaign found. Start with: pytest --agentfuzz-init"
        )


def pytest_unconfigure(config: pytest.Config) -> None:
    if KEY in config.stash:
        config.stash[KEY].reporting.log()
