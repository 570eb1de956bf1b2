"""A model that says what it is told to, for the scripts beside it."""

import json

from strands.models.model import Model


class Scripted(Model):
    """Turns are lists of content blocks."""

    def __init__(self, *turns):
        self.turns, self.shown = list(turns), []

    def update_config(self, **config):
        pass

    def get_config(self):
        return {"model_id": "scripted"}

    async def structured_output(self, output_model, prompt, system_prompt=None, **kwargs):
        yield {"output": output_model()}

    async def stream(self, messages, tool_specs=None, system_prompt=None, **kwargs):
        self.shown.append(json.loads(json.dumps(messages)))
        blocks = self.turns.pop(0)
        yield {"messageStart": {"role": "assistant"}}
        for block in blocks:
            if "text" in block:
                yield {"contentBlockStart": {"start": {}}}
                yield {"contentBlockDelta": {"delta": {"text": block["text"]}}}
            else:
                use = {"name": block["name"], "toolUseId": block["id"]}
                yield {"contentBlockStart": {"start": {"toolUse": use}}}
                text = json.dumps(block["input"])
                yield {"contentBlockDelta": {"delta": {"toolUse": {"input": text}}}}
            yield {"contentBlockStop": {}}
        calls = any("name" in block for block in blocks)
        yield {"messageStop": {"stopReason": "tool_use" if calls else "end_turn"}}
