"""Nothing that is written of a campaign holds a secret: not the saved finding, no report, not the
terminal, not JUnit."""

import textwrap

import pytest

from core.secrets.canaries import ENVIRONMENT, SECRETS

from .conftest import Project

KINDS = (
    "openai", "stripe live", "aws", "azure storage", "sendgrid", "slack bot", "telegram", "vault",
    "twilio", "shopify", "digitalocean", "jwt", "pem", "url", "environment", "password",
    "openai in base64", "github in hex",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_holds_a_secret(
    project: Project, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """It stands in the task, an argument, a key, a reply, an error, a handle and an ending."""
    text, secret = SECRETS[kind]
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    project.file(
        "test_it.py",
        textwrap.dedent(f"""\
        from agentfuzz import Completion, at_most_once, fuzz, scenario

        TEXT = {text!r}

        @scenario(at_most_once(), task="Use " + TEXT)
        def shop(world):
            @world.tool(effect="charge", scope=("order",))
            def charge(order: str, note: str = "") -> dict:
                return {{"said": TEXT}}

        @fuzz(shop, exclude=("twice",))
        def test_it(world):
            for attempt in range(2):
                try:
                    world.tools.charge(order="A17", note=TEXT)
                except TimeoutError:
                    continue
                return Completion.success(handle=TEXT, detail=TEXT)
            raise RuntimeError(TEXT)
        """),
    )
    result = project.run("--agentfuzz", "--junitxml=junit.xml", "test_it.py")
    assert "AF101" in result.stdout.str()
    told = [result.stdout.str(), result.stderr.str()]
    files = [
        path
        for path in project.path.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    assert {".json", ".html", ".md", ".xml"} <= {path.suffix for path in files}
    for content in [*told, *(path.read_text("utf-8", "replace") for path in files)]:
        assert secret not in content
        assert secret.encode("unicode_escape").decode() not in content
    assert any("[redacted 1: " in path.read_text("utf-8", "replace") for path in files)
