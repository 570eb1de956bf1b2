// The official openai package: loops by hand over both of its endpoints, and its own runner.
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { RECEIPT } from "../receipt.mjs";
import { find, read } from "../tools.mjs";

const TURNS = 12;

export function built({ openai: baseURL, patience: timeout }) {
  return new OpenAI({ baseURL, apiKey: "none", timeout });
}

export async function chat(job, tools) {
  const completions = built(job).chat.completions;
  const messages = [{ role: "user", content: job.task }];
  const offered = tools.map(({ name, description, schema: parameters }) => {
    return { type: "function", function: { name, description, parameters } };
  });
  for (let turn = 0; turn < TURNS; turn++) {
    const asked = { model: "m", messages, tools: offered };
    const { choices } = job.stream
      ? await completions.stream(asked).finalChatCompletion()
      : await completions.create(asked);
    const { message } = choices[0];
    messages.push(message);
    if (!message.tool_calls?.length) return message.content;
    for (const { id, function: called } of message.tool_calls) {
      const content = await find(tools, called.name).call(read(called.arguments), id);
      messages.push({ role: "tool", tool_call_id: id, content });
    }
  }
}

export async function responses(job, tools) {
  const client = built(job);
  const offered = tools.map(({ name, description, schema: parameters }) => {
    return { type: "function", name, description, parameters, strict: false };
  });
  let input = [{ role: "user", content: job.task }];
  let previous_response_id;
  for (let turn = 0; turn < TURNS; turn++) {
    const asked = { model: "m", input, tools: offered, previous_response_id };
    const answer = job.stream
      ? await client.responses.stream(asked).finalResponse()
      : await client.responses.create(asked);
    previous_response_id = answer.id;
    const calls = answer.output.filter((item) => item.type === "function_call");
    if (!calls.length) return answer.output_text;
    input = [];
    for (const { name, arguments: text, call_id } of calls) {
      const output = await find(tools, name).call(read(text), call_id);
      input.push({ type: "function_call_output", call_id, output });
    }
  }
}

export async function runner(job, tools) {
  const offered = tools.map(({ name, description, schema: parameters, call }) => {
    const called = { name, description, parameters, parse: JSON.parse, function: (args) => call(args) };
    return { type: "function", function: called };
  });
  const messages = [{ role: "user", content: job.task }];
  const asked = { model: "m", messages, tools: offered, stream: job.stream };
  return built(job).chat.completions.runTools(asked).finalContent();
}

export async function chat_parsed(job) {
  const messages = [{ role: "user", content: job.task }];
  const asked = { model: "m", messages, response_format: zodResponseFormat(RECEIPT, "receipt") };
  const completions = built(job).chat.completions;
  const { choices } = job.stream
    ? await completions.stream(asked).finalChatCompletion()
    : await completions.parse(asked);
  return choices[0].message.parsed;
}

export async function responses_parsed(job) {
  const text = { format: zodTextFormat(RECEIPT, "receipt") };
  const asked = { model: "m", input: job.task, text };
  const { responses } = built(job);
  const answer = job.stream
    ? await responses.stream(asked).finalResponse()
    : await responses.parse(asked);
  return answer.output_parsed;
}
