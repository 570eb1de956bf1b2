"""Who is a model provider, and which of its paths a face speaks: pure, from a frozen table."""

from typing import Any

import pytest

from agentfuzz.wire.reach.hosts import PROVIDERS, UNSPOKEN, Place, is_provider, place
from agentfuzz.wire.router import face_of

from .parts import FakeWorld, says

CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"


@pytest.mark.parametrize(
    ("address", "path", "model"),
    [
        ("api.openai.com/v1/chat/completions", CHAT, ""),
        ("API.OpenAI.com./v1/responses?x=1", RESPONSES, ""),
        ("eu.api.openai.com/v1/models", "/v1/models", ""),
        ("api.openai.com/v1/models/gpt-5", "/v1/models/gpt-5", ""),
        ("api.openai.com/v1/responses/resp_1", "/v1/responses/resp_1", ""),
        ("x.openai.azure.com/openai/v1/responses/r/cancel", "/v1/responses/r/cancel", ""),
        ("api.openai.com/v1/conversations/c/items?limit=1", "/v1/conversations/c/items", ""),
        ("api.anthropic.com/v1/messages?beta=true", MESSAGES, ""),
        ("api.anthropic.com/v1/messages/count_tokens", "/v1/messages/count_tokens", ""),
        ("api.groq.com/openai/v1/chat/completions", CHAT, ""),
        ("openrouter.ai/api/v1/chat/completions", CHAT, ""),
        ("api.together.xyz/v1/chat/completions", CHAT, ""),
        ("api.mistral.ai/v1/chat/completions", CHAT, ""),
        ("api.deepseek.com/chat/completions", CHAT, ""),
        ("api.deepseek.com/v1/chat/completions", CHAT, ""),
        ("api.deepseek.com/anthropic/v1/messages", MESSAGES, ""),
        ("api.fireworks.ai/inference/v1/chat/completions", CHAT, ""),
        ("api.x.ai/v1/responses", RESPONSES, ""),
        ("api.perplexity.ai/chat/completions", CHAT, ""),
        ("x.openai.azure.com/openai/deployments/gpt-4o/chat/completions", CHAT, "gpt-4o"),
        ("x.openai.azure.com/openai/v1/responses", RESPONSES, ""),
        ("x.openai.azure.com/openai/responses?api-version=1", RESPONSES, ""),
        ("x.services.ai.azure.com/anthropic/v1/messages", MESSAGES, ""),
        ("x.services.ai.azure.com/models/chat/completions", CHAT, ""),
        ("generativelanguage.googleapis.com/v1beta/openai/chat/completions", CHAT, ""),
        (
            "us-east5-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/openapi"
            "/chat/completions",
            CHAT,
            "",
        ),
        ("bedrock-runtime.us-west-2.amazonaws.com/openai/v1/chat/completions", CHAT, ""),
        ("localhost:11434/v1/chat/completions", CHAT, ""),
        ("127.0.0.1:8000/v1/responses", RESPONSES, ""),
        ("::1:1234/v1/models", "/v1/models", ""),
    ],
)
def test_what_is_spoken(address: str, path: str, model: str) -> None:
    assert asked(address) == Place(path, model)


@pytest.mark.parametrize(
    "address",
    [
        "api.openai.com/v1/embeddings",
        "api.openai.com/v1/threads/t/messages",
        "api.x.ai/v1/responses/resp_1",
        "api.mistral.ai/v1/conversations",
        "api.openai.com/chat/completions",
        "api.anthropic.com/v1/complete",
        "api.groq.com/v1/chat/completions",
        "x.openai.azure.com/openai/deployments/gpt/embeddings",
        "generativelanguage.googleapis.com/v1beta/models/gemini:generateContent",
        "bedrock-runtime.us-west-2.amazonaws.com/model/m/converse",
        "api.cohere.com/v2/chat",
        "localhost:11434/api/chat",
    ],
)
def test_what_is_a_providers_and_not_spoken(address: str) -> None:
    assert asked(address) == UNSPOKEN


@pytest.mark.parametrize(
    "address",
    [
        "example.com/v1/chat/completions",
        "api.openai.com.example.com/v1/chat/completions",
        "openai.azure.com.evil.example/openai/v1/responses",
        "notapi.openai.com/v1/chat/completions",
        "login.microsoftonline.com/x/oauth2/v2.0/token",
        "localhost:8000/health",
        "localhost:8080/api/chat",
        "localhost:8000/v1/embeddings",
    ],
)
def test_what_is_nobodys(address: str) -> None:
    assert asked(address) is None


def test_gateways_of_ones_own() -> None:
    own = ("llm.example", "other.example:8443")
    assert asked("llm.example/a/b/messages", own) == Place(MESSAGES)
    assert asked("llm.example:444/chat/completions", own) == Place(CHAT)
    assert asked("other.example:8443/v1/models", own) == Place("/v1/models")
    assert asked("other.example:443/v1/models", own) is None
    assert asked("llm.example/token", own) is None
    assert is_provider("LLM.example", 1, own)
    assert is_provider("x.openai.azure.com", 443)
    assert not is_provider("localhost", 11434)


def test_the_face_answers_whatever_is_spoken() -> None:
    """No path that the table leads to is one that the face does not know."""
    world: Any = FakeWorld(*[says("x")] * 9)
    bodies = {
        CHAT: b'{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}',
        RESPONSES: b'{"model": "m", "input": "Hi"}',
        MESSAGES: b'{"model": "m", "max_tokens": 1, "messages": [{"role":"user","content":"Hi"}]}',
        "/v1/messages/count_tokens": b'{"model": "m", "messages": [{"role":"user","content":"a"}]}',
        "/v1/models": b"",
        "/v1/models/agentfuzz": b"",
    }
    for path, body in bodies.items():
        assert asked(f"api.openai.com{path}") == Place(path)
        reply = face_of(world).answer("POST" if body else "GET", path, {}, body)
        assert reply.status == 200, path


def test_the_table_is_plain() -> None:
    for host, prefixes in PROVIDERS.items():
        assert host == host.lower().strip("/.")
        assert prefixes
        assert all(one == "" or (one[0] == "/" and one[-1] != "/") for one in prefixes)


def asked(address: str, own: tuple[str, ...] = ()) -> Place | None:
    host, slash, path = address.partition("/")
    name, colon, port = host.rpartition(":")
    return place(name if colon else host, int(port) if colon else 443, slash + path, own)
