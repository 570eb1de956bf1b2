"""Every canary that reports keep out is kept out of cassettes, too: whole, in arguments, and cut
into the pieces of a stream."""

import json

import pytest

from agentfuzz.model.cassettes import record
from agentfuzz.model.cassettes.secrets import search
from core.secrets.canaries import ENVIRONMENT, INNOCENT, SECRETS

from .conftest import client
from .provider import Provider

JSON = {"content-type": ["application/json"]}
STREAM = {"content-type": ["text/event-stream"]}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def interaction(body, headers=JSON, asked="Charge order A17."):
    """One turn of a model, as a cassette keeps it."""
    said = {"model": "m", "messages": [{"role": "user", "content": asked}]}
    return {
        "request": {
            "method": "POST",
            "uri": "https://api.openai.com/v1/chat/completions",
            "headers": JSON,
            "body": json.dumps(said),
        },
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": headers,
            "body": {"string": body},
        },
    }


def answer(text):
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]})


def pieces(text):
    """A stream of chunks of seven characters."""
    cut = [text[at : at + 7] for at in range(0, len(text), 7)]
    chunks = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in cut]
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


@pytest.mark.parametrize("name", SECRETS)
def test_a_canary_refuses_the_save(name):
    """In the question, the answer, the arguments of a call, and joined from a stream."""
    text, secret = SECRETS[name]
    call = {"function": {"name": "pay", "arguments": json.dumps({"note": text})}}
    calls = json.dumps({"choices": [{"message": {"tool_calls": [call]}}]})
    for one in (
        interaction(answer("Charged."), asked=text),
        interaction(answer(text)),
        interaction(calls),
        interaction(pieces(text), STREAM),
    ):
        hit = search([one])
        assert hit is not None
        assert secret not in str(hit)


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_none_is_saved(text):
    """Whole and in pieces."""
    assert search([interaction(answer(text)), interaction(pieces(text), STREAM)]) is None


def test_a_hook_takes_a_secret_out(tmp_path):
    """What has to be said in the conversation is rewritten before it is searched and kept."""
    secret = SECRETS["github"][1]
    path = tmp_path / "t.yaml"
    asked = [{"role": "user", "content": f"Use {secret}."}]
    with Provider({"text": f"I used {secret}."}) as provider, client("chat", provider.url) as real:
        with record(path, rewrite=lambda text: text.replace(secret, "GITHUB_TOKEN")):
            real.chat.completions.create(model="m", messages=asked)
    assert secret not in path.read_text()
    assert "Use GITHUB_TOKEN." in path.read_text()
    assert "I used GITHUB_TOKEN." in path.read_text()
