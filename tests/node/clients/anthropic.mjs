// The official @anthropic-ai/sdk: a loop by hand, and its own tool runner.
import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { RECEIPT } from "../receipt.mjs";
import { find } from "../tools.mjs";

const TURNS = 12;
const MODEL = { model: "m", max_tokens: 200 };

function built({ anthropic: baseURL, patience: timeout }) {
  return new Anthropic({ baseURL, apiKey: "none", timeout });
}

const text = (content) => content.map((block) => block.text ?? "").join("");

export async function messages(job, tools) {
  const client = built(job);
  const said = [{ role: "user", content: job.task }];
  const offered = tools.map(({ name, description, schema: input_schema }) => {
    return { name, description, input_schema };
  });
  for (let turn = 0; turn < TURNS; turn++) {
    const asked = { ...MODEL, messages: said, tools: offered };
    const { content } = job.stream
      ? await client.messages.stream(asked).finalMessage()
      : await client.messages.create(asked);
    said.push({ role: "assistant", content });
    const calls = content.filter((block) => block.type === "tool_use");
    if (!calls.length) return text(content);
    const results = [];
    for (const { id, name, input } of calls) {
      const content = await find(tools, name).call(input, id);
      results.push({ type: "tool_result", tool_use_id: id, content });
    }
    said.push({ role: "user", content: results });
  }
}

export async function runner(job, tools) {
  const offered = tools.map(({ name, description, schema: input_schema, call }) => {
    return { name, description, input_schema, parse: (input) => input, run: (input) => call(input) };
  });
  const runs = built(job).beta.messages.toolRunner({
    ...MODEL,
    messages: [{ role: "user", content: job.task }],
    tools: offered,
    stream: job.stream,
    max_iterations: TURNS,
  });
  if (!job.stream) return text((await runs).content);
  let last;
  for await (const turn of runs) last = await turn.finalMessage();
  return text(last.content);
}

export async function parsed(job) {
  const output_config = { format: zodOutputFormat(RECEIPT) };
  const asked = { ...MODEL, messages: [{ role: "user", content: job.task }], output_config };
  const { messages } = built(job);
  const answer = job.stream ? await messages.stream(asked).finalMessage() : await messages.parse(asked);
  return answer.parsed_output;
}
