"""Doors: a profile fills in what neither an option nor an ini key says."""

import pytest

from agentfuzz.plugin.options import SETTINGS
from agentfuzz.plugin.profiles import PROFILES

from .conftest import Project
from .test_settings import refused


def profile_line(project: Project, *args: str) -> str:
    """What the summary of a campaign says of its profile."""
    done = project.run("--agentfuzz", "--agentfuzz-max-runs=8", *args)
    lines = [line for line in done.outlines if line.startswith("profile ")]
    assert len(lines) <= 1
    return "".join(lines)


def test_without_a_profile_nothing_is_said_or_changed(project: Project) -> None:
    """The defaults are those of the settings."""
    project.shop()
    assert profile_line(project) == ""
    project.run("--agentfuzz", "--agentfuzz-max-runs=600").stdout.fnmatch_lines(["*two faults*"])


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_the_summary_names_the_profile(project: Project, name: str) -> None:
    project.shop()
    assert profile_line(project, "--agentfuzz-profile", name).startswith(f"profile {name}: depth ")


def test_a_profile_sets_what_a_campaign_does(project: Project) -> None:
    """With `dev` no plan with two faults is walked; the ini key does the same."""
    project.shop()
    told = project.run("--agentfuzz", "--agentfuzz-profile=dev")
    told.stdout.no_fnmatch_line("*two faults*")
    told.stdout.fnmatch_lines(["profile dev: depth 1, max-time 10"])
    assert "two faults" in project.run("--agentfuzz", "--agentfuzz-max-runs=600").stdout.str()
    project.file("pytest.ini", "[pytest]\nagentfuzz_profile = dev\n")
    assert "two faults" not in project.run("--agentfuzz").stdout.str()


def test_as_an_option_it_asks_for_campaigns(project: Project) -> None:
    """So that no job passes by having run none; the ini key is of those that run anyway."""
    project.shop()
    done = project.run("--agentfuzz-profile=dev", "--agentfuzz-max-runs=40")
    done.stdout.fnmatch_lines(["1 campaign, *", "profile dev: *"])
    project.file("pytest.ini", "[pytest]\nagentfuzz_profile = ci\n")
    (project.path / ".agentfuzz").rename(project.path / "away")
    done = project.run()
    done.assert_outcomes(passed=1)
    done.stdout.no_fnmatch_line("*profile*")


def test_an_option_and_an_ini_key_beat_it(project: Project) -> None:
    """The option the key, the key the profile; the line says what holds."""
    project.shop()
    project.file("pytest.ini", "[pytest]\nagentfuzz_profile = ci\nagentfuzz_max_time = 7\n")
    assert profile_line(project) == "profile ci: depth 2, max-time 7, session-time 900, strict"
    more = ("--agentfuzz-depth=1", "--agentfuzz-max-time=8", "--no-agentfuzz-strict")
    expected = "profile ci: depth 1, max-time 8, session-time 900, not strict"
    assert profile_line(project, *more) == expected
    assert profile_line(project, "--agentfuzz-profile=dev") == "profile dev: depth 1, max-time 7"


UNTESTED = """
from agentfuzz import Completion, fuzz, same_key_on_retry, scenario

@scenario(same_key_on_retry(), task="Tell Ann.")
def send_mail(world):
    @world.tool(effect="mail", scope=("to",), dedup="scope")
    def send(to: str) -> str:
        return "sent"

@fuzz(send_mail, only=("once/timeout",))
def test_untested(world):
    try:
        world.tools.send(to="ann@example.com")
    except TimeoutError:
        return Completion.blocked()
    return Completion.success()
"""


def test_strict_is_a_setting_of_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ci` is strict everywhere, `dev` where CI is true; a profile that says false is not, even
    there."""
    project.file("test_untested.py", UNTESTED)
    project.file("pytest.ini", "[pytest]\nagentfuzz_profiles =\n    lax: strict=false\n")
    strict = {}
    for ci in ("", "true"):
        monkeypatch.setenv("CI", ci)
        for name in ("ci", "dev", "lax"):
            strict[name, ci] = project.run("--agentfuzz", f"--agentfuzz-profile={name}").ret
    assert strict == {
        ("ci", ""): 1,
        ("dev", ""): 0,
        ("lax", ""): 0,
        ("ci", "true"): 1,
        ("dev", "true"): 1,
        ("lax", "true"): 0,
    }


def test_profiles_of_ones_own(project: Project) -> None:
    """A line adds one, or changes what it names of one that is there."""
    project.shop()
    lines = ["smoke: depth=0 max_runs=50", "ci: max-time=120 workers=auto"]
    told = "".join(f"\n    {line}" for line in lines)
    project.file("pytest.ini", f"[pytest]\nagentfuzz_profiles ={told}\n")
    assert (
        profile_line(project, "--agentfuzz-profile=smoke") == "profile smoke: depth 0, max-runs 8"
    )
    assert profile_line(project, "--agentfuzz-profile=ci", "--agentfuzz-workers=1") == (
        "profile ci: depth 2, max-time 120, session-time 900, strict, workers 1"
    )


def test_an_unknown_profile_names_the_near_miss(project: Project) -> None:
    """As an option and in the file; those of the file are among the known ones."""
    project.file("pytest.ini", "[pytest]\nagentfuzz_profiles = smoke: depth=0\n")
    said = refused(project, "--agentfuzz-profile=nigthly")
    assert "there is no profile 'nigthly'. Did you mean 'nightly'?" in said
    assert said.endswith("Profiles are: dev, ci, nightly, smoke.")
    project.file("pytest.ini", "[pytest]\nagentfuzz_profile = de\n")
    assert "Did you mean 'dev'?" in refused(project)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("smoke depth=0", "must be NAME: SETTING=VALUE ..."),
        (": depth=0", "must be NAME: SETTING=VALUE ..."),
        ("smoke: dept=0", "there is no setting 'dept'. Did you mean 'depth'?"),
        ("smoke: depth=few", "depth must be a whole number, not 'few'"),
        ("smoke: depth", "depth must be a whole number, not ''"),
        ("smoke: max-time=soon", "max-time must be a number of seconds, not 'soon'"),
        ("smoke: strict=maybe", "strict must be true or false, not 'maybe'"),
        ("smoke: profile=ci", "there is no setting 'profile'."),
    ],
)
def test_a_wrong_line_is_an_error_that_names_it(project: Project, line: str, what: str) -> None:
    """File, key, line, and what would be right, whether or not its profile is asked for."""
    project.file("pytest.ini", f"[pytest]\nagentfuzz_profiles = {line}\n")
    said = refused(project)
    assert f"pytest.ini: agentfuzz_profiles: {line.strip()}: {what}" in said


def test_a_value_out_of_range_names_the_profile(project: Project) -> None:
    project.file("pytest.ini", "[pytest]\nagentfuzz_profiles = smoke: depth=-1\n")
    said = refused(project, "--agentfuzz-profile=smoke")
    assert "profile smoke: depth = -1: must be a whole number, at least 0" in said


def test_what_the_bundled_profiles_set_is_there() -> None:
    """Settings by their names, in their types."""
    kinds = {row[0]: row[2] for row in SETTINGS} | {"strict": bool}
    for values in PROFILES.values():
        assert all(type(value) is kinds[name] for name, value in values.items())
