"""Twenty canaries and more: each stops the save or is dropped, and none is in any file."""

import base64
import json
import stat
import time

import pytest

from agentfuzz.core.errors import AgentfuzzError, SavedFileError
from agentfuzz.engine.simulation import Simulation
from agentfuzz.model.cassettes import Cassette, SecretFound, record, record_run
from agentfuzz.model.cassettes.document import dump
from agentfuzz.model.cassettes.secrets import search

from .agents import LINES, shop, talk
from .conftest import KEY, client, taken
from .provider import Provider

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJlc2lnbmF0dXJl"
# Put together here, so that no search of this repository takes them for real.
CANARIES = {
    "openai": "sk-" + "proj-canary0000111122223333",
    "anthropic": "sk-" + "ant-api03-canary00001111-2222",
    "bearer": "Bearer " + "canary0000.1111_2222-3333",
    "aws": "AKIA" + "CANARY0000111122",
    "github": "ghp_" + "canary000011112222333344445555666677",
    "github fine": "github_pat_" + "canary0000_1111222233334444",
    "slack": "xoxb-" + "000011112222-canary333344445555",
    "stripe": "sk_live_" + "canary0000111122223333",
    "google": "AIza" + "SyCanary0000111122223333444455556666",
    "jwt": JWT,
    "pem": "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEcanary0000\n-----END",
    "userinfo": "https://bot:" + "canary0000pw@db.example.com/x",
    "query": "https://api.example.com/v1?api_key=" + "canary0000111122",
    "basic": "Basic " + base64.b64encode(b"bot:canary0000").decode(),
    "environment": "canary-environment-0000",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("SHOP_DB_PASSWORD", CANARIES["environment"])


def attempt(path, protocol="chat", stream=False, lines=LINES, task=None, headers=None, **how):
    """Record a conversation; the error, if the save was stopped."""
    with Provider(*lines, headers=headers) as provider:
        real = client(protocol, how.pop("url", provider.url), **how)

        def agent(world):
            world.task = task or world.task
            return talk(protocol, real, world, stream)

        try:
            with real:
                record_run(shop, agent, path)
        except AgentfuzzError as error:
            return error
    return None


def clean(folder, *secrets):
    """No file of a folder holds a secret."""
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for secret in secrets:
                assert secret.encode() not in content, path.name
                assert json.dumps(secret)[1:-1].encode() not in content, path.name


@pytest.mark.parametrize("kind", CANARIES)
def test_in_a_prompt(kind, tmp_path):
    """A secret in the body of a request stops the save; its place is named, not its value."""
    secret = CANARIES[kind]
    error = attempt(tmp_path / "t.yaml", task=f"Use {secret} for order A17.")
    assert isinstance(error, SecretFound)
    assert "t.yaml: not saved" in str(error)
    assert "interaction 1, request.body.messages[0].content: looks like" in str(error)
    assert secret not in str(error)
    assert "canary" not in str(error)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("protocol", ["chat", "responses", "anthropic"])
@pytest.mark.parametrize("kind", ["openai", "jwt", "environment", "pem"])
def test_in_a_reply(kind, protocol, stream, tmp_path):
    """Also where a stream cuts it into pieces of seven characters."""
    lines = ({"text": f"The key is {CANARIES[kind]} now."},)
    error = attempt(tmp_path / "t.yaml", protocol, stream, lines)
    assert isinstance(error, SecretFound)
    assert "interaction 1, response.body" in str(error)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", ["stripe", "userinfo", "query"])
def test_in_the_arguments_of_a_call(kind, stream, tmp_path):
    """Arguments are JSON inside of JSON: searched too, and named."""
    call = ("c1", "charge_card", {"order_id": CANARIES[kind], "amount": 1})
    error = attempt(tmp_path / "t.yaml", "chat", stream, ({"calls": [call]}, {"text": "Done."}))
    assert isinstance(error, SecretFound)
    assert list(tmp_path.iterdir()) == []


def test_a_password_is_secret_by_its_name(tmp_path):
    """A value that looks like nothing is told by the whole name of its field."""
    call = ("c1", "charge_card", {"order_id": "A17", "password": "hunter22"})
    error = attempt(tmp_path / "t.yaml", lines=({"calls": [call]}, {"text": "Done."}))
    place = "response.body.choices[0].message.tool_calls[0].function.arguments.password"
    assert place in str(error)
    assert "hunter22" not in str(error)


def test_headers_are_dropped(tmp_path):
    """Keys, cookies and whatever else stands in headers never reach the file."""
    secrets = {
        name: f"{CANARIES[kind]}"
        for name, kind in (
            ("set-cookie", "jwt"),
            ("x-amzn-trace", "aws"),
            ("openai-organization", "slack"),
            ("www-authenticate", "bearer"),
        )
    }
    key = CANARIES["openai"]
    sent = {"x-tenant": CANARIES["github"], "cookie": CANARIES["google"]}
    error = attempt(tmp_path / "t.yaml", headers=secrets, api_key=key, default_headers=sent)
    assert error is None
    clean(tmp_path, key, KEY, *secrets.values(), *sent.values())
    text = (tmp_path / "t.yaml").read_text().lower()
    for name in ("authorization", "cookie", "user-agent", "x-stainless", "x-request-id", "date:"):
        assert name not in text
    assert Cassette.load(tmp_path / "t.yaml").recordings


def test_a_secret_in_a_header_that_is_kept(tmp_path):
    """The allow-list is no pass: values of kept headers are searched too."""
    how = {"default_headers": {"accept": f"application/json; k={CANARIES['github']}"}}
    error = attempt(tmp_path / "t.yaml", **how)
    assert "interaction 1, request.headers.accept: looks like a GitHub token" in str(error)
    assert list(tmp_path.iterdir()) == []


def test_in_a_url(tmp_path):
    """A key in the query of the provider's address, or a password before its host."""
    error = attempt(tmp_path / "t.yaml", default_query={"api_key": "canary01"})
    assert "interaction 1, request.uri: looks like a secret in the query (api_key)" in str(error)
    with Provider(*LINES) as provider:
        url = provider.url.replace("://", "://bot:canary0000@")
        real = client("chat", url)
        with real, pytest.raises(SecretFound, match=r"request\.uri: looks like a URL with"):
            record_run(shop, lambda world: talk("chat", real, world, False), tmp_path / "u.yaml")
    assert list(tmp_path.iterdir()) == []


def test_in_the_name_of_a_field(tmp_path):
    """A secret that is a key of an object is not printed as a part of the place."""
    secret = CANARIES["github"]
    call = ("c1", "charge_card", {secret: 1})
    error = attempt(tmp_path / "t.yaml", lines=({"calls": [call]}, {"text": "Done."}))
    assert isinstance(error, SecretFound)
    assert secret not in str(error)


@pytest.mark.parametrize("kind", CANARIES)
def test_the_search_runs_again_on_load(kind, tape, tmp_path):
    """A cassette that came from elsewhere with a secret is refused, with its line."""
    path = tmp_path / "t.yaml"
    text = tape().read_text()
    assert text.count("Let me charge that.") >= 2
    inner = json.dumps(CANARIES[kind])[1:-1].replace("'", "''")
    path.write_text(text.replace("Let me charge that.", inner, 1))
    with pytest.raises(SecretFound, match=r"t\.yaml:\d+: interaction \d, re") as found:
        Cassette.load(path)
    assert CANARIES[kind] not in str(found.value)


@pytest.mark.parametrize("name", ["Authorization", "x-api-key", "Set-Cookie"])
def test_a_header_of_a_foreign_cassette(name, tmp_path):
    """Headers that carry credentials are refused whatever their value looks like."""
    request = {"method": "POST", "uri": "http://x/v1/messages", "headers": {name: ["short"]}}
    response = {"status": {"code": 200}, "headers": {}, "body": {"string": "{}"}}
    path = tmp_path / "t.yaml"
    path.write_text(dump([{"request": {**request, "body": "{}"}, "response": response}]))
    with pytest.raises(SecretFound, match=rf"t.yaml:\d+: interaction 1, request.headers.{name}"):
        Cassette.load(path)


@pytest.mark.parametrize(
    "text",
    [
        "A task-oriented risk-management approach with an idempotency_key and a page_token.",
        "Bearer authentication is basic understanding; Basic responsibilities.",
        "See https://example.com/@someone?page=2&order=A17 and mail bot@example.com.",
        "git clone ssh://git@github.com/example/repo.git",
    ],
)
def test_ordinary_words_are_no_secrets(text, tmp_path):
    """What people write about keys is no key."""
    assert attempt(tmp_path / "t.yaml", task=text) is None


def test_the_search_takes_no_longer_than_reading(tmp_path):
    """A long text without a break (an image) is searched in time that grows with its length: eight
    times the text takes eight times as long, not sixty-four times."""

    def took(text):
        one = {"method": "POST", "uri": "http://x/", "headers": {}, "body": text}
        started = time.process_time()
        search([{"request": one, "response": {**one, "status": {"code": 200}}}])
        return time.process_time() - started

    for text in ("QUJDREVGR0hJSktM" * 60_000, "eyJ" * 200_000, "sk-a" * 100_000, "://" * 200_000):
        assert took(text) < 25 * took(text[: len(text) // 8]) + 0.1


def test_a_cassette_is_for_its_owner_alone(tape):
    """Mode 0600, nothing beside it, and vcrpy itself can read it."""
    import vcr.serialize
    from vcr.serializers import yamlserializer

    assert stat.S_IMODE(tape().stat().st_mode) == 0o600
    assert {path.suffix for path in tape().parent.iterdir()} == {".yaml"}
    requests, responses = vcr.serialize.deserialize(tape().read_text(), yamlserializer)
    assert len(requests) == len(responses) == len(LINES)


def test_nothing_is_overwritten_and_nothing_half_written(fresh, tmp_path, monkeypatch):
    """An existing file, a missing folder, a failed conversation, a full disk, no model at all."""
    path = taken(fresh(), "chat", False)
    before = path.read_bytes()
    with pytest.raises(SavedFileError, match=r"tape1\.yaml: exists already"), record(path):
        raise AssertionError("the block must not begin")
    assert path.read_bytes() == before
    with pytest.raises(SavedFileError, match="folder 'none' does not exist"):
        with record(tmp_path / "none" / "t.yaml"):
            pass
    with pytest.raises(AgentfuzzError, match="no reply from a model provider"):
        with record(tmp_path / "t.yaml"):
            pass

    def fails(world):
        talk("chat", real, world, False)
        raise ZeroDivisionError

    with Provider(*LINES) as provider, client("chat", provider.url) as real:
        with pytest.raises(ZeroDivisionError):
            record_run(shop, fails, tmp_path / "t.yaml")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    error = attempt(tmp_path / "t.yaml")
    assert "t.yaml: not saved (No space left on device)" in str(error)
    assert [found.name for found in tmp_path.iterdir()] == ["tape1.yaml"]


def test_recording_needs_real_time(tmp_path):
    """Inside of a simulation a real timeout would pass in no time: refused at once."""
    with Simulation(), pytest.raises(AgentfuzzError, match="real time"):
        with record(tmp_path / "t.yaml"):
            raise AssertionError("the block must not begin")


def test_the_log_is_quiet_while_keys_go_by(tmp_path, caplog):
    """vcrpy's own log names headers and bodies; recording keeps it silent, and restores it."""
    import logging

    level = logging.getLogger("vcr").level
    with caplog.at_level(logging.DEBUG):
        attempt(tmp_path / "t.yaml", api_key=CANARIES["openai"])
    assert not [one for one in caplog.records if one.name.startswith("vcr")]
    assert logging.getLogger("vcr").level == level
