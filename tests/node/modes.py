"""The table of modes: every way in which the clients of JavaScript ask, and what they make of it.

Law: `USUAL` is what a fault of a plan comes to, `OWN` what it comes to for the modes that make
something else of it, the first pattern that fits. Read by the matrix and by the benchmark.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from tests.node.worker import Mode

APIS = {
    "openai": ("chat", "responses", "runner"),
    "anthropic": ("messages", "runner"),
    "vercel": ("compatible", "chat", "responses", "anthropic"),
    "langchain": ("chat", "responses", "anthropic"),
    "agents": ("chat", "responses", "mcp"),
}
ANSWERS = {  # whose answer is a value: a schema is sent along
    "openai": ("chat_parsed", "responses_parsed"),
    "anthropic": ("parsed",),
    "vercel": ("compatible_object", "chat_object", "responses_object", "anthropic_object"),
    "langchain": ("chat_structured", "responses_structured", "anthropic_structured"),
    "agents": ("chat_output", "responses_output"),
}
HANDS_OVER = {"agents": ("chat_handoff", "responses_handoff")}


def _modes(apis: Mapping[str, Sequence[str]]) -> list[Mode]:
    return [
        Mode(client, api, stream)
        for client, names in apis.items()
        for api in names
        for stream in (False, True)
    ]


MODES, ANSWERING, HANDING = _modes(APIS), _modes(ANSWERS), _modes(HANDS_OVER)

SAYS = 'says "Order A17 is charged."'
USUAL = {
    "": f"2 turns, 1 calls, {SAYS}",
    "charge_card#1:once/error": f"3 turns, 2 calls, {SAYS}",  # the model is told, and asks again
    "model#1:rate_limited": f"3 turns, 1 calls, {SAYS}",  # its SDK has asked again
    "model#1:error": f"3 turns, 1 calls, {SAYS}",
    "model#1:cut": f"3 turns, 1 calls, {SAYS}",
    "model#2:cut": f"3 turns, 1 calls, {SAYS}",
    "model#1:truncated": f"3 turns, 1 calls, {SAYS}",
    "model#1:empty": '1 turns, 0 calls, says ""',
    "model#1:duplicate_ids": f"2 turns, 2 calls, {SAYS}",
    "model#1:malformed_args": f"3 turns, 1 calls, {SAYS}",
    "model#1:unknown_tool": f"3 turns, 1 calls, {SAYS}",
}
OWN = {
    "model#1:cut": {
        "openai-responses-streamed": "1 turns, 1 calls, raises BadRequestError",  # half a call
        "openai-*-streamed": "1 turns, 0 calls, raises OpenAIError",
        "anthropic-*-streamed": "1 turns, 0 calls, raises AnthropicError",
        "vercel-compatible-streamed": "3 turns, 1 calls, raises InvalidResponseDataError",
        "vercel-responses-streamed": '1 turns, 0 calls, says ""',
        "vercel-anthropic-streamed": '1 turns, 0 calls, says ""',
        "agents-responses-streamed": "1 turns, 0 calls, raises ModelBehaviorError",
    },
    "model#2:cut": {
        "openai-responses-streamed": '2 turns, 1 calls, says "Order A17 "',
        "openai-*-streamed": "2 turns, 1 calls, raises OpenAIError",
        "anthropic-*-streamed": "2 turns, 1 calls, raises AnthropicError",
        "vercel-compatible-streamed": "2 turns, 1 calls, raises InvalidResponseDataError",
        "agents-responses-streamed": "2 turns, 1 calls, raises ModelBehaviorError",
        "*-streamed": '2 turns, 1 calls, says "Order A17 "',  # and takes it for the whole
    },
    "model#1:truncated": {
        "openai-runner": "1 turns, 0 calls, raises LengthFinishReasonError",
        "openai-runner-streamed": f"2 turns, 0 calls, {SAYS}",
        "openai-*": f"3 turns, 2 calls, {SAYS}",  # half a call, which the tool refuses
        "anthropic-messages*": f"3 turns, 2 calls, {SAYS}",
        "anthropic-runner*": '1 turns, 0 calls, says ""',
        "vercel-anthropic": '1 turns, 0 calls, says ""',
        "langchain-chat": '1 turns, 0 calls, says ""',
        "langchain-responses": '1 turns, 0 calls, says ""',
        "agents-responses*": "1 turns, 0 calls, raises ModelBehaviorError",
    },
    "model#1:empty": {
        "openai-chat-streamed": "1 turns, 0 calls, says null",
        "openai-runner-streamed": "1 turns, 0 calls, says null",
        "agents-chat-streamed": f"3 turns, 1 calls, {SAYS}",  # asks again by itself
        "agents-mcp-streamed": f"3 turns, 1 calls, {SAYS}",
    },
    "model#1:duplicate_ids": {"agents-*": USUAL[""]},  # calls once
    "model#1:malformed_args": {
        "openai-runner*": f"2 turns, 0 calls, {SAYS}",
        "openai-*": f"3 turns, 2 calls, {SAYS}",
        "anthropic-*": f"3 turns, 2 calls, {SAYS}",
        "vercel-anthropic": f"3 turns, 2 calls, {SAYS}",
        "langchain-anthropic": f"3 turns, 1 calls, {SAYS}",
        "langchain-*-streamed": f"2 turns, 1 calls, {SAYS}",  # mends the text by itself
        "langchain-*": '1 turns, 0 calls, says ""',
    },
    "model#1:unknown_tool": {"agents-*": "1 turns, 0 calls, raises ModelBehaviorError"},
}


def comes_to(plan: str, mode: Mode) -> str:
    """What a mode makes of a plan."""
    for pattern, found in OWN.get(plan, {}).items():
        if fnmatchcase(str(mode), pattern):
            return found
    return USUAL[plan]
