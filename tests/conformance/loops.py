"""Loops that are tried: `run(task, tools, model)`, good and bad."""

import json
from functools import partial

from agentfuzz import Completion


def classic(task, tools, model):
    """The ten-line loop."""
    messages = [{"role": "user", "content": task}]
    for _ in range(12):
        turn = model(messages, list(tools))
        messages.append(turn)
        if not turn["tool_calls"]:
            return turn["content"]
        for call in turn["tool_calls"]:
            try:
                result = json.dumps(tools[call["name"]](**call["arguments"]))
            except Exception as error:
                result = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    return None


async def awaited(task, tools, model):
    """The same, async."""
    messages = [{"role": "user", "content": task}]
    for _ in range(12):
        turn = await model(messages, list(tools))
        messages.append(turn)
        if not turn["tool_calls"]:
            return turn["content"]
        for call in turn["tool_calls"]:
            try:
                result = json.dumps(await tools[call["name"]](**call["arguments"]))
            except Exception as error:
                result = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    return None


def swapped(model, task, tools):
    """The same, its parameters in another order."""
    return classic(task, tools, model)


def with_default(task, tools, model, limit=3):
    return classic(task, tools, model)


class Called:
    def __call__(self, task, tools, model):
        return classic(task, tools, model)

    async def later(self, task, tools, model):
        return await awaited(task, tools, model)


class CalledLater:
    async def __call__(self, task, tools, model):
        return await awaited(task, tools, model)


called, called_later = Called(), CalledLater()
partly = partial(with_default, limit=1)
partly_later = partial(awaited)


def calls_later(task, tools, model):
    """Sync, and what it returns has to be awaited; so its tools are the sync ones."""

    async def work():
        return classic(task, tools, model)

    return work()


def of_a_world(world):
    return classic(world.task, world.tools, world.model)


def raises(task, tools, model):
    raise ValueError("no <b>way</b>\x1b[2J\n::error::x")


def never_ends(task, tools, model):
    """Goes on asking after all is done."""
    classic(task, tools, model)
    while True:
        model([{"role": "user", "content": task}], list(tools))


def spins(task, tools, model):
    while True:
        pass


def nothing(task, tools, model):
    return "I did it!"


def blocked(task, tools, model):
    """Does its work, and says in a dict that it does not know how it ended."""
    classic(task, tools, model)
    return {"status": "blocked", "reason": "outcome_unknown", "more": 1}


def says_nothing(task, tools, model):
    classic(task, tools, model)


def unreadable(task, tools, model):
    classic(task, tools, model)
    return {"status": "splendid"}


def completes(task, tools, model):
    classic(task, tools, model)
    return Completion.success(handle="A17")


RUNS = []


def remembers(task, tools, model):
    """Keeps something between runs."""
    RUNS.append(1)
    if len(RUNS) % 2:
        tools.find_order(order_id="A17")
    return classic(task, tools, model)


def yields(task, tools, model):
    yield classic(task, tools, model)


async def yields_later(task, tools, model):
    yield await awaited(task, tools, model)


def two(task, tools):
    return ""


def four(task, tools, model, store):
    return ""


NUMBER = 4
