"""Doors: a wrong setting is one error before any test, which names the place and the cure."""

import pytest

from .conftest import Project


def refused(project: Project, *args: str) -> str:
    """What pytest says when it stops before any test: one error, exit 4."""
    result = project.run(*args)
    assert result.ret == 4, result.stdout.str()
    said = [line for line in result.errlines if line.strip()]
    assert len(said) == 1, said
    assert said[0].startswith("ERROR: ")
    assert "Traceback" not in result.stdout.str()
    return said[0]


@pytest.mark.parametrize("key", ["agentfuzz_max_run", "agentfuzz-max-runs", "agentfuzz_seeds"])
def test_an_unknown_ini_key_is_an_error_with_a_near_miss(project: Project, key: str) -> None:
    """pytest ignores unknown keys in silence; a key of ours is refused, the right one named."""
    project.shop()
    project.file("pytest.ini", f"[pytest]\n{key} = 5\n")
    said = refused(project)
    assert f"pytest.ini: unknown ini key '{key}'" in said
    assert "Did you mean 'agentfuzz_" in said


def test_a_key_like_no_other_is_answered_with_the_list(project: Project) -> None:
    """Without a near miss every known key is named."""
    project.file("pytest.ini", "[pytest]\nagentfuzzy_zzzzzzzzzzzzzzzzzzzz = 5\n")
    assert "agentfuzz_run_timeout" in refused(project)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("agentfuzz = perhaps", "agentfuzz must be true or false"),
        ("agentfuzz_max_runs = abc", "agentfuzz_max_runs must be a whole number"),
        ("agentfuzz_max_runs = 0", "agentfuzz_max_runs = 0: must be a whole number, at least 1"),
        ("agentfuzz_max_runs = -1", "agentfuzz_max_runs = -1: must be"),
        ("agentfuzz_max_time = soon", "agentfuzz_max_time must be a number of seconds"),
        ("agentfuzz_max_time = nan", "agentfuzz_max_time = nan: must be"),
        ("agentfuzz_run_timeout = inf", "agentfuzz_run_timeout = inf: must be"),
        ("agentfuzz_depth = -1", "agentfuzz_depth = -1: must be a whole number, at least 0"),
        ("agentfuzz_seed = 1.5", "agentfuzz_seed must be a whole number"),
    ],
)
def test_a_bad_ini_value_is_an_error_that_names_its_key(
    project: Project, text: str, key: str
) -> None:
    """File, key, value and what would be right, in one line."""
    project.file("pytest.ini", f"[pytest]\n{text}\n")
    assert f"pytest.ini: {key}" in refused(project)


def test_a_bad_option_is_an_error_that_names_it(project: Project) -> None:
    """The same limits hold for options."""
    assert "--agentfuzz-max-runs = 0" in refused(project, "--agentfuzz-max-runs=0")
    assert "--agentfuzz-run-timeout = -1.0" in refused(project, "--agentfuzz-run-timeout=-1")
    assert project.run("--agentfuzz-max-runs=many").ret == 4


@pytest.mark.parametrize(
    "text",
    [
        "[tool.pytest]\nagentfuzz = true\nagentfuzz_max_runs = 4\nagentfuzz_max_time = 9.5\n",
        "[tool.pytest.ini_options]\nagentfuzz = true\nagentfuzz_max_runs = 4\n",
        '[tool.pytest.ini_options]\nagentfuzz = "true"\nagentfuzz_max_runs = "4"\n',
    ],
)
def test_toml_settings_work_in_both_forms(project: Project, text: str) -> None:
    """pyproject.toml with native types, and in the ini form."""
    if "[tool.pytest]" in text and int(pytest.__version__.partition(".")[0]) < 9:
        pytest.skip("native TOML came with pytest 9")
    project.shop()
    project.file("pyproject.toml", text)
    project.run().stdout.fnmatch_lines(["1 campaign, *Stopped by max_runs*"])


@pytest.mark.skipif(int(pytest.__version__.partition(".")[0]) < 9, reason="native TOML")
def test_native_toml_with_a_wrong_type_names_the_key(project: Project) -> None:
    """A text where a number belongs, and an unknown key."""
    project.file("pyproject.toml", '[tool.pytest]\nagentfuzz_max_runs = "four"\n')
    assert "agentfuzz_max_runs" in refused(project)
    project.file("pyproject.toml", "[tool.pytest]\nagentfuzz_max_rns = 4\n")
    assert "Did you mean 'agentfuzz_max_runs'?" in refused(project)


def test_overrides_on_the_command_line_are_checked_too(project: Project) -> None:
    """-o with a wrong key or value is refused like a line in the file."""
    assert "command line: unknown ini key" in refused(project, "-o", "agentfuzz_max_run=5")
    assert "agentfuzz_max_runs must be" in refused(project, "-o", "agentfuzz_max_runs=abc")


def test_keys_of_others_are_not_ours_to_judge(project: Project) -> None:
    """A key with another beginning is left to pytest."""
    project.file("test_other.py", "def test_other(): pass\n")
    project.file("pytest.ini", "[pytest]\nfuzz_max_run = 5\n")
    assert project.run().ret == 0


def test_a_namesake_distribution_stops_at_start(project: Project) -> None:
    """Another distribution that owns the import package is named beside ours, with the cure."""
    project.file(
        "site/agentfuzz-0.4.0.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: agentfuzz\nVersion: 0.4.0\n",
    )
    project.shop()
    project.pytester.syspathinsert(project.path / "site")
    said = refused(project)
    assert "agentfuzz 0.4.0" in said
    assert "pip install pytest-agentfuzz" in said


def test_a_wrong_word_for_the_memo_is_an_error(project: Project) -> None:
    project.shop()
    assert "--agentfuzz-memo (agentfuzz_memo) = often: must be auto, on or off" in refused(
        project, "--agentfuzz-memo", "often"
    )


def test_a_campaign_says_how_many_runs_were_real(project: Project) -> None:
    """In the terminal; in no report, which is the same on every machine."""
    project.shop()
    said = project.campaign("--agentfuzz-memo=on").stdout.str()
    assert " of them real" in said
    report = (project.path / "reports/agentfuzz/report.json").read_text(encoding="utf-8")
    assert " of them real" not in report
    assert " of them real" not in project.campaign("--agentfuzz-memo=off").stdout.str()


def test_what_is_confirmed_of_tools_is_read_at_the_start(project: Project) -> None:
    """A line of `agentfuzz_tools` that cannot be read is an error that names file and line, in an
    ini file and in pyproject.toml; right ones are none."""
    project.shop()
    project.file("pytest.ini", "[pytest]\nagentfuzz_tools =\n    get_*: reads\n    book: efect=x\n")
    assert "pytest.ini: agentfuzz_tools: 'book: efect=x': 'efect' is no word" in refused(project)
    (project.path / "pytest.ini").unlink()
    lines = '[tool.pytest.ini_options]\nagentfuzz_tools = ["get_*: reads", "book: effect={}"]\n'
    project.file("pyproject.toml", lines.format(""))
    assert "pyproject.toml: agentfuzz_tools: 'book: effect='" in refused(project)
    project.file("pyproject.toml", lines.format("booking"))
    assert project.run("--collect-only").ret == 0
