"""Who is a model provider, and which of its paths a face speaks.

Law: pure; one frozen table, host -> what stands before the endpoint in its paths. Asked for every
request of a client that is reached.

A star in a host is any text, in a path one segment (at Azure the deployment, which is the model).
This machine is nobody's: there the paths alone say that a model is meant.
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

from agentfuzz.runtime.network import is_local
from agentfuzz.wire.router import CODECS, STORED

_AZURE = ("/openai/deployments/*", "/openai/v1", "/openai", "/models", "", "/anthropic/v1")
_VERTEX = tuple(
    f"/{version}/projects/*/locations/*/endpoints/openapi" for version in ("v1", "v1beta1")
)
_RULED = ("api.openai.com", "*.api.openai.com", "*.openai.azure.com", "api.anthropic.com")
_STORES = ("api.openai.com", "*.api.openai.com", "*.openai.azure.com")  # what clients leave there
PROVIDERS: dict[str, tuple[str, ...]] = {
    "api.openai.com": ("/v1",),
    "*.api.openai.com": ("/v1",),
    "api.anthropic.com": ("/v1",),
    "*.openai.azure.com": _AZURE,
    "*.cognitiveservices.azure.com": _AZURE,
    "*.services.ai.azure.com": _AZURE,
    "models.inference.ai.azure.com": ("", "/v1"),
    "models.github.ai": ("/inference",),
    "api.groq.com": ("/openai/v1",),
    "openrouter.ai": ("/api/v1",),
    "api.together.xyz": ("/v1",),
    "api.together.ai": ("/v1",),
    "api.mistral.ai": ("/v1",),
    "codestral.mistral.ai": ("/v1",),
    "api.deepseek.com": ("", "/v1", "/beta", "/anthropic/v1"),
    "api.fireworks.ai": ("/inference/v1",),
    "api.x.ai": ("/v1",),
    "api.perplexity.ai": ("", "/v1"),
    "api.cerebras.ai": ("/v1",),
    "api.sambanova.ai": ("/v1",),
    "api.deepinfra.com": ("/v1/openai",),
    "api.hyperbolic.xyz": ("/v1",),
    "api.studio.nebius.ai": ("/v1",),
    "api.studio.nebius.com": ("/v1",),
    "api.moonshot.ai": ("/v1", "/anthropic/v1"),
    "api.moonshot.cn": ("/v1", "/anthropic/v1"),
    "api.z.ai": ("/api/paas/v4", "/api/anthropic/v1"),
    "open.bigmodel.cn": ("/api/paas/v4", "/api/anthropic/v1"),
    "dashscope.aliyuncs.com": ("/compatible-mode/v1",),
    "dashscope-intl.aliyuncs.com": ("/compatible-mode/v1",),
    "integrate.api.nvidia.com": ("/v1",),
    "router.huggingface.co": ("/v1", "/*/v1"),
    "ai-gateway.vercel.sh": ("/v1",),
    "gateway.ai.cloudflare.com": ("/v1/*/*/openai", "/v1/*/*/compat", "/v1/*/*/anthropic/v1"),
    "ollama.com": ("/v1",),
    "api.llama.com": ("/compat/v1",),
    "api.ai21.com": ("/studio/v1",),
    "api.cohere.com": ("/compatibility/v1",),
    "api.cohere.ai": ("/compatibility/v1",),
    "generativelanguage.googleapis.com": ("/v1beta/openai",),
    "aiplatform.googleapis.com": _VERTEX,
    "*-aiplatform.googleapis.com": _VERTEX,
    "bedrock-runtime.*.amazonaws.com": ("/openai/v1",),
}
_OLLAMA = 11434
_OLLAMAS_OWN = ("/api/chat", "/api/generate", "/api/embed", "/api/embeddings")
_ROOT = "/v1"
_MODELS = f"{_ROOT}/models"
_EXACT = (*CODECS, f"{_ROOT}/messages/count_tokens", _MODELS)


class Place(NamedTuple):
    """Where a request to a provider goes: the face's own path (empty if no face speaks what is
    asked there), and the model that the provider's path has named, if any."""

    path: str
    model: str = ""


UNSPOKEN = Place("")


def place(host: str, port: int | None, path: str, own: Iterable[str] = ()) -> Place | None:
    """Where a request goes, or None if nobody is asked there whom a face stands for. `own` are the
    user's own gateways, `host` or `host:port`: whatever ends there as a face's path does."""
    host, path = host.rstrip(".").lower(), path.partition("?")[0]
    if host in own or f"{host}:{port}" in own:
        return _ends(path)
    if is_local(host):
        if port == _OLLAMA and path in _OLLAMAS_OWN:
            return UNSPOKEN
        return _endpoint(path, _ROOT)
    prefixes = _prefixes(host)
    if prefixes is None:
        return None
    stores = any(fnmatchcase(host, one) for one in _STORES)
    found = (_endpoint(path, prefix, stores=stores) for prefix in prefixes)
    return next((one for one in found if one is not None), UNSPOKEN)


def is_provider(host: str, port: int | None, own: Iterable[str] = ()) -> bool:
    """Whether a host is known to be a provider, whatever is asked there."""
    host = host.rstrip(".").lower()
    return host in own or f"{host}:{port}" in own or _prefixes(host) is not None


def has_known_rules(host: str) -> bool:
    """Whether it is known what this provider refuses: its own API, or a copy of it."""
    host = host.rstrip(".").lower()
    return any(fnmatchcase(host, one) for one in _RULED)


def _endpoint(path: str, prefix: str, *, stores: bool = False) -> Place | None:
    found = _pattern(prefix).match(path)
    if found is None:
        return None
    inner = f"{_ROOT}{path[found.end() :]}"
    below = (f"{_MODELS}/", *STORED) if stores else f"{_MODELS}/"
    if inner not in _EXACT and not inner.startswith(below):
        return None
    named = found.groups() if prefix.endswith("*") else ()
    return Place(inner, *named)


def _ends(path: str) -> Place | None:
    for known in _EXACT:
        if path.endswith(known.removeprefix(_ROOT)):
            return Place(known)
    return None


@cache
def _pattern(prefix: str) -> re.Pattern[str]:
    return re.compile(re.escape(prefix).replace(r"\*", "([^/]+)"))


@cache
def _prefixes(host: str) -> tuple[str, ...] | None:
    for known, prefixes in PROVIDERS.items():
        if re.fullmatch(re.escape(known).replace(r"\*", ".+"), host):
            return prefixes
    return None
